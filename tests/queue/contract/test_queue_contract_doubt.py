"""Messages in doubt: remembered for everybody, taken by one at a time."""

import asyncio

import pytest
from queue_parts import NOON

from relay.errors import BeingTaken, LeaseLost
from relay.outcome import Accepted, Replies
from relay.queue.contract import Doubt

MARK, OTHER = b"\x00" * 16, b"\xff" * 16
BEGUN = Doubt(NOON, NOON + 1000, maybe_accepted=frozenset({"ana@x.example", "luis@x.example"}))


async def take(queue, mark=MARK, *, token=b"one", owner="local/0", lease_seconds=60.0, begun=BEGUN):
    return await queue.open_doubt(mark, begun, owner=owner, token=token, lease_seconds=lease_seconds)


async def test_a_message_not_seen_before_is_known_as_begun_from_then_on(queue, clock):
    assert await take(queue) is None
    clock.advance(60)
    assert BEGUN == await take(queue, token=b"two")
    assert await take(queue, OTHER) is None


async def test_a_message_is_taken_by_one_at_a_time(make_queue, clock):
    here, there = await make_queue(), await make_queue()
    await take(here)
    with pytest.raises(BeingTaken):
        await take(there, token=b"two", owner="local/1")
    clock.advance(59)
    with pytest.raises(BeingTaken):
        await take(there, token=b"two", owner="local/1")


async def test_of_many_at_once_one_takes_it(make_queue):
    queues = [await make_queue() for _ in range(3)]
    takings = (take(queues[number % 3], token=bytes([number])) for number in range(30))
    results = await asyncio.gather(*takings, return_exceptions=True)
    assert 1 == results.count(None)
    assert 29 == sum(isinstance(result, BeingTaken) for result in results)


@pytest.mark.parametrize(
    "doubt",
    [
        Doubt(NOON + 1, NOON + 99, reply=Replies.QUEUED, is_queued=True),
        Doubt(NOON + 1, NOON + 99, reply=Replies.ACCEPTED),
        Doubt(
            NOON + 1,
            NOON + 99,
            accepted={"ana@x.example": Accepted("m", "b", "counted 2", 2), "ñ@x.example": Accepted()},
            maybe_accepted=frozenset({"luis@x.example"}),
        ),
    ],
)
async def test_what_is_written_is_what_the_next_one_finds(make_queue, doubt):
    here, there = await make_queue(), await make_queue()
    await take(here)
    await here.write_doubt(MARK, b"one", doubt)
    assert doubt == await take(there, token=b"two", owner="local/1")


async def test_what_is_not_to_be_remembered_is_forgotten(queue):
    await take(queue)
    await queue.write_doubt(MARK, b"one", None)
    assert await take(queue, token=b"two") is None


async def test_a_lease_can_be_kept_while_writing(queue, clock):
    await take(queue)
    clock.advance(50)
    await queue.write_doubt(MARK, b"one", BEGUN, lease_seconds=60)
    clock.advance(50)
    with pytest.raises(BeingTaken):
        await take(queue, token=b"two")


async def test_who_lost_the_lease_writes_nothing(queue, clock):
    await take(queue)
    clock.advance(60)
    await take(queue, token=b"two")
    for doubt in (None, Doubt(NOON, NOON + 5)):
        with pytest.raises(LeaseLost):
            await queue.write_doubt(MARK, b"one", doubt)
    await queue.write_doubt(MARK, b"two", BEGUN)
    assert BEGUN == await take(queue, token=b"three")


async def test_an_owner_that_begins_a_new_life_lets_go_and_what_it_began_is_known(queue):
    await take(queue, owner="local/0")
    await take(queue, OTHER, owner="local/1")
    await queue.recover("local/0")
    assert BEGUN == await take(queue, token=b"two")
    with pytest.raises(BeingTaken):
        await take(queue, OTHER, token=b"two")


async def test_what_is_over_is_not_known_any_more(queue, clock):
    await take(queue)
    await queue.write_doubt(MARK, b"one", Doubt(NOON, NOON + 10, reply=Replies.ACCEPTED))
    clock.advance(10)
    assert await take(queue, token=b"two") is None


async def test_a_clock_that_was_set_back_keeps_nobody_waiting_for_a_lease(queue, clock):
    clock.advance(30 * 86400)
    await take(queue)
    clock.advance(-30 * 86400)
    assert BEGUN == await take(queue, token=b"two")


async def test_who_read_the_clock_a_moment_earlier_takes_nothing_from_anybody(make_queue, clock):
    here, there = await make_queue(), await make_queue()
    await take(here)
    clock.advance(-0.005)
    with pytest.raises(BeingTaken):
        await take(there, token=b"two", owner="local/1")


async def test_who_gives_shorter_leases_takes_nothing_from_anybody(queue):
    """As after a reload by which calls may take less time."""
    await take(queue, lease_seconds=660.0)
    with pytest.raises(BeingTaken):
        await take(queue, token=b"two", lease_seconds=70.0)


async def test_what_is_over_or_too_much_is_deleted_and_nothing_that_is_being_taken(queue, clock):
    for number in range(5):
        mark = bytes([number]) * 16
        await take(queue, mark, token=mark)
        await queue.write_doubt(mark, mark, Doubt(NOON, NOON + 10 + number, reply=Replies.ACCEPTED))
    await take(queue, MARK + b"taken", begun=Doubt(NOON, NOON + 1))
    clock.advance(11)
    assert 2 == await queue.forget(100)
    assert 1 == await queue.forget(2)
    known = [await take(queue, bytes([number]) * 16, token=b"x") for number in range(5)]
    assert [False, False, False, True, True] == [doubt is not None for doubt in known]
    with pytest.raises(BeingTaken):
        await take(queue, MARK + b"taken", token=b"two")


async def test_what_was_taken_unheard_is_listed_since_a_time_for_everybody(make_queue, clock):
    here, there = await make_queue(), await make_queue()
    unheard = Doubt(NOON, NOON + 3600, reply=Replies.QUEUED, is_queued=True, account="erp")
    await take(here)
    await take(here, OTHER)
    assert await there.unheard(0.0) == []
    await here.write_doubt(OTHER, b"one", unheard)
    assert list(await there.unheard(NOON)) == [("erp", OTHER, NOON + 3600)]
    assert list(await there.unheard(NOON + 1)) == []
    assert await take(there, OTHER) == unheard
    await there.write_doubt(OTHER, b"one", None)
    assert list(await here.unheard(0.0)) == []
