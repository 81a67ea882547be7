"""Delivery reports that Mensatek posts to a customer's script, read: JSON or form data, all values strings (doc)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from email.parser import BytesParser
from email.policy import HTTP
from enum import StrEnum
from typing import Any
from urllib.parse import parse_qsl

import orjson

from relay.providers.mensatek.entries import SPAIN

_LINKS = range(101, 121)  # a click on link 1 to 20
_FORM = "application/x-www-form-urlencoded"
_PARTS = "multipart/form-data"


class Standing(StrEnum):
    """What a report says of the mail. The meanings are those of sibling functions (client)."""

    IN_PROGRESS = "in progress"
    DELIVERED = "delivered"
    ENGAGED = "engaged"  # opened, read, answered, clicked: it was delivered
    BOUNCED = "bounced"  # for good
    GIVEN_UP = "given up"  # expired, mailbox full: might work another time
    REFUSED = "refused"  # spam, duplicate, unsubscribed: never sent
    UNKNOWN = "unknown"


#: `Estado` and what it means; 11 is in the document's sample, all others are of sibling functions.
STANDINGS: Mapping[int, Standing] = {
    **dict.fromkeys((1000, 1001, 1002), Standing.IN_PROGRESS),
    11: Standing.DELIVERED,
    **dict.fromkeys((10, 12, 13, 14, 15, *_LINKS), Standing.ENGAGED),
    **dict.fromkeys((50, 51, 52, 55), Standing.BOUNCED),
    **dict.fromkeys((53, 54), Standing.GIVEN_UP),
    **dict.fromkeys((56, 57, 58), Standing.REFUSED),
}


@dataclass(frozen=True, slots=True)
class DeliveryReport:
    """One report. What is missing or cannot be read is empty or None; nothing of it fails."""

    state: int | None  # Estado, at siblings Resultado
    recipient: str  # Destinatario
    service: str = ""  # Servicio: EMAILTRANSACCIONAL
    sender: str = ""  # Remitente
    reference: str = ""  # RefCampaign: Referenciausuario of the send
    recipient_reference: str = ""  # RefMensaje
    at: datetime | None = None  # Fecha: Spanish time (assumed)
    send_id: str = ""  # idCampaign: idEnvio of the answer
    message_id: str = ""  # idMensaje
    opens: int | None = None  # Aperturas
    ip: str = ""  # of the last opening
    device: int | None = None  # Dispositivo: what its numbers mean is lost
    system: int | None = None  # SistOperativo: the same
    members: Mapping[str, str] = field(default_factory=dict, repr=False)  # all, as they came

    @property
    def standing(self) -> Standing:
        """What `state` means."""
        return Standing.UNKNOWN if self.state is None else STANDINGS.get(self.state, Standing.UNKNOWN)

    @property
    def link(self) -> int | None:
        """The number of the link that was clicked; None: it tells of no click."""
        return self.state - _LINKS.start + 1 if self.state in _LINKS and self.state is not None else None


def read_report(body: bytes, content_type: str) -> DeliveryReport | None:
    """Read the body of a report; None: it is none.

    Args:
        body: As it was posted.
        content_type: The header's value, its parameters too, which multipart needs.
    """
    members = {key.casefold(): value for key, value in _members(body, content_type).items()}
    if not {"estado", "resultado"} & set(members) or "destinatario" not in members:
        return None

    def text(name: str) -> str:
        return members.get(name, "").strip()

    return DeliveryReport(
        state=_whole(text("estado") or text("resultado")),
        recipient=text("destinatario"),
        service=text("servicio"),
        sender=text("remitente"),
        reference=text("refcampaign"),
        recipient_reference=text("refmensaje"),
        at=_moment(text("fecha")),
        send_id=text("idcampaign"),
        message_id=text("idmensaje"),
        opens=_whole(text("aperturas")),
        ip=text("ip"),
        device=_whole(text("dispositivo")),
        system=_whole(text("sistoperativo")),
        members=members,
    )


def _members(body: bytes, content_type: str) -> dict[str, str]:
    kind = content_type.partition(";")[0].strip().casefold()
    if kind == _PARTS:
        return _of_parts(body, content_type)
    if kind == _FORM:
        return dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    if isinstance(value, list) and len(value) == 1:  # as the vendor's own answers are written
        value = value[0]
    return {str(key): _words(inner) for key, inner in value.items()} if isinstance(value, Mapping) else {}


def _of_parts(body: bytes, content_type: str) -> dict[str, str]:
    """Read multipart/form-data (RFC 7578)."""
    head = "".join(letter for letter in content_type if letter.isprintable()).encode("latin-1", "replace")
    message = BytesParser(policy=HTTP).parsebytes(b"Content-Type: " + head + b"\r\n\r\n" + body)
    found = {}
    for part in message.iter_parts() if message.is_multipart() else ():
        name, content = part.get_param("name", header="content-disposition"), part.get_payload(decode=True)
        if isinstance(name, str) and isinstance(content, bytes):
            found[name] = content.decode("utf-8", "replace")
    return found


def _words(value: Any) -> str:
    return "" if value is None or isinstance(value, bool) else str(value)


def _whole(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 9 else None  # noqa: PLR2004 - no state is longer


def _moment(text: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=SPAIN)
