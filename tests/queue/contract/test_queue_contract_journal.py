"""What `begin`, `record`, `release` and `recover` promise."""

import pytest
from queue_parts import ACCEPTED, DEFERRED, NOON, REFUSED, claim_one, dues, ids, new, random_data, states

from relay.errors import QueueError
from relay.outcome import Accepted, Deferred
from relay.queue.contract import Result, State


@pytest.fixture
async def claimed(queue):
    """Two recipients, claimed by "worker" for a minute."""
    await queue.put(new("a@x.example", "b@x.example"))
    return await claim_one(queue)


async def test_begin_marks_those_that_are_attempted(queue, claimed, clock):
    clock.advance(5)
    await queue.begin(claimed, [1], 60)

    first, second = await queue.entries(claimed.message.id)

    assert (State.QUEUED, 0, NOON) == (first.state, first.attempts, first.changed_at)
    assert (State.SENDING, 1, NOON + 5) == (second.state, second.attempts, second.changed_at)


async def test_begin_counts_each_attempt(queue, claimed):
    for _ in range(3):
        await queue.begin(claimed, [0, 1, 1], 60)
        await queue.record(claimed, [DEFERRED], seconds=1)

    assert [3, 3] == [entry.attempts for entry in await queue.entries(claimed.message.id)]


@pytest.mark.parametrize("result", [ACCEPTED, REFUSED])
async def test_begin_refuses_a_recipient_that_is_done(queue, claimed, result):
    await queue.begin(claimed, [0], 60)
    await queue.record(claimed, [result], seconds=1)

    with pytest.raises(QueueError):
        await queue.begin(claimed, [1, 0], 60)

    assert [result.state, State.QUEUED] == await states(queue, claimed.message.id)


async def test_begin_and_record_refuse_a_recipient_that_does_not_exist(queue, claimed):
    with pytest.raises(QueueError):
        await queue.begin(claimed, [0, 7], 60)
    with pytest.raises(QueueError):
        await queue.record(claimed, [ACCEPTED, Result(7, Accepted(), State.ACCEPTED)], seconds=1)

    assert [State.QUEUED, State.QUEUED] == await states(queue, claimed.message.id)


async def test_record_writes_state_reason_and_ids(queue, claimed, clock):
    await queue.begin(claimed, [0, 1], 60)
    clock.advance(2)
    results = [
        Result(0, Accepted("m-1", "b-1", "a remark"), State.ACCEPTED),
        Result(1, Deferred("cut off", maybe_accepted=True), State.UNCONFIRMED),
    ]
    await queue.record(claimed, results, seconds=2.0, call="send")

    first, second = await queue.entries(claimed.message.id)

    assert (State.ACCEPTED, "m-1", "b-1", "a remark", NOON + 2) == (
        first.state,
        first.provider_message_id,
        first.provider_batch_id,
        first.reason,
        first.changed_at,
    )
    assert (State.UNCONFIRMED, "", "", "cut off") == (
        second.state,
        second.provider_message_id,
        second.provider_batch_id,
        second.reason,
    )


async def test_each_recipient_is_due_at_its_own_time(queue, claimed):
    later = [Result(0, Deferred("busy"), State.QUEUED, NOON + 30), Result(1, Deferred("busy"), State.QUEUED, NOON + 90)]
    await queue.begin(claimed, [0, 1], 60)
    await queue.record(claimed, later, seconds=1)
    assert [NOON + 30, NOON + 90] == await dues(queue, claimed.message.id)

    await queue.release(claimed, NOON)
    again = await claim_one(queue)
    assert [NOON + 30, NOON + 90] == [entry.due_at for entry in again.entries]

    await queue.record(again, [DEFERRED], seconds=1)
    assert [None, NOON + 90] == await dues(queue, claimed.message.id)


async def test_begin_leaves_when_a_recipient_was_due(queue):
    made = new("a@x.example", "b@x.example", entries_due_at=NOON - 5)
    await queue.put(made)
    claim = await claim_one(queue)

    await queue.begin(claim, [0], 60)

    assert [NOON - 5, NOON - 5] == await dues(queue, made.message.id)


@pytest.mark.parametrize("end", ["lease ended", "recovered", "released", "begun again"])
async def test_an_attempt_that_was_cut_off_leaves_no_due_time(queue, clock, end):
    """From then on the account's wait counts; what was said of an earlier attempt says nothing of this one."""
    made = new("a@x.example", "b@x.example", entries_due_at=NOON - 5)
    await queue.put(made)
    claim = await claim_one(queue, "worker", 60)
    await queue.begin(claim, [0], 60)
    clock.advance(60)
    acts = {
        "lease ended": lambda: queue.claim("other", 1, 60),
        "recovered": lambda: queue.recover("worker"),
        "released": lambda: queue.release(claim, NOON),
        "begun again": lambda: queue.begin(claim, [0], 60),
    }

    await acts[end]()

    assert [None, NOON - 5] == await dues(queue, made.message.id)
    assert NOON + 60 == (await queue.entries(made.message.id))[0].changed_at


async def test_record_is_safe_to_repeat(queue, claimed, clock):
    await queue.begin(claimed, [0, 1], 60)
    results = [ACCEPTED, Result(1, Deferred("busy"), State.QUEUED)]
    await queue.record(claimed, results, seconds=2.0, call="send")
    before = (await queue.entries(claimed.message.id), await queue.stats())
    clock.advance(5)

    await queue.record(claimed, results, seconds=2.0, call="send")

    assert before == (await queue.entries(claimed.message.id), await queue.stats())


