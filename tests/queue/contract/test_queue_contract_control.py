"""What the operator's desk promises: finding, looking, and acting while gateways work."""

import asyncio

import pytest
from queue_parts import ACCEPTED, DEFERRED, NOON, REFUSED, claim_one, dues, ids, new, states

from relay.errors import QueueError
from relay.message import MessageId, new_message_id
from relay.mime.content import Note
from relay.outcome import Deferred
from relay.queue.contract import NewMessage, Pause, Result, State, Verb
from relay.queue.control import CONCERNS, Done, Selection

UNSURE = Result(0, Deferred("cut off", maybe_accepted=True), State.UNCONFIRMED, NOON + 900)
QUEUED, SENDING, UNCONFIRMED, HELD = State.QUEUED, State.SENDING, State.UNCONFIRMED, State.HELD
DROPPED = State.DROPPED


async def put(queue, *addresses, **more):
    made = new(*addresses, **more)
    await queue.put(made)
    return made.message.id


async def leave_unsure(queue):
    """One attempt at the one message that is due, after which nobody knows."""
    claim = await claim_one(queue)
    await queue.begin(claim, [0], 60)
    await queue.conclude(claim, [UNSURE], NOON + 900, seconds=1, call="send")


async def act(desk, verb, *message_ids, limit=100, **more):
    return await desk.act(verb, Selection(ids=message_ids, **more), who="ana", limit=limit)


async def found(desk, **wanted):
    return [kept.id for kept in (await desk.find(Selection(**wanted), limit=100)).messages]


# --- finding ---


async def test_messages_are_found_in_the_order_in_which_they_were_received_page_by_page(queue, desk):
    late = await put(queue, received_at=NOON + 5)
    early, also_early = [await put(queue, received_at=NOON - 5) for _ in range(2)]

    first = await desk.find(Selection(), limit=2)
    rest = await desk.find(Selection(), limit=2, after=first.after)
    newest = await desk.find(Selection(), limit=2, newest_first=True)
    oldest = await desk.find(Selection(), limit=2, newest_first=True, after=newest.after)

    assert [early, also_early, late] == [kept.id for kept in (*first.messages, *rest.messages)]
    assert [late, also_early, early] == [kept.id for kept in (*newest.messages, *oldest.messages)]
    assert ("", "") == (rest.after, oldest.after)


async def test_a_page_that_ends_with_the_last_message_is_the_last(queue, desk):
    await put(queue)
    assert not (await desk.find(Selection(), limit=1)).after


async def test_a_page_begins_nowhere_but_where_one_was_told_to(queue, desk):
    with pytest.raises(QueueError, match="no page begins"):
        await desk.find(Selection(), limit=1, after="nonsense")


async def test_what_is_finished_is_found_only_by_its_state(queue, desk):
    waiting = await put(queue, "a@x.example", "b@x.example", states=[QUEUED, State.ACCEPTED])
    finished = await put(queue, states=[State.REFUSED])

    assert [waiting] == await found(desk)
    assert [finished] == await found(desk, states=frozenset({State.REFUSED}))
    assert [waiting, finished] == await found(desk, states=frozenset({State.REFUSED, State.ACCEPTED}))


@pytest.mark.parametrize(
    ("wanted", "place"),
    [
        ({"account": "other"}, 1),
        ({"sender": "@EXAMPLE.net"}, 2),
        ({"sender": "Boss@example.NET"}, 2),
        ({"sender": "<>"}, 3),
        ({"recipient": "eva@BÜCHER.example"}, 0),
        ({"recipient": "@bücher.example"}, 0),
        ({"states": frozenset({HELD})}, 1),
        ({"states": frozenset({HELD, QUEUED}), "account": "other"}, 1),
        ({"received_since": NOON + 3}, 3),
        ({"received_since": NOON + 2, "received_before": NOON + 3}, 2),
        ({"reason": "NOT sure"}, 2),
    ],
)
async def test_each_filter_finds_what_it_says(queue, desk, wanted, place):
    made = [
        new("eva@bücher.example", received_at=NOON),
        new("luis@x.example", account="other", states=[HELD], received_at=NOON + 1),
        new("luis@x.example", received_at=NOON + 2),
        new("luis@x.example", received_at=NOON + 3),
    ]
    senders = ("app@example.com", "app@example.com", "boss@example.net", "")
    for one, sender in zip(made, senders, strict=True):
        object.__setattr__(one.message.envelope, "mail_from", sender)
    object.__setattr__(made[2].entries[0], "reason", "I am not sure")
    for one in made:
        await queue.put(one)

    assert [made[place].message.id] == await found(desk, **wanted)
    assert [] == await found(desk, **wanted, ids=(new_message_id(),))


