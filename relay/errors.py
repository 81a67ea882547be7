"""What prevented an answer. What the other side *said* is a value: see `relay.outcome`.

RelayError
 ├─ ConfigError      the configuration holds mistakes, all of them listed
 ├─ QueueError       the store could not do what was asked; nothing was changed
 │   ├─ QueueFull    there is no room for more mail
 │   ├─ BadCursor    a page was asked for by what no page before told
 │   ├─ StoreInUse   another gateway has the store open
 │   ├─ LeaseLost    the message belongs to another owner now
 │   └─ BeingTaken   the same message is being taken by somebody else
 ├─ ProviderError    the API said nothing that can be understood
 ├─ ApiRefused       the API said no to a call that is no mail of the queue
 └─ MailRefused      this message can never be sent as it is; carries the Reply
"""

from collections.abc import Sequence
from dataclasses import dataclass

from relay.outcome import Reply


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake in the configuration. No field ever holds a secret."""

    source: str  # the file, or "environment RELAY__..."; "defaults" where neither says anything
    key: str  # in the words of the file: account.erp.token; empty: the file as a whole
    value: str  # as written, shortened; "***" for a secret; empty: nothing was written, or not to be shown
    wrong: str  # what is wrong with it
    right: str  # what would be right; empty: `wrong` tells

    def __str__(self) -> str:
        subject = f"{self.key} = {self.value}" if self.key and self.value else self.key
        told = f"{self.wrong}; {self.right}" if self.right else self.wrong
        return ": ".join(part for part in (self.source, subject, told) if part)


class RelayError(Exception):
    """Something the gateway expects to happen, and tells in words."""


class ConfigError(RelayError):
    """The configuration holds mistakes; `problems` lists all of them, the text too.

    One that shows only when the program starts (a port in use, a key that does not fit) may be told as plain text.
    """

    def __init__(self, problems: Sequence[Problem] | str) -> None:
        if isinstance(problems, str):
            self.problems: tuple[Problem, ...] = (Problem("", "", "", problems, ""),)
            super().__init__(problems)
            return
        self.problems = tuple(problems)
        count = "a mistake" if len(self.problems) == 1 else f"{len(self.problems)} mistakes"
        lines = "".join(f"\n  - {problem}" for problem in self.problems)
        super().__init__(f"The configuration holds {count}:{lines}")


class QueueError(RelayError):
    """The store could not do what was asked; nothing was changed."""


class BadCursor(QueueError):  # noqa: N818
    """A page was asked for by what no page before told."""


class QueueFull(QueueError):  # noqa: N818
    """There is no room for more mail."""


class StoreInUse(QueueError):  # noqa: N818
    """Another gateway has the store open."""


class LeaseLost(QueueError):  # noqa: N818
    """The message belongs to another owner now; whatever was to be written is not this owner's to write."""


class BeingTaken(QueueError):  # noqa: N818
    """The same message is being taken by somebody else; how that ends should be known soon."""


class ProviderError(RelayError):
    """The API said nothing that can be understood.

    `maybe_accepted` tells whether the request had gone out when it went wrong.
    """

    def __init__(self, reason: str, *, maybe_accepted: bool) -> None:
        super().__init__(reason)
        self.reason = reason
        self.maybe_accepted = maybe_accepted


class ApiRefused(RelayError):  # noqa: N818
    """The API said no to a call that is no mail of the queue; nothing was done.

    `code` is the HTTP status, or Mensatek's `Res`; `said` are the API's own words, cleaned, and may be empty;
    `is_login` tells that the credentials are what it does not take.
    """

    def __init__(self, code: int, said: str, *, is_login: bool = False) -> None:
        told = said or "the API gives no reason"
        super().__init__(f"the credentials are refused ({code}): {told}" if is_login else f"refused ({code}): {told}")
        self.code = code
        self.said = said
        self.is_login = is_login


class MailRefused(RelayError):  # noqa: N818
    """This message can never be sent as it is."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(str(reply))
        self.reply = reply
