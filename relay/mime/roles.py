"""Who gets the mail, and as what: the envelope decides, the headers only show."""

from collections import Counter
from collections.abc import Iterable
from operator import itemgetter

from relay.message import Envelope, EnvelopeRecipient, Mailbox, Notify, Recipient, Role, mailbox_key
from relay.mime.content import Content

#: What a recipient without NOTIFY asks for: failure reports, and delays where the server tells them (RFC 3461 §4.1).
_NOT_SAID: frozenset[Notify] = frozenset({"FAILURE", "DELAY"})
_NEVER: frozenset[Notify] = frozenset({"NEVER"})
_ORDER = {role: number for number, role in enumerate(Role)}


def settle_roles(envelope: Envelope, content: Content) -> tuple[Recipient, ...]:
    """Give every mailbox of the envelope its role and name from the headers; one recipient for each mailbox.

    Returns:
        The to recipients in header order, then cc in header order, then bcc in envelope order. Nobody who is not in the
        envelope.
    """
    places = _Places(content)
    merged: dict[str, EnvelopeRecipient] = {}
    for given in envelope.recipients:
        key = mailbox_key(given.address)
        merged[key] = _merged(merged[key], given) if key in merged else given
    settled = []
    namesakes = Counter(map(_local_part, merged)) if places.has_bare_names else {}
    for number, (key, given) in enumerate(merged.items()):
        # A bare name in To may be any of several; whoever it does not certainly name must stay hidden.
        is_only_one = namesakes.get(_local_part(key)) == 1
        place, role, name = places.find(key, by_local_part=is_only_one) or (0, Role.BCC, "")
        settled.append(((_ORDER[role], place, number), Recipient(given.address, role, name, given.notify, given.orcpt)))
    return tuple(recipient for _, recipient in sorted(settled, key=itemgetter(0)))


class _Places:
    """Where the headers name whom."""

    def __init__(self, content: Content) -> None:
        self._exact: dict[str, tuple[int, Role, str]] = {}
        self._loose: dict[str, tuple[int, Role, str]] = {}
        self._add(content.to, Role.TO)
        self._add(content.cc, Role.CC)

    def find(self, key: str, *, by_local_part: bool) -> tuple[int, Role, str] | None:
        """Look for the mailbox, then without case, then for a name that a local mailer left without domain."""
        place = self._exact.get(key) or self._loose.get(key.casefold())
        return place or (self._loose.get(_local_part(key)) if by_local_part else None)

    @property
    def has_bare_names(self) -> bool:
        """Tell whether anybody is named without a domain."""
        return any("@" not in key for key in self._loose)

    def _add(self, mailboxes: Iterable[Mailbox], role: Role) -> None:
        for number, mailbox in enumerate(mailboxes):
            key = mailbox_key(mailbox.email)
            place = (number, role, mailbox.name)
            self._exact.setdefault(key, place)
            self._loose.setdefault(key.casefold(), place)


def _local_part(key: str) -> str:
    return key.rpartition("@")[0].casefold()


def _merged(first: EnvelopeRecipient, again: EnvelopeRecipient) -> EnvelopeRecipient:
    """Join two RCPTs of one mailbox: the first address, and every report that either asks for."""
    notify = first.notify
    if first.notify != again.notify:
        wanted = {word for given in (first, again) for word in (given.notify or _NOT_SAID)} - _NEVER
        notify = frozenset(wanted) or _NEVER
    return EnvelopeRecipient(first.address, notify, first.orcpt or again.orcpt)
