"""Passwords that were judged a while ago, and who was right once: what a new configuration need not find out again."""

import secrets
from dataclasses import dataclass
from hashlib import blake2b

from relay.accounts.account import Account
from relay.accounts.bounded import Bounded
from relay.message import Clock
from relay.outcome import Replies, Reply

_MOST = 10_000  # passwords, right ones and as many wrong ones: some megabytes at worst


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check of one login and password brought."""

    account: Account | None  # None: refused, with `reply`
    reply: Reply = Replies.AUTH_OK
    reason: str = ""  # for the log
    failures: int = 0  # of this login within the window, this one included


class Remembered:
    """Judgements of passwords, each under a keyed hash of login, password and what the login rests on.

    So a judgement ends with the hash or the kind of login that it was made by. What it is worth (the account, its
    rules) is not remembered: that is the configuration's to say.
    """

    def __init__(self, clock: Clock) -> None:
        self._key = secrets.token_bytes(32)  # of this process only: what is remembered is worth nothing elsewhere
        self.right: Bounded[bytes, str] = Bounded(_MOST, clock)  # by proof, the account's name
        self.refused: Bounded[bytes, Checked] = Bounded(_MOST, clock)  # by proof
        self.proven: Bounded[str, str] = Bounded(_MOST, clock)  # by name of a pass-through account, its provider

    def proof(self, login: str, password: str, mark: str) -> bytes:
        """Return the key under which a judgement is remembered; `mark`: what the login rests on."""
        # The lengths keep "ab" with "c" apart from "a" with "bc".
        parts = [text.encode("utf-8", "surrogatepass") for text in (login, mark, password)]
        # Keyed by itself (RFC 7693 §2.9), and done without a thread switch, which HMAC's would bring for each login.
        return blake2b(b"".join([len(part).to_bytes(8) + part for part in parts]), key=self._key).digest()
