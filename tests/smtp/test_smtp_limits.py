"""Every bound: connections, errors, recipients, sizes, times, memory."""

import asyncio
import smtplib
import socket
import time

import pytest
from doorstep import PATIENCE_SECONDS, Caller, Doorstep, account

from relay.budget import SMALL_BYTES, ByteBudget
from relay.config.settings import DeliverySettings
from relay.outcome import Replies
from relay.smtp.connection import Connection

MEGABYTE = 1024 * 1024


async def test_connections_are_counted(make_doorstep):
    doorstep = await make_doorstep({"max_connections": 2})
    first, second, third = [await doorstep.call() for _ in range(3)]
    assert await third.rest() == f"{Replies.TOO_MANY_CONNECTIONS}\r\n"
    assert (await first.reply())[:3] == (await second.reply())[:3] == "220"
    assert await first.say("QUIT") == "221 2.0.0 Bye"
    assert await first.rest() == ""
    fourth = await doorstep.call()
    assert (await fourth.reply())[:3] == "220"
    assert [event["reason"] for event in doorstep.events("connection_refused")] == ["too many connections"]


async def test_connections_of_one_client_are_counted(make_doorstep):
    doorstep = await make_doorstep({"max_connections_per_client": 1})
    first = await doorstep.call()
    assert (await first.reply())[:3] == "220"
    assert await (await doorstep.call()).rest() == f"{Replies.TOO_MANY_CONNECTIONS}\r\n"
    first.hang_up()
    async with asyncio.timeout(PATIENCE_SECONDS):
        await doorstep.door._lobbies[0].empty.wait()
    assert (await (await doorstep.call()).reply())[:3] == "220"


async def test_junk_is_bounded(make_doorstep):
    doorstep = await make_doorstep({"max_errors": 5})
    caller = await doorstep.greeted()
    await caller.send(b"JUNK\r\n" * 1000)
    assert [line[:3] for line in (await caller.rest()).splitlines()] == ["500"] * 4 + ["421"]
    assert [event["reason"] for event in doorstep.events("connection_refused")] == ["too many errors"]


async def test_a_long_list_with_bad_addresses_is_no_junk(make_doorstep):
    """Twenty bad addresses must not cost the other recipients their mail."""
    doorstep = await make_doorstep({"max_errors": 5})
    doorstep.gatekeeper.trusts = account("trusted")
    caller = await doorstep.greeted()
    bad = b"".join(b"RCPT TO:<bad%d>\r\n" % number for number in range(50))
    await caller.send(b"MAIL FROM:<>\r\n" + bad + b"RCPT TO:<b@example.org>\r\nDATA\r\nx\r\n.\r\nQUIT\r\n")
    said = (await caller.rest()).splitlines()
    assert [line[:3] for line in said] == ["250", *["501"] * 50, "250", "354", "250", "221"]


async def test_but_bad_addresses_without_end_are(make_doorstep):
    doorstep = await make_doorstep({"max_errors": 5, "max_recipients": 100})
    doorstep.gatekeeper.trusts = account("trusted")
    caller = await doorstep.greeted()
    await caller.send(b"MAIL FROM:<>\r\n" + b"RCPT TO:<bad>\r\n" * 1000)
    assert [line[:3] for line in (await caller.rest()).splitlines()] == ["250", *["501"] * 104, "421"]


async def test_success_clears_the_record(make_doorstep):
    doorstep = await make_doorstep({"max_errors": 3})
    doorstep.gatekeeper.trusts = account("trusted")
    caller = await doorstep.greeted()
    turn = b"JUNK\r\nJUNK\r\nMAIL FROM:<>\r\nRCPT TO:<b@example.org>\r\nDATA\r\nx\r\n.\r\n"
    await caller.send(turn * 3 + b"QUIT\r\n")
    said = [line[:3] for line in (await caller.rest()).splitlines()]
    assert said == ["500", "500", "250", "250", "354", "250"] * 3 + ["221"]


async def test_a_thousand_recipients_and_no_more(doorstep: Doorstep):
    """Those beyond get 452 and the transaction goes on (RFC 5321 §4.5.3.1.10)."""
    doorstep.gatekeeper.trusts = account("trusted")
    caller = await doorstep.greeted()
    rcpt = b"".join(b"RCPT TO:<user%d@example.org>\r\n" % number for number in range(1100))
    sending = asyncio.create_task(caller.send(b"MAIL FROM:<>\r\n" + rcpt + b"DATA\r\nx\r\n.\r\nQUIT\r\n"))
    said = [line[:9] for line in (await caller.rest()).splitlines()]
    await sending
    assert said == ["250 2.1.0", *["250 2.1.5"] * 1000, *["452 4.5.3"] * 100, "354 End d", "250 2.0.0", "221 2.0.0"]
    assert len(doorstep.reception.received[0].recipients) == 1000


