"""A client that closes its writing half has not gone: whatever was said before is answered, in every phase.

Under TLS, too, be the end a close_notify (RFC 8446 §6.1), a FIN, or both.
"""

import asyncio

import pytest
from doorstep import PATIENCE_SECONDS, Caller, Doorstep, account

from relay.config.settings import DeliverySettings
from relay.outcome import Replies

LOGIN = b"EHLO x\r\nAUTH PLAIN AHVzZXIAcGFzcw==\r\n"
LETTER = b"MAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.org>\r\nDATA\r\nx\r\n.\r\n"


async def half_closed(caller: Caller, data: bytes) -> list[str]:
    """Send, close our half at once, and return the codes of all replies until the door hangs up."""
    await caller.send(data)
    caller.writer.write_eof()
    return [line[:3] for line in (await caller.rest()).splitlines() if line[3:4] != "-"]


@pytest.mark.parametrize(
    ("data", "codes"),
    [
        (b"", []),
        (b"QUIT\r\n", ["221"]),
        (b"EHLO x\r\n", ["250"]),
        (b"EHLO x\r\nQUIT\r\n", ["250", "221"]),
        (LOGIN, ["250", "235"]),
        (LOGIN + b"QUIT\r\n", ["250", "235", "221"]),
        (b"EHLO x\r\nAUTH LOGIN\r\n", ["250", "334"]),
        (LOGIN + LETTER, ["250", "235", "250", "250", "354", "250"]),
        (LOGIN + LETTER + b"QUIT\r\n", ["250", "235", "250", "250", "354", "250", "221"]),
        (LOGIN + LETTER * 2, ["250", "235", *["250", "250", "354", "250"] * 2]),
        (b"EHLO x\r\nAUTH PLAIN AHVzZXIAd3Jvbmc=\r\nQUIT\r\n", ["250", "535", "221"]),
    ],
)
@pytest.mark.parametrize("waits_for_greeting", [True, False])
async def test_what_was_said_is_answered(doorstep: Doorstep, data: bytes, codes: list[str], waits_for_greeting: bool):
    caller = await doorstep.call()
    greeting = [(await caller.reply())[:3]] if waits_for_greeting else []
    assert [*greeting, *await half_closed(caller, data)] == ["220", *codes]
    assert len(doorstep.reception.received) == data.count(LETTER)


async def test_a_login_that_takes_long_is_answered(doorstep: Doorstep):
    doorstep.gatekeeper.may_answer.clear()
    caller = await doorstep.greeted()
    answering = asyncio.create_task(half_closed(caller, b"AUTH PLAIN AHVzZXIAcGFzcw==\r\nQUIT\r\n"))
    (guest,) = doorstep.door._lobbies[0].guests
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not guest._at_end:  # type: ignore[attr-defined] # noqa: ASYNC110 - the door tells nobody
            await asyncio.sleep(0.01)
    doorstep.gatekeeper.may_answer.set()
    assert await answering == ["235", "221"]


async def test_a_message_that_waits_for_room_is_answered(make_doorstep):
    doorstep = await make_doorstep(delivery=DeliverySettings(bytes_in_flight=1000))
    holders = [await doorstep.ready() for _ in range(2)]
    for holder in holders:
        await holder.send(b"x" * 900)
    async with asyncio.timeout(PATIENCE_SECONDS):
        while doorstep.door._budget.used_bytes < 1800:  # noqa: ASYNC110 - the budget tells nobody
            await asyncio.sleep(0.01)
    waiter = await doorstep.ready()
    answering = asyncio.create_task(half_closed(waiter, b"x" * 200 + b"\r\n.\r\nQUIT\r\n"))
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await asyncio.shield(answering)
    for holder in reversed(holders):  # the later one passed beyond the limit, so that somebody can finish
        assert (await holder.say("\r\n."))[:3] == "250"
    assert await answering == ["250", "221"]


