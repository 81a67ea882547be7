"""What is forgotten, and what never is."""

import asyncio

from core_parts import gone

from relay.housekeeping import Housekeeping
from relay.outcome import Deferred

DAY = 86400.0


async def test_only_what_was_finished_long_ago_is_forgotten(world):
    account = world.account(max_age="90d")
    old = await world.kept(account)
    await world.attempt(account)
    world.provider.script = [Deferred("busy")]
    waiting = await world.kept(account)
    await world.attempt(account)
    world.clock.advance(31 * DAY)
    young = await world.kept(account)
    await world.attempt(account)
    assert await Housekeeping(world.queue, 30 * DAY, world.events, world.clock).prune() == 1
    assert await world.queue.entries(old) is None
    assert await world.queue.entries(waiting) is not None
    assert await world.queue.entries(young) is not None
    assert world.logged("pruned")[0]["messages"] == 1


async def test_messages_in_doubt_are_forgotten_when_their_time_is_over(world):
    await world.direct.accept(await world.prepared(world.account(mode="direct")), gone)
    keeping_house = Housekeeping(world.queue, 30 * DAY, world.events, world.clock)
    await keeping_house.prune()
    assert await world.queue.forget(0) == 1  # it was still there
    await world.direct.accept(await world.prepared(world.account(mode="direct")), gone)
    world.clock.advance(86400)
    await keeping_house.prune()
    assert await world.queue.forget(0) == 0


async def test_a_store_that_fails_does_not_end_it(world):
    await world.queue.close()
    keeping_house = Housekeeping(world.queue, 30 * DAY, world.events, world.clock)
    task = asyncio.create_task(keeping_house.run())
    await asyncio.sleep(0.05)
    assert not task.done()
    assert world.logged("store_failed")
    task.cancel()
