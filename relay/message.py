"""The mail as the gateway holds it: mailboxes, the envelope, recipients with their roles, the message.

Values only. Whoever reads or sends a message speaks in these words.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from random import getrandbits
from typing import Literal, NewType

import idna

#: Seconds since the epoch, UTC. Time is passed in, so that tests own it.
Clock = Callable[[], float]

MessageId = NewType("MessageId", str)

_BASE32 = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's alphabet: no I, L, O, U to misread
_PAIRS = [first + second for first in _BASE32 for second in _BASE32]  # ten bits at a time


def new_message_id(clock: Clock = time.time) -> MessageId:
    """Make an id of 26 letters that sorts by time: 48 bits of milliseconds, 80 bits of randomness (ULID)."""
    # Nobody gains by guessing one. The generator is seeded by the system, also after a fork, and makes no system call.
    number = (int(clock() * 1000) << 80) | getrandbits(80)
    return MessageId("".join([_PAIRS[(number >> shift) & 1023] for shift in range(120, -1, -10)]))


class Role(StrEnum):
    """Where a recipient stands in the message's headers; the headers show, they never add anybody."""

    TO = "to"  # named in To
    CC = "cc"  # named in Cc and not in To
    BCC = "bcc"  # named in neither: nobody else may learn of it


#: What RFC 3461 section 4.1 lets a client ask for: NEVER alone, or any of the other three.
Notify = Literal["NEVER", "SUCCESS", "FAILURE", "DELAY"]


@dataclass(frozen=True, slots=True)
class Mailbox:
    """One address with the name that a header gave it."""

    email: str  # local@domain as written, without brackets; the domain may be an IDN
    name: str = ""  # decoded display name, one line, no control characters


@dataclass(frozen=True, slots=True)
class EnvelopeRecipient:
    """One RCPT TO, with its DSN parameters (RFC 3461 section 4)."""

    address: str
    notify: frozenset[Notify] = frozenset()  # empty: not said
    orcpt: str = ""  # as received, still xtext-encoded; empty: not said


@dataclass(frozen=True, slots=True)
class Envelope:
    """What MAIL and RCPT said. It alone decides who gets the mail."""

    mail_from: str  # empty: the null reverse-path
    recipients: tuple[EnvelopeRecipient, ...]
    ret: Literal["FULL", "HDRS", ""] = ""  # RFC 3461 section 4.3; empty: not said
    envid: str = ""  # as received, still xtext-encoded; empty: not said


@dataclass(frozen=True, slots=True)
class Recipient:
    """One mailbox that gets one copy: from the envelope, with name and role from the headers."""

    address: str
    role: Role
    name: str = ""
    notify: frozenset[Notify] = frozenset()
    orcpt: str = ""

    @property
    def key(self) -> str:
        """The mailbox's identity; see `mailbox_key`."""
        return mailbox_key(self.address)


@dataclass(frozen=True, slots=True)
class Message:
    """One accepted transaction: the bytes as received, and how they came."""

    id: MessageId
    account: str  # name of the account it is sent through
    envelope: Envelope
    data: bytes  # as received after dot-unstuffing; never changed
    received_at: float  # seconds since the epoch
    client: str = ""  # the client's address, for log and trace


@lru_cache(maxsize=8192)  # asked a dozen times for each recipient
def mailbox_key(email: str) -> str:
    """Reduce the spellings of one mailbox to one: the domain in lower case and as A-labels.

    The local part stays as it is: only its own host may say that case does not matter (RFC 5321 §2.4).
    """
    local, at, domain = email.rpartition("@")
    return f"{local}{at}{domain_key(domain)}"


def domain_key(domain: str) -> str:
    """Reduce a domain to lower-case A-labels (RFC 5890); what is not an IDN is only lower-cased."""
    domain = domain.rstrip(".").lower()
    if domain.isascii():
        return domain
    try:
        return idna.encode(domain, uts46=True).decode("ascii")
    except idna.IDNAError:
        return domain
