"""Messages that may be claimed, and which of them one claim takes. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from relay.queue.rows import Row

#: Where so many more are due than a claim takes, the queue is deep: accounts take turns.
SKIP_LIMIT = 200
#: Bytes of mail in one claim, beyond the first message: a claim of fifty must not bring a gigabyte into memory.
CLAIM_BYTES = 64 * 1024 * 1024
#: Beyond every date.
EVER = 1e18
#: Behind every account's name.
BEHIND_ALL = "\U0010ffff"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A message that may be claimed."""

    due_at: float
    seq: int
    account: str
    size: int
    was_leased: bool = False  # its lease has ended, and with it an attempt perhaps that nobody wrote down


def candidate(row: Row, *, was_leased: bool = False) -> Candidate:
    """Read a candidate's row."""
    return Candidate(row["due_at"], row["seq"], row["account"], row["size"], was_leased)


def order(candidate: Candidate) -> tuple[float, int]:
    """Return by what candidates are sorted: the oldest due first."""
    return candidate.due_at, candidate.seq


def within_bytes(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Leave out what would be too much at once; never the first."""
    chosen: list[Candidate] = []
    total = 0
    for each in candidates:
        total += each.size
        if chosen and total > CLAIM_BYTES:
            break
        chosen.append(each)
    return chosen
