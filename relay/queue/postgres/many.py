"""One statement for many rows: each column travels as one array. Pure."""

from collections.abc import Sequence
from typing import Protocol

from relay.queue.rows import Row, Value


class Connection(Protocol):
    """What statements need of a connection; where it comes from is told in `connection`."""

    async def execute(self, query: str, *values: object) -> str:
        """Execute a statement; returns its command tag."""

    async def fetch(self, query: str, *values: object) -> Sequence[Row]:
        """Return all rows."""

    async def fetchrow(self, query: str, *values: object) -> Row | None:
        """Return the first row; None: there is none."""


def unnest(*types: str) -> str:
    """Write the SQL that makes rows again of the columns that are the first parameters."""
    return f"unnest({', '.join(f'${number}::{each}[]' for number, each in enumerate(types, 1))})"


def columns(rows: Sequence[Sequence[Value]]) -> list[list[Value]]:
    """Turn rows of equal length, at least one, into columns."""
    return [[storable(value) for value in column] for column in zip(*rows, strict=True)]


def storable(value: Value) -> Value:
    """Replace what no text in PostgreSQL can hold: the character NUL."""
    return value.replace("\0", "\N{REPLACEMENT CHARACTER}") if isinstance(value, str) and "\0" in value else value


def count(tag: str) -> int:
    """Read from a command tag how many rows it concerned."""
    return int(tag.rpartition(" ")[2])
