"""A week without the API, and clocks that jump: slower, but nothing lost, nothing doubled, nobody hammered."""

from relay.outcome import Deferred
from relay.queue.contract import State

HOURS = 7 * 24


async def work_off(world, account):
    """Attempt whatever is due, as the worker does."""
    while claims := await world.queue.claim("local/0", 50, 60.0):
        for claim in claims:
            await world.keeper.attempt(world.custodian.take(claim, account))


async def test_a_week_without_the_api_costs_a_call_now_and_then_and_no_mail(world):
    account = world.account(max_age="10d")
    messages = [await world.kept(account, (f"user{number}@example.net",)) for number in range(20)]
    world.provider.script = [Deferred("HTTP 503")] * (20 * HOURS)
    for _ in range(HOURS):
        await work_off(world, account)
        world.clock.advance(3600)
    failed = len(world.provider.calls)
    assert HOURS < failed <= 5 + HOURS  # after the first few, one careful call for each look
    world.provider.script = []
    for _ in range(2):
        await work_off(world, account)
        world.clock.advance(3600)
    assert [[State.ACCEPTED]] * 20 == [await world.states(message) for message in messages]
    assert 20 == len(world.provider.calls) - failed
    assert 0 == world.counted("relay_possible_duplicates_total", provider="mensatek")
    assert [] == await world.queue.paused()


async def test_after_a_week_without_the_api_who_was_tried_in_vain_is_given_up_and_nobody_else(world):
    account = world.account(max_age="2d")
    messages = [await world.kept(account, (f"user{number}@example.net",)) for number in range(20)]
    world.provider.script = [Deferred("HTTP 503")] * (20 * HOURS)
    for _ in range(HOURS):
        await work_off(world, account)
        world.clock.advance(3600)
    entries = [(await world.entries(message))[0] for message in messages]
    assert {State.EXPIRED} == {entry.state for entry in entries if entry.attempts}
    assert {State.QUEUED} >= {entry.state for entry in entries if not entry.attempts}


async def test_a_clock_that_jumps_back_and_forth_loses_and_doubles_nothing(world):
    account = world.account()
    messages = []
    for jump in (0, 86400, -86400, -3600, 7200, -86400 * 2, 86400 * 2):
        world.clock.advance(jump)
        messages.append(await world.kept(account, (f"user{len(messages)}@example.net",)))
        await work_off(world, account)
    world.clock.advance(86400)
    await work_off(world, account)
    assert [[State.ACCEPTED]] * 7 == [await world.states(message) for message in messages]
    assert 7 == len(world.provider.calls)
