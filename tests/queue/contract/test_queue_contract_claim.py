"""What `claim` promises."""

import asyncio
from collections import Counter

import pytest
from queue_parts import ACCEPTED, DEFERRED, NOON, claim_one, ids, new, random_data, states

from relay.errors import QueueError
from relay.queue.candidates import SKIP_LIMIT
from relay.queue.contract import Pause, State


async def test_oldest_due_comes_first(queue):
    late, early, middle = new(due_at=NOON - 1), new(due_at=NOON - 30), new(due_at=NOON - 20, account="other")
    for made in (late, early, middle):
        await queue.put(made)

    found = await queue.claim("worker", 10, 60)

    assert [early.message.id, middle.message.id, late.message.id] == ids(found)


async def test_no_more_than_asked_for(queue):
    for _ in range(5):
        await queue.put(new())

    assert 3 == len(await queue.claim("worker", 3, 60))
    assert 2 == len(await queue.claim("worker", 3, 60))
    assert 0 == len(await queue.claim("worker", 3, 60))
    assert 0 == len(await queue.claim("worker", 0, 60))


async def test_nothing_before_it_is_due(queue, clock):
    await queue.put(new(due_at=NOON + 10))
    assert [] == await queue.claim("worker", 10, 60)

    clock.advance(10)

    assert 1 == len(await queue.claim("worker", 10, 60))


async def test_two_owners_never_get_the_same(make_queue):
    first, second = await make_queue(), await make_queue()
    made = [new(f"user{number}@example.org") for number in range(100)]
    await asyncio.gather(*map(first.put, made))

    found = await asyncio.gather(
        *(queue.claim(owner, 7, 60) for queue, owner in ((first, "a"), (second, "b")) for _ in range(10))
    )

    got = [message_id for claims in found for message_id in ids(claims)]
    assert sorted(one.message.id for one in made) == sorted(got)


async def test_never_of_an_account_that_is_left_out(queue):
    await queue.put(new(account="full", due_at=NOON - 10))
    await queue.put(new(account="free"))

    assert ["free"] == [claim.message.account for claim in await queue.claim("worker", 10, 60, without={"full"})]
    assert ["full"] == [claim.message.account for claim in await queue.claim("worker", 10, 60)]


async def test_never_of_an_account_that_is_paused_until_its_time(queue, clock):
    await queue.put(new(account="poor"))
    await queue.put(new(account="rich"))
    await queue.pause(Pause("poor", NOON + 60, "no credits", 1))

    assert ["rich"] == [claim.message.account for claim in await queue.claim("worker", 10, 600)]
    clock.advance(60)
    assert ["poor"] == [claim.message.account for claim in await queue.claim("worker", 10, 60)]


@pytest.mark.parametrize("way", ["paused", "left out"])
async def test_a_great_account_does_not_hide_the_others(queue, way):
    """More of it waits than any look from the head steps over."""
    await asyncio.gather(*(queue.put(new(account="great", due_at=NOON - 1000)) for _ in range(400)))
    wanted = [new(account=f"small{number % 7}", due_at=NOON - number) for number in range(30)]
    await asyncio.gather(*map(queue.put, wanted))
    await queue.put(new(account="future", due_at=NOON + 1000))
    if way == "paused":
        await queue.pause(Pause("great", NOON + 60, "no credits", 1))

    found = await queue.claim("worker", 20, 60, without=() if way == "paused" else ["great"])

    assert 20 == len(found)
    assert {*ids(found)} < {made.message.id for made in wanted}


async def test_a_lease_that_ended_comes_back_unconfirmed(queue, clock):
    made = new("a@x.example", "b@x.example", "c@x.example")
    await queue.put(made)
    claim = await claim_one(queue, "a", 60)
    await queue.begin(claim, [0, 1], 60)
    await queue.record(claim, [ACCEPTED], seconds=1, call="send")
    clock.advance(59)
    assert [] == await queue.claim("b", 10, 60)

    clock.advance(1)
    again = await claim_one(queue, "b", 60)

    assert [State.ACCEPTED, State.UNCONFIRMED, State.QUEUED] == [entry.state for entry in again.entries]
    assert [State.ACCEPTED, State.UNCONFIRMED, State.QUEUED] == await states(queue, made.message.id)
    assert clock.now == again.entries[1].changed_at
    assert "interrupted" in again.entries[1].reason
    assert "b-1" == again.batch_id


async def test_begin_renews_the_lease(queue, clock):
    await queue.put(new())
    claim = await claim_one(queue, "a", 60)
    clock.advance(50)
    await queue.begin(claim, [0], 60)
    clock.advance(59)

    assert [] == await queue.claim("b", 10, 60)


async def test_a_lease_that_ended_of_a_paused_account_waits(queue, clock):
    await queue.put(new())
    await claim_one(queue, "a", 10)
    await queue.pause(Pause("acme", NOON + 100, "no credits", 1))
    clock.advance(20)

    assert [] == await queue.claim("b", 10, 60)
    assert NOON + 100 == await queue.next_due_at()


