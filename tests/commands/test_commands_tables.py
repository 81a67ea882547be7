"""Tables for people, JSON for programs: whatever an API or a mail put into a cell."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime

from pydantic import SecretStr

from relay.commands.tables import show_json, show_record, show_table


@dataclass(frozen=True)
class Thing:
    name: str
    at: datetime
    key: SecretStr
    tags: tuple[str, ...] = ("a", "b")


THING = Thing("x", datetime(2020, 10, 15, 8, 25, 11, tzinfo=UTC), SecretStr("s3cret"))


def test_a_table_has_a_line_for_each_row_however_long(capsys):
    show_table(("name", "about"), [("one", "x" * 500), ("two", None)])
    lines = capsys.readouterr().out.splitlines()
    assert ["name", "about"] == lines[0].split()
    assert ["one", "x" * 500] == lines[2].split()
    assert "two" == lines[3]


def test_an_empty_table_says_so(capsys):
    show_table(("name",), [], nothing="no contacts")
    assert "no contacts\n" == capsys.readouterr().out


def test_cells_cannot_command_the_terminal_nor_the_table(capsys):
    show_table(("name",), [("\x1b[2J[bold red]\nx\u202e",)])
    assert " [2J[bold red] x " == capsys.readouterr().out.splitlines()[2] + " "


def test_a_record_leaves_out_what_is_empty(capsys):
    show_record(
        {"email": "a@example.net", "age": None, "name": "", "invalid": False, "bases": ("x", "y"), "f": {"k": 1}}
    )
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert [["email", "a@example.net"], ["invalid", "no"], ["bases", "x,", "y"], ["f", "k=1"]] == lines


def test_json_holds_everything_but_secrets(capsys):
    show_json([THING])
    told = json.loads(capsys.readouterr().out)
    assert [{"name": "x", "at": "2020-10-15T08:25:11+00:00", "key": "***", "tags": ["a", "b"]}] == told
