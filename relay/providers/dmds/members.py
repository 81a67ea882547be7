"""Members of answers, read generously: names without regard to case, numbers also as text."""

import re
from collections.abc import Mapping
from typing import Any

_WHOLE = re.compile(r"[0-9]{1,15}")
_TRUE = frozenset({"true", "1", "si", "sí", "yes"})


def member(members: Mapping[str, Any], *names: str) -> Any:
    """Find the first of some members; None: there is none of them."""
    folded = {key.casefold(): inner for key, inner in members.items()}
    return next((folded[name.casefold()] for name in names if name.casefold() in folded), None)


def whole(value: Any) -> int | None:
    """Read a whole number, as number or text."""
    match value:
        case bool():
            return None
        case int():
            return value
        case str() if _WHOLE.fullmatch(value.strip()):
            return int(value)
        case _:
            return None


def words(value: Any) -> str:
    """Read a text or a number as text; anything else is nothing."""
    match value:
        case str():
            return value.strip()
        case bool():
            return ""
        case int() | float():
            return str(value)
        case _:
            return ""


def truth(value: Any) -> bool:
    """Read a flag, however it is written."""
    return words(value).casefold() in _TRUE if isinstance(value, str) else bool(value)


def items(value: Any, *names: str) -> list[Any]:
    """Find a list in an answer: itself, under one of the names, or else the only list there is.

    An object under a name is a list of its values where they are objects, and of one otherwise.
    """
    match value:
        case list():
            return value
        case Mapping():
            found = member(value, *names)
            if found is None:
                lists = [inner for inner in value.values() if isinstance(inner, list)]
                return lists[0] if len(lists) == 1 else []
            return _as_list(found)
        case _:
            return []


def _as_list(value: Any) -> list[Any]:
    match value:
        case list():
            return value
        case Mapping() if value and all(isinstance(inner, Mapping) for inner in value.values()):
            return list(value.values())
        case _:
            return [value]
