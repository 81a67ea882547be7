"""What DMDS answers, read.

`{"status":"ok","sent":4,"eeid":"..."}` or `{"status":"err","on":"invalid email ..."}`, the latter even with 200 (doc).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from relay.outcome import Blame
from relay.providers.complaint import spoken

# The API gives no error codes, only words (doc: parameters missing, invalid e-mail). The sets are looked at in this
# order: a text that speaks of the key is about the account, whatever else it mentions.
_ABOUT_ACCOUNT = re.compile(
    r"api[\s_-]?key|autoriza|authori|forbidden|permi[st]|permission|licen|cr[eé]dit|cuota|quota|suspend|bloquea|blocked"
    r"|campa[nñ]a|campania|campaign|remitente|sender|dominio no|domain not",
    re.IGNORECASE,
)
_ABOUT_API = re.compile(
    r"intern|timeout|tiempo|tempor|reintent|try again|base de datos|database|sql|unavailable|no disponible|exception"
    r"|respond(?!er)|connection|conexi",
    re.IGNORECASE,
)
# What is wrong must be said: "could not send the email" names a part of the mail and proves nothing against it.
_ABOUT_MAIL = re.compile(
    r"inv[aá]lid|not? v[aá]lid|incorrect|falta|missing|requer|requir|format|must be|should be|debe|no es un|is not an?"
    r"|no existe|not exist|not found|vac[ií]o|empty|too (?:large|big|long)|demasiado|exced|exceed",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class DmdsAnswer:
    """What the API said."""

    is_ok: bool
    error: str = ""  # `on`, or another member where it was found
    sent: int | None = None  # mails that this call made, copies included, even where it failed; None: not said
    batch: str = ""  # eeid


def read_answer(body: bytes, batch_key: str = "eeid") -> DmdsAnswer | None:
    """Read an answer; None: it is no object with a status that is known."""
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(value, Mapping):
        return None
    named = {key.casefold(): inner for key, inner in value.items()}
    status = str(named.get("status", "")).casefold()
    sent, batch = _whole(named.get("sent")), _words(named.get(batch_key.casefold()))
    if status == "ok":
        return DmdsAnswer(is_ok=True, sent=sent, batch=batch)
    if status in {"err", "error"}:
        return DmdsAnswer(
            is_ok=False, error=spoken(named.get("on")) or spoken(named.get("msg")), sent=sent, batch=batch
        )
    return None


def blame_of(error: str) -> Blame | None:
    """Tell from an error's words, addresses taken out, whose fault it is; None: they do not tell."""
    for words, blame in ((_ABOUT_ACCOUNT, Blame.ACCOUNT), (_ABOUT_API, Blame.PROVIDER), (_ABOUT_MAIL, Blame.MESSAGE)):
        if words.search(error):
            return blame
    return None


def _whole(value: Any) -> int | None:
    match value:
        case bool():
            return None
        case int() if value >= 0:
            return value
        case str() if re.fullmatch(r"[0-9]{1,9}", value.strip()):
            return int(value)
        case _:
            return None


def _words(value: Any) -> str:
    return value.strip() if isinstance(value, str) else ""
