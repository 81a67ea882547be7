"""DMDS's names, with what each rests on."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

VERSION = "1.5"  # doc
LEAST_PAGE = 10  # doc: events a page

#: Keys of send_one_inline and send_many_inline.
SEND_KEYS: Mapping[str, str] = MappingProxyType(
    {
        "campana_id": "client",
        "email": "doc",
        "contacto": "doc",
        "contactos": "doc",
        "html": "doc",
        "reply-to": "doc",
        "copia": "doc",
        "copia_oculta": "doc",
        "archive": "doc",
        "reuse_eeid": "doc",
        "eeid": "doc",
        "asunto": "assumed",  # older API
        "remitente": "assumed",  # older API
        "remitenteNombre": "assumed",  # older API
        "tags": "assumed",  # older API
        "adjuntos": "unknown",  # a vendor page lists attachments, its text is lost
    }
)
#: Keys inside the lists and objects of a send.
ENTRY_KEYS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "contacto": {"email": "doc", "nombre": "doc", "apellido": "doc", "tags": "assumed"},
        "contactos": {"email": "doc", "nombre": "doc", "apellido": "doc", "tags": "assumed"},
        "copia": {"cc_email": "doc", "cc_nombre": "doc", "cc_apellido": "doc"},
        "copia_oculta": {"bcc_email": "doc"},
        "adjuntos": {"nombre": "unknown", "contenido": "unknown"},
    }
)
#: Keys of ver_eventos: that there are two date-times is doc, their names are not.
EVENT_KEYS: Mapping[str, str] = MappingProxyType(
    {"desde": "assumed", "hasta": "assumed", "pagina": "doc", "cantidad": "doc"}
)


class Happening(StrEnum):
    """What an event tells."""

    SENT = "envio"  # doc
    SOFT_BOUNCE = "rebote-soft"  # doc
    HARD_BOUNCE = "rebote-hard"  # doc
    NOT_SENT = "unknown"  # doc: Not-Sent is shown as unknown in the API
