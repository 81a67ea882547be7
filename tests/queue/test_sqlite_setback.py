"""A clock that was set back: what lies ahead of it comes near again, and nothing else moves."""

from dataclasses import replace

import pytest
from queue_parts import ACCEPTED, NOON, REFUSED, claim_one, dues, ids, new, random_data, states

from relay.message import Message, new_message_id
from relay.outcome import Deferred
from relay.queue.contract import Doubt, Pause, Result, State
from relay.queue.reporting import Report
from relay.queue.sqlite import setback

DAY = 86400.0


@pytest.fixture(params=["open", "recover"])
def look(request, open_store):
    """Both look for it; returns the store in which it was done."""

    async def look(queue):
        if request.param == "recover":
            await queue.recover("worker")
            return queue
        await queue.close()
        return await open_store()

    return look


async def expiries(queue):
    return await queue._reader.ask(lambda c: [row[0] for row in c.execute("SELECT expires_at FROM message")])


async def put_ahead(queue, clock, seconds=30 * DAY, **more):
    """Keep a message as a clock does that is ahead by so much; then it is set back."""
    clock.now = NOON + seconds
    made = new(received_at=clock.now, due_at=clock.now + 100, expires_in=5 * DAY, **more)
    await queue.put(made)
    clock.now = NOON
    return made.message.id


async def test_all_times_of_a_message_move_together(queue, clock, look):
    ahead = await put_ahead(queue, clock, entries_due_at=NOON + 30 * DAY + 200)

    queue = await look(queue)

    assert NOON + 100 == await queue.next_due_at()
    assert [NOON + 200] == await dues(queue, ahead)
    assert [NOON] == [entry.changed_at for entry in await queue.entries(ahead)]
    assert NOON == (await queue.stats()).oldest_received_at
    assert [NOON + 5 * DAY] == await expiries(queue)
    clock.advance(100)
    assert [ahead] == ids(await queue.claim("worker", 10, 60))


async def test_a_body_stays_as_it_was(queue, clock, look):
    data = random_data(200_000)
    await put_ahead(queue, clock, data=data)
    queue = await look(queue)
    clock.advance(100)

    message = (await claim_one(queue)).message

    assert isinstance(message, Message)
    assert (data, NOON) == (message.data, message.received_at)


@pytest.mark.parametrize("seconds", [-5 * DAY, 0.0, 60.0])
async def test_what_is_not_ahead_by_more_than_a_minute_stays(queue, clock, look, seconds):
    ordinary = await put_ahead(queue, clock, seconds, entries_due_at=NOON + 9 * DAY)
    await queue.pause(Pause("acme", NOON + 9 * DAY, "no credits", 1))
    before = (await queue.entries(ordinary), await expiries(queue), await queue.next_due_at())

    queue = await look(queue)

    assert before == (await queue.entries(ordinary), await expiries(queue), await queue.next_due_at())
    assert [NOON + 9 * DAY] == [pause.until for pause in await queue.paused()]


async def test_others_are_left_where_they_are(queue, clock, look):
    ordinary = new(due_at=NOON + 7, entries_due_at=NOON + 8)
    await queue.put(ordinary)
    await put_ahead(queue, clock)

    queue = await look(queue)

    assert NOON + 7 == await queue.next_due_at()
    assert [NOON + 8] == await dues(queue, ordinary.message.id)


async def test_a_finished_message_stays_as_history(queue, clock, look):
    await put_ahead(queue, clock, states=[State.ACCEPTED])

    queue = await look(queue)

    assert [NOON + 35 * DAY] == await expiries(queue)


async def test_pauses_end_that_are_longer_than_a_day(queue, clock, look):
    await put_ahead(queue, clock)
    await queue.pause(Pause("acme", NOON + 30 * DAY, "no credits", 3))
    await queue.pause(Pause("short", NOON + DAY, "no credits", 1))

    queue = await look(queue)

    assert [Pause("acme", NOON, "no credits", 3), Pause("short", NOON + DAY, "no credits", 1)] == list(
        await queue.paused()
    )
    assert NOON + 100 == await queue.next_due_at()


async def test_looking_twice_moves_once(queue, clock, look):
    ahead = await put_ahead(queue, clock, entries_due_at=NOON + 30 * DAY + 200)
    queue = await look(queue)
    clock.advance(10)

    queue = await look(queue)

    assert NOON + 100 == await queue.next_due_at()
    assert [NOON + 200] == await dues(queue, ahead)


