"""What the methods of the API give back. Moments bear a time zone; ids are as the API writes them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pydantic import SecretStr


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to a mail or a contact."""

    kind: str  # envio, rebote-soft, rebote-hard, click, view (doc); others as they come; unknown is Not-Sent (doc)
    at: datetime | None  # None: it cannot be read
    email: str = ""  # empty: not told
    batch: str = ""  # eeid; empty: not told


@dataclass(frozen=True, slots=True)
class EventPage:
    """One page of events."""

    number: int
    events: tuple[Event, ...]
    total: int | None = None  # of all pages; None: not told


@dataclass(frozen=True, slots=True)
class Contact:
    """What is known of a contact."""

    email: str
    number: int | None = None  # numid
    name: str = ""
    surname: str = ""
    age: int | None = None  # years
    sex: str = ""
    operation: str = ""  # as the API writes it: "Modificacion"
    is_invalid: bool = False  # true: gets no mail, but a Not-Sent event
    bases: tuple[str, ...] = ()  # also called groups
    fields: Mapping[str, str] = field(default_factory=dict)
    events: tuple[Event, ...] = ()


@dataclass(frozen=True, slots=True)
class StatusChange:
    """What became of an attempt to invalidate or revalidate a contact."""

    said: str  # the API's own word

    @property
    def is_whitelisted(self) -> bool:
        """Tell whether the API speaks of the whitelist, which protects a contact."""
        return is_whitelisted(self.said) is True


@dataclass(frozen=True, slots=True)
class Campaign:
    """A campaign. Lists never hold keys (doc)."""

    number: int  # numid, the short number that sends name
    id: str = ""
    name: str = ""
    kind: str = ""  # tipo: "api"
    apikey: SecretStr | None = None  # only of one that was just created, type API


@dataclass(frozen=True, slots=True)
class Sent:
    """What a send led to."""

    batch: str  # eeid
    count: int | None  # mails made, copies included; None: not told


@dataclass(frozen=True, slots=True)
class BatchInfo:
    """What is known of a send. Its members are not documented: they stand in `members` as they came."""

    batch: str
    archive: Any = None  # the archive section (doc); None: there is none
    members: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Group:
    """A group of contacts, also called base."""

    number: int | None
    name: str


@dataclass(frozen=True, slots=True)
class Filter:
    """A filter, as made in the panel."""

    number: int | None
    name: str


@dataclass(frozen=True, slots=True)
class Variable:
    """A global variable."""

    name: str
    value: str


def is_whitelisted(said: str) -> bool | None:
    """Read `... whitelisted` or `... not whitelisted` (doc); None: it is neither."""
    text = said.casefold().strip(" .")
    if not text.endswith("whitelisted"):
        return None
    return not text.endswith("not whitelisted")