async def test_unconfirmed_again_keeps_its_time(queue, claimed, clock):
    """The wait for proof is counted from the call, not from the last look for proof."""
    unconfirmed = [Result(0, Deferred("cut off", maybe_accepted=True), State.UNCONFIRMED)]
    await queue.begin(claimed, [0], 60)
    await queue.record(claimed, unconfirmed, seconds=1)
    clock.advance(30)

    await queue.record(claimed, unconfirmed, seconds=1)

    assert NOON == (await queue.entries(claimed.message.id))[0].changed_at


async def test_proof_found_later_needs_no_attempt(queue, claimed):
    await queue.begin(claimed, [0], 60)
    await queue.record(claimed, [Result(0, Deferred("cut"), State.UNCONFIRMED)], seconds=1)
    await queue.record(claimed, [ACCEPTED], seconds=0)

    kept = (await queue.entries(claimed.message.id))[0]

    assert (State.ACCEPTED, 1, "m-1") == (kept.state, kept.attempts, kept.provider_message_id)


async def test_the_lease_stays_after_record(queue, claimed):
    await queue.begin(claimed, [0, 1], 60)
    await queue.record(claimed, [DEFERRED], seconds=1)

    assert [] == await queue.claim("other", 10, 60)


@pytest.mark.parametrize("taker", ["other", "worker"])
async def test_a_lease_taken_by_another_is_lost(queue, claimed, clock, taker):
    """The same owner, too, may not take its later lease for the earlier one."""
    await queue.begin(claimed, [0], 60)
    clock.advance(60)
    await claim_one(queue, taker)

    for ask in (
        queue.begin(claimed, [1], 60),
        queue.record(claimed, [ACCEPTED], seconds=1),
        queue.release(claimed, NOON),
    ):
        with pytest.raises(QueueError, match="lease"):
            await ask
    assert [State.UNCONFIRMED, State.QUEUED] == await states(queue, claimed.message.id)


async def test_a_lease_that_ended_but_was_not_taken_still_counts(queue, claimed, clock):
    """An answer that comes late must not be thrown away."""
    await queue.begin(claimed, [0], 60)
    clock.advance(600)
    await queue.record(claimed, [ACCEPTED], seconds=600)

    assert [State.ACCEPTED, State.QUEUED] == await states(queue, claimed.message.id)


async def test_released_twice_is_an_error(queue, claimed):
    await queue.release(claimed, NOON)

    with pytest.raises(QueueError):
        await queue.release(claimed, NOON)


async def test_release_leaves_nobody_sending(queue, claimed):
    await queue.begin(claimed, [0], 60)
    await queue.release(claimed, NOON + 1)

    assert [State.UNCONFIRMED, State.QUEUED] == await states(queue, claimed.message.id)


async def test_release_as_done_is_refused_while_somebody_waits(queue, claimed, clock):
    await queue.begin(claimed, [0], 60)
    await queue.record(claimed, [ACCEPTED], seconds=1)

    with pytest.raises(QueueError):
        await queue.release(claimed, None)

    clock.advance(60)
    assert [claimed.message.id] == ids(await queue.claim("other", 10, 60))


@pytest.mark.parametrize("due_at", [None, NOON])
@pytest.mark.parametrize("size", [10, 200_000])
async def test_a_finished_message_is_never_due_again(queue, due_at, size):
    await queue.put(new(data=random_data(size)))
    claim = await claim_one(queue)
    await queue.begin(claim, [0], 60)
    await queue.record(claim, [ACCEPTED], seconds=1)
    await queue.release(claim, due_at)

    assert await queue.next_due_at() is None
    assert [] == await queue.claim("worker", 10, 60)


async def test_a_held_recipient_keeps_the_body(queue):
    made = new(data=random_data(200_000))
    await queue.put(made)
    claim = await claim_one(queue)
    await queue.begin(claim, [0], 60)
    await queue.record(claim, [Result(0, Deferred("ask a person"), State.HELD)], seconds=1)
    await queue.release(claim, None)
    assert await queue.next_due_at() is None

    # As long as nobody decides, a claim could still be given its bytes.
    assert [State.HELD] == await states(queue, made.message.id)
    assert 1 == (await queue.stats()).messages_open


async def test_recover_frees_what_an_earlier_life_held(queue):
    mine, sending, others = new(), new(), new()
    for made in (mine, sending, others):
        await queue.put(made)
    claims = await queue.claim("worker", 2, 600)
    await queue.begin(claims[1], [0], 600)
    await claim_one(queue, "other", 600)

    assert 2 == await queue.recover("worker")
    assert 0 == await queue.recover("worker")

    again = await queue.claim("worker", 10, 60)
    assert [mine.message.id, sending.message.id] == ids(again)
    assert [[State.QUEUED], [State.UNCONFIRMED]] == [[entry.state for entry in claim.entries] for claim in again]


async def test_what_was_recovered_is_lost_to_its_earlier_life(queue, claimed):
    await queue.recover("worker")

    with pytest.raises(QueueError):
        await queue.begin(claimed, [0], 60)


async def test_a_message_put_under_a_lease_is_recorded_without_a_claim(queue):
    """Auto mode tries before it puts; its claim is made by hand."""
    from relay.queue.contract import Claim  # noqa: PLC0415

    made = new(states=[State.SENDING], leased_by="worker", lease_seconds=60)
    await queue.put(made)
    claim = Claim(made.message, made.entries, made.expires_at, "worker")

    await queue.record(claim, [ACCEPTED], seconds=1, call="send")
    await queue.release(claim, None)

    assert [State.ACCEPTED] == await states(queue, made.message.id)
