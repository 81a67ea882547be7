"""What counts as proof that an API has a mail, and what does not: the event of another mail must never count."""

import pytest
from core_parts import NOON

from relay.evidence import LATE_SECONDS, SKEW_SECONDS, proven, relevant, spans
from relay.message import MessageId, Recipient, Role
from relay.providers.contract import Trace
from relay.queue.contract import Doubted, RecipientEntry, State, Suspects

ANA, LUIS, EVA = "ana@example.net", "luis@example.net", "eva@example.net"
OURS, OTHER = MessageId("ours"), MessageId("other")
NOBODY = Suspects({}, {})


def doubted(*mailboxes, message=OURS, begun=NOON, last=None, settled=()):
    entries = tuple(
        RecipientEntry(position, Recipient(mailbox, Role.TO), State.UNCONFIRMED)
        for position, mailbox in enumerate((*mailboxes, *settled))
    )
    positions = range(len(mailboxes))
    last_begun_at = dict.fromkeys(positions, begun if last is None else last)
    return Doubted(message, "acme", entries, dict.fromkeys(positions, begun), last_begun_at)


def trace(mailbox=ANA, batch="b-1", at=NOON + 1):
    return Trace(mailbox, batch, at)


def found(each, traces, suspects=NOBODY):
    return {
        position: said.provider_batch_id for position, said in proven([each], traces, suspects).get(OURS, {}).items()
    }


def test_a_mail_to_that_person_since_the_attempt_is_proof():
    assert {0: "b-1"} == found(doubted(ANA), [trace()])


def test_only_who_is_told_of_is_proven():
    assert {1: "b-1"} == found(doubted(ANA, LUIS), [trace(LUIS)])


def test_those_who_were_settled_before_belong_to_the_company():
    assert {0: "b-1"} == found(doubted(ANA, settled=[LUIS]), [trace(), trace(LUIS)])


@pytest.mark.parametrize(
    ("at", "counts"),
    [
        (NOON - SKEW_SECONDS - 1, False),
        (NOON - SKEW_SECONDS, True),
        (NOON + LATE_SECONDS, True),
        (NOON + LATE_SECONDS + 1, False),
    ],
)
def test_a_mail_before_the_attempt_or_long_after_it_is_none(at, counts):
    assert ({0: "b-1"} if counts else {}) == found(doubted(ANA), [trace(at=at)])


def test_a_mail_that_a_later_attempt_made_counts_too():
    """The API was down for hours, and took the last attempt."""
    last = NOON + 5 * LATE_SECONDS
    assert {0: "b-1"} == found(doubted(ANA, last=last), [trace(at=last + LATE_SECONDS)])
    assert {} == found(doubted(ANA, last=last), [trace(at=last + LATE_SECONDS + 1)])


def test_a_mailing_to_others_too_is_another_mail():
    assert {} == found(doubted(ANA), [trace(), trace(EVA)])


def test_without_a_batch_nothing_is_proven():
    assert {} == found(doubted(ANA), [trace(batch="")])
    assert [] == relevant([doubted(ANA)], [trace(batch=""), trace(EVA)])


def test_a_batch_that_another_message_is_known_in_is_that_message():
    assert {} == found(doubted(ANA), [trace()], Suspects({}, {"b-1": frozenset({OTHER})}))
    assert {} == found(doubted(ANA), [trace()], Suspects({}, {"b-1": frozenset({OTHER, OURS})}))


def test_the_batch_of_an_earlier_call_of_the_message_is_its_own():
    assert {0: "b-1"} == found(doubted(ANA), [trace()], Suspects({}, {"b-1": frozenset({OURS})}))


def test_two_that_may_be_meant_prove_neither():
    """Two alerts to one person in one outage: one has arrived, and nobody can tell which."""
    suspects = Suspects({ANA: {OURS: NOON, OTHER: NOON + 0.5}}, {})
    assert {} == proven([doubted(ANA), doubted(ANA, message=OTHER, begun=NOON + 0.5)], [trace()], suspects)


def test_who_began_later_is_not_meant_by_an_earlier_mail():
    suspects = Suspects({ANA: {OURS: NOON, OTHER: NOON + 300}}, {})
    assert {0: "b-1"} == found(doubted(ANA), [trace()], suspects)


def test_times_that_touch_are_asked_for_once_and_none_lies_in_the_future():
    early, late = doubted(ANA), doubted(LUIS, begun=NOON + 10 * LATE_SECONDS)
    assert [
        (NOON - SKEW_SECONDS, NOON + LATE_SECONDS + SKEW_SECONDS),
        (NOON + 10 * LATE_SECONDS - SKEW_SECONDS, NOON + 10 * LATE_SECONDS + 5 + SKEW_SECONDS),
    ] == spans([late, early, early], NOON + 10 * LATE_SECONDS + 5)
    assert [(NOON - SKEW_SECONDS, NOON + 90 + SKEW_SECONDS)] == spans([early, doubted(EVA, begun=NOON + 60)], NOON + 90)


def test_it_is_asked_from_the_first_attempt_until_long_after_the_last():
    hours, short = doubted(ANA, last=NOON + 5 * LATE_SECONDS), doubted(LUIS, begun=NOON + 60)
    assert [(NOON - SKEW_SECONDS, NOON + 6 * LATE_SECONDS + SKEW_SECONDS)] == spans(
        [hours, short], NOON + 9 * LATE_SECONDS
    )