async def test_surplus_recipients_are_no_errors_however_many(doorstep: Doorstep):
    """Python's smtplib gives all recipients before it looks; it got 421 for 2,100, and nobody got the mail."""
    doorstep.gatekeeper.trusts = account("trusted")
    caller = await doorstep.greeted()
    for _ in range(2):
        rcpt = b"".join(b"RCPT TO:<user%d@example.org>\r\n" % number for number in range(10_000))
        sending = asyncio.create_task(caller.send(b"MAIL FROM:<>\r\n" + rcpt + b"DATA\r\nx\r\n.\r\n"))
        said = [(await caller.reply())[:9] for _ in range(10_003)]
        await sending
        assert said == ["250 2.1.0", *["250 2.1.5"] * 1000, *["452 4.5.3"] * 9000, "354 End d", "250 2.0.0"]
    assert [len(one.recipients) for one in doorstep.reception.received] == [1000, 1000]
    assert [event["code"] for event in doorstep.events("command_refused")] == [452, 452]  # once a transaction


@pytest.mark.parametrize("rules", [{"line_ends": "normalise"}, {"sender": "scan@example.org"}])
async def test_a_message_that_is_made_anew_counts_as_what_it_comes_to(make_doorstep, rules):
    doorstep = await make_doorstep(rules)
    doorstep.reception.may_answer.clear()
    caller = await doorstep.ready()
    await caller.send(b"From: copier@example.org\r\n\r\n" + b"\n" * 5000 + b"\r\n.\r\n")
    await doorstep.reception.has_begun.wait()

    assert doorstep.door._budget.used_bytes >= len(doorstep.reception.received[0].data)
    assert doorstep.door._budget.used_bytes >= 2 * 5000


async def test_a_list_of_bad_recipients_does_not_fill_the_log(doorstep: Doorstep):
    doorstep.gatekeeper.trusts = account("trusted")
    caller = await doorstep.greeted()
    for _ in range(2):
        lines = [
            b"MAIL FROM:<>",
            *[b"RCPT TO:<no address>"] * 500,
            b"RCPT TO:<b@example.org>",
            b"DATA",
            b"x",
            b".",
            b"",
        ]
        await caller.send(b"\r\n".join(lines))
        said = [(await caller.reply())[:3] for _ in range(504)]
        assert said == ["250", *["501"] * 500, "250", "354", "250"]
    told = [event["is_last_told"] for event in doorstep.events("command_refused")]
    assert told == [*[False] * 99, True] * 2


async def test_smtplib_sends_to_those_who_were_taken(doorstep: Doorstep):
    """The whole story: 2,100 recipients by sendmail, 1,000 are served and the others named."""
    doorstep.gatekeeper.trusts = account("trusted")
    address = doorstep.door.addresses["test"]

    def send() -> dict[str, tuple[int, bytes]]:
        with smtplib.SMTP(address.host, address.port) as client:
            recipients = [f"u{number}@example.org" for number in range(2100)]
            return client.sendmail("a@example.org", recipients, "Subject: x\r\n\r\nx\r\n")

    refused = await asyncio.to_thread(send)
    assert len(refused) == 1100
    assert {code for code, _ in refused.values()} == {452}
    assert len(doorstep.reception.received[0].recipients) == 1000


async def test_fifty_megabytes_are_swallowed_and_refused(doorstep: Doorstep):
    """The client hears 552 after its final dot; nothing is kept meanwhile."""
    caller = await doorstep.ready()
    block = (b"x" * 76 + b"\r\n") * 13_443  # a megabyte
    for _ in range(50):
        await caller.send(block)
        assert doorstep.door._budget.used_bytes <= 36 * MEGABYTE
    assert await caller.say(".") == str(Replies.TOO_BIG)
    assert doorstep.door._budget.used_bytes == 0
    assert await caller.say("MAIL FROM:<>") == "250 2.1.0 Ok"
    assert doorstep.reception.received == []


async def test_a_big_message_arrives_whole(doorstep: Doorstep):
    caller = await doorstep.ready()
    line = b"." + bytes(range(14, 256)) * 4000 + b"\r\n"  # longer than any line may be
    await caller.send((b"." + line) * 20)
    assert (await caller.say("."))[:3] == "250"
    assert doorstep.reception.received[0].data == line * 20


async def test_a_silent_client_is_told_and_cut(make_doorstep):
    doorstep = await make_doorstep({"command_timeout": 0.2})
    caller = await doorstep.greeted()
    assert await caller.rest() == f"{Replies.TIMED_OUT}\r\n"


