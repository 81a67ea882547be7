"""What `put` promises."""

import asyncio

import pytest
from queue_parts import NOON, claim_one, entry, mail, new, random_data, states

from relay.errors import QueueError
from relay.message import Envelope, EnvelopeRecipient, Message, MessageId, Recipient, Role
from relay.mime.content import Fidelity, Note
from relay.queue.contract import NewMessage, RecipientEntry, State


async def test_a_message_comes_back_as_it_was_put(queue):
    recipients = (
        EnvelopeRecipient("ana@example.org", frozenset({"SUCCESS", "FAILURE"}), "rfc822;ana+40example.org"),
        EnvelopeRecipient("b@example.org", frozenset({"NEVER"})),
        EnvelopeRecipient("c@example.org"),
        EnvelopeRecipient("d@example.org"),
    )
    envelope = Envelope("app@example.com", recipients, ret="HDRS", envid="QQ314159+2B")
    message = Message(MessageId("01J0000000000000000000000A"), "dmds:12-3", envelope, b"\x00\xff\r\n.", NOON - 3, "::1")
    entries = (
        RecipientEntry(0, Recipient("ana@example.org", Role.TO, "Ana Núñez", *_dsn(recipients[0]))),
        RecipientEntry(1, Recipient("b@example.org", Role.CC, "", *_dsn(recipients[1])), State.HELD, 2, reason="why"),
        RecipientEntry(2, Recipient("c@example.org", Role.BCC), State.ACCEPTED, 1, "m", "batch"),
        RecipientEntry(3, Recipient("d@example.org", Role.BCC), State.UNCONFIRMED, 1, due_at=NOON + 7.5),
    )
    await queue.put(NewMessage(message, entries, "auto", NOON, NOON + 99, (Note("x", "y", Fidelity.CHANGED),)))

    claim = await claim_one(queue)

    assert message == claim.message
    assert [_without_time(kept) for kept in entries] == [_without_time(kept) for kept in claim.entries]
    assert {NOON} == {kept.changed_at for kept in claim.entries}
    assert (NOON + 99, "worker", "batch") == (claim.expires_at, claim.owner, claim.batch_id)


async def test_unicode_survives(queue):
    message = mail("josé@ñandú.example", "用户@例子.example", account="mensatek:año")
    entries = (
        RecipientEntry(0, Recipient("josé@ñandú.example", Role.TO, "José 😀 \u202e")),
        RecipientEntry(1, Recipient("用户@例子.example", Role.CC, "用户")),
    )
    await queue.put(NewMessage(message, entries, "queue", NOON, NOON + 1))

    claim = await claim_one(queue)

    assert message == claim.message
    assert ["José 😀 \u202e", "用户"] == [kept.recipient.name for kept in claim.entries]


async def test_two_spellings_of_one_mailbox_leave_the_envelope_as_it_was(queue):
    message = mail("ana@example.org", "ana@EXAMPLE.org", "b@example.org")
    entries = (entry(0, "ana@example.org"), entry(2, "b@example.org"))
    await queue.put(NewMessage(message, entries, "queue", NOON, NOON + 1))

    claim = await claim_one(queue)

    assert message.envelope == claim.message.envelope
    assert [0, 2] == [kept.position for kept in claim.entries]


async def test_the_null_sender_survives(queue):
    message = mail("ana@example.org")
    null = Message(message.id, "acme", Envelope("", message.envelope.recipients), b"", NOON)
    await queue.put(NewMessage(null, (entry(0, "ana@example.org"),), "queue", NOON, NOON + 1))

    assert null == (await claim_one(queue)).message


@pytest.mark.parametrize("size", [0, 1, 4096, 128 * 1024, 128 * 1024 + 1, 1_000_000, 20 * 1024 * 1024])
async def test_bodies_of_every_size_survive(queue, size):
    data = random_data(size)
    await queue.put(new(data=data))

    assert data == (await claim_one(queue)).message.data


async def test_a_thousand_recipients_survive(queue):
    addresses = [f"user{number}@example.org" for number in range(1000)]
    made = new(*addresses)
    await queue.put(made)

    claim = await claim_one(queue)
    await queue.begin(claim, range(1000), 60)

    assert addresses == [kept.recipient.address for kept in claim.entries]
    assert {State.SENDING} == set(await states(queue, made.message.id))


