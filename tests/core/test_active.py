"""The active queue: what is accepted goes on at once where nothing older waits, and nobody waits for ever."""

import asyncio
import time
from contextlib import asynccontextmanager

import pytest
from core_parts import RETRY, Until, open_world, still_there

from relay.config.settings import DeliverySettings
from relay.errors import QueueFull
from relay.outcome import Accepted, Blame, Deferred
from relay.queue.contract import State
from relay.worker import Worker

YES = Accepted("7", "70")


@pytest.fixture
def make_world(tmp_path):
    """Worlds whose worker has looked at the empty store once."""

    @asynccontextmanager
    async def make(**settings):
        async with open_world(tmp_path, DeliverySettings(**settings)) as world, working(world) as worker:
            yield world, worker

    return make


@asynccontextmanager
async def working(world):
    worker = Worker(
        "local/0",
        queue=world.queue,
        gatekeeper=world.accounts,
        active=world.active,
        custodian=world.custodian,
        pauses=world.pauses,
        retry=RETRY,
        events=world.events,
        clock=world.clock,
    )
    task = asyncio.create_task(worker.run())
    await until(lambda: not world.active.is_behind)
    try:
        yield worker
    finally:
        await worker.stop(5.0)
        await asyncio.wait_for(task, 5.0)


async def until(fact, seconds=20.0):
    deadline = time.monotonic() + seconds
    while not fact():
        assert time.monotonic() < deadline, "it did not come true"
        await asyncio.sleep(0.01)


async def all_sent(world, seconds=20.0):
    deadline = time.monotonic() + seconds
    while (await world.queue.stats()).messages_open:
        assert time.monotonic() < deadline, "mail is left"
        await asyncio.sleep(0.01)


class CountingQueue:
    """The real store, and what was asked of it."""

    def __init__(self, queue):
        self._queue, self.asked = queue, []

    def __getattr__(self, name):
        self.asked.append(name)
        return getattr(self._queue, name)


async def test_what_goes_on_at_once_is_read_once_and_written_twice(make_world):
    """One commit takes it in and journals its call, one writes down the outcome and lets it go."""
    async with make_world() as (world, _):
        asked = world.queued._queue = world.custodian._queue = CountingQueue(world.queue)
        message = await world.kept(world.account())
        await all_sent(world)

        assert ["put", "conclude"] == asked.asked
        assert 1 == world.provider.plans
        (entry,) = await world.entries(message)
        assert (State.ACCEPTED, 1, "id") == (entry.state, entry.attempts, entry.provider_message_id)


async def test_its_call_is_journalled_before_it_goes_out(make_world):
    async with make_world() as (world, _):
        slow = Until(YES)
        world.provider.script = [slow]
        message = await world.kept(world.account())
        await asyncio.wait_for(slow.begun.wait(), 5.0)

        (entry,) = await world.entries(message)
        assert (State.SENDING, 1) == (entry.state, entry.attempts)
        slow.let_end.set()
        await all_sent(world)


async def test_only_those_of_the_first_call_are_journalled_with_the_message(make_world):
    async with make_world() as (world, _):
        slow = Until(YES)
        world.provider.script = [slow]
        account = world.account(recipients_per_call=1)
        message = await world.kept(account, ("ana@example.net", "bo@example.net"))
        await asyncio.wait_for(slow.begun.wait(), 5.0)

        assert [State.SENDING, State.QUEUED] == await world.states(message)
        slow.let_end.set()
        await all_sent(world)
        assert [State.ACCEPTED, State.ACCEPTED] == await world.states(message)
        assert [1, 1] == [entry.attempts for entry in await world.entries(message)]


async def test_beyond_its_accounts_concurrency_it_stands_in_line(make_world):
    async with make_world() as (world, _):
        account = world.account(concurrency=1)
        slow = Until(YES)
        world.provider.script = [slow]
        first, second = [await world.kept(account) for _ in range(2)]
        await asyncio.wait_for(slow.begun.wait(), 5.0)

        assert [State.SENDING] == await world.states(first)
        assert [State.QUEUED] == await world.states(second)
        assert [] == await world.queue.claim("other/0", 10, 60.0)
        slow.let_end.set()
        await all_sent(world)


