"""Mensatek's functions as OpenAPI describes them."""

from typing import Any

from relay.sandbox.mensatek.wire import PARAMETERS, RESPONSES
from relay.sandbox.schema import ADDRESS, NUMBER, TEXT, Schema, answer, body, record, several

SECURITY = "mensatek"
_PAIR = record({"Nombre": TEXT, "Valor": TEXT})
#: Arrays hold objects; in forms, and in the document's own sample, they are JSON strings.
_ARRAYS: dict[str, Schema] = {
    "Destinatarios": several(
        record({"Nombre": TEXT, "Email": ADDRESS, "Variables": several(_PAIR), "Referencia": TEXT}, ("Email",)),
        least=1,
    ),
    "Intervaloprohibido": several(
        record({"HoraInicio": TEXT, "HoraFin": TEXT, "Accion": TEXT}, ("HoraInicio", "HoraFin", "Accion"))
    ),
    "Adjuntos": several(record({"Nombre": TEXT, "Contenido": {**TEXT, "contentEncoding": "base64"}})),
}
_TYPES: dict[str, Schema] = {"STRING": TEXT, "INTEGER": NUMBER}
_KNOWN: dict[str, Schema] = {
    "Emailremitente": ADDRESS,
    "Replyto": ADDRESS,
    "Resp": {**TEXT, "enum": list(RESPONSES)},
    "Fecha": {**TEXT, "pattern": "^20[0-9][0-9]-0[1-9]-0[1-9] [01][0-9]:[0-5][0-9]$"},
}
_REQUIRED = ("Emailremitente", "Destinatarios", "Asunto", "Resp")
#: The documented shape, an array of one object of strings, and the bare object of the siblings.
_RESULT = record({"Res": {"type": ["string", "integer"]}, "Error": TEXT})
_ANSWERS = {
    "application/json": {"anyOf": [{**several(_RESULT, least=1), "maxItems": 1}, _RESULT]},
    "text/xml": TEXT,
    "text/plain": TEXT,
    "text/html": TEXT,
}


def paths() -> dict[str, dict[str, Any]]:
    """Both functions."""
    members = {name: _KNOWN.get(name) or _ARRAYS.get(name) or _TYPES[kind] for name, kind in PARAMETERS.items()}
    return {
        "/mensatek/v7/EnviarEMAIL": {"post": _operation("EnviarEMAIL", record(members, _REQUIRED))},
        "/mensatek/v7/GetCreditos": {"post": _operation("GetCreditos", record({"Resp": _KNOWN["Resp"]}, ("Resp",)))},
    }


def _operation(function: str, takes: Schema) -> Schema:
    return {
        "operationId": f"mensatek_{function}",
        "tags": ["Mensatek"],
        "summary": f"POST {function}: 200 also where it is refused; Res tells",
        "security": [{SECURITY: []}],
        "requestBody": body({"application/json": takes}, is_required=True),
        "responses": {"200": answer("in the form that Resp asks for", _ANSWERS)},
    }
