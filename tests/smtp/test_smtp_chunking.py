"""BDAT at the door: in step with the client whatever comes, and never half a message."""

import asyncio
import re

import pytest
from doorstep import PATIENCE_SECONDS, Caller, Doorstep, account
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from relay.config.settings import DeliverySettings
from relay.outcome import Replies

OPEN = b"MAIL FROM:<a@example.org> BODY=BINARYMIME\r\nRCPT TO:<b@example.org>\r\n"


def bdat(chunk: bytes, *, last: bool = False) -> bytes:
    return b"BDAT %d%s\r\n" % (len(chunk), b" LAST" if last else b"") + chunk


async def greeted(doorstep: Doorstep) -> Caller:
    doorstep.gatekeeper.trusts = account("trusted")
    return await doorstep.greeted()


async def codes(caller: Caller, number: int) -> list[str]:
    return [(await caller.reply())[:3] for _ in range(number)]


async def until_freed(doorstep: Doorstep) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while doorstep.door._budget.used_bytes:  # noqa: ASYNC110 - the budget tells nobody
            await asyncio.sleep(0.01)


@pytest.mark.parametrize(
    "end",
    [b"\r\n.\r\n", b"\n.\n", b"\n.\r\n", b"\r\n.\n", b"\r.\r", b"\r\n\0.\r\n", b".\r\n", b"\r\n.\r\nBDAT 0 LAST\r\n"],
)
async def test_nothing_in_a_chunk_ends_it(doorstep: Doorstep, end: bytes):
    """The forms of SMTP smuggling are content, in one chunk and over the border of two."""
    evil = b"one" + end + b"MAIL FROM:<evil@example.org>\r\nRCPT TO:<x@example.org>\r\nDATA\r\nevil\r\n.\r\n"
    caller = await greeted(doorstep)
    await caller.send(OPEN + bdat(evil, last=True))
    assert await codes(caller, 3) == ["250"] * 3
    for place in range(len(end) + 4):
        await caller.send(OPEN + bdat(evil[:place]) + bdat(evil[place:], last=True))
        assert await codes(caller, 4) == ["250"] * 4
    assert {one.data for one in doorstep.reception.received} == {evil}
    assert {one.envelope.mail_from for one in doorstep.reception.received} == {"a@example.org"}


async def test_it_may_be_cut_at_every_byte(doorstep: Doorstep):
    wire = OPEN + bdat(b"a\r\n.\r\n") + bdat(b"") + bdat(b"\0\rb", last=True) + b"NOOP\r\n"
    caller = await greeted(doorstep)
    for place in range(1, len(wire)):
        await caller.send(wire[:place])
        await asyncio.sleep(0)
        await caller.send(wire[place:])
        assert await codes(caller, 6) == ["250"] * 6
    assert {one.data for one in doorstep.reception.received} == {b"a\r\n.\r\n\0\rb"}
    assert len(doorstep.reception.received) == len(wire) - 1


async def test_a_large_message_comes_through_unchanged(doorstep: Doorstep):
    chunks = [bytes([number]) * 1_000_000 for number in range(12)]
    caller = await greeted(doorstep)
    await caller.send(OPEN + b"".join(map(bdat, chunks)) + bdat(b"", last=True))
    assert await codes(caller, 15) == ["250"] * 15
    assert doorstep.reception.received[0].data == b"".join(chunks)
    await until_freed(doorstep)


async def test_replies_are_named_by_the_book(doorstep: Doorstep):
    caller = await greeted(doorstep)
    await caller.send(OPEN + bdat(b"12345"))
    assert [await caller.reply() for _ in range(3)][2] == "250 2.0.0 5 octets received"
    await caller.send(bdat(b"x" * 10, last=True))
    assert await caller.reply() == "250 2.0.0 Ok: message 1"


async def test_a_client_that_has_not_logged_in_is_refused_in_step(doorstep: Doorstep):
    """Pipelined behind MAIL, as Exim does; the chunk is swallowed, and the session goes on."""
    caller = await doorstep.greeted()
    await caller.send(OPEN + bdat(b"NOOP\r\nQUIT\r\n") + bdat(b"RSET\r\n", last=True) + b"NOOP\r\n")
    assert await codes(caller, 5) == ["530", "503", "503", "503", "250"]
    assert await caller.say("AUTH PLAIN AHVzZXIAcGFzcw==") == str(Replies.AUTH_OK)
    await caller.send(OPEN + bdat(b"hi", last=True))
    assert await codes(caller, 3) == ["250"] * 3
    assert doorstep.reception.received[0].data == b"hi"


async def test_nobody_makes_the_door_read_for_ever_without_a_transaction(make_doorstep):
    doorstep = await make_doorstep({"max_message_bytes": 100})
    caller = await greeted(doorstep)
    await caller.send(b"BDAT 101\r\n")
    assert await caller.rest() == "503 5.5.1 MAIL first\r\n"


@pytest.mark.parametrize("command", [b"BDAT 40\0", b"bdat\t40", b"BDAT 40" + b" " * 600 + b"LAST", b"BDAT x", b"BDAT"])
async def test_nothing_behind_a_command_that_cannot_be_read_is_taken_for_commands(doorstep: Doorstep, command: bytes):
    caller = await greeted(doorstep)
    await caller.send(OPEN + command + b"\r\nRSET\r\nMAIL FROM:<evil@example.org>\r\n")
    assert [line[:2] for line in (await caller.rest()).splitlines()] == ["25", "25", "50"]


