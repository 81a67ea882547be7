"""What a send of EnviarEMAIL is made of, and what it led to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from relay.powers import QuietHours
from relay.providers.mensatek.answers import Entry


@dataclass(frozen=True, slots=True)
class Recipient:
    """Who gets a mail of its own; nobody sees anybody else."""

    email: str
    name: str = ""
    variables: Mapping[str, str] = field(default_factory=dict)  # for ###name### in subject and body, or the template
    reference: str = ""  # comes back in reports as RefMensaje; its key is unknown


@dataclass(frozen=True, slots=True)
class File:
    """An attachment; its keys are those of a sibling function (assumed)."""

    name: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Order:
    """Every parameter of EnviarEMAIL but Resp. None: not sent, so the API's own default holds."""

    sender_email: str  # Emailremitente: in a domain that the account has validated
    recipients: Sequence[Recipient]  # Destinatarios
    subject: str  # Asunto: may hold ###variables###
    html: str = ""  # Mensaje: may hold ###variables###; may be empty beside a template
    template: int | None = None  # Plantilla: the id of a template made in the panel
    sender_name: str = ""  # Nombreremitente
    reply_to: str = ""  # Replyto: one address
    schedule: datetime | None = None  # Fecha: with a time zone; None: now
    quiet_hours: Sequence[QuietHours] = ()  # Intervaloprohibido: Spanish time
    attachments: Sequence[File] = ()  # Adjuntos
    track_opens: bool | None = None  # Seguimientoaperturas: the API's default is yes
    track_clicks: bool | None = None  # Seguimientoclicks: the API's default is yes, and rewrites links
    list_unsubscribe: str = ""  # Listunsubscribe: the header's value
    list_help: str = ""  # Listhelp: the header's value
    reference: str = ""  # Referenciausuario: of the whole send, comes back in reports as RefCampaign
    report: bool | None = None  # Report: yes posts reports to the customer's script


@dataclass(frozen=True, slots=True)
class Sent:
    """What a send led to, as far as the answer tells; its form TXT tells little."""

    res: int  # Res: 1 and more is success
    send_id: str  # idEnvio, the idCampaign of reports; empty: not told
    sent: tuple[Entry, ...]  # with the idMensaje of each
    not_sent: tuple[Entry, ...]  # NoEnviados
    count: int | None  # how many were sent; None: not told
    duplicates: int  # Duplicados: not sent because they stood in it twice
    credit: str = ""  # what is left, as written; empty: not told
