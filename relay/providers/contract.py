"""What every API package offers: plan calls, send one, check credentials.

`plan` is pure and golden-tested. `send` tries once and never retries: it returns what the API said and raises
`ProviderError` only when the API said nothing that can be understood.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

from pydantic import SecretStr

from relay.config import AccountPolicy
from relay.message import MessageId, Recipient
from relay.mime.content import Content, Note
from relay.outcome import Outcome
from relay.powers import Powers


@dataclass(frozen=True, slots=True)
class MensatekCredentials:
    """API User and API Token, from the customer's panel."""

    user: str
    token: SecretStr


@dataclass(frozen=True, slots=True)
class DmdsCredentials:
    """The customer's host, the campaign's short number, and the campaign's APIKEY."""

    dmdsid: str
    campaign: int
    apikey: SecretStr


Credentials = MensatekCredentials | DmdsCredentials


@dataclass(frozen=True, slots=True)
class Base64Text:
    """A JSON string value that is already base64: spliced into the body as it is, never copied through str."""

    pieces: tuple[bytes, ...]  # one behind the other: RFC 4648 §4 alphabet, no line breaks


#: A JSON document in Python objects, whose long values may be Base64Text.
Document = dict[str, "JsonValue"]
JsonValue = None | bool | int | float | str | Base64Text | Sequence["JsonValue"] | Mapping[str, "JsonValue"]


@dataclass(frozen=True, slots=True)
class Call:
    """One HTTP call that is to be made: which function, for whom, with what."""

    function: str  # the vendor's name: "EnviarEMAIL", "send_many_inline"
    recipients: tuple[Recipient, ...]
    document: Document  # without credentials


@dataclass(frozen=True, slots=True)
class Plan:
    """All calls that one message needs, in order, and what they will not carry."""

    calls: tuple[Call, ...]
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True, slots=True)
class Brief:
    """Everything but the content that a translation depends on."""

    message_id: MessageId
    recipients: tuple[Recipient, ...]  # those that still need it; roles settled
    powers: Powers  # headers over account defaults
    policy: AccountPolicy
    credentials: Credentials
    batch_id: str = ""  # of calls of this message that were accepted before; empty: none
    mail_from: str = ""  # the envelope's sender, shown where the headers name none; empty: the null reverse-path


class Verdict(Enum):
    """What the API says of a credential."""

    VALID = "valid"
    INVALID = "invalid"  # certain: the API said so
    UNKNOWN = "unknown"  # it could not be asked, or the answer says nothing


@dataclass(frozen=True, slots=True)
class Verification:
    """The verdict on a credential, with what to tell an operator."""

    verdict: Verdict
    detail: str = ""  # one line, cleaned, without secrets


@dataclass(frozen=True, slots=True)
class Trace:
    """One mail that an API tells to have made."""

    mailbox: str  # its recipient, as `Recipient.key`
    batch_id: str  # the batch it was made in; empty: not told
    at: float  # seconds since the epoch


class Provider(Protocol):
    """One email API."""

    name: str  # "mensatek", "dmds": as in the configuration

    def plan(self, content: Content, brief: Brief) -> Plan:
        """Turn a message into calls; pure.

        Every recipient of the brief is in exactly one call. Raises MailRefused when the API can never carry the
        message.
        """

    async def send(self, call: Call, credentials: Credentials, *, batch_id: str = "") -> Mapping[str, Outcome]:
        """Make one call, once, and tell the outcome of each of its recipients by `Recipient.key`.

        `batch_id`: a batch of this message that the call should join, where the API has such a thing.
        Raises ProviderError when the API said nothing that can be understood. Not safe to repeat.
        """

    def split(self, call: Call) -> tuple[Call, ...]:
        """Divide a call that was refused for somebody in it into smaller ones that serve the same recipients; pure.

        Together they hold every recipient exactly once, show nobody more than the call did, and are at least two where
        the call has several recipients.
        """

    async def verify(self, credentials: Credentials) -> Verification:
        """Ask the API, by its cheapest harmless call, whether the credentials are right. Never raises ProviderError."""

    async def traces(self, credentials: Credentials, since: float, until: float) -> Sequence[Trace] | None:
        """List the mails that the API tells to have made between two times; None: it does not tell of them.

        All of them, whoever sent them, for who else was served tells what a batch is. Raises ProviderError.
        """


@dataclass(frozen=True, slots=True)
class Providers:
    """The explicit table of APIs, built in `app`."""

    by_name: Mapping[str, Provider] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Provider:
        return self.by_name[name]