async def test_a_lease_that_ended_takes_its_turn_by_due_time(queue, clock):
    old, middle, young = (new(due_at=NOON - age) for age in (30, 20, 10))
    await queue.put(middle)
    await claim_one(queue, "a", 10)
    await queue.put(young)
    await queue.put(old)
    clock.advance(10)

    found = await queue.claim("b", 10, 60)

    assert [old.message.id, middle.message.id, young.message.id] == ids(found)


async def test_a_message_finished_but_not_released_is_closed_and_not_handed_out(queue, clock):
    """Its owner died between record and release."""
    made = new(data=random_data(200_000))
    await queue.put(made)
    claim = await claim_one(queue, "a", 10)
    await queue.begin(claim, [0], 10)
    await queue.record(claim, [ACCEPTED], seconds=1)
    clock.advance(10)

    assert [] == await queue.claim("b", 10, 60)
    assert await queue.next_due_at() is None
    with pytest.raises(QueueError):
        await queue.release(claim, None)


async def test_a_released_message_can_be_claimed_when_due_again(queue, clock):
    await queue.put(new())
    claim = await claim_one(queue)
    await queue.begin(claim, [0], 60)
    await queue.record(claim, [DEFERRED], seconds=1)
    await queue.release(claim, NOON + 30)
    assert [] == await queue.claim("worker", 1, 60)

    clock.advance(30)
    again = await claim_one(queue)

    assert (State.QUEUED, 1, "busy") == (again.entries[0].state, again.entries[0].attempts, again.entries[0].reason)


async def test_a_claim_is_held_to_an_amount_of_bytes_but_never_to_nothing(queue):
    """Fifty big mails must not all come into memory at once; what is left is signalled."""
    made = [new(due_at=NOON - 10 + number, data=bytes(30 * 1024 * 1024)) for number in range(4)]
    for one in made:
        await queue.put(one)

    found = await queue.claim("worker", 50, 60)
    await asyncio.wait_for(queue.wait(60), 5)

    assert [one.message.id for one in made[:2]] == ids(found)
    assert [one.message.id for one in made[2:]] == ids(await queue.claim("worker", 50, 60))


async def fill(queue, account, count, **more):
    made = [new(account=account, **more) for _ in range(count)]
    await asyncio.gather(*map(queue.put, made))
    return [one.message.id for one in made]


async def accounts_of(queue, limit, **more):
    return [claim.message.account for claim in await queue.claim("worker", limit, 60, **more)]


async def test_where_much_is_due_accounts_take_turns(queue):
    """Hundreds of older messages of one account stood before the first one of every other."""
    await fill(queue, "big", SKIP_LIMIT + 20, due_at=NOON - 100)
    for account in ("a", "small", "z"):
        await fill(queue, account, 1, due_at=NOON)

    assert ["a", "big", "small", "z"] == sorted(await accounts_of(queue, 4))
    assert ["big"] * 4 == await accounts_of(queue, 4)


async def test_turns_go_on_from_claim_to_claim(queue):
    for account in ("a", "b", "c"):
        await fill(queue, account, SKIP_LIMIT // 2, due_at=NOON - ord(account))

    taken = [account for _ in range(6) for account in await accounts_of(queue, 1)]

    assert {"a": 2, "b": 2, "c": 2} == Counter(taken)
    assert 3 == len(set(taken[:3]))


async def test_in_its_turn_an_account_gives_its_oldest(queue):
    late = await fill(queue, "a", SKIP_LIMIT + 20, due_at=NOON)
    early = await fill(queue, "a", 3, due_at=NOON - 5)
    await fill(queue, "b", 3, due_at=NOON - 50)

    taken = [claim.message.id for claim in await queue.claim("worker", 8, 60) if claim.message.account == "a"]

    assert {*early} < {*taken}
    assert 4 <= len(taken)
    assert {*taken} <= {*early, *late}


async def test_who_is_paused_or_not_due_has_no_turn(queue):
    await fill(queue, "busy", SKIP_LIMIT + 20)
    await fill(queue, "paused", 2, due_at=NOON - 100)
    await fill(queue, "later", 2, due_at=NOON + 100)
    await fill(queue, "without", 2, due_at=NOON - 100)
    await fill(queue, "zz", 1)
    await queue.pause(Pause("paused", NOON + 60, "no credits", 1))

    assert ["busy", "busy", "zz"] == sorted(await accounts_of(queue, 4, without=["without"]))


async def test_what_is_left_of_much_is_signalled(queue):
    """A turn may bring fewer than were asked for; who waits for a signal then must look again."""
    await fill(queue, "busy", SKIP_LIMIT + 20)
    await fill(queue, "zz", 1)

    await queue.claim("worker", 10, 60)

    await asyncio.wait_for(queue.wait(60), 5)