async def test_a_refused_sender_refuses_the_chunks_behind(doorstep: Doorstep):
    doorstep.gatekeeper.says["bad@example.org"] = Replies.SENDER_NOT_ALLOWED
    caller = await greeted(doorstep)
    await caller.send(
        OPEN.replace(b"<a@", b"<bad@") + bdat(b"x") + bdat(b"y", last=True) + OPEN + bdat(b"z", last=True)
    )
    assert await codes(caller, 7) == ["550", "503", "503", "503", "250", "250", "250"]
    assert [one.data for one in doorstep.reception.received] == [b"z"]


@pytest.mark.parametrize("between", [b"RSET\r\n", b"EHLO x\r\n", b"HELO x\r\n"])
async def test_what_is_given_up_between_chunks_gives_its_memory_back(doorstep: Doorstep, between: bytes):
    caller = await greeted(doorstep)
    await caller.send(OPEN + bdat(b"x" * 1000) + between)
    assert await codes(caller, 4) == ["250"] * 4
    assert doorstep.door._budget.used_bytes == 0
    await caller.send(OPEN + bdat(b"y", last=True))
    assert await codes(caller, 3) == ["250"] * 3
    assert [one.data for one in doorstep.reception.received] == [b"y"]


@pytest.mark.parametrize("sent", [bdat(b"x" * 1000), bdat(b"x" * 1000)[:-1], bdat(b"x" * 10, last=True)[:-1]])
@pytest.mark.parametrize("half", [False, True])
async def test_a_hang_up_before_the_end_accepts_nothing(doorstep: Doorstep, sent: bytes, half: bool):
    caller = await greeted(doorstep)
    await caller.send(OPEN + sent)
    if half:
        caller.writer.write_eof()
        await caller.rest()
    else:
        await codes(caller, 2)
        caller.hang_up()
    async with asyncio.timeout(PATIENCE_SECONDS):
        await doorstep.door._lobbies[0].empty.wait()
    assert (doorstep.reception.received, doorstep.door._budget.used_bytes) == ([], 0)


async def test_a_half_close_behind_the_last_chunk_is_answered(doorstep: Doorstep):
    caller = await greeted(doorstep)
    await caller.send(OPEN + bdat(b"x") + bdat(b"y", last=True) + b"QUIT\r\n")
    caller.writer.write_eof()
    assert [line[:3] for line in (await caller.rest()).splitlines()] == ["250"] * 4 + ["221"]


async def test_a_chunk_that_does_not_come_is_cut(make_doorstep):
    doorstep = await make_doorstep({"data_timeout": 0.05})
    caller = await greeted(doorstep)
    await caller.send(OPEN + bdat(b"x" * 100)[:-1])
    assert await codes(caller, 2) == ["250"] * 2
    assert await caller.rest() == f"{Replies.TIMED_OUT}\r\n"


async def test_a_chunk_without_room_in_memory_gets_452_and_nothing_behind_it_is_taken(make_doorstep):
    """The second half alone would be another message."""
    doorstep = await make_doorstep({"data_timeout": 0.5}, delivery=DeliverySettings(bytes_in_flight=1000))
    doorstep.reception.may_answer.clear()
    holder, waiter = await greeted(doorstep), await greeted(doorstep)
    await holder.send(OPEN + bdat(b"x" * 2000, last=True))
    await doorstep.reception.has_begun.wait()
    await waiter.send(OPEN + bdat(b"first half" * 110) + bdat(b"second half", last=True) + b"NOOP\r\n")
    assert await codes(waiter, 2) == ["250"] * 2
    assert await waiter.reply() == str(Replies.STORE_FULL)
    assert await waiter.reply() == str(Replies.STORE_FULL)
    assert await waiter.reply() == str(Replies.OK)
    doorstep.reception.may_answer.set()
    assert await codes(holder, 3) == ["250"] * 3
    assert [len(one.data) for one in doorstep.reception.received] == [2000]
    await until_freed(doorstep)


STEPS = st.lists(
    st.sampled_from([OPEN, b"MAIL FROM:<a@example.org>\r\n", b"RCPT TO:<b@example.org>\r\n", b"RSET\r\n", b"DATA2\r\n"])
    | st.builds(lambda chunk, last: bdat(chunk, last=last), st.binary(max_size=30), st.booleans()),
    max_size=12,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS, contents=st.lists(st.binary(max_size=200), min_size=1, max_size=4))
async def test_whatever_is_said_the_stream_stays_in_step(doorstep: Doorstep, steps: list[bytes], contents: list[bytes]):
    """After any dialogue a message is still exactly what was sent, and each command had one reply."""
    doorstep.reception.received.clear()
    caller = await greeted(doorstep)
    await caller.send(b"".join(steps) + b"RSET\r\n" + OPEN)
    for content in contents:
        await caller.send(bdat(content))
    await caller.send(bdat(b"", last=True) + b"QUIT\r\n")
    said = (await caller.rest()).splitlines()
    assert len(said) == sum(2 if step == OPEN else 1 for step in steps) + 1 + 2 + len(contents) + 2
    assert all(re.fullmatch(r"[245]\d\d [245]\.\d\.\d .*", line) for line in said)
    assert doorstep.reception.received[-1].data == b"".join(contents)
