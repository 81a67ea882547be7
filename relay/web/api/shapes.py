"""What the HTTP API takes and gives, and how its document describes that: made from the types, so that it is true."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from relay.plain import MOMENTS
from relay.queue.contract import Verb

_REFERENCES = "#/components/schemas/{model}"
_MOST_IDS = 1000


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ActBody(_Body):
    """What to do, and to which messages."""

    verb: Verb = Field(description="retry: try at once. hold: do not try. release: let go on. drop: give up.")
    ids: list[str] = Field(description="Message ids.", min_length=1, max_length=_MOST_IDS)
    dry_run: bool = Field(default=False, description="Only tell what it would do.")


class PauseBody(_Body):
    """For how long an account shall be left alone."""

    seconds: float = Field(gt=0, le=30 * 86400, description="From now on.")
    reason: str = Field("paused by hand", max_length=200, description="What people read meanwhile.")


@cache
def _adapter(kind: Any) -> "TypeAdapter[Any]":
    return TypeAdapter(kind)


def described(kind: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the JSON schema of a type as it is sent, and the schemas that it refers to by name."""
    schema = _adapter(kind).json_schema(mode="serialization", ref_template=_REFERENCES)
    named = schema.pop("$defs", {})
    return _dated(schema), {name: _dated(inner) for name, inner in named.items()}


def taken(kind: type[_Body]) -> dict[str, Any]:
    """Return the JSON schema of a body, with everything that it refers to inside."""
    schema = kind.model_json_schema()
    named = schema.pop("$defs", {})
    return _inlined(schema, named) if named else schema


def read(kind: type[_Body], text: bytes) -> Any:
    """Read a body. Raises ValueError whose text says for each member what is wrong."""
    try:
        return kind.model_validate_json(text)
    except ValidationError as error:
        wrong = (f"{'.'.join(map(str, each['loc'])) or 'body'}: {each['msg']}" for each in error.errors())
        raise ValueError("; ".join(wrong)) from None


def _dated(schema: dict[str, Any]) -> dict[str, Any]:
    """Describe moments as what `relay.plain` makes of them."""
    for name, member in schema.get("properties", {}).items():
        if name in MOMENTS:
            choices = member.get("anyOf", [])
            dated = {"type": "string", "format": "date-time"}
            kept = {key: value for key, value in member.items() if key in {"title", "description"}}
            is_optional = {"type": "null"} in choices
            schema["properties"][name] = {**kept, **({"anyOf": [dated, {"type": "null"}]} if is_optional else dated)}
    return schema


def _inlined(schema: Any, named: Mapping[str, Any]) -> Any:
    match schema:
        case {"$ref": str(reference), **others}:
            return {**_inlined(named[reference.rpartition("/")[2]], named), **others}
        case dict():
            return {key: _inlined(value, named) for key, value in schema.items()}
        case list():
            return [_inlined(value, named) for value in schema]
        case _:
            return schema
