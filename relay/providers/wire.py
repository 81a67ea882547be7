"""Wire names as data: each with what it rests on, and each correctable in the configuration without a release."""

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Any, TypeVar

from relay.errors import ConfigError


class Mark(StrEnum):
    """What a fact about an API rests on."""

    DOC = "doc"  # the vendor's document
    VENDOR = "vendor"  # another page of the vendor
    CLIENT = "client"  # source code of a customer in production
    WIRE = "wire"  # a logged answer of the real server
    ASSUMED = "assumed"  # taken from a sibling function or an older API of the vendor
    UNKNOWN = "unknown"  # nobody here knows


#: A call as a wire name: verb and path, with the steps that vary in braces.
_CALL = re.compile(r"(?P<verb>GET|POST|PUT|PATCH|DELETE) (?P<path>[\w.~/{}-]+)", re.ASCII)
_STEP = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class WireName:
    """One row of a provider's table, for documentation."""

    key: str  # as in [provider.<name>.wire]
    default: str
    mark: Mark
    about: str
    optional: bool  # an empty correction means: never send it
    is_call: bool = False  # a verb and a path, as `calls` declares them


def wire(default: str, mark: Mark, about: str, *, optional: bool = False) -> Any:
    """Declare one wire name of a table: a dataclass field whose type is str."""
    return field(default=default, metadata={"mark": mark, "about": about, "optional": optional, "is_call": False})


def calls(default: str, mark: Mark, about: str) -> Any:
    """Declare verb and path of a method, `GET contact/{email}`, so that one line corrects both."""
    return field(default=default, metadata={"mark": mark, "about": about, "optional": False, "is_call": True})


def verb_and_path(call: str) -> tuple[str, str]:
    """Take a wire name made by `calls` apart."""
    verb, _, path = call.partition(" ")
    return verb, path


def wire_names(table: Any) -> tuple[WireName, ...]:
    """List a table's rows in order."""
    return tuple(WireName(row.name, str(row.default), **row.metadata) for row in fields(table))


_Table = TypeVar("_Table")


def corrected(table: type[_Table], corrections: Mapping[str, str], where: str) -> _Table:
    """Make a table with the configuration's corrections in it.

    Args:
        table: A frozen dataclass whose fields were made by `wire`.
        corrections: By key, as in the configuration.
        where: The configuration table's name, for errors.

    Raises:
        ConfigError: A key is not known or a name may not be empty; all mistakes at once.
    """
    rows = {row.key: row for row in wire_names(table)}
    problems = [problem for key, value in corrections.items() if (problem := _problem(key, value, rows))]
    if problems:
        raise ConfigError("; ".join(f"{where}.{problem}" for problem in problems))
    return table(**corrections)


def _problem(key: str, value: str, rows: Mapping[str, WireName]) -> str | None:
    if key not in rows:
        close = difflib.get_close_matches(key, rows, n=1)
        hint = f"did you mean {close[0]}? " if close else ""
        return f"{key}: not a wire name; {hint}known are {', '.join(rows)}"
    if not value.strip() and not rows[key].optional:
        return f"{key}: must not be empty; the default is {rows[key].default!r}"
    if not value.isprintable():
        return f"{key}: holds control characters"
    return _fault_of_call(key, value, rows[key].default) if rows[key].is_call else None


def _fault_of_call(key: str, value: str, default: str) -> str | None:
    if not _CALL.fullmatch(value):
        return f"{key}: must be a verb and a path, like {default!r}"
    if sorted(_STEP.findall(value)) != sorted(_STEP.findall(default)) or "{" in _STEP.sub("", value):
        return f"{key}: must hold the steps that vary, like {default!r}"
    return None
