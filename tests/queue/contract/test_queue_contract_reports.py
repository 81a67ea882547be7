"""What a store promises of reports to senders: owed with the end of a recipient, made once, sent until they are out."""

from dataclasses import replace

import pytest
from queue_parts import ACCEPTED, NOON, claim_one, mail, new, random_data

from relay.errors import LeaseLost, QueueError
from relay.message import Envelope, EnvelopeRecipient, Recipient, Role, new_message_id
from relay.outcome import Accepted, Deferred, Refused, Replies
from relay.queue.contract import Action, NewMessage, RecipientEntry, Result, State
from relay.queue.reporting import Report, ReportState
from relay.queue.telling import GATHER_SECONDS

GONE = Refused("no such user", Replies.NO_SUCH_RECIPIENT)
BODY = b"Subject: x\r\n\r\nhello\r\n"


def refused(position: int = 0) -> Result:
    return Result(position, GONE, State.REFUSED)


def expired(position: int = 0) -> Result:
    return Result(position, Deferred("given up after max_age: busy"), State.EXPIRED)


def waits(position: int = 0) -> Result:
    return Result(position, Deferred("busy"), State.QUEUED, NOON + 60)


def asking(*notify: frozenset[str], mail_from: str = "app@example.com", **more) -> NewMessage:
    """A message whose sender asks to hear of its recipients as said."""
    made = mail(*(f"user{number}@example.org" for number in range(len(notify))))
    given = tuple(
        EnvelopeRecipient(recipient.address, wishes)
        for recipient, wishes in zip(made.envelope.recipients, notify, strict=True)
    )
    entries = tuple(
        RecipientEntry(number, Recipient(recipient.address, Role.TO, notify=recipient.notify))
        for number, recipient in enumerate(given)
    )
    made = replace(made, envelope=Envelope(mail_from, given))
    return NewMessage(made, entries, "queue", NOON, NOON + 86400, **more)


def report_of(untold, data: bytes = b"report", made_at: float = NOON) -> Report:
    message = untold.message
    return Report(new_message_id(), message.id, message.account, message.envelope.mail_from, data, made_at)


async def one_untold(queue):
    (untold,) = await queue.reports.untold(10)
    return untold


async def finished(queue, made: NewMessage, *results: Result) -> None:
    """Put a message and end it."""
    await queue.put(made)
    claim = await claim_one(queue)
    await queue.begin(claim, [result.position for result in results], 60)
    await queue.conclude(claim, results, None, seconds=0.1)


def owed(untold) -> dict[int, Action]:
    return {entry.position: entry.owed for entry in untold.entries if entry.owed is not None}


@pytest.mark.parametrize("size", [20, 200_000])
async def test_a_failure_is_owed_with_the_body_until_it_is_told(queue, clock, size):
    data = random_data(size)
    made = new(data=data)
    await queue.put(made)
    claim = await claim_one(queue)
    await queue.begin(claim, [0], 60)
    clock.advance(5)
    await queue.conclude(claim, [refused()], None, seconds=0.1)

    untold = await one_untold(queue)
    assert made.message == untold.message
    assert (Action.FAILED, "no such user", "5.1.1") == (
        untold.entries[0].owed,
        untold.entries[0].reason,
        untold.entries[0].status,
    )
    assert (NOON + 86400, {0: NOON + 5}) == (untold.expires_at, untold.attempted_at)
    assert await queue.reports.told(untold, report_of(untold))

    assert [] == list(await queue.reports.untold(10))
    assert [None] == [entry.owed for entry in await queue.entries(made.message.id)]


@pytest.mark.parametrize(
    ("notify", "result", "action"),
    [
        ((), refused(), Action.FAILED),
        ((), expired(), Action.FAILED),
        ((), ACCEPTED, None),
        ((), Result(0, Deferred("no"), State.DROPPED), None),
        (("FAILURE",), refused(), Action.FAILED),
        (("FAILURE", "SUCCESS"), ACCEPTED, Action.RELAYED),
        (("SUCCESS",), ACCEPTED, Action.RELAYED),
        (("SUCCESS",), refused(), None),
        (("DELAY",), expired(), None),
        (("NEVER",), refused(), None),
        (("NEVER",), ACCEPTED, None),
    ],
)
@pytest.mark.parametrize("way", ["put", "conclude", "record", "confirm"])
async def test_what_is_owed_is_what_the_sender_asked_to_hear(queue, notify, result, action, way):
    made = asking(frozenset(notify))
    if way == "put":
        await queue.put(replace(made, entries=(replace(made.entries[0], state=result.state),)))
    elif way == "conclude":
        await finished(queue, made, result)
    else:
        await queue.put(made)
        claim = await claim_one(queue)
        await queue.begin(claim, [0], 60)
        if way == "record":
            await queue.record(claim, [result], seconds=0.1)
        await queue.release(claim, None if way == "record" else NOON)
        if way == "confirm":
            assert 1 == await queue.confirm(made.message.id, [result])

    found = await queue.reports.untold(10)

    assert [{0: action}] * (action is not None) == [owed(untold) for untold in found]


