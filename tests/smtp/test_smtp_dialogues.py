"""Recorded dialogues, one file a story, spoken to a door that listens.

C: the client says a line; B: raw bytes, as in a Python string, no line end added; S: the door says this line;
X: the door hangs up. L: a rule of the listener, as TOML; T: the client is trusted; R: what the reception got.
"""

import ast
import tomllib
from pathlib import Path

import pytest
from doorstep import Caller, Doorstep, account, open_door

from relay.outcome import Replies

DIALOGUES = {path.stem: path.read_text() for path in sorted(Path(__file__).with_name("dialogues").glob("*.txt"))}


@pytest.mark.parametrize("story", DIALOGUES.values(), ids=DIALOGUES)
async def test_door_speaks_as_recorded(story: str):
    """What the door says is compared letter by letter."""
    lines = [(line[:2], line[3:]) for line in story.splitlines() if line and not line.startswith("#")]
    doorstep = await open_door(tomllib.loads("\n".join(rest for kind, rest in lines if kind == "L:")))
    doorstep.gatekeeper.trusts = account("trusted") if ("T:", "") in lines else None
    doorstep.gatekeeper.says = {"forbidden@example.org": Replies.SENDER_NOT_ALLOWED, "down": Replies.AUTH_UNAVAILABLE}
    try:
        caller = await doorstep.call()
        for kind, rest in lines:
            await _follow(kind, rest, caller, doorstep)
        assert [rest for kind, rest in lines if kind == "R:"] == [
            f"{one.account} {one.envelope.mail_from} {','.join(one.recipients)} {one.data!r}"
            for one in doorstep.reception.received
        ]
    finally:
        await doorstep.close()


async def _follow(kind: str, rest: str, caller: Caller, doorstep: Doorstep) -> None:
    match kind:
        case "C:":
            await caller.send(rest.encode() + b"\r\n")
        case "B:":
            await caller.send(ast.literal_eval(f'b"{rest}"'))
        case "S:":
            assert (await caller.reader.readline()).decode("ascii") == f"{rest}\r\n"
        case "X:":
            assert await caller.rest() == ""
        case "L:" | "T:" | "R:":
            pass
        case _:
            raise AssertionError(f"what is {kind}?")


def test_there_are_dialogues():
    """An empty folder would pass."""
    assert len(DIALOGUES) > 10
