"""Whether a list of campaigns, in whatever shape it comes, holds a certain one.

The question is documented, the answer is not: only that campaigns have an `id` and a `numid`, the short number.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import orjson

from relay.providers.dmds.members import member, whole

_NAMES_CAMPAIGNS = re.compile(r"campa", re.IGNORECASE)  # campanias, campañas, campaigns


def holds_campaign(body: bytes, number: int, numid: str = "numid") -> bool | None:
    """Tell whether a campaign is in an answer; None: the answer cannot be read that far.

    An empty list holds none. `numid` outweighs `id`, which may be another number; and what stands under a name like
    "campanias" outweighs all else, such as a filter that the answer repeats.
    """
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    match value:
        case Mapping():
            inside = list(_named_campaigns(value)) or list(value.values())
            found = _is_among(inside, number, numid)
            if found is None and (own := member(value, numid)) is not None:
                return whole(own) == number
            return found
        case Sequence() if not isinstance(value, str):
            return _is_among([value], number, numid)
        case _:
            return None


def _named_campaigns(value: Any) -> Iterator[Any]:
    """Find the outermost lists and objects that are called campaigns."""
    pending = [value]
    while pending:
        match pending.pop():
            case Mapping() as members:
                for name, inner in members.items():
                    if _NAMES_CAMPAIGNS.match(name) and isinstance(inner, list | dict):
                        yield inner
                    else:
                        pending.append(inner)
            case list() as items:
                pending += items


def _is_among(values: Iterable[Any], number: int, numid: str) -> bool | None:
    """Look for a number in lists and objects. Inside a campaign nothing is looked at: other things have ids, too."""
    short_numbers: list[Any] = []
    ids: list[Any] = []
    is_empty = has_strangers = False
    pending = list(values)
    while pending:
        match pending.pop():
            case Mapping() as members:
                if (short := member(members, numid)) is not None:
                    short_numbers.append(short)
                elif (own := member(members, "id")) is not None:
                    ids.append(own)
                else:
                    pending += members.values()
            case list() as items:
                is_empty |= not items
                has_strangers |= bool(items)  # if none of them turns out to have a number
                ids += (item for item in items if whole(item) is not None)  # bare numbers
                pending += (item for item in items if isinstance(item, list | dict))
    if numbers := short_numbers or ids:
        return any(whole(each) == number for each in numbers)
    return False if is_empty and not has_strangers else None
