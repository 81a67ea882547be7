"""Queue mode, and the client that did not hear its 250 and sends the same message again."""

import asyncio
from dataclasses import replace

import pytest
from core_parts import gone, still_there

from relay.intake import Queued
from relay.outcome import Replies
from relay.queue.contract import State
from relay.unheard import Unheard


async def kept(world) -> int:
    return (await world.queue.stats()).by_state[State.QUEUED]


async def send(world, hears=still_there, *, queued=None, recipients=("ana@example.net",)):
    prepared = await world.prepared(world.account(), recipients)
    return await (queued or world.queued).accept(prepared, hears)


async def test_what_was_not_heard_is_kept_once(world):
    for hears in (gone, gone, still_there):
        taken = await send(world, hears)
        assert (taken.reply, taken.queued) == (Replies.QUEUED, True)
    assert await kept(world) == 1
    assert len(world.logged("message_repeated")) == 2


async def test_once_it_was_heard_the_same_message_is_kept_again(world):
    """An alert without Date or Message-ID is the same bytes every time."""
    for hears in (still_there, still_there, gone, still_there, still_there):
        assert (await send(world, hears)).reply.is_success
    assert await kept(world) == 4


async def test_another_message_of_the_same_account_is_kept(world):
    await send(world, gone)
    await send(world, recipients=("ana@example.net", "luis@example.net"))
    assert await kept(world) == 3
    assert world.logged("message_repeated") == []


async def test_it_is_remembered_for_a_day(world):
    await send(world, gone)
    world.clock.advance(86401)
    await send(world)
    assert await kept(world) == 2


async def test_another_process_knows_a_second_later(world):
    other = Queued(
        world.queue,
        world.active,
        world.schedule,
        Unheard(world.doubts, world.queue, world.events, world.clock),
        world.events,
        world.clock,
    )
    await send(world, queued=other, recipients=("luis@example.net",))  # it has looked
    await send(world, gone)
    world.clock.advance(1)
    await send(world, queued=other)
    assert await kept(world) == 2


async def test_a_message_that_comes_again_while_it_is_being_kept_waits_for_that(world):
    """The disk hangs, the client is told 421, and comes again before the commit is done."""
    is_there = True
    first = await world.prepared(world.account())
    begun, may_end = asyncio.Event(), asyncio.Event()

    async def keep_slowly(prepared):
        begun.set()
        await may_end.wait()
        return await world.queued.keep(prepared)

    unheard = world.unheard
    keeping = asyncio.create_task(unheard.take(first, lambda: is_there, keep_slowly))
    await begun.wait()
    is_there = False
    again = asyncio.create_task(unheard.take(await world.prepared(world.account()), still_there, world.queued.keep))
    await asyncio.sleep(0.05)
    assert not again.done()
    may_end.set()
    assert [taken.reply.code for taken in await asyncio.gather(keeping, again)] == [250, 250]
    assert await kept(world) == 1


async def test_two_clients_that_wait_at_the_same_time_get_two_copies(world):
    both = [await world.prepared(world.account()) for _ in range(2)]
    await asyncio.gather(*(world.queued.accept(prepared, still_there) for prepared in both))
    assert await kept(world) == 2


@pytest.mark.parametrize("hears", [gone, still_there])
async def test_what_could_not_be_kept_is_not_remembered(world, hears):
    async def fail(_prepared):
        return replace(taken, reply=Replies.STORE_FULL)

    taken = await send(world, recipients=("luis@example.net",))
    prepared = await world.prepared(world.account())
    assert (await world.unheard.take(prepared, hears, fail)).reply == Replies.STORE_FULL
    await send(world)
    assert await kept(world) == 2


async def test_nothing_is_written_for_what_was_heard(world):
    for _ in range(3):
        await send(world)
    assert await world.queue.unheard(0.0) == []