async def test_all_that_is_said_of_a_recipient_must_be_so_of_the_same_one(queue, desk):
    await put(queue, "ana@x.example", "luis@y.example", states=[HELD, QUEUED])

    assert [] == await found(desk, recipient="@y.example", states=frozenset({HELD}))
    assert 1 == len(await found(desk, recipient="@y.example", states=frozenset({QUEUED})))


async def test_a_domain_is_not_found_in_the_end_of_another(queue, desk):
    await put(queue, "ana@notx.example")
    assert [] == await found(desk, recipient="@x.example")


async def test_held_ones_are_found_among_many_that_are_held(queue, desk, monkeypatch):
    """More than are looked up and sorted: then they are met among what is open."""
    monkeypatch.setattr("relay.queue.selecting.FEW", 2)
    held = [await put(queue, states=[HELD]) for _ in range(4)]
    await put(queue)

    assert held == await found(desk, states=frozenset({HELD}))


# --- looking ---


async def test_detail_tells_how_a_message_and_its_recipients_stand_and_what_was_tried(queue, desk, clock):
    made = new("ana@x.example", "luis@x.example")
    note = Note("cc_not_visible", "Nobody sees the Cc.")
    await queue.put(NewMessage(made.message, made.entries, "queue", NOON, NOON + 600, notes=(note,)))
    claim = await claim_one(queue)
    await queue.begin(claim, [0], 60)
    clock.advance(2)
    await queue.record(claim, [Result(0, Deferred("busy"), QUEUED, NOON + 30)], seconds=1.5, call="send")
    await queue.pause(Pause("acme", NOON + 60, "no credits", 1))
    await act(desk, Verb.HOLD, made.message.id)

    detail = await desk.detail(made.message.id)

    kept, (tried,), (done,) = detail.kept, detail.tried, detail.acts
    assert ("acme", "queue", "app@example.com", "192.0.2.1") == (
        kept.account, kept.mode, kept.mail_from, kept.client,
    )  # fmt: skip
    assert (len(made.message.data), NOON, NOON + 600, True) == (
        kept.size, kept.received_at, kept.expires_at, kept.has_body,
    )  # fmt: skip
    assert ("worker", NOON + 60, None) == (kept.leased_by, kept.lease_until, kept.finished_at)
    assert [("ana@x.example", QUEUED, 1, "busy"), ("luis@x.example", QUEUED, 0, "")] == [
        (entry.recipient.address, entry.state, entry.attempts, entry.reason) for entry in kept.entries
    ]
    assert (0, 1, "worker", NOON, NOON + 2, 1.5, "send", "deferred", False, "busy") == (
        tried.position, tried.number, tried.owner, tried.begun_at, tried.ended_at, tried.seconds, tried.call,
        tried.outcome, tried.maybe_accepted, tried.reason,
    )  # fmt: skip
    assert ("ana", Verb.HOLD, 1, 2, 1) == (done.who, done.verb, done.messages, done.recipients, done.noted)
    assert ((note,), {0: Verb.HOLD, 1: Verb.HOLD}) == (detail.notes, detail.noted)
    assert Pause("acme", NOON + 60, "no credits", 1) == detail.pause


async def test_nothing_is_known_of_who_is_not_there(queue, desk):
    assert await desk.detail(MessageId("nobody")) is None
    assert await desk.body(MessageId("nobody")) is None


