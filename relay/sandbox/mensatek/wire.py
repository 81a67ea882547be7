"""Mensatek's names, with what each rests on."""

from collections.abc import Mapping
from enum import IntEnum
from types import MappingProxyType

#: EnviarEMAIL's parameters and their type, all from the document (doc).
PARAMETERS: Mapping[str, str] = MappingProxyType(
    {
        "Nombreremitente": "STRING",
        "Emailremitente": "STRING",
        "Replyto": "STRING",
        "Destinatarios": "ARRAY",
        "Asunto": "STRING",
        "Plantilla": "INTEGER",
        "Mensaje": "STRING",
        "Fecha": "STRING",
        "Intervaloprohibido": "ARRAY",
        "Adjuntos": "ARRAY",
        "Seguimientoaperturas": "INTEGER",
        "Seguimientoclicks": "INTEGER",
        "Listunsubscribe": "STRING",
        "Listhelp": "STRING",
        "Referenciausuario": "STRING",
        "Report": "INTEGER",
        "Resp": "STRING",
    }
)
#: Keys inside the arrays, with their marks.
ENTRY_KEYS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        # "Referencia" is a guess: that a per-recipient reference exists is doc, its key is unknown.
        "Destinatarios": {"nombre": "doc", "email": "doc", "variables": "doc", "referencia": "unknown"},
        "Intervaloprohibido": {"horainicio": "doc", "horafin": "doc", "accion": "doc"},
        # From the sibling EnviarEMAILCERTIFICADO (client).
        "Adjuntos": {"nombre": "assumed", "contenido": "assumed"},
    }
)
RESPONSES = ("TXT", "JSON", "XML")  # doc
SERVICE = "EMAILTRANSACCIONAL"  # doc


class Res(IntEnum):
    """Answers that refuse."""

    NOTHING = 0  # nothing accepted (assumed)
    CREDENTIALS = -1  # vendor (v5), client
    CREDITS = -2  # vendor (v5), client
    DATA = -3  # doc, wire: the text is in Error
    ATTACHMENT = -4  # client
    SENDER = -5  # wire: sender not validated
