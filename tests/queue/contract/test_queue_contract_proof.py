"""What `doubted` and `suspects` promise: who is in doubt, and whom else an API's word could mean."""

import pytest
from queue_parts import NOON, claim_one, new

from relay.outcome import Accepted, Deferred
from relay.queue.contract import Doubt, Result, State

ANA, LUIS = "ana@x.example", "luis@x.example"
UNSURE = Result(0, Deferred("timeout", maybe_accepted=True), State.UNCONFIRMED, NOON + 900)
HELD = Result(0, Deferred("timeout", maybe_accepted=True), State.HELD)


async def attempted(queue, clock, *addresses, result=UNSURE, account="acme", **more):
    """Put a message and make an attempt at its first recipient, ten seconds long; then it is given back."""
    made = new(*(addresses or (ANA,)), account=account, **more)
    await queue.put(made)
    claim = await claim_one(queue)
    await queue.begin(claim, [0], 60)
    clock.advance(10)
    await queue.conclude(claim, [result], clock() + 900, seconds=10.0)
    return made.message.id


async def test_who_is_in_doubt_is_told_with_when_the_attempt_began(queue, clock):
    unsure = await attempted(queue, clock, ANA, LUIS)

    (found,) = await queue.doubted(None, 10)

    assert (unsure, "acme", {0: NOON}) == (found.message_id, found.account, found.begun_at)
    assert list(await queue.entries(unsure)) == list(found.entries)


async def test_who_is_held_because_of_it_is_told_and_who_is_held_for_another_reason_is_not(queue, clock):
    unsure = await attempted(queue, clock)
    claim_later = clock.now + 900
    clock.now = claim_later
    claim = await claim_one(queue)
    await queue.conclude(claim, [HELD], None, seconds=0.0)
    await queue.put(new(states=[State.HELD]))

    assert [unsure] == [found.message_id for found in await queue.doubted(None, 10)]


async def test_who_was_held_before_a_time_is_left_out_and_who_is_unconfirmed_is_not(queue, clock):
    held = await attempted(queue, clock)
    clock.advance(900)
    held_at = clock.now
    await queue.conclude(await claim_one(queue), [HELD], None, seconds=0.0)
    clock.now = NOON
    unsure = await attempted(queue, clock)

    assert {held, unsure} == {found.message_id for found in await queue.doubted(None, 10, held_at)}
    assert [unsure] == [found.message_id for found in await queue.doubted(None, 1, held_at + 1)]


async def test_of_several_attempts_the_first_and_the_last_that_may_have_been_taken_count(queue, clock):
    await attempted(queue, clock)
    clock.advance(900)
    claim = await claim_one(queue)
    await queue.begin(claim, [0], 60)
    clock.advance(10)
    await queue.conclude(claim, [UNSURE], clock() + 900, seconds=10.0)

    (found,) = await queue.doubted(None, 10)

    assert ({0: NOON}, {0: NOON + 910}) == (found.begun_at, found.last_begun_at)


@pytest.mark.parametrize("mode", ["direct", "auto"])
async def test_a_first_attempt_that_was_made_while_the_client_waited_began_when_the_message_came(queue, clock, mode):
    clock.advance(20)
    await queue.put(new(states=[State.UNCONFIRMED], mode=mode))
    await queue.put(new(states=[State.SENDING], mode=mode, leased_by="worker", lease_seconds=60))
    await queue.recover("worker")

    assert [{0: NOON}, {0: NOON}] == [found.begun_at for found in await queue.doubted(None, 10)]


async def test_an_attempt_that_a_crash_interrupted_is_in_doubt(queue, clock):
    made = new()
    await queue.put(made)
    claim = await claim_one(queue, "worker")
    await queue.begin(claim, [0], 60)
    clock.advance(5)
    assert [] == list(await queue.doubted(None, 10))
    await queue.recover("worker")

    (found,) = await queue.doubted(None, 10)

    assert (made.message.id, {0: NOON}) == (found.message_id, found.begun_at)


async def test_the_longest_in_doubt_come_first_and_no_more_than_asked_for(queue, clock):
    first = await attempted(queue, clock, account="acme")
    second = await attempted(queue, clock, account="other")

    assert [first] == [found.message_id for found in await queue.doubted(None, 1)]
    assert [second] == [found.message_id for found in await queue.doubted("other", 10)]
    assert [] == list(await queue.doubted("nobody", 10))


async def test_who_is_settled_is_in_doubt_no_more_but_stays_a_suspect(queue, clock):
    """Its earlier attempt may be what the API tells of, although a later one was accepted."""
    unsure = await attempted(queue, clock)
    clock.advance(900)
    claim = await claim_one(queue)
    await queue.begin(claim, [0], 60)
    await queue.conclude(claim, [Result(0, Accepted("", "b-2"), State.ACCEPTED)], None, seconds=1.0)

    assert [] == list(await queue.doubted(None, 10))
    found = await queue.suspects([ANA], ["b-1", "b-2"], NOON)
    assert {ANA: {unsure: NOON}} == found.begun_at
    assert {"b-2": frozenset({unsure})} == found.batches


async def test_what_is_being_sent_is_a_suspect(queue, clock):
    clock.advance(3)
    made = new(LUIS, states=[State.SENDING], leased_by="worker", lease_seconds=60)
    await queue.put(made)

    assert {LUIS: {made.message.id: NOON + 3}} == (await queue.suspects([ANA, LUIS], [], NOON)).begun_at


async def test_what_ended_before_the_time_is_no_suspect(queue, clock):
    await attempted(queue, clock, result=Result(0, Deferred("busy"), State.QUEUED, NOON))
    assert {} == (await queue.suspects([ANA], [], NOON)).begun_at
    await attempted(queue, clock, LUIS)

    assert {} == (await queue.suspects([LUIS], [], clock.now + 1)).begun_at


async def test_what_is_in_doubt_outside_the_queue_is_a_suspect(queue):
    known = Doubt(NOON, NOON + 900, accepted={ANA: Accepted("1", "b")}, maybe_accepted=frozenset({LUIS}))
    await queue.open_doubt(b"mark", known, owner="worker", token=b"t", lease_seconds=60)

    found = (await queue.suspects([ANA, LUIS, "eva@x.example"], [], NOON)).begun_at

    assert [{0.0}, {0.0}] == [set(found[mailbox].values()) for mailbox in (ANA, LUIS)]
    assert {ANA, LUIS} == set(found)
