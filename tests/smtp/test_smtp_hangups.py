"""Who hangs up when, and what is kept then: nothing before the final dot, everything after it."""

import asyncio

import pytest
from doorstep import PATIENCE_SECONDS, Doorstep, account

from relay.outcome import Replies


async def until_left(doorstep: Doorstep) -> None:
    """Wait until the door has noticed that nobody is there."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        for lobby in doorstep.door._lobbies:
            await lobby.empty.wait()


async def test_a_hang_up_after_the_final_dot_cancels_nothing(doorstep: Doorstep):
    """By itself aiosmtpd cancels its handler then: the commit or the call would be cut in the middle."""
    doorstep.reception.may_answer.clear()
    caller = await doorstep.ready()
    await caller.send(b"x\r\n.\r\n")
    await doorstep.reception.has_begun.wait()
    caller.hang_up()
    await until_left(doorstep)
    doorstep.reception.may_answer.set()
    async with asyncio.timeout(PATIENCE_SECONDS):
        await doorstep.reception.has_ended.wait()
    assert [one.data for one in doorstep.reception.received] == [b"x\r\n"]
    async with asyncio.timeout(PATIENCE_SECONDS):
        while doorstep.door._budget.used_bytes:  # noqa: ASYNC110 - the budget tells nobody
            await asyncio.sleep(0.01)


async def test_a_half_closed_client_gets_its_reply(doorstep: Doorstep):
    doorstep.reception.may_answer.clear()
    caller = await doorstep.ready()
    await caller.send(b"x\r\n.\r\n")
    caller.writer.write_eof()
    await doorstep.reception.has_begun.wait()
    doorstep.reception.may_answer.set()
    assert await caller.rest() == "250 2.0.0 Ok: message 1\r\n"


async def test_a_half_closed_pipeline_is_answered_to_its_end(doorstep: Doorstep):
    caller = await doorstep.ready()
    await caller.send(b"x\r\n.\r\nNOOP\r\nVRFY b\r\nQUIT\r\n")
    caller.writer.write_eof()
    assert [line[:3] for line in (await caller.rest()).splitlines()] == ["250", "250", "252", "221"]


@pytest.mark.parametrize("commands", [199, 200, 201, 400, 1000, 5000])
async def test_a_half_close_behind_a_long_pipeline_loses_nothing(make_doorstep, commands: int):
    """After 200 commands others get their turn; a half-close in that moment once lost what was still to be answered."""
    doorstep = await make_doorstep({"max_commands": 10_000})
    caller = await doorstep.ready()
    await caller.send(b"x\r\n.\r\n" + b"NOOP\r\n" * commands + b"QUIT\r\n")
    caller.writer.write_eof()
    assert [line[:3] for line in (await caller.rest()).splitlines()] == ["250", *["250"] * commands, "221"]


async def test_a_half_close_behind_a_long_pipeline_without_quit_closes(doorstep: Doorstep):
    caller = await doorstep.greeted()
    await caller.send(b"NOOP\r\n" * 900 + b"HALF A LI")
    caller.writer.write_eof()
    assert (await caller.rest()).count("250 2.0.0 Ok\r\n") == 900
    await until_left(doorstep)


async def test_a_half_close_in_the_middle_of_many_recipients_keeps_the_message(doorstep: Doorstep):
    doorstep.gatekeeper.trusts = account("trusted")
    caller = await doorstep.greeted()
    rcpt = b"".join(b"RCPT TO:<user%d@example.org>\r\n" % number for number in range(900))
    await caller.send(b"MAIL FROM:<>\r\n" + rcpt + b"DATA\r\nx\r\n.\r\n")
    caller.writer.write_eof()
    assert [line[:3] for line in (await caller.rest()).splitlines()] == [*["250"] * 901, "354", "250"]
    assert len(doorstep.reception.received[0].recipients) == 900


@pytest.mark.parametrize("mode", ["queue", "direct"])
async def test_the_reception_can_ask_whether_somebody_waits(doorstep: Doorstep, mode):
    """A client that closed its half may have lost patience with an API; with the disk nobody does, it reads on."""
    doorstep.reception.may_answer.clear()
    staying = await doorstep.ready(mode)
    await staying.send(b"x\r\n.\r\n")
    await doorstep.reception.has_begun.wait()
    assert doorstep.reception.is_waiting()
    (guest,) = doorstep.door._lobbies[0].guests
    staying.writer.write_eof()
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not guest._at_end:  # type: ignore[attr-defined] # noqa: ASYNC110 - the door tells nobody
            await asyncio.sleep(0.01)
    assert doorstep.reception.is_waiting() == (mode == "queue")
    doorstep.reception.may_answer.set()
    assert (await staying.reply())[:3] == "250"


async def test_a_half_close_without_quit_closes(doorstep: Doorstep):
    caller = await doorstep.greeted()
    await caller.send(b"NOOP\r\nHALF A LI")
    caller.writer.write_eof()
    assert await caller.rest() == "250 2.0.0 Ok\r\n"


@pytest.mark.parametrize("end", [b"x\r\n", b"x\r\n.", b"x\r\n.\r"])
@pytest.mark.parametrize("half", [False, True])
async def test_a_hang_up_before_the_final_dot_accepts_nothing(doorstep: Doorstep, end: bytes, half: bool):
    caller = await doorstep.ready()
    await caller.send(end)
    if half:
        caller.writer.write_eof()
        assert await caller.rest() == ""
    else:
        caller.hang_up()
    await until_left(doorstep)
    assert doorstep.reception.received == []
    assert doorstep.door._budget.used_bytes == 0


async def test_quit_without_waiting_keeps_the_message(doorstep: Doorstep):
    caller = await doorstep.ready()
    await caller.send(b"x\r\n.\r\nQUIT\r\n")
    caller.writer.close()
    async with asyncio.timeout(PATIENCE_SECONDS):
        await doorstep.reception.has_ended.wait()
    assert len(doorstep.reception.received) == 1


@pytest.mark.parametrize("error", [RuntimeError("secret detail"), ValueError("x"), asyncio.CancelledError()])
async def test_a_reception_that_fails_is_451_without_detail(doorstep: Doorstep, error: BaseException):
    """By itself aiosmtpd would say 500 with the error's text, and the client would give up."""
    doorstep.reception.says = [error]
    caller = await doorstep.ready()
    assert await caller.say("x\r\n.") == str(Replies.OUR_FAULT)
    assert await caller.say("NOOP") == "250 2.0.0 Ok"
    assert [event["where"] for event in doorstep.events("unexpected_error")] == ["smtp"]