async def test_a_command_that_drips_is_cut_all_the_same(make_doorstep):
    """Only whole commands buy time."""
    doorstep = await make_doorstep({"command_timeout": 0.3})
    caller = await doorstep.greeted()
    begun = time.monotonic()
    dripping = asyncio.create_task(_drip(caller))
    # Not to the end: what still drips in when the door has closed is answered with a reset.
    assert await caller.reply() == str(Replies.TIMED_OUT)
    dripping.cancel()
    assert time.monotonic() - begun < 5


async def _drip(caller: Caller) -> None:
    while True:
        await caller.send(b"N")
        await asyncio.sleep(0.02)


async def test_data_buys_time_with_each_block(make_doorstep):
    doorstep = await make_doorstep({"data_timeout": 0.5, "data_least_rate": 0})
    caller = await doorstep.ready()
    for _ in range(8):
        await caller.send(b"x\r\n")
        await asyncio.sleep(0.1)
    assert (await caller.say("."))[:3] == "250"


async def test_data_that_stops_is_told_and_cut(make_doorstep):
    doorstep = await make_doorstep({"command_timeout": 30, "data_timeout": 0.2})
    caller = await doorstep.ready()
    await caller.send(b"x\r\n")
    assert await caller.rest() == f"{Replies.TIMED_OUT}\r\n"
    assert doorstep.reception.received == []
    assert doorstep.door._budget.used_bytes == 0


async def test_a_message_that_drips_is_told_and_cut(make_doorstep):
    """Every block buys time, and yet not for ever: a byte for each would hold a place for weeks."""
    doorstep = await make_doorstep({"data_timeout": 0.3, "data_least_rate": 1000})
    caller = await doorstep.ready()
    dripping = asyncio.create_task(_drip(caller))
    assert await caller.reply() == str(Replies.TOO_SLOW)
    dripping.cancel()
    assert [event["reason"] for event in doorstep.events("connection_refused")] == ["message came too slowly"]
    assert doorstep.reception.received == []


async def test_who_never_says_a_word_is_told_and_cut(make_doorstep):
    doorstep = await make_doorstep({"greeting_timeout": 0.1})
    caller = await doorstep.call()
    assert (await caller.reply())[:3] == "220"
    assert await caller.rest() == f"{Replies.TIMED_OUT}\r\n"


async def test_after_the_first_word_the_greeting_has_no_say(make_doorstep):
    doorstep = await make_doorstep({"greeting_timeout": 0.1})
    caller = await doorstep.greeted()
    await asyncio.sleep(0.4)
    assert (await caller.say("NOOP"))[:3] == "250"


async def test_a_connection_that_brings_no_message_is_told_and_cut(make_doorstep):
    doorstep = await make_doorstep({"message_within": 0.3})
    caller = await doorstep.greeted()
    said = [await caller.say("NOOP")]
    while said[-1] == "250 2.0.0 Ok":
        await asyncio.sleep(0.02)
        said.append(await caller.say("NOOP"))
    assert said[-1] == str(Replies.NO_MESSAGE)


@pytest.mark.parametrize("begin", ["BDAT 99999999999999999999 LAST", "DATA"])
async def test_a_refused_message_that_does_not_end_is_told_and_cut(make_doorstep, begin):
    """The next reply would be due when it has come whole: a chunk can be announced that nobody could send in a life."""
    doorstep = await make_doorstep({"message_within": 0.5, "max_message_bytes": 1000})
    doorstep.gatekeeper.trusts = account("trusted")
    caller = await doorstep.greeted()
    for line in ("MAIL FROM:<a@example.org>", "RCPT TO:<b@example.org>"):
        await caller.say(line)
    await caller.send(f"{begin}\r\n".encode())
    if begin == "DATA":
        assert (await caller.reply())[:3] == "354"

    flooding = asyncio.create_task(_flood(caller))
    assert await caller.reply() == str(Replies.TOO_BIG)
    flooding.cancel()
    assert [event["reason"] for event in doorstep.events("connection_refused")] == ["refused message does not end"]


async def _flood(caller: Caller) -> None:
    while True:
        await caller.send(b"x" * 998 + b"\r\n")
        await asyncio.sleep(0.01)


