"""What `confirm` promises."""

import pytest
from queue_parts import ACCEPTED, DEFERRED, NOON, REFUSED, claim_one, dues, ids, new, states

from relay.errors import LeaseLost, QueueError
from relay.message import MessageId
from relay.outcome import Accepted, Deferred
from relay.queue.contract import FINAL_STATES, Result, State

UNSURE = [State.UNCONFIRMED]
HELD = Result(0, Deferred("ask a person"), State.HELD)


async def put_unsure(queue, *more: State, due_at: float = NOON + 900):
    made = new(*(f"user{number}@x.example" for number in range(1 + len(more))), states=[*UNSURE, *more], due_at=due_at)
    await queue.put(made)
    return made.message.id


async def test_it_writes_state_reason_ids_and_time(queue, clock):
    unsure = await put_unsure(queue, State.QUEUED)
    clock.advance(5)

    assert 1 == await queue.confirm(unsure, [Result(0, Accepted("m-1", "b-1", "reported"), State.ACCEPTED)])

    first, second = await queue.entries(unsure)
    assert (State.ACCEPTED, "m-1", "b-1", "reported", NOON + 5) == (
        first.state,
        first.provider_message_id,
        first.provider_batch_id,
        first.reason,
        first.changed_at,
    )
    assert (State.QUEUED, NOON) == (second.state, second.changed_at)


@pytest.mark.parametrize("state", sorted(set(State) - {State.UNCONFIRMED, State.HELD}))
async def test_who_is_neither_unconfirmed_nor_held_is_left_as_it_is(queue, state):
    made = new(states=[state], entries_due_at=NOON + 1)
    await queue.put(made)
    before = await queue.entries(made.message.id)

    assert 0 == await queue.confirm(made.message.id, [Result(0, Accepted("other"), State.ACCEPTED, NOON + 2)])

    assert before == await queue.entries(made.message.id)


async def test_it_tells_how_many_it_settled(queue):
    unsure = await put_unsure(queue, State.QUEUED, State.UNCONFIRMED, State.HELD)
    results = [Result(position, Accepted(f"m-{position}"), State.ACCEPTED) for position in range(4)]

    assert 3 == await queue.confirm(unsure, results)
    assert 0 == await queue.confirm(unsure, results)

    assert [State.ACCEPTED, State.QUEUED, State.ACCEPTED, State.ACCEPTED] == await states(queue, unsure)


async def test_of_a_message_or_recipient_that_is_not_there_it_settles_none(queue):
    unsure = await put_unsure(queue)

    assert 0 == await queue.confirm(MessageId("nobody"), [ACCEPTED])
    assert 0 == await queue.confirm(unsure, [Result(7, Accepted(), State.ACCEPTED)])
    assert 0 == await queue.confirm(unsure, [])

    assert UNSURE == await states(queue, unsure)


async def test_the_first_of_two_proofs_counts(queue):
    unsure = await put_unsure(queue)

    assert 1 == await queue.confirm(unsure, [ACCEPTED, REFUSED])

    assert [State.ACCEPTED] == await states(queue, unsure)


async def test_it_takes_an_answer_whose_lease_was_lost(queue, clock):
    made = new()
    await queue.put(made)
    claim = await claim_one(queue, "worker", 60)
    await queue.begin(claim, [0], 60)
    clock.advance(60)
    await claim_one(queue, "other", 60)
    with pytest.raises(LeaseLost):
        await queue.record(claim, [ACCEPTED], seconds=61)

    assert 1 == await queue.confirm(made.message.id, [ACCEPTED])

    assert [State.ACCEPTED] == await states(queue, made.message.id)


async def test_a_holder_finds_out_when_it_begins(queue):
    unsure = await put_unsure(queue, State.QUEUED, due_at=NOON)
    claim = await claim_one(queue)
    await queue.confirm(unsure, [ACCEPTED])

    with pytest.raises(QueueError, match="not to be attempted"):
        await queue.begin(claim, [0, 1], 60)
    await queue.begin(claim, [1], 60)

    assert [State.ACCEPTED, State.SENDING] == await states(queue, unsure)