async def test_beyond_the_line_it_goes_into_the_store_and_all_are_sent_once(make_world):
    async with make_world() as (world, _):
        account = world.account(concurrency=2)
        slow = [Until(YES) for _ in range(2)]
        world.provider.script = list(slow)
        messages = [await world.kept(account) for _ in range(30)]
        assert world.active.is_behind
        for step in slow:
            step.let_end.set()
        await all_sent(world)

        assert 30 == len(world.provider.calls)
        assert {State.ACCEPTED} == {state for message in messages for state in await world.states(message)}
        await until(lambda: not world.active.is_behind)


async def test_who_comes_later_does_not_keep_out_who_waits_in_the_store(make_world):
    """A sender that never stops filled every free place while older mail of the same account waited in the store."""
    async with make_world() as (world, _):
        account = world.account(concurrency=1)
        slow = Until(YES)
        world.provider.script = [slow]
        early = [await world.kept(account) for _ in range(5)]
        slow.let_end.set()
        for _ in range(50):
            await world.kept(account)
            await asyncio.sleep(0)
            if all([await world.states(message) == [State.ACCEPTED] for message in early]):
                break
        else:
            pytest.fail("the early ones are still waiting")
        await all_sent(world)


async def test_one_accounts_line_leaves_the_others_their_places(make_world):
    async with make_world(concurrency=4) as (world, _):
        stuck, quick = world.account("stuck", concurrency=2), world.account("quick")
        slow = [Until(YES) for _ in range(2)]
        world.provider.script = list(slow)
        for _ in range(20):
            await world.kept(stuck)
        for step in slow:
            await asyncio.wait_for(step.begun.wait(), 5.0)
        messages = [await world.kept(quick) for _ in range(10)]
        deadline = time.monotonic() + 20
        while not all([await world.states(message) == [State.ACCEPTED] for message in messages]):
            assert time.monotonic() < deadline
            await asyncio.sleep(0.01)
        for step in slow:
            step.let_end.set()
        await all_sent(world)


async def test_a_message_that_could_not_be_committed_leaves_its_place_to_the_next(make_world):
    class FullQueue(CountingQueue):
        async def put(self, new):
            raise QueueFull("no room")

    async with make_world() as (world, _):
        account = world.account(concurrency=1)
        world.queued._queue = FullQueue(world.queue)
        for _ in range(3):
            refused = await world.queued.accept(await world.prepared(account), still_there)
            assert 452 == refused.reply.code
        world.queued._queue = world.queue

        message = await world.kept(account)
        await all_sent(world)

        assert [State.ACCEPTED] == await world.states(message)
        assert 1 == len(world.provider.calls)


async def test_a_pause_that_begins_before_the_call_takes_the_attempt_back(make_world):
    """Journalled as begun and never made: it was not tried, and nothing may say that the API may have it."""
    async with make_world() as (world, _):
        account = world.account(concurrency=2)
        fault = Until(Deferred("Res -1", blame=Blame.ACCOUNT))
        world.provider.script = [fault]
        await world.kept(account)
        await asyncio.wait_for(fault.begun.wait(), 5.0)
        holding = world.delivery._slot(account)
        await holding.acquire()  # a client that waits in direct mode has the other turn
        message = await world.kept(account)
        fault.let_end.set()
        await until(lambda: world.pauses.seconds_left(account.name) > 0)
        holding.release()
        deadline = time.monotonic() + 20
        while await world.states(message) != [State.QUEUED]:
            assert time.monotonic() < deadline
            await asyncio.sleep(0.01)

        (entry,) = await world.entries(message)
        assert 0 == entry.attempts
        assert 1 == len(world.provider.calls)


