"""Faults on demand: what can go wrong between a caller and an API, one class for each kind."""

from dataclasses import asdict, dataclass, replace
from fnmatch import fnmatchcase
from typing import Annotated, ClassVar, Literal, get_args

from relay.sandbox.form import AtLeast, AtMost, BadFormError, filled

Seconds = Annotated[float, AtLeast(0), AtMost(3600)]
Times = Annotated[int, AtLeast(1)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Aim:
    """Which calls meet a fault, and how often."""

    api: Literal["mensatek", "dmds"]
    times: Times | None = 1  # None: until cleared
    function: str = ""  # the vendor's name; empty: those that send; "*": every one
    match: str = ""  # only calls with such a recipient; * and ? as in file names; empty: all

    def concerns(self, api: str, function: str, *, sends: bool, recipients: tuple[str, ...]) -> bool:
        """Tell whether a call meets it."""
        by_name = sends if not self.function else self.function in ("*", function)
        pattern = self.match.casefold()
        matches = not pattern or any(fnmatchcase(address.casefold(), pattern) for address in recipients)
        return self.api == api and by_name and matches


@dataclass(frozen=True, slots=True, kw_only=True)
class Status(Aim):
    """An HTTP status."""

    kind: ClassVar = "status"
    status: Annotated[int, AtLeast(200), AtMost(599)]
    retry_after: int | str | None = None  # seconds, or a date (RFC 9110 §10.2.3)
    body: str = ""
    accept: bool = False  # the mail was taken all the same, as behind a gateway that answers 504


@dataclass(frozen=True, slots=True, kw_only=True)
class Res(Aim):
    """Mensatek answers this `Res`."""

    kind: ClassVar = "res"
    api: Literal["mensatek"]
    res: int
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Err(Aim):
    """DMDS answers status err."""

    kind: ClassVar = "err"
    api: Literal["dmds"]
    on: str = "error on demand"
    status: Annotated[int, AtLeast(200), AtMost(599)] = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Slow(Aim):
    """It takes long to accept; it does so also when the caller has gone meanwhile."""

    kind: ClassVar = "slow"
    seconds: Seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class SlowAfter(Aim):
    """It accepts at once and takes long to say so."""

    kind: ClassVar = "slow_after"
    seconds: Seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class CutBefore(Aim):
    """It reads the request and closes the connection; nothing was accepted."""

    kind: ClassVar = "cut_before"


@dataclass(frozen=True, slots=True, kw_only=True)
class CutAfter(Aim):
    """It accepts and closes the connection without an answer."""

    kind: ClassVar = "cut_after"


@dataclass(frozen=True, slots=True, kw_only=True)
class Garbage(Aim):
    """200 with rubbish."""

    kind: ClassVar = "garbage"
    body: str = "<html><body><h1>It works!</h1>"
    accept: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Empty(Aim):
    """200 with nothing."""

    kind: ClassVar = "empty"
    accept: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Partial(Aim):
    """Mensatek takes some recipients, refuses some, and is silent about some."""

    kind: ClassVar = "partial"
    api: Literal["mensatek"]
    not_sent: tuple[str, ...] = ()  # these stand in NoEnviados
    missing: tuple[str, ...] = ()  # these stand in neither list
    accept_missing: bool = False  # the missing got their mail all the same


@dataclass(frozen=True, slots=True, kw_only=True)
class SentDiffers(Aim):
    """DMDS counts wrong."""

    kind: ClassVar = "sent_differs"
    api: Literal["dmds"]
    by: int = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Redirect(Aim):
    """It sends the caller elsewhere."""

    kind: ClassVar = "redirect"
    status: Literal[301, 302, 303, 307, 308] = 302
    location: str = "http://127.0.0.1:9/elsewhere"  # the discard port: nobody listens
    accept: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Huge(Aim):
    """200 with a very large answer."""

    kind: ClassVar = "huge"
    bytes: Times | None = None  # None: endless
    accept: bool = False


Fault = (
    Status
    | Res
    | Err
    | Slow
    | SlowAfter
    | CutBefore
    | CutAfter
    | Garbage
    | Empty
    | Partial
    | SentDiffers
    | Redirect
    | Huge
)
_KINDS: dict[str, type[Fault]] = {kind.kind: kind for kind in get_args(Fault)}


class BadFaultError(Exception):
    """The request for a fault is wrong; the text names what."""


@dataclass(frozen=True, slots=True)
class SetFault:
    """A fault that waits for calls."""

    id: int
    fault: Fault
    left: int | None  # calls that will still meet it; None: until cleared


class Faults:
    """The faults that wait, in the order they were asked for."""

    def __init__(self) -> None:
        self._faults: dict[int, SetFault] = {}
        self._last_id = 0

    def ask(self, request: object) -> SetFault:
        """Set a fault as a JSON object describes it.

        Raises:
            BadFaultError: it does not describe one.
        """
        return self.add(_read(request))

    def add(self, fault: Fault) -> SetFault:
        """Set a fault."""
        self._last_id += 1
        waiting = SetFault(self._last_id, fault, fault.times)
        self._faults[waiting.id] = waiting
        return waiting

    def take(self, api: str, function: str, *, sends: bool, recipients: tuple[str, ...]) -> Fault | None:
        """The first fault that concerns this call, used once."""
        for waiting in self._faults.values():
            if waiting.fault.concerns(api, function, sends=sends, recipients=recipients):
                self._use(waiting)
                return waiting.fault
        return None

    def all(self) -> tuple[SetFault, ...]:
        """Those that wait."""
        return tuple(self._faults.values())

    def clear(self) -> None:
        """Forget them all."""
        self._faults.clear()

    def _use(self, waiting: SetFault) -> None:
        if waiting.left == 1:
            del self._faults[waiting.id]
        elif waiting.left is not None:
            self._faults[waiting.id] = replace(waiting, left=waiting.left - 1)


def accepts(fault: Fault | None) -> bool:
    """Tell whether the API does its work under this fault."""
    match fault:
        case CutBefore():
            return False
        case Status() | Garbage() | Empty() | Redirect() | Huge():
            return fault.accept
    return True


def fault_view(waiting: SetFault) -> dict[str, object]:
    """A fault as JSON shows it."""
    return {"id": waiting.id, "kind": waiting.fault.kind, **asdict(waiting.fault), "left": waiting.left}


def _read(request: object) -> Fault:
    if not isinstance(request, dict):
        raise BadFaultError("a fault is a JSON object")
    members = dict(request)
    kind = _KINDS.get(str(members.pop("kind", "")))
    if kind is None:
        raise BadFaultError(f"kind: must be one of {', '.join(_KINDS)}")
    try:
        return filled(kind, members)
    except BadFormError as error:
        raise BadFaultError(str(error)) from None
