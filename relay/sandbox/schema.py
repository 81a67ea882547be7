"""Pieces of OpenAPI 3.1 descriptions, which are JSON Schema (draft 2020-12)."""

from collections.abc import Mapping, Sequence
from typing import Any

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
NUMBER: Schema = {"type": "integer"}
#: Narrower than what the APIs may take for an address: whoever makes addresses of it makes good ones.
ADDRESS: Schema = {"type": "string", "pattern": "^[a-z0-9]{1,20}@[a-z0-9]{1,20}\\.[a-z]{2,10}$"}
#: Without a time zone.
MOMENT: Schema = {"type": "string", "pattern": "^20[0-9][0-9]-0[1-9]-[01][0-9]T[01][0-9]:[0-5][0-9]:[0-5][0-9]$"}


def record(members: Mapping[str, Schema], required: Sequence[str] = ()) -> Schema:
    """An object; further members are never forbidden, for the documents lost tables on the way."""
    return {"type": "object", "properties": dict(members), **({"required": list(required)} if required else {})}


def several(item: Schema, *, least: int = 0) -> Schema:
    """A list."""
    return {"type": "array", "items": item, **({"minItems": least} if least else {})}


def answer(about: str, contents: Mapping[str, Schema]) -> Schema:
    """One answer, by media type."""
    return {"description": about, "content": {kind: {"schema": schema} for kind, schema in contents.items()}}


def body(contents: Mapping[str, Schema], *, is_required: bool) -> Schema:
    """The body of a request, by media type."""
    return {"required": is_required, "content": {kind: {"schema": schema} for kind, schema in contents.items()}}


def in_path(name: str, schema: Schema) -> Schema:
    """A step of the path that varies."""
    return {"name": name, "in": "path", "required": True, "schema": schema}