@pytest.mark.parametrize("size", [10, 200_000])
async def test_the_body_is_what_was_received_and_goes_with_the_last_open_recipient(queue, desk, size):
    made = new(data=bytes(range(10)) * (size // 10))
    await queue.put(made)
    assert made.message.data == await desk.body(made.message.id)

    await act(desk, Verb.DROP, made.message.id)
    assert await desk.body(made.message.id) is None


async def test_backlogs_tell_what_waits_of_each_account(queue, desk):
    await put(queue, account="late", due_at=NOON + 50)
    await put(queue, account="busy", due_at=NOON - 50)
    await put(queue, account="busy", due_at=NOON)
    await put(queue, account="held", states=[HELD])
    pause = Pause("busy", NOON + 60, "no credits", 1)
    await queue.pause(pause)

    assert [("busy", 2, NOON - 50, pause), ("late", 1, NOON + 50, None)] == [
        (each.account, each.messages, each.due_at, each.pause) for each in await desk.backlogs()
    ]
    assert 4 == (await desk.stats()).messages_open


# --- acting on what nobody works on ---


@pytest.mark.parametrize("verb", Verb)
async def test_a_verb_concerns_its_states_and_leaves_the_others(queue, desk, verb):
    kinds = (QUEUED, UNCONFIRMED, HELD, State.ACCEPTED, State.REFUSED, State.EXPIRED, DROPPED)
    message_id = await put(queue, *(f"{kind}@x.example" for kind in kinds), states=kinds)

    done = await act(desk, verb, message_id)

    to = {Verb.RETRY: QUEUED, Verb.HOLD: HELD, Verb.RELEASE: QUEUED, Verb.DROP: DROPPED}[verb]
    assert [to if kind in CONCERNS[verb] else kind for kind in kinds] == await states(queue, message_id)
    assert (1, len(CONCERNS[verb])) == (done.messages, done.recipients)


async def test_a_message_that_waits_is_tried_at_once_when_somebody_says_so(queue, desk):
    message_id = await put(queue, due_at=NOON + 900, entries_due_at=NOON + 900)
    assert [] == await queue.claim("worker", 1, 60)

    assert Done(1, 1) == await act(desk, Verb.RETRY, message_id)

    assert [message_id] == ids(await queue.claim("worker", 1, 60))
    assert [NOON] == await dues(queue, message_id)


async def test_who_may_get_a_second_copy_is_counted(queue, desk):
    unsure, plainly_held, held_unsure = [await put(queue) for _ in range(3)]
    await leave_unsure(queue)
    await act(desk, Verb.HOLD, plainly_held)
    await leave_unsure(queue)
    assert Done(1, 1) == await act(desk, Verb.HOLD, held_unsure)

    assert Done(3, 3, doubtful=2) == await desk.weigh(Verb.RETRY, Selection())
    assert Done(1, 1, doubtful=1) == await act(desk, Verb.RELEASE, held_unsure)
    assert Done(1, 1, doubtful=1) == await act(desk, Verb.RETRY, unsure)
    assert Done(1, 1) == await act(desk, Verb.RETRY, plainly_held)


async def test_what_is_held_is_not_claimed_until_it_is_released(queue, desk):
    message_id = await put(queue)
    await act(desk, Verb.HOLD, message_id)
    assert [] == await queue.claim("worker", 1, 60)
    assert await queue.next_due_at() is None

    await act(desk, Verb.RELEASE, message_id)
    assert [message_id] == ids(await queue.claim("worker", 1, 60))


async def test_with_one_recipient_held_a_message_is_due_for_the_others(queue, desk):
    message_id = await put(queue, "ana@x.example", "luis@y.example")
    await act(desk, Verb.HOLD, message_id, recipient="@x.example")

    claim = await claim_one(queue)
    assert [HELD, QUEUED] == [entry.state for entry in claim.entries]


async def test_who_is_too_old_is_not_given_up_within_a_day_of_being_asked_for(queue, desk, clock):
    message_id = await put(queue, expires_in=60)
    clock.advance(600)
    await act(desk, Verb.HOLD, message_id)
    assert NOON + 60 == (await desk.detail(message_id)).kept.expires_at

    await act(desk, Verb.RELEASE, message_id)
    assert NOON + 600 + 86400 == (await claim_one(queue)).expires_at


async def test_a_message_that_is_dropped_is_finished(queue, desk, clock):
    message_id = await put(queue, "ana@x.example", "luis@y.example")
    await act(desk, Verb.DROP, message_id, recipient="ana@x.example")
    assert 1 == (await queue.stats()).messages_open

    await act(desk, Verb.DROP, message_id)

    counts = await queue.stats()
    assert (0, 0, 2) == (counts.messages_open, counts.bytes_kept, counts.by_state[DROPPED])
    assert [] == await queue.claim("worker", 1, 60)
    clock.advance(1)
    assert 1 == await queue.prune(clock.now, 10)


async def test_a_message_that_is_named_twice_counts_once(queue, desk):
    message_id = await put(queue, "ana@x.example")
    twice = Selection(ids=(message_id, message_id), states=frozenset(State))
    assert [message_id] == [kept.id for kept in (await desk.find(twice, limit=10)).messages]
    assert 1 == (await desk.weigh(Verb.HOLD, twice)).recipients
    done = await desk.act(Verb.HOLD, twice, who="ana", limit=10)
    assert (1, 1) == (done.messages, done.recipients)


@pytest.mark.parametrize("is_leased", [False, True])
async def test_a_message_that_is_dropped_still_tells_of_who_failed_before(queue, desk, is_leased):
    message_id = await put(queue, "ana@x.example", "luis@x.example")
    claim = await claim_one(queue)
    await queue.begin(claim, [0], 60)
    await queue.record(claim, [REFUSED], seconds=1)
    if is_leased:
        await act(desk, Verb.DROP, message_id)
    await queue.release(claim, NOON + 5)
    if not is_leased:
        assert [] == await queue.reports.untold(10)
        await act(desk, Verb.DROP, message_id)

    (untold,) = await queue.reports.untold(10)
    assert ["failed", None] == [entry.owed for entry in untold.entries]
    assert claim.message.data == untold.message.data
    assert await queue.reports.told(untold, None)
    assert await desk.body(message_id) is None


async def test_an_act_goes_in_steps_and_touches_nobody_twice(queue, desk):
    mine = [await put(queue, account="mine") for _ in range(5)]
    await put(queue, account="other")
    wanted = Selection(account="mine")

    assert Done(5, 5) == await desk.weigh(Verb.DROP, wanted)
    done = await desk.act(Verb.DROP, wanted, who="ana", limit=2)
    steps = [done]
    while steps[-1].after:
        steps.append(await desk.act(Verb.DROP, wanted, who="ana", limit=2, after=steps[-1].after))

    assert [2, 2, 1] == [step.messages for step in steps]
    assert [[DROPPED]] * 5 == [await states(queue, message_id) for message_id in mine]
    assert Done() == await desk.weigh(Verb.DROP, wanted)
    assert 1 == (await queue.stats()).messages_open


async def test_where_nothing_matches_nothing_is_done(queue, desk):
    message_id = await put(queue, states=[HELD])

    assert Done() == await act(desk, Verb.HOLD, message_id)
    assert Done() == await act(desk, Verb.DROP, MessageId("nobody"))
    assert [] == await queue.take_acts()


# --- acting on what somebody works on ---


async def test_an_act_on_a_leased_message_waits_for_the_end_of_the_lease(queue, desk):
    message_id = await put(queue)
    claim = await claim_one(queue)

    assert Done(1, 1, noted=1) == await act(desk, Verb.HOLD, message_id)
    assert [QUEUED] == await states(queue, message_id)

    await queue.begin(claim, [0], 60)
    await queue.conclude(claim, [DEFERRED], NOON, seconds=1)
    assert [HELD] == await states(queue, message_id)
    assert [] == await queue.claim("worker", 1, 60)
    assert {} == dict((await desk.detail(message_id)).noted)


async def test_nobody_touches_who_is_being_sent_to(queue, desk):
    message_id = await put(queue, "ana@x.example", "luis@x.example")
    claim = await claim_one(queue)
    await queue.begin(claim, [0], 60)

    assert Done(1, 1, noted=1) == await act(desk, Verb.DROP, message_id)
    await queue.conclude(claim, [DEFERRED], NOON, seconds=1)

    assert [QUEUED, DROPPED] == await states(queue, message_id)
    assert [message_id] == ids(await queue.claim("worker", 1, 60))


async def test_what_an_attempt_proves_counts_more_than_what_was_noted(queue, desk):
    message_id = await put(queue)
    claim = await claim_one(queue)
    await act(desk, Verb.DROP, message_id)
    await queue.begin(claim, [0], 60)
    await queue.conclude(claim, [ACCEPTED], None, seconds=1)

    assert [State.ACCEPTED] == await states(queue, message_id)


async def test_a_leased_message_that_is_dropped_is_finished_with_its_lease(queue, desk, clock):
    message_id = await put(queue)
    claim = await claim_one(queue)
    await act(desk, Verb.DROP, message_id)
    await queue.release(claim, NOON + 5)

    assert [DROPPED] == await states(queue, message_id)
    assert 0 == (await queue.stats()).messages_open
    assert [] == await queue.claim("worker", 1, 60)
    assert await desk.body(message_id) is None
    clock.advance(1)
    assert 1 == await queue.prune(clock.now, 10)


async def test_what_was_noted_last_counts(queue, desk):
    message_id = await put(queue)
    claim = await claim_one(queue)
    await act(desk, Verb.DROP, message_id)
    await act(desk, Verb.HOLD, message_id)
    await queue.release(claim, NOON + 5)

    assert [HELD] == await states(queue, message_id)


async def test_who_is_held_under_a_lease_is_due_after_it_when_released(queue, desk):
    message_id = await put(queue, "ana@x.example", "luis@x.example", states=[HELD, QUEUED])
    claim = await claim_one(queue)
    await act(desk, Verb.RELEASE, message_id)
    await queue.begin(claim, [1], 60)
    await queue.conclude(claim, [Result(1, ACCEPTED.outcome, State.ACCEPTED)], None, seconds=1)

    assert [QUEUED, State.ACCEPTED] == await states(queue, message_id)
    assert [message_id] == ids(await queue.claim("worker", 1, 60))


async def test_who_was_tried_since_is_not_tried_again_blindly(queue, desk):
    """Retry was asked for before an attempt whose end nobody knows: that was the retry, and nobody warned of this."""
    message_id = await put(queue)
    claim = await claim_one(queue)
    await act(desk, Verb.RETRY, message_id)
    await queue.begin(claim, [0], 60)
    await queue.conclude(claim, [UNSURE], NOON + 900, seconds=1)

    assert [UNCONFIRMED] == await states(queue, message_id)
    assert [] == await queue.claim("worker", 1, 60)


async def test_what_was_noted_is_done_when_the_lease_of_a_dead_owner_ends(queue, desk, clock):
    message_id = await put(queue, "ana@x.example", "luis@x.example")
    claim = await claim_one(queue, "dead", 10)
    await queue.begin(claim, [0], 10)
    await act(desk, Verb.HOLD, message_id)
    clock.advance(11)

    (again,) = await queue.claim("worker", 1, 60)
    assert [UNCONFIRMED, HELD] == [entry.state for entry in again.entries]


async def test_what_was_noted_is_done_when_an_owner_begins_a_new_life(queue, desk):
    message_id = await put(queue)
    await claim_one(queue, "worker", 60)
    await act(desk, Verb.HOLD, message_id)

    assert 1 == await queue.recover("worker")
    assert [HELD] == await states(queue, message_id)
    assert [] == await queue.claim("worker", 1, 60)


# --- telling ---


async def test_every_act_is_told_once_with_who_did_it(queue, desk, make_queue):
    await put(queue, "ana@x.example", "luis@x.example")
    await put(queue, account="other")
    await desk.act(Verb.HOLD, Selection(), who="ana on desk", limit=10)
    await desk.act(Verb.DROP, Selection(account="other"), who="eva", limit=10)

    told = [*await queue.take_acts(), *await (await make_queue()).take_acts()]

    assert [
        (Verb.HOLD, "ana on desk", "acme", 1, 2),
        (Verb.HOLD, "ana on desk", "other", 1, 1),
        (Verb.DROP, "eva", "other", 1, 1),
    ] == [(done.verb, done.who, done.account, done.messages, done.recipients) for done in told]


async def test_acts_are_forgotten_with_the_messages_of_their_time(queue, desk, clock):
    message_id = await put(queue)
    await act(desk, Verb.HOLD, message_id)
    await queue.take_acts()
    clock.advance(10)
    await queue.prune(clock.now, 10)

    assert () == (await desk.detail(message_id)).acts


async def test_who_waits_hears_soon_of_what_an_operator_did(queue, desk):
    message_id = await put(queue, due_at=NOON + 900)
    await queue.claim("worker", 1, 60)
    waiting = asyncio.create_task(queue.wait(60))
    await asyncio.sleep(0.2)
    assert not waiting.done()

    await act(desk, Verb.RETRY, message_id)
    await asyncio.wait_for(waiting, 10)
