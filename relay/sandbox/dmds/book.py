"""What DMDS keeps of mail: contacts, batches, events. The sandbox's customers share their contacts."""

from collections import OrderedDict, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import islice
from zoneinfo import ZoneInfo

from relay.sandbox.dmds.wire import Happening

#: Event times bear no zone; the vendor's country is assumed.
ZONE = ZoneInfo("America/Argentina/Buenos_Aires")
#: After so many hard bounces a contact is invalid (doc: "luego de dos rebotes hard").
_HARD_BOUNCES = 2


@dataclass(frozen=True, slots=True)
class Contact:
    """One address that a customer wrote to, or that was set by hand."""

    numid: int
    email: str
    nombre: str = ""
    apellido: str = ""
    invalid: bool = False
    hard_bounces: int = 0
    whitelisted: bool = False  # no bounce makes it invalid (doc)
    bases: tuple[str, ...] = ()  # groups by name
    campos: Mapping[str, str] = field(default_factory=dict)
    operacion: str = "Alta"  # what was done last: it was made, or changed ("Modificacion", doc)


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to a mail."""

    dmdsid: str
    happening: Happening
    email: str
    eeid: str
    at: datetime  # without zone, as the API shows it; whole seconds


class Book:
    """The memory behind the API."""

    def __init__(
        self,
        *,
        clock: Callable[[], float],
        new_eeid: Callable[[], str],
        keep_events: int,
    ) -> None:
        self._clock = clock
        self._new_eeid = new_eeid
        self._keep = max(keep_events, 1)
        self._batches: OrderedDict[str, str] = OrderedDict()
        self.forget()

    def forget(self) -> None:
        """Forget contacts and events; batches stay, for callers that add to one later."""
        self._contacts: dict[str, Contact] = {}
        self._events: deque[Event] = deque(maxlen=self._keep)
        self.not_sent = 0  # mails not made because the contact is invalid

    def open_batch(self, dmdsid: str) -> str:
        """Begin a batch and name it."""
        eeid = self._new_eeid()
        self._batches[eeid] = dmdsid
        while len(self._batches) > self._keep:
            self._batches.popitem(last=False)
        return eeid

    def has_batch(self, dmdsid: str, eeid: str) -> bool:
        """Tell whether a customer has such a batch."""
        return self._batches.get(eeid) == dmdsid

    def contact(self, email: str) -> Contact | None:
        """What is known of an address."""
        return self._contacts.get(email.casefold())

    def contacts(self) -> list[Contact]:
        """Every contact, in the order they were met."""
        return list(self._contacts.values())

    def meet(self, email: str, nombre: str = "", apellido: str = "") -> Contact:
        """Create or update a contact; its address is its key (doc)."""
        known = self.contact(email)
        if known is None:
            return self._keep_contact(Contact(len(self._contacts) + 1, email, nombre, apellido))
        return self._keep_contact(replace(known, nombre=nombre or known.nombre, apellido=apellido or known.apellido))

    def save(
        self, email: str, nombre: str, apellido: str, bases: tuple[str, ...], campos: Mapping[str, str]
    ) -> Contact:
        """Create or update a contact by hand: bases and fields are added to those it has."""
        operacion = "Alta" if self.contact(email) is None else "Modificacion"
        known = self.meet(email, nombre, apellido)
        joined = tuple(dict.fromkeys((*known.bases, *bases)))
        return self._keep_contact(replace(known, bases=joined, campos={**known.campos, **campos}, operacion=operacion))

    def mark(self, email: str, *, invalid: bool) -> Contact:
        """Make a contact invalid, or valid again."""
        return self._keep_contact(replace(self.meet(email), invalid=invalid, hard_bounces=0))

    def whitelist(self, email: str, *, listed: bool) -> Contact:
        """Immunize a contact against bounces, or no more."""
        return self._keep_contact(replace(self.meet(email), whitelisted=listed))

    def note(self, dmdsid: str, eeid: str, email: str, happening: Happening) -> None:
        """Keep an event; it may make its contact invalid."""
        at = datetime.fromtimestamp(int(self._clock()), UTC).astimezone(ZONE).replace(tzinfo=None)
        self._events.append(Event(dmdsid, happening, email, eeid, at))
        if happening is Happening.NOT_SENT:
            self.not_sent += 1
        if happening is Happening.HARD_BOUNCE:
            self._bounced(dmdsid, eeid, self.meet(email))

    def events(self, dmdsid: str) -> list[Event]:
        """A customer's events, oldest first."""
        return [event for event in self._events if event.dmdsid == dmdsid]

    def newest_events(self, most: int) -> list[Event]:
        """The newest events of all customers, the newest first."""
        return list(islice(reversed(self._events), most))

    def _bounced(self, dmdsid: str, eeid: str, contact: Contact) -> None:
        bounces = contact.hard_bounces + 1
        falls = bounces >= _HARD_BOUNCES and not contact.invalid and not contact.whitelisted
        self._keep_contact(replace(contact, hard_bounces=bounces, invalid=contact.invalid or falls))
        if falls:
            self.note(dmdsid, eeid, contact.email, Happening.INVALIDATED)

    def _keep_contact(self, contact: Contact) -> Contact:
        self._contacts[contact.email.casefold()] = contact
        return contact
