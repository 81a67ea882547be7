"""When accounts are left alone: for their own faults, and for the API's trouble."""

import asyncio

import pytest
from core_parts import Until, open_world

from relay.config.settings import DeliverySettings
from relay.errors import ProviderError
from relay.outcome import Accepted, Blame, Deferred, Refused
from relay.pauses import Pauses
from relay.queue.contract import Pause, State

BUSY = Deferred("HTTP 503")
FAULT = Deferred("Res -1", blame=Blame.ACCOUNT)
SETTINGS = DeliverySettings()


async def tried(world, account, *steps):
    """Make one attempt at a new message for each step."""
    for step in steps:
        world.provider.script = [step]
        await world.kept(account, (f"user{len(world.provider.calls)}@example.net",))
        await world.attempt(account)


async def test_after_several_failed_calls_in_a_row_an_account_is_left_alone_longer_each_time(world):
    account = world.account()
    await tried(world, account, *[BUSY] * 4)
    assert 0 == world.pauses.seconds_left("erp")
    await tried(world, account, ProviderError("no connection", maybe_accepted=False))
    assert 10 == world.pauses.seconds_left("erp")
    world.clock.advance(10)
    await tried(world, account, BUSY)  # one careful call
    assert 20 == world.pauses.seconds_left("erp")
    assert ["erp"] == [pause.account for pause in await world.queue.paused()]
    assert 2 == len(world.logged("account_in_trouble"))
    assert [] == world.logged("account_paused")
    world.clock.advance(20)
    await tried(world, account, Accepted("1"))
    assert not world.pauses.in_probation("erp")
    assert [] == await world.queue.paused()


@pytest.mark.parametrize("said", [Accepted("1"), Refused("no such user"), Deferred("odd", blame=Blame.MESSAGE)])
async def test_an_api_that_answers_in_between_is_in_no_trouble(world, said):
    account = world.account()
    await tried(world, account, BUSY, BUSY, BUSY, BUSY, said, BUSY, BUSY, BUSY, BUSY)
    assert 0 == world.pauses.seconds_left("erp")


async def test_where_nobody_succeeds_the_next_account_is_left_alone_after_its_first_failure(world):
    first, second = world.account("first"), world.account("second")
    await tried(world, first, *[BUSY] * 5)
    await tried(world, second, BUSY)
    assert 10 == world.pauses.seconds_left("second")


async def test_where_others_succeed_it_is_the_account_s_own_trouble(world):
    first, second = world.account("first"), world.account("second")
    for _ in range(4):
        await tried(world, first, BUSY)
        await tried(world, second, Accepted("1"))
    await tried(world, second, BUSY)
    assert 0 == world.pauses.seconds_left("second")
    await tried(world, first, BUSY)
    assert 10 == world.pauses.seconds_left("first")


async def test_how_long_the_api_asks_to_be_left_alone_is_honoured(world):
    account = world.account()
    await tried(world, account, *[BUSY] * 4, Deferred("HTTP 429", retry_after_seconds=120.0))
    assert 120 == world.pauses.seconds_left("erp")


async def test_the_breaker_can_be_switched_off(tmp_path):
    async with open_world(tmp_path, DeliverySettings(trouble_after=0)) as world:
        await tried(world, world.account(), *[BUSY] * 20)
        assert 0 == world.pauses.seconds_left("erp")


async def test_a_fault_of_the_account_is_a_first_one_however_long_the_trouble_was(world):
    account = world.account()
    await tried(world, account, *[BUSY] * 5)
    for _ in range(3):
        world.clock.advance(300)
        await tried(world, account, BUSY)
    world.clock.advance(300)
    await tried(world, account, FAULT)
    assert 60 == world.pauses.seconds_left("erp")
    assert 1 == len(world.logged("account_paused"))


async def test_changed_credentials_are_tried_at_once_by_one_careful_call(world):
    account = world.account()
    await tried(world, account, FAULT)
    await world.pauses.hurry("erp")
    assert (0, True) == (world.pauses.seconds_left("erp"), world.pauses.in_probation("erp"))
    assert [world.clock.now] == [pause.until for pause in await world.queue.paused()]
    await tried(world, account, FAULT)
    assert 120 == world.pauses.seconds_left("erp")
    await world.pauses.hurry("nobody")


class SlowStore:
    """A store whose answers and writes wait until the test lets them through, and then may fail."""

    def __init__(self):
        self.kept = {}
        self.let_write, self.writing = asyncio.Event(), asyncio.Event()

    async def paused(self):
        return list(self.kept.values())

    async def pause(self, pause):
        self.writing.set()
        await self.let_write.wait()
        self.kept[pause.account] = pause


async def test_what_is_still_being_written_is_not_undone_by_what_the_store_tells(world):
    """A list that was read before the pause reached the store does not know it."""
    store = SlowStore()
    pauses = Pauses(store, SETTINGS, world.events, world.clock)
    await pauses.refresh()
    writing = asyncio.create_task(pauses.fault("erp", "mensatek", "Res -1"))
    await store.writing.wait()
    world.clock.advance(6)
    await pauses.refresh()
    assert 54 == pauses.seconds_left("erp")
    store.let_write.set()
    await writing
    world.clock.advance(6)
    store.kept["other"] = Pause("other", world.clock.now + 30, "Res -2", 1)
    await pauses.refresh()
    assert (48, 30) == (pauses.seconds_left("erp"), pauses.seconds_left("other"))


async def test_an_account_in_trouble_delays_no_other(world):
    troubled, other = world.account("troubled", concurrency=1), world.account("other")
    slow = Until(BUSY)
    world.provider.script = [slow]
    stuck = await world.kept(troubled)
    attempt = asyncio.create_task(world.attempt(troubled))
    await asyncio.wait_for(slow.begun.wait(), 5.0)
    message = await world.kept(other)
    await world.attempt(other)
    assert [State.ACCEPTED] == await world.states(message)
    slow.let_end.set()
    await attempt
    assert [State.QUEUED] == await world.states(stuck)


async def test_a_person_s_pause_outlasts_calls_that_were_under_way(world):
    account = world.account()
    await world.queue.pause(Pause("erp", until=world.clock() + 600, reason="moving house", failures=0))
    await world.pauses.refresh()
    await world.pauses.success("erp", account.provider)
    assert ["moving house"] == [pause.reason for pause in await world.queue.paused()]
    world.clock.advance(601)
    await world.pauses.success("erp", account.provider)
    assert [] == await world.queue.paused()


async def test_trouble_that_another_process_has_seen_end_is_over_here_too(world):
    other = Pauses(world.queue, SETTINGS, world.events, world.clock)
    for _ in range(5):
        await world.pauses.trouble("erp", "mensatek", "there", "HTTP 503", None)
    await other.refresh()
    world.clock.advance(20)
    await other.success("erp", "mensatek")
    await world.pauses.refresh()
    assert not world.pauses.in_probation("erp")
    for _ in range(4):
        await world.pauses.trouble("erp", "mensatek", "there", "HTTP 503", None)
    assert 0 == world.pauses.seconds_left("erp")
    await world.pauses.trouble("erp", "mensatek", "there", "HTTP 503", None)
    assert 10 == world.pauses.seconds_left("erp")
