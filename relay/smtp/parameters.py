"""The parameters behind the address of MAIL and RCPT. Pure.

SIZE (RFC 1870), BODY (RFC 6152, RFC 3030), SMTPUTF8 (RFC 6531), AUTH (RFC 4954 §5), RET, ENVID, NOTIFY, ORCPT (RFC
3461).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, cast

from relay.message import Notify
from relay.outcome import Replies, Reply

_KEYWORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*")  # RFC 5321 §4.1.2 esmtp-keyword
_XTEXT = re.compile(r"(?:[!-*,-<>-~]|\+[0-9A-F]{2})*")  # RFC 3461 §4: no "+" or "=" but as +HH
_ORCPT = re.compile(rf"[A-Za-z0-9-]+;{_XTEXT.pattern}")
_NOTIFY = frozenset({"NEVER", "SUCCESS", "FAILURE", "DELAY"})
_ENVID_MAX = 100  # RFC 3461 §4.4
_ORCPT_MAX = 500  # RFC 3461 §4.2
_SIZE_DIGITS_MAX = 20  # RFC 1870 §3
_NAME_SHOWN_MAX = 40


@dataclass(frozen=True, slots=True)
class MailParameters:
    """What MAIL said beside the sender."""

    size: int = 0  # bytes announced; 0: not said
    smtputf8: bool = False
    binary: bool = False  # the message may hold lines that are none, so that only BDAT can carry it (RFC 3030 §3)
    ret: Literal["FULL", "HDRS", ""] = ""
    envid: str = ""


@dataclass(frozen=True, slots=True)
class RcptParameters:
    """What RCPT said beside the recipient."""

    notify: frozenset[Notify] = frozenset()
    orcpt: str = ""


_NO_MAIL_PARAMETERS = MailParameters()
_NO_RCPT_PARAMETERS = RcptParameters()


def mail_parameters(text: str) -> MailParameters | Reply:
    """Read what stands behind the sender, or say what is wrong with it."""
    if not text.strip():
        return _NO_MAIL_PARAMETERS
    found = _split(text, known=_MAIL_PATTERNS)
    if isinstance(found, Reply):
        return found
    return MailParameters(
        size=int(found.get("SIZE", "0")),
        smtputf8="SMTPUTF8" in found,
        binary=found.get("BODY", "").upper() == "BINARYMIME",
        ret=cast('Literal["FULL", "HDRS", ""]', found.get("RET", "").upper()),
        envid=found.get("ENVID", ""),
    )


def rcpt_parameters(text: str) -> RcptParameters | Reply:
    """Read what stands behind the recipient, or say what is wrong with it."""
    if not text.strip():
        return _NO_RCPT_PARAMETERS
    found = _split(text, known=_RCPT_PATTERNS)
    if isinstance(found, Reply):
        return found
    wishes = frozenset(found["NOTIFY"].upper().split(",")) if "NOTIFY" in found else frozenset[str]()
    if not wishes <= _NOTIFY or ("NEVER" in wishes and len(wishes) > 1):  # RFC 3461 §4.1: NEVER stands alone
        return _bad("NOTIFY")
    return RcptParameters(notify=cast("frozenset[Notify]", wishes), orcpt=found.get("ORCPT", ""))


# The form of each value; None: takes no value. AUTH is checked and ignored: we trust no client's word for it.
_MAIL_PATTERNS: Mapping[str, re.Pattern[str] | None] = {
    "SIZE": re.compile(rf"[0-9]{{1,{_SIZE_DIGITS_MAX}}}"),
    "BODY": re.compile(r"7BIT|8BITMIME|BINARYMIME", re.IGNORECASE),
    "SMTPUTF8": None,
    "AUTH": re.compile(rf"<>|{_XTEXT.pattern}"),  # what Postfix and Exchange send: aiosmtpd refuses it
    "RET": re.compile(r"FULL|HDRS", re.IGNORECASE),
    "ENVID": re.compile(rf"(?=.{{1,{_ENVID_MAX}}}$){_XTEXT.pattern}"),
}
_RCPT_PATTERNS: Mapping[str, re.Pattern[str] | None] = {
    "NOTIFY": re.compile(r"[A-Za-z]+(?:,[A-Za-z]+)*"),
    "ORCPT": re.compile(rf"(?=.{{1,{_ORCPT_MAX}}}$){_ORCPT.pattern}"),
}


def _split(text: str, *, known: Mapping[str, re.Pattern[str] | None]) -> Mapping[str, str] | Reply:
    found: dict[str, str] = {}
    for word in text.split():
        keyword, equals, value = word.partition("=")
        name = keyword.upper()
        if not _KEYWORD.fullmatch(keyword):
            return Replies.BAD_SYNTAX
        if name not in known:
            return Replies.UNKNOWN_PARAMETER.saying(f"Parameter {name[:_NAME_SHOWN_MAX]} not recognized")
        pattern = known[name]
        fits = pattern.fullmatch(value) if pattern and equals else pattern is None and not equals
        if name in found or not fits:
            return _bad(name)
        found[name] = value
    return found


def _bad(name: str) -> Reply:
    return Replies.BAD_SYNTAX.saying(f"Parameter {name} has a bad value or stands twice")
