"""Values of the gateway as what JSON knows: the same for the command line and for the HTTP API."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import Any

from pydantic import SecretStr

#: Members of what the queue tells that are moments, in seconds since the epoch; programs get ISO 8601.
MOMENTS = frozenset(
    {"at", "until", "lease_until", "due_at", "received_at", "expires_at", "finished_at", "changed_at", "begun_at"}
    | {"ended_at", "oldest_received_at", "first_at"}
)


def as_data(value: object) -> Any:
    """Turn values into what JSON knows, dataclasses into objects, secrets into stars."""
    if is_dataclass(value) and not isinstance(value, type):
        return {each.name: as_data(getattr(value, each.name)) for each in fields(value)}
    match value:
        case Mapping():
            return {str(key): as_data(inner) for key, inner in value.items()}
        case list() | tuple() | set() | frozenset():
            return [as_data(inner) for inner in value]
        case _:
            return _as_leaf(value)


def with_moments(value: object, name: str = "") -> Any:
    """Turn moments, by the names of their members, into ISO 8601."""
    match value:
        case Mapping():
            return {key: with_moments(inner, key) for key, inner in value.items()}
        case list():
            return [with_moments(inner) for inner in value]
        case int() | float() if name in MOMENTS:
            return datetime.fromtimestamp(value, UTC).isoformat()
        case _:
            return value


def _as_leaf(value: object) -> str | int | float | None:
    match value:
        case SecretStr():
            return "***"
        case datetime():
            return value.isoformat()
        case Enum():
            return str(value.value)
        case str() | int() | float() | None:
            return value
        case _:
            return str(value)
