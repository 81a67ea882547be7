"""What a mailbox sees: mails, as values."""

from dataclasses import dataclass
from enum import StrEnum


class Fate(StrEnum):
    """What became of a mail after the API took it."""

    DELIVERED = "delivered"  # it stands in the mailbox
    BOUNCED_HARD = "bounced-hard"  # the mailbox's server refused it for good; the mailbox does not show it
    BOUNCED_SOFT = "bounced-soft"  # full or away until the API gave up; the mailbox does not show it


@dataclass(frozen=True, slots=True)
class Shown:
    """One address in a header, as the mailbox shows it."""

    email: str
    name: str = ""

    def __str__(self) -> str:
        return f"{self.name} <{self.email}>" if self.name else self.email


@dataclass(frozen=True, slots=True)
class Attachment:
    """One attached file; its bytes are not kept."""

    name: str
    size: int  # bytes
    sha256: str  # hexadecimal


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail in one mailbox."""

    api: str  # "mensatek", "dmds"
    sender: str  # address in From
    from_name: str
    reply_to: str  # empty: none
    subject: str
    html: str | None  # None: dropped, the mail is old
    attachments: tuple[Attachment, ...] = ()
    mailbox: str = ""  # the address it went to, as the caller wrote it
    to: tuple[Shown, ...] = ()  # the To header that this mailbox sees
    cc: tuple[Shown, ...] = ()  # the Cc header that this mailbox sees
    list_unsubscribe: str = ""
    list_help: str = ""
    scheduled: str = ""  # when the API is to send it, as written; empty: now
    template: str = ""  # Mensatek: Plantilla; empty: none
    batch_id: str = ""  # idEnvio, eeid
    message_id: str = ""  # idMensaje; empty: the API has none (DMDS)
    reference: str = ""  # Referenciausuario: of the whole send
    recipient_reference: str = ""  # comes back as RefMensaje
    archived: bool = False  # DMDS: kept as a file for whoever asks
    fate: Fate = Fate.DELIVERED
    call: int = 0  # the call that made it
    id: int = 0
    time: float = 0.0  # seconds since the epoch
