"""What a dialogue may answer to a line: words, or something that the connection has to do."""

from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

from aiosmtpd.smtp import LoginPassword

from relay.outcome import Reply
from relay.smtp.chunks import ChunkReader


class Action(Enum):
    """What the connection has to do itself."""

    READ_DATA = "read data"
    START_TLS = "start tls"


@dataclass(frozen=True, slots=True)
class Text:
    """Lines that are ready for the wire."""

    wire: bytes


@dataclass(frozen=True, slots=True)
class Farewell:
    """A last reply; then the connection is closed."""

    reply: Reply
    reason: str = ""  # out of a closed list, for the log: why the client was turned away; empty: it was not


@dataclass(frozen=True, slots=True)
class Chunk:
    """Octets that follow the command and are to be read before anything is said (RFC 3030 §2)."""

    octets: int
    is_last: bool
    reader: ChunkReader
    refusal: Reply | None  # what to say behind them; None: they are taken


#: LoginPassword: a login that is to be checked.
Answer: TypeAlias = Reply | Text | Farewell | LoginPassword | Chunk | Action
