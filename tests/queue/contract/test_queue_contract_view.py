"""What accounts, signals, tidying and looking promise."""

import asyncio

import pytest
from queue_parts import ACCEPTED, DEFERRED, NOON, REFUSED, claim_one, entry, mail, new, random_data

from relay.message import MessageId
from relay.queue.contract import NewMessage, Pause, State


async def finish(queue, result=ACCEPTED):
    claim = await claim_one(queue)
    await queue.begin(claim, [0], 60)
    await queue.record(claim, [result], seconds=1)
    await queue.release(claim, None)


async def test_a_pause_replaces_an_earlier_one_and_stays_listed_when_its_time_has_come(queue, clock):
    await queue.pause(Pause("acme", NOON + 60, "no credits", 1))
    await queue.pause(Pause("acme", NOON + 120, "no credits, ñ", 2))
    await queue.pause(Pause("other", NOON + 1, "key", 1))
    clock.advance(600)

    assert [Pause("acme", NOON + 120, "no credits, ñ", 2), Pause("other", NOON + 1, "key", 1)] == list(
        await queue.paused()
    )


async def test_resume_ends_a_pause_at_once(queue):
    await queue.put(new())
    await queue.pause(Pause("acme", NOON + 60, "no credits", 1))

    assert await queue.resume("acme")
    assert not await queue.resume("acme")
    assert [] == list(await queue.paused())
    assert 1 == len(await queue.claim("worker", 1, 60))


async def test_credentials_are_kept_replaced_and_found(queue):
    assert await queue.load_credential("acme") is None
    await queue.save_credential("acme", b"\x00one")
    await queue.save_credential("other", b"")
    await queue.save_credential("acme", b"\xfftwo")

    assert b"\xfftwo" == await queue.load_credential("acme")
    assert b"" == await queue.load_credential("other")


@pytest.mark.parametrize("what", ["put", "big put", "release", "resume", "recover", "confirm"])
async def test_wait_returns_when_something_may_have_become_claimable(queue, what):
    await queue.put(new())
    claim = await claim_one(queue)
    acts = {
        "put": lambda: queue.put(new()),
        "big put": lambda: queue.put(new(data=bytes(200_000))),
        "release": lambda: queue.release(claim, NOON),
        "resume": lambda: queue.resume("acme"),
        "recover": lambda: queue.recover("worker"),
        "confirm": lambda: queue.confirm(claim.message.id, [ACCEPTED]),
    }
    waiting = asyncio.create_task(queue.wait(60))
    await asyncio.sleep(0)
    assert not waiting.done()

    await acts[what]()

    await asyncio.wait_for(waiting, 5)


async def test_wait_returns_after_its_time(queue):
    await asyncio.wait_for(queue.wait(0.01), 5)


async def test_a_signal_before_the_wait_is_not_lost(queue):
    """Between an empty claim and the wait a message may come."""
    await queue.claim("worker", 1, 60)
    await queue.put(new())

    await asyncio.wait_for(queue.wait(60), 5)


async def test_a_signal_is_given_once(queue):
    """Who only listens must not be woken again and again by one message."""
    await queue.put(new())
    await queue.wait(60)

    second = asyncio.create_task(queue.wait(60))
    await asyncio.sleep(0.05)

    assert not second.done()
    second.cancel()


async def test_a_claim_takes_up_the_signals_before_it(queue):
    await queue.put(new())
    await queue.claim("worker", 1, 60)

    waiting = asyncio.create_task(queue.wait(60))
    await asyncio.sleep(0.05)

    assert not waiting.done()
    waiting.cancel()


async def test_next_due_is_the_earliest_that_nobody_works_on(queue, clock):
    assert await queue.next_due_at() is None
    await queue.put(new(due_at=NOON + 50))
    await queue.put(new(due_at=NOON + 20))
    await queue.put(new(due_at=NOON - 5))
    assert NOON - 5 == await queue.next_due_at()

    await claim_one(queue, "worker", 10)
    assert NOON + 20 == await queue.next_due_at()
    clock.advance(10)
    assert NOON - 5 == await queue.next_due_at()


async def test_a_paused_account_is_due_when_its_pause_ends(queue, clock):
    await queue.put(new(due_at=NOON - 5))
    await queue.put(new(due_at=NOON + 200, account="late"))
    await queue.pause(Pause("acme", NOON + 60, "no credits", 1))
    await queue.pause(Pause("late", NOON + 60, "no credits", 1))
    await queue.pause(Pause("idle", NOON + 10, "nothing waits", 1))

    assert NOON + 60 == await queue.next_due_at()
    await queue.put(new(due_at=NOON + 30, account="free"))
    assert NOON + 30 == await queue.next_due_at()
    clock.advance(60)
    assert NOON - 5 == await queue.next_due_at()


