"""Draining the queue: fairly, within bounds, and stopping well."""

import asyncio
import time
from contextlib import asynccontextmanager

import pytest
from core_parts import RETRY, Until

from relay.active import ActiveQueue
from relay.config.settings import DeliverySettings
from relay.errors import QueueError
from relay.outcome import Accepted, Blame, Deferred
from relay.queue.contract import State
from relay.worker import Worker

YES = Accepted("7", "70")


@asynccontextmanager
async def draining(world, **settings):
    parts = {
        "queue": world.queue,
        "custodian": world.custodian,
        "pauses": world.pauses,
        "retry": RETRY,
        "events": world.events,
        "clock": world.clock,
    }
    # An active queue that takes in nobody's mail: what is kept must be claimed.
    active = ActiveQueue("local/0", keeper=world.keeper, settings=DeliverySettings(**settings), **parts)
    worker = Worker("local/0", gatekeeper=world.accounts, active=active, **parts)
    task = asyncio.create_task(worker.run())
    try:
        yield worker, active
    finally:
        await worker.stop(5.0)
        await asyncio.wait_for(task, 5.0)


async def until(fact, seconds=10.0):
    """Wait for a fact about the store; there is no signal for it."""
    deadline = time.monotonic() + seconds
    while not await fact():
        assert time.monotonic() < deadline, "it did not come true"
        await asyncio.sleep(0.01)


def all_in(world, messages, state):
    async def fact():
        return all([await world.states(message) == [state] for message in messages])

    return fact


async def test_what_is_kept_is_sent_once_each(world):
    account = world.account()
    messages = [await world.kept(account) for _ in range(50)]
    async with draining(world):
        await until(all_in(world, messages, State.ACCEPTED))
    assert len(world.provider.calls) == 50


async def test_mail_that_arrives_while_it_sleeps_wakes_it(world):
    account = world.account()
    async with draining(world):
        await asyncio.sleep(0.1)
        message = await world.kept(account)
        await until(all_in(world, [message], State.ACCEPTED), seconds=2.0)


async def test_an_account_gets_no_more_calls_at_once_than_it_may(world):
    account = world.account(concurrency=2)
    slow = [Until(YES) for _ in range(4)]
    world.provider.script = list(slow)
    messages = [await world.kept(account) for _ in range(4)]
    async with draining(world) as (_, active):
        await asyncio.wait_for(slow[1].begun.wait(), 5.0)
        await asyncio.sleep(0.1)
        assert active.under_way == 2
        assert not slow[2].begun.is_set()
        for until_ in slow:
            until_.let_end.set()
        await until(all_in(world, messages, State.ACCEPTED))


async def test_one_slow_account_does_not_hold_up_another(world):
    stuck, quick = world.account("stuck", concurrency=1), world.account("quick")
    wait = Until(YES)
    world.provider.script = [wait]
    for _ in range(200):
        await world.kept(stuck)
    async with draining(world, concurrency=4):
        await asyncio.wait_for(wait.begun.wait(), 5.0)
        messages = [await world.kept(quick) for _ in range(3)]
        await until(all_in(world, messages, State.ACCEPTED), seconds=5.0)
        wait.let_end.set()


async def test_a_paused_account_is_probed_by_one_call_only(world):
    account = world.account(concurrency=10)
    world.provider.script = [Deferred("Res -1", blame=Blame.ACCOUNT)] + [Until(YES) for _ in range(10)]
    steps = world.provider.script[1:]
    await world.kept(account)
    await world.attempt(account)
    for _ in range(9):
        await world.kept(account)
    world.clock.advance(61)
    async with draining(world):
        await asyncio.wait_for(steps[0].begun.wait(), 5.0)
        await asyncio.sleep(0.1)
        assert not steps[1].begun.is_set()
        for step in steps:
            step.let_end.set()
        await until(lambda: _empty(world))


async def _empty(world):
    return (await world.queue.stats()).messages_open == 0


async def test_mail_of_an_account_that_is_gone_waits(world):
    account = world.account("gone")
    message = await world.kept(account)
    del world.accounts.accounts["gone"]
    async with draining(world):
        await until(lambda: _logged(world, "delivery_impossible_now"))
    assert await world.states(message) == [State.QUEUED]
    assert world.provider.calls == []


async def test_mail_of_an_account_that_is_gone_ends_at_max_age_without_a_storm_of_lines(world):
    account = world.account("gone", max_age="1h")
    message = await world.kept(account)
    del world.accounts.accounts["gone"]
    world.clock.advance(3601)
    async with draining(world):
        await until(all_in(world, [message], State.EXPIRED))
        await asyncio.sleep(0.1)
    assert len(world.logged("recipient_finished")) == 1
    assert world.logged("delivery_impossible_now") == []


async def _logged(world, event):
    return bool(world.logged(event))


