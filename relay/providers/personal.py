"""What headers give to single recipients: variables and references, by address."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from relay.message import Recipient
from relay.mime.content import Content, Note
from relay.powers import Powers
from relay.providers.notes import note

_T = TypeVar("_T")
_EVERYBODY = ""


class ByRecipient(Generic[_T]):
    """A table by mailbox key; looked up as spelt, else without regard to case, as a recipient's role is."""

    def __init__(self, table: Mapping[str, _T]) -> None:
        self._exact = table
        self._loose: dict[str, _T] = {}
        for key, value in table.items():
            self._loose.setdefault(key.casefold(), value)

    @property
    def for_all(self) -> _T | None:
        """What everybody gets; None: nothing."""
        return self._exact.get(_EVERYBODY)

    def find(self, recipient: Recipient) -> _T | None:
        """Return what is given to this recipient alone; None: nothing."""
        key = recipient.key
        return self._exact[key] if key in self._exact else self._loose.get(key.casefold())

    def count_strangers(self, recipients: Sequence[Recipient]) -> int:
        """Count the addresses that match no recipient."""
        known = {_EVERYBODY, *(each.key.casefold() for each in recipients)}
        return sum(key.casefold() not in known for key in self._exact)


@dataclass(frozen=True, slots=True)
class Personal:
    """Both tables of one mail."""

    variables: ByRecipient[Mapping[str, str]]
    references: ByRecipient[str]

    def variables_of(self, recipient: Recipient) -> Mapping[str, str]:
        """Return a recipient's variables, its own over everybody's."""
        return {**(self.variables.for_all or {}), **(self.variables.find(recipient) or {})}

    def reference_of(self, recipient: Recipient) -> str:
        """Return a recipient's reference; empty: none."""
        return self.references.find(recipient) or self.references.for_all or ""

    def stranger_notes(self, content: Content, recipients: Sequence[Recipient]) -> list[Note]:
        """Note headers that give something to nobody. Not account defaults: those may be a whole address book."""
        if not content.powers:
            return []
        asked = {name for name, _ in content.powers}
        strangers = {
            "X-Relay-Variables": self.variables.count_strangers(recipients),
            "X-Relay-Recipient-Reference": self.references.count_strangers(recipients),
        }
        return [
            note("recipient_not_here", f"{header} names {count} address(es) that are no recipients of this mail")
            for header, count in strangers.items()
            if count and header.lower() in asked
        ]


def personal(powers: Powers) -> Personal:
    """Read the tables of what was asked for."""
    return Personal(ByRecipient(powers.variables), ByRecipient(powers.recipient_references))