async def test_prune_forgets_what_was_finished_before_a_time(queue, clock):
    finished = [new() for _ in range(3)]
    for made in finished:
        await queue.put(made)
        await finish(queue)
        clock.advance(10)
    open_one = new(due_at=NOON + 1000)
    await queue.put(open_one)

    assert 2 == await queue.prune(NOON + 20, 100)
    assert 0 == await queue.prune(NOON + 20, 100)

    assert [None, None] == [await queue.entries(made.message.id) for made in finished[:2]]
    assert await queue.entries(finished[2].message.id) is not None
    assert await queue.entries(open_one.message.id) is not None


async def test_prune_takes_no_more_than_asked_oldest_first(queue, clock):
    made = []
    for _ in range(250):
        made.append(new(states=[State.ACCEPTED], mode="direct"))
        await queue.put(made[-1])
        clock.advance(1)

    assert 201 == await queue.prune(clock.now, 201)
    assert await queue.entries(made[200].message.id) is None
    assert await queue.entries(made[201].message.id) is not None
    assert 49 == await queue.prune(clock.now, 201)


async def test_prune_never_takes_what_is_open(queue, clock):
    held = new("a@x.example", "b@x.example", states=[State.ACCEPTED, State.HELD])
    waiting = new()
    await queue.put(held)
    await queue.put(waiting)
    clock.advance(1e6)

    assert 0 == await queue.prune(clock.now, 100)


async def test_prune_leaves_what_somebody_still_works_on(queue, clock):
    await queue.put(new())
    claim = await claim_one(queue)
    await queue.begin(claim, [0], 60)
    await queue.record(claim, [ACCEPTED], seconds=1)
    clock.advance(10)

    assert 0 == await queue.prune(clock.now, 100)
    await queue.release(claim, None)
    assert 1 == await queue.prune(clock.now, 100)


async def test_stats_count_recipients_by_state_and_open_messages(queue, clock):
    nothing = await queue.stats()
    await queue.put(new("a@x.example", "b@x.example", received_at=NOON - 50))
    await queue.put(new(states=[State.HELD], received_at=NOON - 70))
    await queue.put(new(states=[State.EXPIRED], received_at=NOON - 90))
    await queue.put(new(received_at=NOON, due_at=NOON + 1))
    claim = await claim_one(queue)
    await queue.begin(claim, [0, 1], 60)
    await queue.record(claim, [ACCEPTED], seconds=1)

    counts = await queue.stats()

    assert (dict.fromkeys(State, 0), 0, None) == (dict(nothing.by_state), nothing.messages_open, None)
    expected = {State.QUEUED: 1, State.SENDING: 1, State.HELD: 1, State.ACCEPTED: 1, State.EXPIRED: 1}
    assert dict.fromkeys(State, 0) | expected == dict(counts.by_state)
    assert (3, NOON - 70) == (counts.messages_open, counts.oldest_received_at)


async def test_stats_are_empty_again_when_all_is_forgotten(queue, clock):
    for size in (10, 200_000):
        await queue.put(new(data=random_data(size)))
        await finish(queue)
    clock.advance(1)
    await queue.prune(clock.now, 10)

    counts = await queue.stats()

    assert (0, 0, None) == (sum(counts.by_state.values()), counts.messages_open, counts.oldest_received_at)


async def test_a_finished_message_counts_as_open_no_more(queue):
    await queue.put(new())
    claim = await claim_one(queue)
    await queue.begin(claim, [0], 60)
    await queue.record(claim, [REFUSED], seconds=1)
    assert 0 == (await queue.stats()).messages_open

    await queue.record(claim, [DEFERRED], seconds=1)  # the caller changed its mind while it has the lease
    assert 1 == (await queue.stats()).messages_open


async def test_entries_come_in_order_of_position(queue):
    message = mail("a@x.example", "b@x.example", "c@x.example")
    entries = (entry(2, "c@x.example"), entry(0, "a@x.example"), entry(1, "b@x.example"))
    await queue.put(NewMessage(message, entries, "queue", NOON, NOON + 1))

    assert ["a@x.example", "b@x.example", "c@x.example"] == [
        kept.recipient.address for kept in await queue.entries(message.id)
    ]
    assert await queue.entries(MessageId("nobody")) is None


async def test_a_store_that_works_passes_its_check(queue):
    await queue.check()
    await queue.check()
