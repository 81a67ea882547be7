"""Who an account may send as."""

from relay.accounts.account import Account
from relay.config import SenderPattern
from relay.outcome import Replies, Reply

_LONGEST_ADDRESS = 100
_SHOWN_PATTERNS = 5


class Senders:
    """Compares senders with the patterns of accounts, each read once."""

    def __init__(self) -> None:
        self._patterns: dict[tuple[str, ...], tuple[SenderPattern, ...]] = {}  # grows with the policies only

    def refuse(self, account: Account, address: str) -> Reply | None:
        """Return the refusal of a sender; None: allowed, as the null sender always is."""
        allowed = account.policy.senders
        if not address or not allowed or any(pattern.matches(address) for pattern in self._read(allowed)):
            return None
        return Replies.SENDER_NOT_ALLOWED.saying(f"{_shown(address)}: this account may send as: {_listed(allowed)}")

    def _read(self, texts: tuple[str, ...]) -> tuple[SenderPattern, ...]:
        if texts not in self._patterns:
            self._patterns[texts] = tuple(SenderPattern.parse(text) for text in texts)
        return self._patterns[texts]


def _listed(texts: tuple[str, ...]) -> str:
    shown = ", ".join(_shown(text) for text in texts[:_SHOWN_PATTERNS])
    hidden = len(texts) - _SHOWN_PATTERNS
    return f"{shown} and {hidden} more" if hidden > 0 else shown


def _shown(address: str) -> str:
    # A reply is one line of ASCII, and at most 512 octets (RFC 5321 section 4.5.3.1.5).
    if len(address) > _LONGEST_ADDRESS or not address.isprintable():
        return "That sender"
    return address.encode("ascii", "backslashreplace").decode("ascii")[: 2 * _LONGEST_ADDRESS]
