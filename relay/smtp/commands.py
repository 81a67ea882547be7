"""From the bytes of a command line to what it says. Pure, and it never raises.

Tolerant where old devices need it (case, spaces, missing brackets), strict where tolerance would be dangerous.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

from relay.addresses import address_fault
from relay.message import EnvelopeRecipient
from relay.outcome import Replies, Reply
from relay.smtp.addresses import split_path
from relay.smtp.parameters import MailParameters, mail_parameters, rcpt_parameters

_FROM = re.compile(r"\s*FROM\s*:\s*", re.IGNORECASE)
_TO = re.compile(r"\s*TO\s*:\s*", re.IGNORECASE)
_CONTROL = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")

#: The longest line that can mean anything: an AUTH response (RFC 4954 §4).
MAX_LINE = 12_288
_REMEMBERED = 1024  # arguments, at most as long as a line
_OCTETS_DIGITS_MAX = 20  # as in SIZE (RFC 1870 §3)
_MAX_COMMAND = 512  # RFC 5321 §4.5.3.1.4
# The extensions lengthen these lines (RFC 1870 §3, RFC 4954 §3, RFC 6152 §2, RFC 6531 §3, RFC 3461 §4); this is more
# than their sum.
_MAX_LENGTHS = {"MAIL": _MAX_COMMAND + 1024, "RCPT": _MAX_COMMAND + 1024, "AUTH": MAX_LINE}


@dataclass(frozen=True, slots=True)
class Command:
    """A verb in capitals and the bytes behind it."""

    verb: str
    argument: bytes


@dataclass(frozen=True, slots=True)
class Mail:
    """MAIL FROM, read."""

    sender: str  # empty: the null reverse-path
    parameters: MailParameters


@dataclass(frozen=True, slots=True)
class Bdat:
    """BDAT, read."""

    octets: int
    is_last: bool
    is_sound: bool  # False: something else stands behind the number


def read_command(line: bytes) -> Command | Reply:
    """Read one line, its line end included or not."""
    text = line.rstrip()  # some clients send CR CR LF or spaces before the end
    verb_bytes, _, argument = text.partition(b" ")
    if not verb_bytes.isalpha():
        return Replies.UNKNOWN_COMMAND
    verb = verb_bytes.upper().decode("ascii")
    if len(line) > _MAX_LENGTHS.get(verb, _MAX_COMMAND):
        return Replies.LINE_TOO_LONG
    if _CONTROL.search(argument):
        return Replies.UNKNOWN_COMMAND.saying("Control characters in a command")
    return Command(verb, argument.strip())


@lru_cache(maxsize=_REMEMBERED)  # an application sends as the same few
def read_mail(argument: bytes, *, is_replaced: bool = False) -> Mail | Reply:
    """Read what follows MAIL, or say what is wrong with it.

    `is_replaced`: another sender takes the place of the one given, which then may be anything; devices call themselves
    "scanner".
    """
    path = _path(_FROM, argument)
    if path is None:
        return Replies.BAD_SYNTAX.saying("Syntax: MAIL FROM:<address>")
    sender, rest = path
    parameters = mail_parameters(rest)
    if isinstance(parameters, Reply):
        return parameters
    if is_replaced:
        return Mail(sender, parameters)
    if not sender.isascii() and not parameters.smtputf8:
        return Replies.NEEDS_SMTPUTF8
    fault = address_fault(sender, deliverable=False) if sender else ""
    return Replies.BAD_SENDER_SYNTAX.saying(f"Sender: {fault}") if fault else Mail(sender, parameters)


@lru_cache(maxsize=_REMEMBERED)
def read_rcpt(argument: bytes, *, smtputf8: bool) -> EnvelopeRecipient | Reply:
    """Read what follows RCPT, or say what is wrong with it."""
    path = _path(_TO, argument)
    if path is None:
        return Replies.BAD_SYNTAX.saying("Syntax: RCPT TO:<address>")
    address, rest = path
    parameters = rcpt_parameters(rest)
    if isinstance(parameters, Reply):
        return parameters
    if not address.isascii() and not smtputf8:
        return Replies.NEEDS_SMTPUTF8
    fault = address_fault(address, deliverable=True)
    if fault:
        return Replies.BAD_RECIPIENT_SYNTAX.saying(f"Recipient: {fault}")
    return EnvelopeRecipient(address, parameters.notify, parameters.orcpt)


def read_bdat(argument: bytes) -> Bdat | None:
    """Read what follows BDAT; None: it does not say how many octets come (RFC 3030 §2)."""
    words = argument.split()
    if not words or not words[0].isdigit() or len(words[0]) > _OCTETS_DIGITS_MAX:
        return None
    is_last = [word.upper() for word in words[1:]] == [b"LAST"]
    return Bdat(int(words[0]), is_last, is_last or len(words) == 1)


def _path(keyword: re.Pattern[str], argument: bytes) -> tuple[str, str] | None:
    # What is no UTF-8 keeps its bytes as surrogates, which no address may contain.
    text = argument.decode("utf-8", "surrogateescape")
    match = keyword.match(text)
    return split_path(text[match.end() :]) if match else None
