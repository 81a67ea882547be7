"""What is measured against Postfix, and what is aimed at."""

from dataclasses import dataclass
from itertools import product
from typing import Literal

SIZES = {"2k": 2_048, "50k": 50_000, "5m": 5_000_000, "20m": 20_000_000}  # bytes of a mail

#: Messages in one round: to be accepted, and to go end to end, through us and through pipe(8).
_ACCEPTED = {"2k": 1500, "50k": 800, "5m": 60, "20m": 16}
_SENT = {"2k": 1500, "50k": 600, "5m": 40, "20m": 12}
_PIPED = {"2k": 80, "50k": 80, "5m": 24, "20m": 8}

Kind = Literal["accept", "e2e"]


@dataclass(frozen=True, slots=True)
class Case:
    """One line of the table."""

    kind: Kind  # into the queue, where it stays; or on to the null API
    size: str
    connections: int
    kept: bool = False  # one connection for all messages of a client, or one for each message
    tls: bool = False
    goal: float | None = None  # least ratio to Postfix
    cpu_goal_ms: float | None = None  # most CPU of ours for one message
    is_essential: bool = False  # measured unless told otherwise

    @property
    def name(self) -> str:
        """Say it in one word, as the command line takes it."""
        words = [self.kind, self.size, str(self.connections), "kept" if self.kept else "new", "tls" if self.tls else ""]
        return "-".join(word for word in words if word)

    def messages(self, *, ours: bool) -> int:
        """How many messages make a round: enough for some seconds, so fewer where each takes longer."""
        if self.kind == "e2e":
            return (_SENT if ours else _PIPED)[self.size]
        return max(_ACCEPTED[self.size] // (3 if self.connections == 1 else 1), 4)


_GOALS = {"2k": 1.5, "50k": 1.3, "5m": 1.0, "20m": 1.0}


def _accepting() -> list[Case]:
    essential = {
        ("2k", 1, False, False),
        ("2k", 10, False, False),
        ("2k", 50, False, False),
        ("2k", 10, True, False),
        ("2k", 10, False, True),
        ("50k", 10, False, False),
        ("50k", 50, False, False),
        ("5m", 10, False, False),
        ("20m", 10, False, False),
    }
    return [
        Case(
            "accept",
            size,
            connections,
            kept,
            tls,
            goal=_GOALS[size] if connections > 1 or size in ("5m", "20m") else None,
            is_essential=(size, connections, kept, tls) in essential,
        )
        for size, connections, kept, tls in product(SIZES, (1, 10, 50), (False, True), (False, True))
    ]


CASES = (
    *_accepting(),
    Case("e2e", "2k", 10, goal=50.0, cpu_goal_ms=1.2, is_essential=True),
    Case("e2e", "50k", 10),
    Case("e2e", "5m", 4, goal=4.0, is_essential=True),
    Case("e2e", "20m", 2),
)