async def test_an_attempt_that_was_cut_off_is_unconfirmed_since_now(queue, clock, look):
    """The account's wait counts from `changed_at`: not from a day that is still to come, nor from one long gone."""
    ahead = await put_ahead(queue, clock)
    clock.now = NOON + 30 * DAY + 100
    claim = await claim_one(queue)
    await queue.begin(claim, [0], 60)
    clock.now = NOON

    queue = await look(queue)
    await queue.recover("worker")

    (entry,) = await queue.entries(ahead)
    assert (State.UNCONFIRMED, NOON, None) == (entry.state, entry.changed_at, entry.due_at)


async def test_what_was_written_since_the_step_stays(queue, clock, look):
    """The clock was set back while the gateway ran: from then on it wrote by the new time."""
    ahead = await put_ahead(queue, clock)
    clock.now = NOON + 30 * DAY + 100
    claim = await claim_one(queue)
    clock.now = NOON
    unsure = Result(0, Deferred("cut off", maybe_accepted=True), State.UNCONFIRMED, NOON + 900)
    await queue.begin(claim, [0], 60)
    await queue.record(claim, [unsure], seconds=1)
    await queue.release(claim, NOON + 900)

    queue = await look(queue)

    assert NOON + 900 == await queue.next_due_at()
    assert [NOON + 900] == await dues(queue, ahead)


async def test_the_lease_of_another_owner_ends_in_its_time(queue, clock, look):
    ahead = await put_ahead(queue, clock)
    clock.now = NOON + 30 * DAY + 100
    claim = await claim_one(queue, "other", 60)
    clock.now = NOON

    queue = await look(queue)

    clock.now = NOON + 159
    assert [] == await queue.claim("worker", 10, 60)
    await queue.begin(claim, [0], 1)  # who lives still has it
    clock.now = NOON + 160
    assert [ahead] == ids(await queue.claim("worker", 10, 60))


async def test_a_clock_that_is_not_set_yet_moves_nothing(queue, clock, look):
    """A machine without a battery starts in 1970: moved there, mail would be given up once the time is known."""
    ahead = await put_ahead(queue, clock, 0.0)
    clock.now = 100.0

    queue = await look(queue)

    assert [NOON + 5 * DAY] == await expiries(queue)
    assert [State.QUEUED] == await states(queue, ahead)


async def test_a_message_that_was_moved_goes_its_way(queue, clock, look):
    ahead = await put_ahead(queue, clock)
    queue = await look(queue)
    clock.advance(100)
    claim = await claim_one(queue)
    await queue.begin(claim, [0], 60)
    await queue.record(claim, [ACCEPTED], seconds=1)
    await queue.release(claim, None)

    assert [State.ACCEPTED] == await states(queue, ahead)
    assert 0 == (await queue.stats()).messages_open


@pytest.mark.parametrize("sql", [setback.MEND_RECIPIENTS, setback.MEND_MESSAGES])
async def test_the_look_is_cheap(queue, sql):
    """Only what lies ahead is touched, however much waits."""
    plan = await queue._reader.ask(
        lambda c: [row["detail"] for row in c.execute(f"EXPLAIN QUERY PLAN {sql}", {"now": NOON, "latest": NOON + 60})]
    )

    assert any("USING INDEX message_open (received_at>?)" in line for line in plan)
    assert [] == [line for line in plan if line.startswith("SCAN")]


async def test_what_is_in_doubt_waits_from_now_on_and_not_from_a_time_to_come(queue, clock, look):
    """Its wait would have been as long as the step."""
    clock.now = NOON + 30 * DAY
    ahead = Doubt(clock.now, clock.now + 7 * DAY, maybe_accepted=frozenset({"ana@x.example"}))
    await queue.open_doubt(b"mark", ahead, owner="worker", token=b"1", lease_seconds=60.0)
    clock.now = NOON
    queue = await look(queue)
    known = await queue.open_doubt(b"mark", ahead, owner="worker", token=b"2", lease_seconds=60.0)
    assert replace(ahead, since=NOON) == known


async def test_what_is_owed_and_on_its_way_is_told_now(queue, clock, look):
    """Else a sender would hear of the failure only when the clock has caught up."""
    ahead = await put_ahead(queue, clock)
    other = await put_ahead(queue, clock)
    clock.now = NOON + 30 * DAY + 100
    for _ in (ahead, other):
        claim = await claim_one(queue)
        await queue.begin(claim, [0], 60)
        await queue.conclude(claim, [REFUSED], None, seconds=0.1)
    untold = (await queue.reports.untold(1))[0]
    message = untold.message
    made = Report(new_message_id(), message.id, "acme", message.envelope.mail_from, b"report", clock.now)
    await queue.reports.told(untold, made)
    clock.now = NOON
    assert [] == list(await queue.reports.untold(10))

    queue = await look(queue)

    assert {ahead, other} - {message.id} == {untold.message.id for untold in await queue.reports.untold(10)}
    assert [made.id] == [report.id for report in await queue.reports.claim_reports("worker", 10, 60)]
