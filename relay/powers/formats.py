"""How the value of each X-Relay-* header is written: one function for each format.

Every function raises ValueError with what is wrong and what would be right, in one line of ASCII that never repeats
the value; whoever calls decides what may be echoed.
"""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import cast
from zoneinfo import ZoneInfo

from relay.message import mailbox_key
from relay.powers.contract import QuietHours

#: The time that Mensatek keeps (doc: "Spanish time", with daylight saving).
SPANISH_TIME = "Europe/Madrid"
#: Longest reference. The vendor's own limit is not known; this one keeps log lines and rows in bounds.
LONGEST_REFERENCE = 255

_LARGEST_NUMBER = 2**31 - 1  # ids are numbers of a database column; the vendors name no limit
_NUMBER = re.compile(r"[0-9]{1,10}")
_WORDS = {"yes": True, "true": True, "on": True, "1": True, "no": False, "false": False, "off": False, "0": False}
_MOMENT = re.compile(
    r"(?P<moment>2[0-9]{3}-[0-9]{2}-[0-9]{2}[ T][0-9]{2}:[0-9]{2}(?::[0-9]{2})?)"
    r"(?:(?<=:[0-9]{2}:[0-9]{2})\.[0-9]{1,9})?"  # JavaScript's toISOString has milliseconds
    r"\s*(?P<zone>[zZ]|[+-][0-9]{2}:?[0-9]{2})?"
)
_SPAN = re.compile(
    r"(?P<start>[0-9]{1,2}:[0-9]{2})\s*-\s*(?P<end>[0-9]{1,2}:[0-9]{2})\s*"
    r"(?:;\s*action\s*=\s*(?P<action>[0-9]{1,3}))?",
    re.IGNORECASE,
)
_HOUR = re.compile(r"(?:[01]?[0-9]|2[0-3]):[0-5][0-9]")
_BATCH = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
_ADDRESSED = re.compile(r"\s*(?P<address>[^\s=,@]+@[^\s=,@]+)\s*=\s*(?P<text>.*\S)\s*", re.DOTALL)
_EVERYBODY = "*"


def number(text: str) -> int:
    """Read the id of a template or campaign: a whole number above 0."""
    if not _NUMBER.fullmatch(text) or not 0 < int(text) <= _LARGEST_NUMBER:
        raise ValueError("is not a whole number above 0")
    return int(text)


def truth(text: str) -> bool:
    """Read yes or no, true or false, on or off, 1 or 0, in any case."""
    value = _WORDS.get(text.lower())
    if value is None:
        raise ValueError("is neither yes nor no")
    return value


def moment(text: str) -> datetime:
    """Read "2026-12-01 10:30" in Spanish time, or ISO 8601 with an offset or Z; fractions of a second are dropped.

    An hour that comes twice when summer time ends is the first one; one that never comes when it begins is refused.
    """
    match = _MOMENT.fullmatch(text)
    try:
        when = datetime.fromisoformat(f"{match['moment']}{(match['zone'] or '').upper()}") if match else None
    except ValueError:
        when = None
    if when is None:
        raise ValueError("is not a date like 2026-12-01 10:30 (Spanish time) or 2026-12-01T10:30:00+01:00")
    if when.tzinfo is not None:
        return when
    local = when.replace(tzinfo=ZoneInfo(SPANISH_TIME))
    if local.astimezone(UTC).astimezone(local.tzinfo).replace(tzinfo=None) != when:
        raise ValueError("is an hour that does not exist in Spain: summer time begins then")
    return local


def quiet_hours(text: str) -> tuple[QuietHours, ...]:
    """Read "22:00-09:00", several with commas, each with ";action=2" where wanted."""
    return tuple(_span(piece.strip()) for piece in text.split(","))


def reference(text: str) -> str:
    """Read a reference: 1 to 255 printable characters."""
    if not 1 <= len(text) <= LONGEST_REFERENCE or not text.isprintable():
        raise ValueError(f"is not a text of 1 to {LONGEST_REFERENCE} printable characters")
    return text