async def test_a_message_of_several_reads_is_answered(doorstep: Doorstep):
    caller = await doorstep.ready()
    body = b"x" * 78 + b"\r\n"
    assert await half_closed(caller, body * 50_000 + b".\r\nQUIT\r\n") == ["250", "221"]
    assert doorstep.reception.received[0].data == body * 50_000


async def test_the_last_word_to_a_client_that_erred_too_often_is_heard(make_doorstep):
    doorstep = await make_doorstep({"max_errors": 3})
    caller = await doorstep.greeted()
    assert await half_closed(caller, b"JUNK\r\n" * 50) == ["500", "500", "421"]


async def test_an_answer_that_takes_too_long_is_said_to_a_closed_half_too(make_doorstep):
    doorstep = await make_doorstep({"final_timeout": 0.2})
    doorstep.reception.may_answer.clear()
    caller = await doorstep.ready()
    assert await half_closed(caller, b"x\r\n.\r\n") == [str(Replies.ANSWER_TAKES_LONG)[:3]]


@pytest.mark.parametrize(("says_so", "with_fin"), [(True, False), (True, True), (False, True)])
@pytest.mark.parametrize("tls", ["implicit", "starttls"])
@pytest.mark.parametrize("quit_", [b"QUIT\r\n", b""], ids=["with QUIT", "without"])
async def test_under_tls_the_250_is_heard(
    make_doorstep, pem, trusting, quit_: bytes, tls: str, says_so: bool, with_fin: bool
):
    """Exim does so behind the last of several messages. Its 250 was lost, and it sent the message again."""
    doorstep = await make_doorstep({"tls": tls, "certificate": pem.chain, "key": pem.key})
    doorstep.gatekeeper.trusts = account("trusted", "direct")
    doorstep.reception.may_answer.clear()
    caller = await doorstep.call()
    if tls == "starttls":
        await caller.reply()
        assert (await caller.say("STARTTLS"))[:3] == "220"
    said = b"EHLO x\r\n" + LETTER + quit_
    talk = asyncio.create_task(caller.close_half_of_tls(trusting, said, says_so=says_so, with_fin=with_fin))
    async with asyncio.timeout(PATIENCE_SECONDS):
        await doorstep.reception.has_begun.wait()
        while doorstep.reception.is_waiting():  # noqa: ASYNC110 - the door tells nobody
            await asyncio.sleep(0.01)
    doorstep.reception.may_answer.set()
    codes = [line[:3] for line in (await talk).splitlines() if line[3:4] != "-"]
    assert codes[codes.index("354") :] == ["354", "250", *(["221"] if quit_ else [])]


async def test_under_tls_an_answer_that_takes_too_long_ends_the_connection(make_doorstep, pem, trusting):
    rules = {"tls": "implicit", "certificate": pem.chain, "key": pem.key, "final_timeout": 0.2}
    doorstep = await make_doorstep(rules)
    doorstep.gatekeeper.trusts = account("trusted")
    doorstep.reception.may_answer.clear()
    caller = await doorstep.call()
    said = await caller.close_half_of_tls(trusting, b"EHLO x\r\n" + LETTER, with_fin=True)
    assert said.splitlines()[-1] == str(Replies.ANSWER_TAKES_LONG)
    async with asyncio.timeout(PATIENCE_SECONDS):
        await doorstep.door._lobbies[0].empty.wait()


@pytest.mark.parametrize(("says_so", "with_fin"), [(True, False), (True, True), (False, True)])
async def test_under_tls_who_is_owed_nothing_is_let_go(make_doorstep, pem, trusting, says_so: bool, with_fin: bool):
    doorstep = await make_doorstep({"tls": "implicit", "certificate": pem.chain, "key": pem.key})
    caller = await doorstep.call()
    said = await caller.close_half_of_tls(trusting, b"EHLO x\r\nNOOP\r\n", says_so=says_so, with_fin=with_fin)
    assert [line[:3] for line in said.splitlines() if line[3:4] != "-"] == ["220", "250", "250"]
