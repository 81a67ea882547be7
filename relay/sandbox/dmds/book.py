"""What DMDS keeps for its customers: campaigns, contacts, batches, events."""

import hmac
from collections import OrderedDict, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from relay.sandbox.dmds.wire import Happening

#: Event times bear no zone; the vendor's country is assumed.
ZONE = ZoneInfo("America/Argentina/Buenos_Aires")
#: After so many hard bounces a contact is invalid (doc: "luego de dos rebotes hard").
_HARD_BOUNCES = 2


@dataclass(frozen=True, slots=True)
class Campaign:
    """One campaign of a customer."""

    dmdsid: str
    number: int  # numid, campana_id


@dataclass(frozen=True, slots=True)
class Contact:
    """One address that a customer wrote to, or that was set by hand."""

    numid: int
    email: str
    nombre: str = ""
    apellido: str = ""
    invalid: bool = False
    hard_bounces: int = 0


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
        campaigns: Mapping[str, str],
        *,
        clock: Callable[[], float],
        new_eeid: Callable[[], str],
        keep_events: int,
    ) -> None:
        self._keys = {_campaign(name): key for name, key in campaigns.items()}
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

    def campaign_of(self, dmdsid: str, apikey: str) -> Campaign | None:
        """The customer's campaign that this APIKEY belongs to."""
        given = apikey.encode("utf-8", "replace")
        for campaign, key in self._keys.items():
            if campaign.dmdsid == dmdsid and hmac.compare_digest(key.encode(), given):
                return campaign
        return None

    def set_key(self, campaign: Campaign, apikey: str) -> None:
        """Give a campaign another APIKEY; the one before is wrong from now on."""
        self._keys[campaign] = apikey

    def campaigns(self, dmdsid: str) -> list[Campaign]:
        """All campaigns of a customer."""
        return [campaign for campaign in self._keys if campaign.dmdsid == dmdsid]

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

    def meet(self, email: str, nombre: str = "", apellido: str = "") -> Contact:
        """Create or update a contact; its address is its key (doc)."""
        known = self.contact(email) or Contact(numid=len(self._contacts) + 1, email=email)
        return self._keep_contact(replace(known, nombre=nombre or known.nombre, apellido=apellido or known.apellido))

    def mark(self, email: str, *, invalid: bool) -> Contact:
        """Make a contact invalid, or valid again."""
        return self._keep_contact(replace(self.meet(email), invalid=invalid, hard_bounces=0))

    def note(self, dmdsid: str, eeid: str, email: str, happening: Happening) -> None:
        """Keep an event; it may make its contact invalid."""
        at = datetime.fromtimestamp(int(self._clock()), UTC).astimezone(ZONE).replace(tzinfo=None)
        self._events.append(Event(dmdsid, happening, email, eeid, at))
        if happening is Happening.NOT_SENT:
            self.not_sent += 1
        if happening is Happening.HARD_BOUNCE:
            contact = self.meet(email)
            bounces = contact.hard_bounces + 1
            self._keep_contact(
                replace(contact, hard_bounces=bounces, invalid=contact.invalid or bounces >= _HARD_BOUNCES)
            )

    def events(self, dmdsid: str) -> list[Event]:
        """A customer's events, oldest first."""
        return [event for event in self._events if event.dmdsid == dmdsid]

    def _keep_contact(self, contact: Contact) -> Contact:
        self._contacts[contact.email.casefold()] = contact
        return contact


def _campaign(name: str) -> Campaign:
    dmdsid, _, number = name.rpartition("-")
    return Campaign(dmdsid, int(number))
