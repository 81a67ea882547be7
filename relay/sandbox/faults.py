"""Faults on demand: what can go wrong between a caller and an API, one class for each kind."""

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

Api = Literal["mensatek", "dmds"]


class FaultKind(BaseModel):
    """What every fault has."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    api: Api
    times: Annotated[int, Field(ge=1)] | None = 1  # None: until cleared
    function: str = ""  # the vendor's name; empty: those that send; "*": every one
    match: str = ""  # only calls with such a recipient; * and ? as in file names; empty: all

    def concerns(self, function: str, *, sends: bool, recipients: tuple[str, ...]) -> bool:
        """Tell whether a call meets it."""
        by_name = sends if not self.function else self.function in ("*", function)
        pattern = self.match.casefold()
        return by_name and (not pattern or any(fnmatchcase(address.casefold(), pattern) for address in recipients))


class Status(FaultKind):
    """An HTTP status."""

    kind: Literal["status"]
    status: int = Field(ge=200, le=599)
    retry_after: int | str | None = None  # seconds, or a date (RFC 9110 §10.2.3)
    body: str = ""
    accept: bool = False  # the mail was taken all the same, as behind a gateway that answers 504


class Res(FaultKind):
    """Mensatek answers this `Res`."""

    kind: Literal["res"]
    api: Literal["mensatek"]
    res: int
    error: str = ""


class Err(FaultKind):
    """DMDS answers status err."""

    kind: Literal["err"]
    api: Literal["dmds"]
    on: str = "error on demand"
    status: int = Field(default=400, ge=200, le=599)


class Slow(FaultKind):
    """It takes long to accept; also when the caller has gone meanwhile."""

    kind: Literal["slow"]
    seconds: float = Field(ge=0, le=3600)


class SlowAfter(FaultKind):
    """It accepts at once and takes long to say so."""

    kind: Literal["slow_after"]
    seconds: float = Field(ge=0, le=3600)


class CutBefore(FaultKind):
    """It reads the request and closes the connection; nothing was accepted."""

    kind: Literal["cut_before"]


class CutAfter(FaultKind):
    """It accepts and closes the connection without an answer."""

    kind: Literal["cut_after"]


class Garbage(FaultKind):
    """200 with rubbish."""

    kind: Literal["garbage"]
    body: str = "<html><body><h1>It works!</h1>"
    accept: bool = False


class Empty(FaultKind):
    """200 with nothing."""

    kind: Literal["empty"]
    accept: bool = False


class Partial(FaultKind):
    """Mensatek takes some recipients, refuses some, and is silent about some."""

    kind: Literal["partial"]
    api: Literal["mensatek"]
    not_sent: list[str] = []  # these stand in NoEnviados
    missing: list[str] = []  # these stand in neither list
    accept_missing: bool = False  # the missing got their mail all the same


class SentDiffers(FaultKind):
    """DMDS counts wrong."""

    kind: Literal["sent_differs"]
    api: Literal["dmds"]
    by: int = -1


class Redirect(FaultKind):
    """It sends the caller elsewhere."""

    kind: Literal["redirect"]
    status: Literal[301, 302, 303, 307, 308] = 302
    location: str = "http://127.0.0.1:9/elsewhere"  # the discard port: nobody listens
    accept: bool = False


class Huge(FaultKind):
    """200 with a very large answer."""

    kind: Literal["huge"]
    bytes: Annotated[int, Field(ge=1)] | None = None  # None: endless
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
        self._adapter: TypeAdapter[Fault] = TypeAdapter(Annotated[Fault, Field(discriminator="kind")])

    def ask(self, request: object) -> SetFault:
        """Set a fault as a JSON object describes it.

        Raises:
            BadFaultError: it does not describe one.
        """
        try:
            fault = self._adapter.validate_python(request)
        except ValidationError as error:
            raise BadFaultError("; ".join(_complaint(line) for line in error.errors())) from None
        return self.add(fault)

    def add(self, fault: Fault) -> SetFault:
        """Set a fault."""
        self._last_id += 1
        waiting = SetFault(self._last_id, fault, fault.times)
        self._faults[waiting.id] = waiting
        return waiting

    def take(self, api: str, function: str, *, sends: bool, recipients: tuple[str, ...]) -> Fault | None:
        """The first fault that concerns this call, used once."""
        for waiting in self._faults.values():
            fault = waiting.fault
            if fault.api == api and fault.concerns(function, sends=sends, recipients=recipients):
                self._use(waiting)
                return fault
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
            self._faults[waiting.id] = SetFault(waiting.id, waiting.fault, waiting.left - 1)


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
    return {"id": waiting.id, **waiting.fault.model_dump(), "left": waiting.left}


def _complaint(line: object) -> str:
    # pydantic's location begins with the kind once that is known: ("status", "retry_after")
    assert isinstance(line, dict)  # noqa: S101 - ErrorDetails is a TypedDict
    where = [str(step) for step in line["loc"]]
    name = ".".join(where[1:]) or "kind"
    return f"{name}: {line['msg']}"
