"""A long queue costs what a short one does: by the plans of all statements, and by the steps that a claim takes.

No clock is asked: what SQLite says it will do, and how many instructions of its machine it did, is the same on every
computer. How long it takes is measured by `make scale`.
"""

import asyncio
import re
import time
from importlib import import_module
from pathlib import Path

import pytest

from relay.config.settings import StoreSettings
from relay.message import Envelope, EnvelopeRecipient, Message, Recipient, Role, new_message_id
from relay.queue.contract import NewMessage, Pause, RecipientEntry, State, Verb
from relay.queue.control import Selection
from relay.queue.sqlite import SqliteQueue, acting, claiming
from relay.queue.sqlite.connection import connect

#: What is done for every message, or at every look.
HOT = ("beginning", "claiming", "history", "keeping", "leases", "settling")
#: Tables that stay small, whatever waits.
SMALL = {"pause", "tally", "probe", "migration"}
#: Statements that look at all they find, and why that is few, or seldom.
WIDE = {
    "SELECT_ENDED_LEASES": "reads the leases, of which there are as many as calls under way",
    "SELECT_LEASES_OF": "once, at start; reads the leases",
    "FREE_LEASES_OF": "once, at start; reads the leases",
    "GIVE_BACK_PAGES": "a pragma",
    "COUNT_FREE_PAGES": "a pragma",
}
_VERBS = ("SELECT", "INSERT", "UPDATE", "DELETE", "WITH")


def statements():
    for name in HOT:
        module = import_module(f"relay.queue.sqlite.{name}")
        for word, text in vars(module).items():
            if word.isupper() and isinstance(text, str) and text.split()[0] in _VERBS and word not in WIDE:
                yield pytest.param(text, id=f"{name}.{word}")


@pytest.fixture
async def connection(tmp_path):
    settings = StoreSettings(path=tmp_path / "relay.db", min_free_bytes=0)
    queue = await SqliteQueue.open(settings, clock=time.time)
    await queue.close()
    opened = connect(settings.path)
    yield opened
    opened.close()


def plan(connection, statement):
    """Ask SQLite how it would go about it; one row for each table."""
    width = 1
    while True:  # how wide the rows of `{rows}` are stands in the names before them, or in the table
        text = statement.replace("{rows}", f"({', '.join('?' * width)})")
        names = re.findall(r":([a-z_]+)", text)
        values = dict.fromkeys(names) if names else [None] * text.count("?")
        try:
            return [row["detail"] for row in connection.execute(f"EXPLAIN QUERY PLAN {text}", values)]
        except Exception as error:
            if "values" not in str(error) or width > 60:
                raise
            width += 1


@pytest.mark.parametrize("statement", list(statements()))
async def test_no_statement_of_the_hot_path_reads_a_whole_table(connection, statement):
    tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
    aliases = dict(re.findall(r"(?:FROM|JOIN) ([a-z_]+) AS ([a-z_]+)", statement))
    big = (tables - SMALL) | {alias for table, alias in aliases.items() if table in tables - SMALL}
    scans = [line for line in plan(connection, statement) if re.match(r"SCAN (\S+)", line)]

    assert [] == [line for line in scans if line.split()[1] in big and not _is_bounded(line, statement)]


@pytest.mark.parametrize(
    "statement",
    ["SELECT seq FROM message WHERE size = ?", "SELECT m.seq FROM message AS m WHERE m.size = :size LIMIT 1"],
)
async def test_a_whole_table_that_is_read_is_seen(connection, statement):
    (line,) = plan(connection, statement)

    assert line.startswith("SCAN m")
    assert not _is_bounded(line, statement)


def _is_bounded(line, statement):
    """An index that is read in its order, as far as a LIMIT or a minimum says."""
    return "INDEX" in line and ("LIMIT" in statement or "min(" in statement)


def new(account, number, due_at):
    envelope = Envelope("app@example.com", (EnvelopeRecipient(f"u{number}@example.org"),))
    message = Message(new_message_id(), account, envelope, b"x", due_at, "127.0.0.1")
    entries = (RecipientEntry(0, Recipient(f"u{number}@example.org", Role.TO), State.QUEUED),)
    return NewMessage(message, entries, "queue", due_at, due_at + 1e6)


async def fill(folder: Path, waiting: int):
    """Make a store in which so many wait, most of them of one account and due, some held."""
    settings = StoreSettings(path=folder / f"{waiting}.db", min_free_bytes=0)
    queue = await SqliteQueue.open(settings, clock=time.time)
    now = time.time()
    accounts = ("big", "big", "big", "paused", "small")
    made = [new(accounts[number % 5], number, now - 100 + number % 90) for number in range(waiting)]
    for start in range(0, waiting, 1000):
        await asyncio.gather(*map(queue.put, made[start : start + 1000]))
    await queue.pause(Pause("paused", now + 600, "no credits", 1))
    await queue.close()
    return settings.path


def steps(connection, work):
    """Count the instructions of SQLite's machine, in tens."""
    counted = [0]

    def tick():
        counted[0] += 1

    connection.set_progress_handler(tick, 10)
    work(connection)
    connection.set_progress_handler(None, 0)
    return counted[0]


LOOKS = {
    "claim": lambda connection: claiming.claim(connection, "me", 10, 60, (), time.time()),
    "claim without the biggest": lambda connection: claiming.claim(connection, "me", 10, 60, ("big",), time.time()),
    "next due": lambda connection: claiming.next_due_at(connection, time.time()),
    "an operator's step": lambda connection: acting.act(connection, Verb.HOLD, Selection(), "me", 10, "", time.time()),
}


async def test_a_look_takes_as_many_steps_with_ten_thousand_waiting_as_with_a_thousand(tmp_path):
    few, many = [connect(await fill(tmp_path, waiting)) for waiting in (1000, 10_000)]
    try:
        for name, look in LOOKS.items():
            assert steps(many, look) <= 1.3 * steps(few, look) + 10, name
    finally:
        few.close()
        many.close()