async def test_a_client_is_told_before_it_gives_up_waiting_for_the_answer(make_doorstep):
    """What is being taken goes on, in memory and counted; whoever takes it can see that nobody will hear."""
    doorstep = await make_doorstep({"final_timeout": 0.2})
    doorstep.reception.may_answer.clear()
    caller = await doorstep.ready()
    await caller.send(b"x\r\n.\r\n")
    await doorstep.reception.has_begun.wait()
    assert doorstep.reception.is_waiting()
    assert await caller.rest() == f"{Replies.ANSWER_TAKES_LONG}\r\n"
    assert not doorstep.reception.is_waiting()
    assert doorstep.door._budget.used_bytes > 0
    doorstep.reception.may_answer.set()
    async with asyncio.timeout(PATIENCE_SECONDS):
        await doorstep.reception.has_ended.wait()
        while doorstep.door._budget.used_bytes:  # noqa: ASYNC110 - the budget tells nobody
            await asyncio.sleep(0.01)


async def test_a_client_that_read_late_is_not_cut_while_its_message_is_taken(make_doorstep):
    """Once it reads again, its slowness is forgotten: it was cut with a 421 instead of getting its 250."""
    doorstep = await make_doorstep({"command_timeout": 0.5})
    doorstep.reception.may_answer.clear()
    caller = await doorstep.ready()
    await caller.send(b"x\r\n.\r\n")
    await doorstep.reception.has_begun.wait()
    (guest,) = doorstep.door._lobbies[0].guests
    assert isinstance(guest, Connection)
    guest.pause_writing()
    guest.resume_writing()
    await asyncio.sleep(1.0)
    doorstep.reception.may_answer.set()
    assert (await caller.reply())[:3] == "250"


async def test_no_time_runs_while_the_reception_works(make_doorstep):
    """Aiosmtpd's timer would cut the client before the 250: a duplicate."""
    doorstep = await make_doorstep({"command_timeout": 0.1, "data_timeout": 0.1})
    doorstep.reception.may_answer.clear()
    caller = await doorstep.ready()
    await caller.send(b"x\r\n.\r\n")
    await doorstep.reception.has_begun.wait()
    await asyncio.sleep(0.4)
    doorstep.reception.may_answer.set()
    assert (await caller.reply())[:3] == "250"


async def test_a_client_that_never_reads_is_cut(make_doorstep):
    """What we keep for it is bounded, and so is our patience."""
    doorstep = await make_doorstep({"command_timeout": 0.3, "max_commands": 10_000_000})
    caller = await doorstep.greeted()
    caller.reader._transport.pause_reading()  # type: ignore[attr-defined] # StreamReader has no other way
    with pytest.raises((ConnectionError, TimeoutError)):  # noqa: PT012 - the cut may be noticed at any write
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                await caller.send(b"EHLO x\r\n" * 1000)
    async with asyncio.timeout(PATIENCE_SECONDS):
        await doorstep.door._lobbies[0].empty.wait()


async def test_a_client_that_reads_late_loses_nothing(make_doorstep):
    doorstep = await make_doorstep({"command_timeout": 20, "max_commands": 40_000})
    caller = await doorstep.greeted()
    (guest,) = doorstep.door._lobbies[0].guests
    assert isinstance(guest, Connection)
    guest._wire.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    caller.reader._transport.pause_reading()  # type: ignore[attr-defined] # StreamReader has no other way
    sending = asyncio.create_task(caller.send(b"EHLO x\r\n" * 30_000 + b"QUIT\r\n"))
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not guest._wire.blocked:  # noqa: ASYNC110 - the kernel tells nobody
            await asyncio.sleep(0.01)
    caller.reader._transport.resume_reading()  # type: ignore[attr-defined] # as above
    said = await caller.rest()
    await sending
    assert said.count("250-relay.test\r\n") == 30_000
    assert said.endswith("221 2.0.0 Bye\r\n")


async def test_a_line_that_is_too_long_is_swallowed_in_pieces(doorstep: Doorstep):
    caller = await doorstep.greeted()
    (guest,) = doorstep.door._lobbies[0].guests
    assert isinstance(guest, Connection)
    for _ in range(5):
        await caller.send(b"x" * 13_000)
        await asyncio.sleep(0.02)
        assert len(guest._inbox) < MEGABYTE
    await caller.send(b"\r\nNOOP\r\n")
    assert await caller.reply() == str(Replies.LINE_TOO_LONG)
    assert await caller.reply() == "250 2.0.0 Ok"


async def test_what_is_pipelined_behind_a_message_is_bounded(make_doorstep):
    doorstep = await make_doorstep({"max_commands": 10_000})
    doorstep.reception.may_answer.clear()
    caller = await doorstep.ready()
    await caller.send(b"x\r\n.\r\n")
    await doorstep.reception.has_begun.wait()
    sending = asyncio.create_task(caller.send((b"NOOP " + b"x" * 500 + b"\r\n") * 6000 + b"QUIT\r\n"))
    await asyncio.sleep(0.2)
    (guest,) = doorstep.door._lobbies[0].guests
    assert len(guest._inbox) < MEGABYTE  # type: ignore[attr-defined] # what memory holds is not seen from outside
    doorstep.reception.may_answer.set()
    said = await caller.rest()
    await sending
    assert said.count("\r\n") == 6_002