async def test_a_stop_gives_back_who_stands_in_line(make_world):
    async with make_world() as (world, worker):
        account = world.account(concurrency=1)
        slow = Until(YES)
        world.provider.script = [slow]
        first, second = [await world.kept(account) for _ in range(2)]
        await asyncio.wait_for(slow.begun.wait(), 5.0)
        stopping = asyncio.create_task(worker.stop(5.0))
        await asyncio.sleep(0.05)
        slow.let_end.set()

        assert 0 == await stopping
        assert [State.ACCEPTED] == await world.states(first)
        assert [State.QUEUED] == await world.states(second)
        assert 1 == len(await world.queue.claim("other/0", 10, 60.0))
        third = await world.kept(account)
        assert [State.QUEUED] == await world.states(third)
        assert 1 == len(await world.queue.claim("other/0", 10, 60.0))


async def test_a_crash_between_commit_and_call_leaves_it_unconfirmed(tmp_path):
    async with open_world(tmp_path) as world:
        prepared = await world.prepared(world.account())
        world.active.caught_up(frozenset())
        place = world.active.reserve(prepared)
        await world.queue.put(world.active.leased(place, world.queued.new_message(prepared, _fresh(prepared))))

        assert 1 == await world.queue.recover("local/0")

        assert [State.UNCONFIRMED] == await world.states(prepared.message.id)


def _fresh(prepared):
    from relay.entries import fresh_entries  # noqa: PLC0415

    return fresh_entries(prepared)


async def test_a_message_that_comes_again_before_it_was_let_go_is_attempted_again(make_world):
    """A store that was slow to write an account's pause left the attempt unfinished while its message was due again.

    Taken for one that is still being sent, it was put off by a whole lease, and its account stayed paused as long.
    """

    class SlowPause(CountingQueue):
        def __init__(self, queue):
            super().__init__(queue)
            self.may_pause = asyncio.Event()

        async def pause(self, pause):
            await self.may_pause.wait()
            await self._queue.pause(pause)

    async with make_world(pause_first="1s") as (world, _):
        slow = world.pauses._queue = SlowPause(world.queue)
        world.provider.script = [Deferred("Res -1", blame=Blame.ACCOUNT)]
        message = await world.kept(world.account())
        deadline = time.monotonic() + 20
        while await world.states(message) != [State.QUEUED] or await world.queue.next_due_at() is None:
            assert time.monotonic() < deadline
            await asyncio.sleep(0.01)
        world.clock.advance(31)  # it is due again, and the pause over
        await world.kept(world.account("another"))
        await until(lambda: len(world.provider.calls) == 2)
        slow.may_pause.set()
        await all_sent(world)


async def test_what_is_committed_while_all_else_ends_is_not_begun(tmp_path):
    """Its call may be journalled with it, but nothing is made of that: the next start finds it as it came."""
    async with open_world(tmp_path, DeliverySettings()) as world:
        async with working(world):
            asked = world.queued._queue = PausingQueue(world.queue, 2)
            account = world.account(concurrency=1)
            keeping = [asyncio.create_task(world.kept(account)) for _ in range(2)]
            await asyncio.wait_for(asked.reached.wait(), 5.0)
        asked.goes_on.set()
        messages = await asyncio.gather(*keeping)
        await until(lambda: not world.active.under_way)

        for message in messages:
            (entry,) = await world.entries(message)
            assert (State.QUEUED, 0) == (entry.state, entry.attempts)
        assert [] == world.provider.calls
        claims = await world.queue.claim("local/1", 10, 60.0)
        assert set(messages) == {claim.message.id for claim in claims}


class PausingQueue:
    """The real store, which commits messages when the test lets it."""

    def __init__(self, queue, awaited):
        self._queue, self._awaited = queue, awaited
        self.reached, self.goes_on = asyncio.Event(), asyncio.Event()

    async def put(self, new):
        self._awaited -= 1
        if not self._awaited:
            self.reached.set()
        await self.goes_on.wait()
        await self._queue.put(new)