@pytest.mark.parametrize("result", [ACCEPTED, REFUSED])
async def test_a_message_that_it_finishes_is_never_due_again(queue, clock, result):
    unsure = await put_unsure(queue, State.ACCEPTED)
    await queue.confirm(unsure, [result])

    assert await queue.next_due_at() is None
    assert 0 == (await queue.stats()).messages_open
    clock.advance(1000)
    assert [] == await queue.claim("worker", 10, 60)
    for untold in await queue.reports.untold(10):
        await queue.reports.told(untold, None)
    assert 1 == await queue.prune(NOON + 1, 10)


@pytest.mark.parametrize("end", ["release", "claim", "recover"])
async def test_a_leased_message_that_it_finishes_is_closed_with_the_lease(queue, clock, end):
    unsure = await put_unsure(queue, due_at=NOON)
    claim = await claim_one(queue, "worker", 60)
    await queue.confirm(unsure, [ACCEPTED])
    assert 0 == (await queue.stats()).messages_open
    assert 0 == await queue.prune(NOON + 1, 10)

    clock.advance(60)
    if end == "release":
        await queue.release(claim, NOON + 90)
    elif end == "recover":
        await queue.recover("worker")
    assert [] == await queue.claim("other", 10, 60)

    assert await queue.next_due_at() is None
    assert 1 == await queue.prune(NOON + 1, 10)


@pytest.mark.parametrize(("due_at", "expected"), [(None, NOON), (NOON + 30, NOON + 30), (NOON + 9000, NOON + 900)])
async def test_who_is_proven_not_to_have_it_makes_the_message_due(queue, due_at, expected):
    unsure = await put_unsure(queue, State.UNCONFIRMED)

    await queue.confirm(unsure, [Result(0, Deferred("it was not taken"), State.QUEUED, due_at)])

    assert expected == await queue.next_due_at()
    assert [State.QUEUED, State.UNCONFIRMED] == await states(queue, unsure)
    assert [due_at, None] == await dues(queue, unsure)


async def test_with_only_held_recipients_left_a_message_is_not_due(queue):
    unsure = await put_unsure(queue, State.ACCEPTED)
    await queue.confirm(unsure, [HELD])

    assert await queue.next_due_at() is None
    assert 1 == (await queue.stats()).messages_open


async def test_a_message_with_others_that_wait_stays_due_when_it_was(queue, clock):
    unsure = await put_unsure(queue, State.QUEUED)
    await queue.confirm(unsure, [ACCEPTED])
    assert NOON + 900 == await queue.next_due_at()

    clock.advance(900)

    assert [unsure] == ids(await queue.claim("worker", 10, 60))


async def test_a_lease_stays_and_its_holder_says_when_it_is_due(queue):
    unsure = await put_unsure(queue, due_at=NOON)
    claim = await claim_one(queue)
    await queue.confirm(unsure, [DEFERRED])
    assert [] == await queue.claim("other", 10, 60)

    await queue.release(claim, NOON + 70)

    assert NOON + 70 == await queue.next_due_at()
    assert not FINAL_STATES.intersection(await states(queue, unsure))


@pytest.mark.parametrize("late", [HELD, Result(0, Deferred("too old"), State.EXPIRED), DEFERRED])
@pytest.mark.parametrize("concludes", [False, True])
async def test_proof_outlasts_what_a_holder_of_the_lease_decides_without_it(queue, late, concludes):
    """A worker held the message, about to apply its account's rule, when the proof came."""
    unsure = await put_unsure(queue, due_at=NOON)
    claim = await claim_one(queue)
    assert 1 == await queue.confirm(unsure, [ACCEPTED])

    if concludes:
        await queue.conclude(claim, [late], NOON + 60, seconds=0.0)
    else:
        await queue.record(claim, [late], seconds=0.0)
        await queue.release(claim, NOON + 60)

    (entry,) = await queue.entries(unsure)
    assert (State.ACCEPTED, "m-1") == (entry.state, entry.provider_message_id)
    assert [] == await queue.claim("worker", 10, 60.0)
    assert 0 == (await queue.stats()).messages_open