async def _begin(doorstep: Doorstep, size: int) -> Caller:
    caller = await doorstep.ready()
    await caller.send(b"x" * size)
    return caller


async def _until_used(budget: ByteBudget, size: int) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while budget.used_bytes < size:  # noqa: ASYNC110 - the budget tells nobody
            await asyncio.sleep(0.01)


async def test_what_there_is_no_room_for_is_refused_before_it_comes(make_doorstep):
    doorstep = await make_doorstep()
    doorstep.reception.room_bytes = 1000
    doorstep.gatekeeper.trusts = account("trusted")
    caller = await doorstep.greeted()
    assert await caller.say("MAIL FROM:<a@example.org> SIZE=1001") == str(Replies.STORE_FULL)
    assert await caller.say("MAIL FROM:<a@example.org> SIZE=1000") == "250 2.1.0 Ok"
    await caller.say("RSET")
    doorstep.reception.room_bytes = 0
    assert await caller.say("MAIL FROM:<a@example.org>") == str(Replies.STORE_FULL)


async def test_a_small_message_passes_big_ones_that_wait_for_room(make_doorstep):
    doorstep = await make_doorstep(delivery=DeliverySettings(bytes_in_flight=16 * SMALL_BYTES))
    budget = doorstep.door._budget
    held = [await _begin(doorstep, 14 * SMALL_BYTES)]
    await _until_used(budget, 14 * SMALL_BYTES)
    held.append(await _begin(doorstep, 2 * SMALL_BYTES))  # passes beyond the limit
    await _until_used(budget, 16 * SMALL_BYTES)
    held.append(await _begin(doorstep, 2 * SMALL_BYTES))  # waits

    small = await doorstep.ready()
    assert (await small.say("hello\r\n."))[:3] == "250"
    for caller in (held[1], held[2], held[0]):  # whoever passed beyond the limit goes first, one at a time
        assert (await caller.say("\r\n."))[:3] == "250"


async def test_messages_wait_for_room_in_memory(make_doorstep):
    doorstep = await make_doorstep(delivery=DeliverySettings(bytes_in_flight=1000))
    budget = doorstep.door._budget
    first = await _begin(doorstep, 900)
    await _until_used(budget, 900)
    second = await _begin(doorstep, 900)  # passes beyond the limit, so that somebody can finish
    await _until_used(budget, 1800)
    third = await _begin(doorstep, 200)
    await third.send(b"\r\n.\r\n")
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await third.reply()
    assert (await second.say("\r\n."))[:3] == "250"
    assert (await third.reply())[:3] == "250"
    assert (await first.say("\r\n."))[:3] == "250"
    assert budget.used_bytes == 0


async def test_a_message_that_waited_too_long_for_room_gets_452(make_doorstep):
    doorstep = await make_doorstep({"data_timeout": 1.0}, delivery=DeliverySettings(bytes_in_flight=1000))
    budget = doorstep.door._budget
    doorstep.reception.may_answer.clear()
    holder = await _begin(doorstep, 2000)
    await holder.send(b"\r\n.\r\n")
    await doorstep.reception.has_begun.wait()
    waiter = await _begin(doorstep, 1100)
    await waiter.send(b"\r\n.\r\n")
    assert await waiter.reply() == str(Replies.STORE_FULL)
    assert await waiter.say("MAIL FROM:<>") == "250 2.1.0 Ok"
    doorstep.reception.may_answer.set()
    assert (await holder.reply())[:3] == "250"
    assert budget.used_bytes == 0


async def test_a_waiting_client_that_hangs_up_is_forgotten(make_doorstep):
    doorstep = await make_doorstep({"data_timeout": 0.5}, delivery=DeliverySettings(bytes_in_flight=1000))
    doorstep.reception.may_answer.clear()
    holder = await _begin(doorstep, 2000)
    await holder.send(b"\r\n.\r\n")
    await doorstep.reception.has_begun.wait()
    waiter = await _begin(doorstep, 1100)
    waiter.hang_up()
    doorstep.reception.may_answer.set()
    assert (await holder.reply())[:3] == "250"
    async with asyncio.timeout(PATIENCE_SECONDS):
        while doorstep.door._budget.used_bytes:  # noqa: ASYNC110 - the budget tells nobody
            await asyncio.sleep(0.01)