async def test_the_null_sender_is_told_nothing(queue, clock):
    await finished(queue, asking(frozenset({"SUCCESS", "FAILURE"}), mail_from=""), refused())
    clock.advance(10 * GATHER_SECONDS)

    assert [] == list(await queue.reports.untold(10))


async def test_the_first_failure_waits_for_the_end_of_the_others(queue):
    made = new("a@example.org", "b@example.org", "c@example.org")
    await queue.put(made)
    claim = await claim_one(queue)
    await queue.begin(claim, [0, 1, 2], 60)
    await queue.record(claim, [refused(0)], seconds=0.1)
    assert [] == list(await queue.reports.untold(10))

    await queue.conclude(claim, [Result(1, Accepted("m"), State.ACCEPTED), expired(2)], None, seconds=0.1)

    assert {0: Action.FAILED, 2: Action.FAILED} == owed(await one_untold(queue))


async def test_a_failure_waits_for_others_only_so_long(queue, clock):
    made = new("a@example.org", "b@example.org")
    await queue.put(made)
    claim = await claim_one(queue)
    await queue.begin(claim, [0, 1], 60)
    await queue.conclude(claim, [refused(0), waits(1)], NOON + 60, seconds=0.1)
    clock.advance(GATHER_SECONDS - 1)
    assert [] == list(await queue.reports.untold(10))
    clock.advance(1)

    first = await one_untold(queue)
    assert {0: Action.FAILED} == owed(first)
    assert await queue.reports.told(first, report_of(first))
    assert [] == list(await queue.reports.untold(10))
    claim = await claim_one(queue)
    assert made.message.data == claim.message.data
    await queue.begin(claim, [1], 60)
    await queue.conclude(claim, [expired(1)], None, seconds=0.1)

    assert {1: Action.FAILED} == owed(await one_untold(queue))


async def test_of_several_who_tell_one_does(queue):
    await finished(queue, new(), refused())
    first, second = await one_untold(queue), await one_untold(queue)

    assert await queue.reports.told(first, report_of(first))
    assert not await queue.reports.told(second, report_of(second))

    assert 1 == await queue.reports.waiting_reports()


async def test_what_fails_while_others_are_told_stays_owed(queue, clock):
    await queue.put(new("a@example.org", "b@example.org"))
    claim = await claim_one(queue, lease_seconds=10 * GATHER_SECONDS)
    await queue.begin(claim, [0, 1], 10 * GATHER_SECONDS)
    await queue.record(claim, [refused(0)], seconds=0.1)
    clock.advance(GATHER_SECONDS)
    untold = await one_untold(queue)
    await queue.conclude(claim, [refused(1)], None, seconds=0.1)

    assert await queue.reports.told(untold, report_of(untold))

    assert {1: Action.FAILED} == owed(await one_untold(queue))


async def test_the_same_outcome_recorded_again_is_not_told_again(queue):
    await queue.put(new())
    claim = await claim_one(queue)
    await queue.begin(claim, [0], 60)
    await queue.record(claim, [refused()], seconds=0.1)
    untold = await one_untold(queue)
    await queue.reports.told(untold, report_of(untold))

    await queue.conclude(claim, [refused()], None, seconds=0.1)

    assert [] == list(await queue.reports.untold(10))


async def test_a_refusal_that_its_owner_did_not_live_to_give_back_is_told(queue, clock):
    data = random_data(200_000)
    await queue.put(new(data=data))
    claim = await claim_one(queue, lease_seconds=60)
    await queue.begin(claim, [0], 60)
    await queue.record(claim, [refused()], seconds=0.1)
    clock.advance(61)
    assert [] == list(await queue.claim("other", 10, 60))

    untold = await one_untold(queue)

    assert data == untold.message.data
    assert await queue.reports.told(untold, report_of(untold))


async def test_that_a_message_waits_is_told_once(queue, clock):
    made = asking(frozenset({"DELAY"}), notice_at=NOON + 100)
    await queue.put(made)
    clock.advance(99)
    assert [] == list(await queue.reports.untold(10))
    clock.advance(1)

    untold = await one_untold(queue)
    again = await one_untold(queue)
    assert NOON + 100 == untold.notice_at
    assert await queue.reports.told(untold, report_of(untold))
    assert not await queue.reports.told(again, report_of(again))

    clock.advance(10_000)
    assert [] == list(await queue.reports.untold(10))
    assert made.message == (await claim_one(queue)).message


async def test_what_ends_in_time_gives_no_delay_to_tell(queue, clock):
    await finished(queue, replace(new(), notice_at=NOON + 100), ACCEPTED)
    clock.advance(200)

    assert [] == list(await queue.reports.untold(10))


