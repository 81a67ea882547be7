"""Who stands where in which call: `contactos`, `copia`, `copia_oculta`.

What several contacts with copies do is unknown: if each contact's mail carried the copies, everybody copied would get
one for each contact. So a call with copies carries exactly one contact, and further calls carry contacts alone, each
of whom sees only itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from relay.message import Recipient, Role


@dataclass(frozen=True, slots=True)
class Group:
    """The recipients of one call by their place in it; each stands in exactly one place."""

    contacts: tuple[Recipient, ...]
    copies: tuple[Recipient, ...] = ()
    blind_copies: tuple[Recipient, ...] = ()

    @property
    def recipients(self) -> tuple[Recipient, ...]:
        """Everybody in the call."""
        return self.contacts + self.copies + self.blind_copies


def fan_out(recipients: Sequence[Recipient], limit: int, *, individual: bool) -> tuple[Group, ...]:
    """Divide recipients into calls of at most `limit` each.

    Args:
        recipients: To and Cc in header order.
        limit: Mails in one call, copies included.
        individual: Nobody is to see anybody, so there are no copies at all.
    """
    shown = sorted((each for each in recipients if each.role is not Role.BCC), key=lambda each: each.role is Role.CC)
    blind = [each for each in recipients if each.role is Role.BCC]
    if individual or not shown:
        return _contacts_alone([*shown, *blind], limit)
    copies = shown[1:limit]
    blind_copies = blind[: limit - 1 - len(copies)]
    first = Group((shown[0],), tuple(copies), tuple(blind_copies))
    left_over = [*shown[1 + len(copies) :], *blind[len(blind_copies) :]]
    return (first, *_contacts_alone(left_over, limit))


def divide(group: Group) -> tuple[Group, ...]:
    """Divide a group into two that show nobody more than it does; who stands alone stays as it is.

    Blind copies leave first, for the others may still see each other; then visible copies; then contacts by halves.
    """
    if group.blind_copies:
        return Group(group.contacts, group.copies), Group(group.blind_copies)
    if group.copies:
        return Group(group.contacts), Group(group.copies)
    if len(group.contacts) == 1:
        return (group,)
    middle = (len(group.contacts) + 1) // 2
    return Group(group.contacts[:middle]), Group(group.contacts[middle:])


def _contacts_alone(recipients: Sequence[Recipient], limit: int) -> tuple[Group, ...]:
    return tuple(Group(tuple(recipients[start : start + limit])) for start in range(0, len(recipients), limit))
