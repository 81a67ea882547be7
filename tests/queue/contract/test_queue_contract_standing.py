"""Who logs in: changed in one step, whoever else does the same."""

import asyncio
from dataclasses import replace

from queue_parts import NOON, new

from relay.queue.contract import Standing, State, Volume

FIRST = Standing(1, NOON, NOON, NOON + 100, blocks=2, blocked_until=NOON + 50, proven_until=NOON + 70)


def one_more(known):
    return replace(known, failures=known.failures + 1) if known else Standing(1, NOON, NOON, NOON + 100)


async def test_what_is_changed_is_found_and_what_is_unknown_is_left_out(queue):
    assert {} == await queue.standings(["a"])
    assert FIRST == await queue.change_standing("a", lambda known: FIRST if known is None else None)
    await queue.change_standing("b", one_more)
    assert {"a": FIRST} == await queue.standings(["a", "c"])
    assert {"a", "b"} == (await queue.standings(["b", "a"])).keys()


async def test_nothing_is_lost_between_processes(make_queue):
    queues = [await make_queue() for _ in range(3)]
    await asyncio.gather(*(queues[number % 3].change_standing("client 192.0.2.1", one_more) for number in range(60)))
    assert 60 == (await queues[0].standings(["client 192.0.2.1"]))["client 192.0.2.1"].failures


async def test_what_is_changed_into_nothing_is_gone(queue):
    await queue.change_standing("a", one_more)
    assert await queue.change_standing("a", lambda _: None) is None
    assert {} == await queue.standings(["a"])


async def test_what_is_over_and_the_oldest_of_what_is_too_much_is_deleted(queue, clock):
    for number in range(6):
        await queue.change_standing(f"k{number}", lambda _, ends=NOON + number: replace(FIRST, until=ends))
    clock.advance(1)
    assert 2 == await queue.forget(100)
    assert 1 == await queue.forget(3)
    assert {"k3", "k4", "k5"} == (await queue.standings([f"k{number}" for number in range(6)])).keys()


async def test_volume_is_counted_by_account_and_time(queue):
    assert Volume(0, 0, None) == await queue.volume("acme", 0.0, NOON + 1)
    await queue.put(new("a@x.example", "b@x.example", received_at=NOON))
    await queue.put(new("c@x.example", received_at=NOON - 100, states=[State.ACCEPTED]))
    await queue.put(new("d@x.example", account="other"))

    assert Volume(2, 3, NOON - 100) == await queue.volume("acme", NOON - 100, NOON + 1)
    assert Volume(1, 2, NOON) == await queue.volume("acme", NOON - 99, NOON + 1)
    assert Volume(1, 1, NOON - 100) == await queue.volume("acme", NOON - 100, NOON)
    assert Volume(0, 0, None) == await queue.volume("acme", NOON + 1, NOON + 2)