async def test_a_failure_before_the_notice_is_told_although_another_still_waits(queue, clock):
    await queue.put(replace(new("a@example.org", "b@example.org"), notice_at=NOON + 100))
    claim = await claim_one(queue)
    await queue.begin(claim, [0, 1], 60)
    await queue.conclude(claim, [refused(0), waits(1)], NOON + 60, seconds=0.1)
    clock.advance(100)

    untold = await one_untold(queue)

    assert (NOON + 100, {0: Action.FAILED}) == (untold.notice_at, owed(untold))
    assert await queue.reports.told(untold, None)
    assert [] == list(await queue.reports.untold(10))


async def test_a_message_of_which_nothing_is_told_after_all_ends_all_the_same(queue):
    await finished(queue, new(), refused())
    untold = await one_untold(queue)

    assert await queue.reports.told(untold, None)

    assert 0 == await queue.reports.waiting_reports()
    assert [] == list(await queue.reports.untold(10))


async def test_a_later_failure_is_owed_by_who_finds_it_out(queue):
    made = asking(frozenset(), frozenset({"NEVER"}))
    await finished(queue, made, ACCEPTED, replace(ACCEPTED, position=1))

    assert 1 == await queue.reports.owe(made.message.id, {0: "mailbox full", 1: "mailbox full"})
    assert 0 == await queue.reports.owe(new_message_id(), {0: "mailbox full"})

    untold = await one_untold(queue)
    assert ({0: Action.FAILED}, "mailbox full", b"") == (owed(untold), untold.entries[0].reason, untold.message.data)
    assert await queue.reports.told(untold, report_of(untold))


async def test_history_is_kept_until_its_sender_has_been_told(queue, clock):
    made = new()
    await finished(queue, made, refused())
    clock.advance(1000)
    assert 0 == await queue.prune(clock(), 100)
    untold = await one_untold(queue)
    await queue.reports.told(untold, report_of(untold))

    assert 1 == await queue.prune(clock(), 100)
    assert 1 == await queue.reports.waiting_reports()


async def test_a_report_is_sent_until_it_is_out(queue, clock):
    await finished(queue, new(), refused())
    untold = await one_untold(queue)
    made = report_of(untold, b"\x00\xff" * 1000, made_at=clock())
    await queue.reports.told(untold, made)

    (first,) = await queue.reports.claim_reports("sender", 10, 60)
    assert replace(made, attempts=1, owner="sender") == first
    assert [] == list(await queue.reports.claim_reports("other", 10, 60))
    await queue.reports.put_off(first, NOON + 30, "busy")
    assert [] == list(await queue.reports.claim_reports("sender", 10, 60))
    clock.advance(30)
    (second,) = await queue.reports.claim_reports("sender", 10, 60)
    assert 2 == second.attempts
    await queue.reports.finish(second, ReportState.SENT)

    assert [] == list(await queue.reports.claim_reports("sender", 10, 60))
    assert 0 == await queue.reports.waiting_reports()


async def test_a_report_whose_sender_died_is_sent_again_by_who_takes_over(queue, clock):
    await finished(queue, new(), refused())
    untold = await one_untold(queue)
    await queue.reports.told(untold, report_of(untold))
    (dead,) = await queue.reports.claim_reports("dead", 10, 60)
    clock.advance(60)
    (other,) = await queue.reports.claim_reports("other", 10, 60)
    with pytest.raises(LeaseLost):
        await queue.reports.finish(dead, ReportState.SENT)
    with pytest.raises(LeaseLost):
        await queue.reports.put_off(dead, clock(), "busy")

    await queue.recover("other")

    (again,) = await queue.reports.claim_reports("other", 10, 60)
    assert (other.id, 3) == (again.id, again.attempts)


async def test_the_same_report_is_kept_once(queue):
    await finished(queue, new(), refused())
    await finished(queue, new(), refused())
    first, second = await queue.reports.untold(10)
    made = report_of(first)
    await queue.reports.told(first, made)

    with pytest.raises(QueueError):
        await queue.reports.told(second, made)

    assert [second.message.id] == [untold.message.id for untold in await queue.reports.untold(10)]


async def test_finished_reports_are_forgotten_with_the_history(queue, clock):
    await finished(queue, new(), refused())
    untold = await one_untold(queue)
    await queue.reports.told(untold, report_of(untold))
    (report,) = await queue.reports.claim_reports("sender", 10, 60)
    await queue.reports.finish(report, ReportState.GIVEN_UP, "no route")
    clock.advance(10)

    await queue.prune(clock(), 100)
    await finished(queue, new(), refused())
    untold = await one_untold(queue)

    assert await queue.reports.told(untold, replace(report_of(untold), id=report.id))