async def test_what_is_put_survives_closing(make_queue):
    first = await make_queue()
    small, big = new(), new(data=random_data(300_000))
    await first.put(small)
    await first.put(big)
    await first.close()

    found = await (await make_queue()).claim("worker", 10, 60)

    assert {small.message, big.message} == {claim.message for claim in found}


async def test_five_hundred_puts_at_once_are_all_kept(queue):
    made = [new(f"user{number}@example.org") for number in range(500)]
    await asyncio.gather(*map(queue.put, made))

    found = await queue.claim("worker", 1000, 60)

    assert {one.message.id for one in made} == {claim.message.id for claim in found}


@pytest.mark.parametrize("size", [10, 200_000])
async def test_the_same_id_twice_is_refused_and_the_first_stays(queue, size):
    first = new(data=b"a" * size, message_id="01J0000000000000000000000A")
    again = new(data=b"b" * size, message_id="01J0000000000000000000000A")
    await queue.put(first)

    with pytest.raises(QueueError):
        await queue.put(again)

    assert first.message == (await claim_one(queue)).message


@pytest.mark.parametrize("size", [10, 200_000])
async def test_a_finished_message_is_history_and_never_due(queue, size):
    made = new("a@x.example", "b@x.example", states=[State.ACCEPTED, State.REFUSED], mode="direct", data=b"x" * size)
    await queue.put(made)

    assert [] == await queue.claim("worker", 10, 60)
    assert await queue.next_due_at() is None
    assert [State.ACCEPTED, State.REFUSED] == await states(queue, made.message.id)
    assert 0 == (await queue.stats()).messages_open


async def test_a_message_with_only_held_recipients_waits_for_a_person(queue):
    made = new(states=[State.HELD])
    await queue.put(made)

    assert [] == await queue.claim("worker", 10, 60)
    assert await queue.next_due_at() is None
    assert 1 == (await queue.stats()).messages_open


async def test_a_message_put_under_a_lease_begins_its_life_claimed(queue, clock):
    made = new(states=[State.SENDING], mode="auto", leased_by="worker", lease_seconds=30)
    await queue.put(made)
    assert [] == await queue.claim("other", 10, 60)

    clock.advance(30)
    claim = await claim_one(queue, "other")

    assert [State.UNCONFIRMED] == [kept.state for kept in claim.entries]


async def test_a_put_that_its_caller_left_is_done_all_the_same(queue):
    small, big = new(), new(data=random_data(300_000))
    for made in (small, big):
        task = asyncio.create_task(queue.put(made))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    await queue.close()  # finishes what is being written


async def test_what_a_cancelled_caller_put_is_there_after_closing(make_queue):
    first = await make_queue()
    made = [new(), new(data=random_data(300_000))]
    for one in made:
        task = asyncio.create_task(first.put(one))
        await asyncio.sleep(0)
        task.cancel()
    await first.close()

    found = await (await make_queue()).claim("worker", 10, 60)

    assert {one.message for one in made} == {claim.message for claim in found}


@pytest.mark.parametrize("size", [10, 200_000])
async def test_text_that_no_store_can_hold_fails_alone(queue, size):
    """Lone surrogates come from raw 8-bit commands; the store must survive them."""
    with pytest.raises((QueueError, UnicodeEncodeError)):
        await queue.put(new("\udcff@example.org", data=b"x" * size))

    await queue.put(new())

    assert 1 == len(await queue.claim("worker", 10, 60))


async def test_a_closed_store_refuses(queue):
    await queue.close()
    await queue.close()

    for ask in (queue.put(new()), queue.put(new(data=b"x" * 200_000)), queue.next_due_at(), queue.check()):
        with pytest.raises(QueueError):
            await ask


def _dsn(recipient):
    return recipient.notify, recipient.orcpt


def _without_time(kept):
    return (
        kept.position,
        kept.recipient,
        kept.state,
        kept.attempts,
        kept.provider_message_id,
        kept.provider_batch_id,
        kept.reason,
        kept.due_at,
    )
