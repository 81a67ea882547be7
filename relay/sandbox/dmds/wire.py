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
        "viaUrl": "unknown",  # the page's address in send_one and send_many; older API
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
#: Keys of ver_eventos and cantidad_eventos: that there are two date-times is doc, their names are not.
EVENT_KEYS: Mapping[str, str] = MappingProxyType(
    {"desde": "assumed", "hasta": "assumed", "pagina": "doc", "cantidad": "doc"}
)
#: Keys of the functions that keep something.
SAVE_KEYS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "contacto": {
            "email": "doc",
            "nombre": "doc",
            "apellido": "doc",
            "bases": "assumed",  # that there are such things is doc
            "campos": "assumed",  # the same
        },
        "campania": {"nombre": "assumed", "tipo": "doc"},
        "campania_apikey": {"numid": "assumed", "camp_apikey": "assumed"},
        "grupo": {"nombre": "assumed"},
        "variables": {"nombre": "assumed", "valor": "assumed"},
    }
)
PAGE_KEY = "viaUrl"


class Happening(StrEnum):
    """What an event tells."""

    SENT = "envio"  # doc
    SOFT_BOUNCE = "rebote-soft"  # doc
    HARD_BOUNCE = "rebote-hard"  # doc
    NOT_SENT = "unknown"  # doc: Not-Sent is shown as unknown in the API
    INVALIDATED = "invalidacion"  # that there is such an event is doc, its name is assumed
    REVALIDATED = "revalidacion"  # the same
