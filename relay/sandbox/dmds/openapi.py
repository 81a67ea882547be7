"""DMDS's functions as OpenAPI describes them: the table of functions, with what each takes and answers."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from relay.sandbox.dmds.api import FUNCTIONS, Function
from relay.sandbox.dmds.wire import LEAST_PAGE, PAGE_KEY
from relay.sandbox.schema import ADDRESS, MOMENT, NUMBER, TEXT, Schema, answer, body, in_path, record, several

SECURITY = "dmds"
_JSON = "application/json"
_STATUS: Schema = {"const": "ok"}
_ERROR = record({"status": {"const": "err"}, "on": TEXT}, ("status", "on"))
_PERSON = record({"email": ADDRESS, "nombre": TEXT, "apellido": TEXT, "tags": {"type": "object"}}, ("email",))
_EVENT = record({"evento": TEXT, "timestamp": TEXT, "email": TEXT, "eeid": TEXT}, ("evento", "timestamp"))
_CAMPAIGN = record({"id": NUMBER, "numid": NUMBER, "nombre": TEXT, "tipo": TEXT}, ("id", "numid"))
_FIELDS: Schema = {"type": "object", "additionalProperties": {"type": ["string", "number"]}}
_CONTACT = record(
    {
        "numid": NUMBER,
        "email": TEXT,
        "nombre": TEXT,
        "apellido": TEXT,
        "edad": {"type": ["integer", "null"]},
        "sexo": {"type": ["string", "null"]},
        "operacion": TEXT,
        "invalido": {"type": "boolean"},
        "eventos": several(_EVENT),
        "bases": several(TEXT),
        "campos": _FIELDS,
    },
    ("numid", "email", "nombre", "apellido", "edad", "sexo", "operacion", "invalido", "eventos"),
)
_COPIES: Mapping[str, Schema] = MappingProxyType(
    {
        "copia": several(record({"cc_email": ADDRESS, "cc_nombre": TEXT, "cc_apellido": TEXT}, ("cc_email",))),
        "copia_oculta": several(record({"bcc_email": ADDRESS}, ("bcc_email",))),
        "reply-to": ADDRESS,
        "asunto": TEXT,
        "remitente": ADDRESS,
        "remitenteNombre": TEXT,
        "adjuntos": several(record({"nombre": TEXT, "contenido": {**TEXT, "contentEncoding": "base64"}})),
        "archive": {"type": "boolean"},
        "reuse_eeid": {"type": "boolean"},
        "eeid": TEXT,
    }
)
_SENT = record({"status": _STATUS, "sent": NUMBER, "eeid": TEXT}, ("status", "sent", "eeid"))
_BETWEEN = {"desde": MOMENT, "hasta": MOMENT}
_PAGES = {"pagina": {**NUMBER, "minimum": 1}, "cantidad": {**NUMBER, "minimum": LEAST_PAGE}}


def _send(contacts: str, content: str) -> Schema:
    people = _PERSON if contacts == "contacto" else several(_PERSON, least=1)
    members = {"campana_id": NUMBER, "email": {"const": True}, contacts: people, content: {**TEXT, "minLength": 1}}
    return record({**members, **_COPIES}, tuple(members))


def _named(*required: str, **members: Schema) -> Schema:
    return record({name: {**schema, "minLength": 1} for name, schema in members.items()}, required)


#: What a function takes, by its name and verb; those that are not here take nothing.
_TAKES: Mapping[tuple[str, str], Schema] = MappingProxyType(
    {
        ("send_one_inline", "POST"): _send("contacto", "html"),
        ("send_many_inline", "POST"): _send("contactos", "html"),
        ("send_one", "POST"): _send("contacto", PAGE_KEY),
        ("send_many", "POST"): _send("contactos", PAGE_KEY),
        ("contacto", "POST"): record(
            {"email": ADDRESS, "nombre": TEXT, "apellido": TEXT, "bases": several(TEXT), "campos": _FIELDS}, ("email",)
        ),
        ("campania", "GET"): record({"tipo": TEXT, "numid": NUMBER}),
        ("campania", "POST"): _named("nombre", "tipo", nombre=TEXT, tipo=TEXT),
        ("campania_apikey", "GET"): record({"numid": NUMBER}),
        ("campania_apikey", "POST"): record({"numid": NUMBER, "camp_apikey": TEXT}),
        ("grupo", "POST"): _named("nombre", nombre=TEXT),
        ("variables", "POST"): record({"nombre": {**TEXT, "minLength": 1}, "valor": TEXT}, ("nombre",)),
        ("variables", "DELETE"): _named("nombre", nombre=TEXT),
        ("cantidad_eventos", "GET"): record(_BETWEEN, tuple(_BETWEEN)),
        ("ver_eventos", "GET"): record({**_BETWEEN, **_PAGES}, (*_BETWEEN, *_PAGES)),
    }
)
#: What a function says beside "status", by its name and verb; the last resort is by its name alone.
_SAYS: Mapping[str, Schema] = MappingProxyType(
    {
        "version": record({"version": TEXT}, ("version",)),
        "contacto": record({"contacto": _CONTACT}, ("contacto",)),
        "invalidos": record({"contactos": several(_CONTACT)}, ("contactos",)),
        "invalidar": record({"msg": TEXT}, ("msg",)),
        "revalidar": record({"msg": TEXT}, ("msg",)),
        "whitelist": record({"msg": {**TEXT, "pattern": "whitelisted$"}}, ("msg",)),
        "campania GET": record({"campanias": several(_CAMPAIGN)}, ("campanias",)),
        "campania POST": record({"id": NUMBER, "numid": NUMBER, "camp_apikey": TEXT}, ("id", "numid")),
        "campania_apikey": record({"numid": NUMBER, "camp_apikey": TEXT}, ("numid", "camp_apikey")),
        "grupo": record({"numid": NUMBER, "nombre": TEXT}, ("numid", "nombre")),
        "filtros": record({"filtros": several(record({"numid": NUMBER, "nombre": TEXT}))}, ("filtros",)),
        "variables GET": record({"variables": several(record({"nombre": TEXT, "valor": TEXT}))}, ("variables",)),
        "variables": record({"nombre": TEXT}, ("nombre",)),
        "eventos": record({"eeid": TEXT, "eventos": several(_EVENT)}, ("eventos",)),
        "eeid_info": record({"eeid": TEXT, "sent": NUMBER, "archive": several({"type": "object"})}, ("eeid",)),
        "eeid_eml": record({"eeid": TEXT, "email": TEXT, "eml": TEXT}, ("eml",)),
        "cantidad_eventos": record({"cantidad": NUMBER}, ("cantidad",)),
        "ver_eventos": record({**_PAGES, "total": NUMBER, "eventos": several(_EVENT)}, ("total", "eventos")),
    }
)
#: Steps of paths that vary, in order.
_STEPS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"eventos": ("eeid",), "eeid_info": ("eeid",), "eeid_eml": ("eeid", "email")}
)


def paths(customers: list[str]) -> dict[str, dict[str, Any]]:
    """Every path with its operations; `customers` are the dmdsids there are."""
    found: dict[str, dict[str, Any]] = {}
    for function in FUNCTIONS:
        names = iter(_STEPS.get(function.name, ("email",)))
        steps = [f"{{{next(names)}}}" if step == "*" else step for step in function.path]
        path = "/".join(["/dmds/{dmdsid}/v1", *steps]) + ("/" if function.slash else "")
        operations = found.setdefault(path, {"parameters": _parameters(function, customers)})
        operations |= {verb.lower(): _operation(function, verb) for verb in function.methods}
    return found


def _parameters(function: Function, customers: list[str]) -> list[Schema]:
    varying = _STEPS.get(function.name, ("email",)) if "*" in function.path else ()
    schemas = {"email": ADDRESS, "eeid": {**TEXT, "minLength": 1}}
    return [in_path("dmdsid", {**TEXT, "enum": customers}), *(in_path(name, schemas[name]) for name in varying)]


def _operation(function: Function, verb: str) -> Schema:
    takes = _TAKES.get((function.name, verb)) or (_TAKES.get((function.name, "POST")) if verb == "PUT" else None)
    if takes is None and verb == "POST":  # events may be asked for by POST, too
        takes = _TAKES.get((function.name, "GET"))
    says = _SAYS.get(f"{function.name} {verb}") or _SAYS.get(function.name, _SENT)
    done = {**says, "properties": {"status": _STATUS, **says["properties"]}}
    refused = {str(status): answer(about, {_JSON: _ERROR}) for status, about in _REFUSALS.items()}
    operation: Schema = {
        "operationId": f"dmds_{function.name}_{verb.lower()}",
        "tags": ["DMDS"],
        "summary": (function.perform.__doc__ or "").strip().splitlines()[0],
        "security": [{SECURITY: []}],
        "responses": {"200": answer("done; or status err, where the shape err200 is chosen", {_JSON: done}), **refused},
    }
    if takes is not None:
        operation["requestBody"] = body({_JSON: takes}, is_required=bool(takes.get("required")))
    return operation


_REFUSALS: Mapping[int, str] = MappingProxyType(
    {400: "bad data", 403: "the APIKEY is wrong", 404: "there is no such thing", 405: "there is no such verb"}
)