def recipient_references(text: str) -> dict[str, str]:
    """Read one text for all, "a@x.org=REF1, b@y.org=REF2", or a JSON object; by mailbox key, "" for everybody."""
    if text.startswith("{"):
        members = _json_object(text)
        return {_mailbox(key): reference(_scalar(value)) for key, value in members.items()}
    pieces = [_ADDRESSED.fullmatch(piece) for piece in text.split(",")]
    if not any(pieces):
        return {"": reference(text)}
    references: dict[str, str] = {}
    for piece in pieces:
        if piece is None:
            raise ValueError("mixes texts with a@x.org=REF; write a@x.org=REF1, b@y.org=REF2")
        key = mailbox_key(piece["address"])
        if key in references:
            raise ValueError("names one recipient twice")
        references[key] = reference(piece["text"])
    return references


def variables(text: str) -> dict[str, Mapping[str, str]]:
    """Read {"name": "value"} for all, or {"*": {...}, "a@x.org": {...}}; by mailbox key, "" for everybody."""
    members = _json_object(text)
    tables = [isinstance(value, dict) for value in members.values()]
    if members and all(tables):
        return {_mailbox(key): _named(cast("dict[str, object]", value)) for key, value in members.items()}
    if any(tables):
        raise ValueError('mixes values with objects; write {"name": "value"} or {"*": {...}, "a@x.org": {...}}')
    return {"": _named(members)}


def batch(text: str) -> str:
    """Read the eeid of an earlier send: a UUID (doc: the answer's `eeid`)."""
    if not _BATCH.fullmatch(text):
        raise ValueError("is not a UUID like 6f1c1f0e-1b7a-4d0e-9a52-0d4a3c1b2e3f")
    return text


def _span(text: str) -> QuietHours:
    match = _SPAN.fullmatch(text)
    if match is None or not (_HOUR.fullmatch(match["start"]) and _HOUR.fullmatch(match["end"])):
        raise ValueError("is not a span like 22:00-09:00, or several with commas, or 22:00-09:00;action=1")
    start, end = match["start"].rjust(5, "0"), match["end"].rjust(5, "0")
    if start == end:
        raise ValueError("holds a span that ends when it begins")
    return QuietHours(start, end, match["action"] or "1")


def _json_object(text: str) -> dict[str, object]:
    # Numbers stay as they are written: 1.50 must not become 1.5 in somebody's mail.
    try:
        value = json.loads(
            text, parse_int=str, parse_float=str, parse_constant=_no_constant, object_pairs_hook=_distinct
        )
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise ValueError('is not a JSON object like {"name": "value"} with each name once')  # noqa: TRY004
    return value


def _distinct(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a name comes twice")
    return members


def _no_constant(_name: str) -> object:
    raise ValueError("NaN and Infinity are not JSON (RFC 8259 section 6)")


def _mailbox(key: str) -> str:
    if key == _EVERYBODY:
        return ""
    local, _, domain = key.rpartition("@")
    if not local or not domain or not key.isprintable() or " " in key:
        raise ValueError('has a name that is neither an address nor "*"')
    return mailbox_key(key)


def _named(members: Mapping[str, object]) -> dict[str, str]:
    for name in members:
        # A name stands between ### and ### in the mail (doc).
        if not name.strip() or not name.isprintable() or "#" in name:
            raise ValueError("has a variable without a usable name")
    return {name: _scalar(value) for name, value in members.items()}


def _scalar(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("has a value that is neither a text nor a number")  # noqa: TRY004
    # A lone surrogate (JSON can escape one) has no UTF-8 form, so no request could carry it.
    if any(letter < " " and letter not in "\t\r\n" for letter in value) or not _is_unicode(value):
        raise ValueError("has a value with control characters")
    return value


def _is_unicode(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