async def test_a_bug_in_one_attempt_is_told_and_stops_no_other(world):
    account = world.account()
    world.provider.script = [ZeroDivisionError("a bug")]
    bad = await world.kept(account)
    world.clock.advance(1)
    good = await world.kept(account)
    async with draining(world):
        await until(all_in(world, [good], State.ACCEPTED))
        await until(lambda: _logged(world, "unexpected_error"))
    assert await world.states(bad) == [State.UNCONFIRMED]
    assert "ZeroDivisionError" in world.log.getvalue()


async def test_a_stop_waits_for_calls_under_way_and_begins_no_other(world):
    account = world.account(concurrency=1)
    slow = Until(YES)
    world.provider.script = [slow]
    first = await world.kept(account)
    world.clock.advance(1)
    second = await world.kept(account)
    async with draining(world) as (worker, _):
        await asyncio.wait_for(slow.begun.wait(), 5.0)
        stopping = asyncio.create_task(worker.stop(5.0))
        await asyncio.sleep(0.05)
        slow.let_end.set()
        assert await stopping == 0
    assert await world.states(first) == [State.ACCEPTED]
    assert await world.states(second) == [State.QUEUED]
    assert len(await world.queue.claim("other/0", 10, 60.0)) == 1  # given back, not left leased


async def test_a_call_that_outlasts_the_stop_is_unconfirmed_at_the_next_start(world):
    account = world.account()
    slow = Until(YES)
    world.provider.script = [slow]
    message = await world.kept(account)
    async with draining(world) as (worker, _):
        await asyncio.wait_for(slow.begun.wait(), 5.0)
        assert await worker.stop(0.05) == 1
    await world.queue.recover("local/0")
    assert await world.states(message) == [State.UNCONFIRMED]


async def test_a_clock_set_forward_does_not_make_it_send_what_it_is_sending(world):
    account = world.account()
    slow = Until(YES)
    world.provider.script = [slow]
    message = await world.kept(account)
    async with draining(world):
        await asyncio.wait_for(slow.begun.wait(), 5.0)
        world.clock.advance(3600)
        await world.kept(account)  # wakes it
        await until(lambda: _called(world, 2))
        slow.let_end.set()
        await until(all_in(world, [message], State.ACCEPTED))
    assert len(world.provider.calls) == 2
    assert world.counted("relay_possible_duplicates_total", provider="mensatek") == 0


async def _called(world, count):
    return len(world.provider.calls) >= count


@pytest.mark.parametrize("count", [1, 300])
async def test_nothing_is_left_leased_when_all_is_done(world, count):
    account = world.account()
    for _ in range(count):
        await world.kept(account)
    async with draining(world):
        await until(lambda: _empty(world))
    assert await world.queue.recover("local/0") == 0


async def test_nothing_more_is_claimed_while_what_is_held_fills_the_memory_it_may_have(world):
    account = world.account(concurrency=50)
    slow = Until(YES)
    world.provider.script = [slow]
    messages = [await world.kept(account)]
    async with draining(world, bytes_in_flight=1) as (_, active):
        await asyncio.wait_for(slow.begun.wait(), 5.0)
        messages += [await world.kept(account) for _ in range(5)]
        await asyncio.sleep(0.1)
        assert active.under_way == 1
        slow.let_end.set()
        await until(all_in(world, messages, State.ACCEPTED))


async def test_trouble_with_the_account_of_one_message_leaves_the_others_alone(world, monkeypatch):
    troubled, other = world.account("troubled"), world.account("other")
    messages = [await world.kept(account) for account in (troubled, other, other)]
    resolve, trouble = world.accounts.resolve, [QueueError("the credential cannot be read now")]

    async def sometimes(name):
        if name == "troubled" and trouble:
            raise trouble.pop()
        return await resolve(name)

    monkeypatch.setattr(world.accounts, "resolve", sometimes)
    async with draining(world):
        await until(all_in(world, messages[1:], State.ACCEPTED))
        world.clock.advance(RETRY.first)
        await until(all_in(world, messages, State.ACCEPTED))
    assert 3 == len(world.provider.calls)


async def test_a_claim_that_may_have_been_cut_short_by_its_bytes_has_not_caught_up(world, monkeypatch):
    """Taken for the whole, what arrived next overtook what the claim had left."""
    account = world.account()
    monkeypatch.setattr("relay.queue.candidates.CLAIM_BYTES", 1)
    monkeypatch.setattr("relay.worker._SMALL_CLAIM", 1)
    slow = [Until(YES) for _ in range(2)]
    world.provider.script = list(slow)
    messages = [await world.kept(account) for _ in range(2)]
    active = world.active
    worker = Worker(
        "local/0",
        queue=world.queue,
        gatekeeper=world.accounts,
        active=active,
        custodian=world.custodian,
        pauses=world.pauses,
        retry=RETRY,
        events=world.events,
        clock=world.clock,
    )
    assert [True, True, False] == [await worker._look() for _ in range(3)]
    assert not active.is_behind
    for until_ in slow:
        until_.let_end.set()
    await until(all_in(world, messages, State.ACCEPTED))