async def test_a_gatekeeper_that_fails_is_451_without_detail(doorstep: Doorstep):
    caller = await doorstep.ready()
    assert (await caller.say("x\r\n."))[:3] == "250"
    doorstep.gatekeeper.says["bad@example.org"] = RuntimeError("secret detail")
    assert await caller.say("MAIL FROM:<bad@example.org>") == str(Replies.OUR_FAULT)
    assert await caller.rest() == ""
    assert len(doorstep.events("unexpected_error")) == 1


async def test_a_gatekeeper_that_fails_at_the_door_is_451(doorstep: Doorstep):
    doorstep.gatekeeper.trusted = None  # type: ignore[assignment,method-assign] # whatever it is, it cannot be called
    caller = await doorstep.call()
    assert await caller.rest() == f"{Replies.OUR_FAULT}\r\n"
    await until_left(doorstep)


async def test_replies_of_the_reception_reach_the_client(doorstep: Doorstep):
    doorstep.reception.says = [Replies.STORE_FULL, Replies.CANNOT_CONVERT.saying("line\r\n250 injected ü")]
    caller = await doorstep.ready()
    assert await caller.say("x\r\n.") == str(Replies.STORE_FULL)
    for line in ("MAIL FROM:<a@example.org>", "RCPT TO:<b@example.org>", "DATA"):
        await caller.say(line)
    assert await caller.say("x\r\n.") == "554 5.6.3 line  250 injected ?"


async def test_connections_are_told_of_once(doorstep: Doorstep):
    caller = await doorstep.greeted()
    assert await caller.say("QUIT") == "221 2.0.0 Bye"
    await until_left(doorstep)
    assert [event["event"] for event in doorstep.events() if "connect" in event["event"]] == [
        "connected",
        "disconnected",
    ]
