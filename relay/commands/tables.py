"""What a command found, for people as a table and for programs as JSON."""

import io
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import click
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from relay.plain import as_data

_ANY_WIDTH = 10_000  # columns: a program at the other end of a pipe must not find lines cut


def show_table(head: Sequence[str], rows: Iterable[Sequence[object]], *, nothing: str = "none") -> None:
    """Print a table; `nothing` is said where there are no rows. Control characters of cells are shown as spaces."""
    table = Table(*head, box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for row in rows:
        table.add_row(*(Text(cell(value), overflow="fold") for value in row))
    click.echo(_drawn(table) if table.row_count else nothing)


def show_record(members: Mapping[str, object]) -> None:
    """Print one thing, a line for each of its members; empty ones are left out."""
    table = Table(box=None, show_header=False, pad_edge=False)
    for name, value in members.items():
        if (text := cell(value)) != "":
            table.add_row(Text(name), Text(text, overflow="fold"))
    click.echo(_drawn(table))


def show_json(value: object) -> None:
    """Print anything as JSON: moments as in ISO 8601, secrets as stars."""
    click.echo(json.dumps(as_data(value), ensure_ascii=False, indent=2))


def cell(value: object) -> str:
    """Write one value for people, on one line and with nothing that a terminal would obey."""
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case datetime():
            return value.isoformat(sep=" ", timespec="seconds")
        case Mapping():
            text = ", ".join(f"{key}={cell(inner)}" for key, inner in value.items())
        case list() | tuple():
            text = ", ".join(map(cell, value))
        case _:
            text = str(value)
    return "".join(letter if letter.isprintable() else " " for letter in text)


def _drawn(table: Table) -> str:
    is_terminal = sys.stdout.isatty()
    page = io.StringIO()
    console = Console(file=page, force_terminal=is_terminal, width=None if is_terminal else _ANY_WIDTH)
    console.print(table)
    return "\n".join(line.rstrip() for line in page.getvalue().rstrip("\n").split("\n"))
