"""What a dialogue may answer to a line: words, or something that the connection has to do."""

from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

from aiosmtpd.smtp import LoginPassword

from relay.outcome import Reply


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


#: LoginPassword: a login that is to be checked.
Answer: TypeAlias = Reply | Text | Farewell | LoginPassword | Action
