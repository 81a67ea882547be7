"""Fill a frozen dataclass from a JSON object, strictly; every mistake is named at once."""

from collections.abc import Mapping
from dataclasses import MISSING, Field, dataclass, fields
from types import NoneType, UnionType
from typing import Annotated, Literal, TypeVar, get_args, get_origin, get_type_hints

T = TypeVar("T")

_WORDS = {str: "a string", int: "a whole number", float: "a number", bool: "true or false", NoneType: "null"}


class BadFormError(Exception):
    """Some members are wrong; the text names them."""


@dataclass(frozen=True, slots=True)
class AtLeast:
    """The least value of a number."""

    least: float


@dataclass(frozen=True, slots=True)
class AtMost:
    """The greatest value of a number."""

    most: float


def filled(kind: type[T], members: Mapping[str, object]) -> T:
    """Make one of this class; its annotations say what its members may be.

    Raises:
        BadFormError: naming each member that is unknown, missing or wrong.
    """
    hints = get_type_hints(kind, include_extras=True)
    known: dict[str, Field[object]] = {field.name: field for field in fields(kind)}  # type: ignore[arg-type] # a dataclass
    wrong = [f"{name}: unknown; known are {', '.join(known)}" for name in members if name not in known]
    for name, field in known.items():
        if name in members:
            complaint = _complaint(members[name], hints[name])
        else:
            needed = field.default is MISSING and field.default_factory is MISSING
            complaint = "is missing" if needed else ""
        if complaint:
            wrong.append(f"{name}: {complaint}")
    if wrong:
        raise BadFormError("; ".join(wrong))
    values = {name: tuple(value) if isinstance(value, list) else value for name, value in members.items()}
    return kind(**values)


def _complaint(value: object, hint: object) -> str:
    """What is wrong with a value; empty: nothing."""
    origin = get_origin(hint)
    if origin is UnionType or str(origin) == "typing.Union":
        complaints = [_complaint(value, choice) for choice in get_args(hint)]
        return "" if "" in complaints else " or ".join(complaints)
    if origin is Annotated:
        plain, *bounds = get_args(hint)
        return _complaint(value, plain) or _out_of_bounds(value, bounds)
    if origin is Literal:
        return "" if value in get_args(hint) else f"must be one of {', '.join(map(str, get_args(hint)))}"
    if origin is tuple:
        texts = isinstance(value, list) and all(isinstance(item, str) for item in value)
        return "" if texts else "must be a list of strings"
    return "" if _is(value, hint) else f"must be {_WORDS[hint]}"  # type: ignore[index] # a plain type by now


def _is(value: object, hint: object) -> bool:
    if isinstance(value, bool):
        return hint is bool
    return isinstance(value, int | float if hint is float else hint)  # type: ignore[arg-type] # a plain type by now


def _out_of_bounds(value: object, bounds: list[object]) -> str:
    assert isinstance(value, int | float)  # noqa: S101 - only numbers have bounds
    for bound in bounds:
        if isinstance(bound, AtLeast) and not value >= bound.least:
            return f"must be at least {bound.least:g}"
        if isinstance(bound, AtMost) and not value <= bound.most:
            return f"must be at most {bound.most:g}"
    return ""
