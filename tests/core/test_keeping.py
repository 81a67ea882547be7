"""One attempt at a kept message: what each outcome leaves behind, and what is never done blindly."""

import asyncio

import pytest
from core_parts import Until, still_there

from relay.errors import LeaseLost, ProviderError, QueueError
from relay.outcome import Accepted, Blame, Deferred, Refused, Replies
from relay.providers.contract import Trace
from relay.queue.contract import State

BOTH = ("ana@example.net", "luis@example.net")


@pytest.mark.parametrize(
    ("step", "state", "due_in"),
    [
        (Accepted("7", "70"), State.ACCEPTED, None),
        (Refused("no such mailbox", Replies.NO_SUCH_RECIPIENT), State.REFUSED, None),
        (Deferred("busy"), State.QUEUED, 30.0),
        (Deferred("busy", retry_after_seconds=600.0), State.QUEUED, 600.0),
        (Deferred("cut off", maybe_accepted=True), State.UNCONFIRMED, 900.0),
        (ProviderError("no connection", maybe_accepted=False), State.QUEUED, 30.0),
        (ProviderError("timeout", maybe_accepted=True), State.UNCONFIRMED, 900.0),
        ({}, State.UNCONFIRMED, 900.0),  # an answer that does not name the recipient proves nothing
    ],
)
async def test_each_outcome_leaves_its_state_and_its_next_time(world, step, state, due_in):
    account = world.account()
    message = await world.kept(account)
    world.provider.script = [step]
    await world.attempt(account)
    assert await world.states(message) == [state]
    due_at = await world.queue.next_due_at()
    assert (None if due_in is None else world.clock.now + due_in) == due_at


async def test_only_those_who_still_need_it_are_tried_again(world):
    account = world.account()
    message = await world.kept(account, BOTH)
    world.provider.script = [{BOTH[0]: Accepted("1", "9"), BOTH[1]: Deferred("mailbox busy")}]
    await world.attempt(account)
    assert await world.states(message) == [State.ACCEPTED, State.QUEUED]
    world.clock.advance(31)
    await world.attempt(account)
    assert world.provider.calls == [(BOTH, ""), ((BOTH[1],), "9")]
    assert await world.states(message) == [State.ACCEPTED, State.ACCEPTED]


async def test_calls_of_one_message_share_the_first_accepted_batch(world):
    account = world.account(recipients_per_call=1)
    await world.kept(account, BOTH)
    world.provider.script = [Accepted("", "first"), Accepted("", "second")]
    await world.attempt(account)
    assert world.provider.calls == [((BOTH[0],), ""), ((BOTH[1],), "first")]


async def test_a_call_that_is_deferred_for_all_ends_the_attempt(world):
    account = world.account(recipients_per_call=1)
    message = await world.kept(account, BOTH)
    world.provider.script = [Deferred("rate limited")]
    await world.attempt(account)
    assert len(world.provider.calls) == 1
    assert await world.states(message) == [State.QUEUED, State.QUEUED]


async def test_a_refused_recipient_does_not_end_the_attempt(world):
    account = world.account(recipients_per_call=1)
    message = await world.kept(account, BOTH)
    world.provider.script = [Refused("no such mailbox")]
    await world.attempt(account)
    assert await world.states(message) == [State.REFUSED, State.ACCEPTED]


async def test_an_unconfirmed_recipient_is_left_alone_until_its_time_and_then_counted(world):
    account = world.account(unconfirmed_wait="15m")
    message = await world.kept(account, BOTH)
    world.provider.script = [{BOTH[0]: Deferred("cut", maybe_accepted=True), BOTH[1]: Deferred("busy")}]
    await world.attempt(account)
    world.clock.advance(31)
    await world.attempt(account)
    assert world.provider.calls[1] == ((BOTH[1],), "")
    assert await world.states(message) == [State.UNCONFIRMED, State.ACCEPTED]
    assert world.counted("relay_possible_duplicates_total", provider="mensatek") == 0
    world.clock.advance(870)
    await world.attempt(account)
    assert world.provider.calls[2][0] == (BOTH[0],)
    assert world.counted("relay_possible_duplicates_total", provider="mensatek") == 1
    assert await world.states(message) == [State.ACCEPTED, State.ACCEPTED]


async def test_an_account_that_holds_never_sends_an_unconfirmed_message_again(world):
    account = world.account(on_unconfirmed="hold", unconfirmed_wait="15m")
    message = await world.kept(account)
    world.provider.script = [ProviderError("timeout", maybe_accepted=True)]
    await world.attempt(account)
    world.clock.advance(901)
    await world.attempt(account)
    assert await world.states(message) == [State.HELD]
    assert len(world.provider.calls) == 1
    assert await world.queue.next_due_at() is None


async def test_nobody_is_given_up_untried_however_long_the_gateway_was_down(world):
    account = world.account(max_age="1h")
    message = await world.kept(account)
    world.clock.advance(2 * 86400)
    await world.attempt(account)
    assert await world.states(message) == [State.ACCEPTED]


async def test_what_is_too_old_is_given_up_and_said(world):
    account = world.account(max_age="1h")
    message = await world.kept(account)
    world.provider.script = [Deferred("busy", retry_after_seconds=3600.0)]
    await world.attempt(account)
    world.clock.advance(3601)
    await world.attempt(account)
    assert await world.states(message) == [State.EXPIRED]
    assert len(world.provider.calls) == 1
    assert "busy" in str(world.logged("recipient_finished")[0]["reason"])


async def test_nobody_is_given_up_unconfirmed_before_the_last_question(world):
    account = world.account(max_age="20m", unconfirmed_wait="15m")
    message = await world.kept(account, BOTH)
    world.clock.advance(600)
    world.provider.script = [{BOTH[0]: Deferred("cut", maybe_accepted=True), BOTH[1]: Deferred("busy")}]
    await world.attempt(account)
    world.provider.told = [Trace(BOTH[0], "b-1", world.clock() + 1)]
    world.clock.advance(601)
    await world.attempt(account)
    assert await world.states(message) == [State.UNCONFIRMED, State.EXPIRED]
    world.clock.advance(300)
    await world.attempt(account)
    assert await world.states(message) == [State.ACCEPTED, State.EXPIRED]
    assert len(world.provider.calls) == 1


@pytest.mark.parametrize(("rule", "state"), [("hold", State.HELD), ("retry", State.EXPIRED)])
async def test_what_is_unconfirmed_at_max_age_is_held_where_the_account_says_so_and_else_given_up(world, rule, state):
    account = world.account(max_age="20m", unconfirmed_wait="15m", on_unconfirmed=rule)
    message = await world.kept(account)
    world.clock.advance(600)
    world.provider.script = [Deferred("cut", maybe_accepted=True)]
    await world.attempt(account)
    world.clock.advance(900)
    await world.attempt(account)
    assert await world.states(message) == [state]
    assert len(world.provider.calls) == 1


async def test_a_crash_between_call_and_record_leaves_unconfirmed_not_queued(world):
    """The attempt is journalled before the call, so a killed process cannot send twice without knowing."""
    account = world.account()
    message = await world.kept(account)
    (claim,) = await world.queue.claim("local/0", 1, 60.0)
    await world.queue.begin(claim, [0], 60.0)
    assert await world.states(message) == [State.SENDING]
    assert await world.queue.recover("local/0") == 1
    assert await world.states(message) == [State.UNCONFIRMED]


async def test_no_call_is_made_when_the_lease_was_lost(world):
    account = world.account()
    await world.kept(account)
    (claim,) = await world.queue.claim("local/0", 1, 60.0)
    world.clock.advance(61)
    assert len(await world.queue.claim("other/0", 1, 60.0)) == 1
    with pytest.raises(LeaseLost):
        await world.keeper.attempt(world.custodian.take(claim, account))
    assert world.provider.calls == []


async def test_an_answer_that_comes_after_the_lease_was_lost_is_still_proof(world):
    """Thrown away, it would have made a second copy of mail that the API had just said it has."""
    account = world.account()
    message = await world.kept(account)
    slow = Until(Accepted("7", "70"))
    world.provider.script = [slow]
    attempting = asyncio.create_task(world.attempt(account))
    await slow.begun.wait()
    world.clock.advance(61)
    (other,) = await world.queue.claim("other/0", 1, 60.0)
    slow.let_end.set()
    with pytest.raises(LeaseLost):
        await attempting
    assert await world.states(message) == [State.ACCEPTED]
    await world.keeper.attempt(world.custodian.take(other, account))  # as it claimed it: unconfirmed
    world.clock.advance(901)
    assert len(world.provider.calls) == 1


async def test_such_an_answer_is_written_by_a_store_that_fails_at_first_and_told_of(world, monkeypatch):
    account = world.account()
    message = await world.kept(account)
    slow = Until(Accepted("7", "70"))
    world.provider.script = [slow]
    attempting = asyncio.create_task(world.attempt(account))
    await slow.begun.wait()
    world.clock.advance(61)
    await world.queue.claim("other/0", 1, 60.0)
    confirm, failures = world.queue.confirm, [QueueError("disk full")]

    async def fails_once(*given):
        if failures:
            raise failures.pop()
        return await confirm(*given)

    monkeypatch.setattr(world.queue, "confirm", fails_once)
    slow.let_end.set()
    with pytest.raises(LeaseLost):
        await attempting
    assert await world.states(message) == [State.ACCEPTED]
    assert ["accepted"] == [told["state"] for told in world.logged("recipient_finished")]


async def test_a_fault_of_the_account_pauses_it_and_its_first_success_ends_that(world):
    account = world.account()
    await world.kept(account)
    world.provider.script = [Deferred("Res -1", blame=Blame.ACCOUNT)]
    await world.attempt(account)
    assert [pause.account for pause in await world.queue.paused()] == ["erp"]
    world.clock.advance(31)
    assert await world.queue.claim("local/0", 1, 60.0) == []
    world.clock.advance(30)
    await world.attempt(account)
    assert await world.queue.paused() == []
    assert len(world.logged("account_paused")) == len(world.logged("account_resumed")) == 1


async def test_pauses_grow_while_the_fault_lasts_but_not_with_the_calls_that_were_under_way(world):
    for _ in range(5):
        await world.pauses.fault("erp", "mensatek", "Res -1")
    assert world.pauses.seconds_left("erp") == 60.0
    world.clock.advance(60)
    await world.pauses.fault("erp", "mensatek", "Res -1")
    assert world.pauses.seconds_left("erp") == 120.0
    assert world.pauses.in_probation("erp")


async def test_a_count_that_differs_is_recorded_and_alerted(world):
    account = world.account()
    await world.kept(account, BOTH)
    world.provider.script = [Accepted("", "eeid", remark="the provider counted 1 of 2", sent_count=1)]
    await world.attempt(account)
    (alert,) = world.logged("sent_count_differs")
    assert (alert["expected"], alert["sent"], alert["level"]) == (2, 1, "error")
    assert world.counted("relay_sent_count_differs_total", provider="mensatek") == 1


async def test_a_plan_is_made_anew_when_the_account_has_changed(world):
    message = await world.kept(world.account())
    await world.attempt(world.account(recipients_per_call=1))
    assert world.provider.plans == 2
    assert await world.states(message) == [State.ACCEPTED]


async def test_one_bad_address_that_the_api_does_not_name_costs_nobody_else_the_mail(world):
    """Refusing everybody in the call lost good mail; only who is refused alone is proven to be bad."""
    people = [f"r{number}@example.net" for number in range(7)]
    account = world.account()
    message = await world.kept(account, people)

    async def refuse_if_bad_is_in(call):
        addresses = [recipient.address for recipient in call.recipients]
        bad = "r4@example.net" in addresses
        return Refused("invalid email", somebody_in_call=True) if bad else Accepted("", "batch")

    world.provider.script = [refuse_if_bad_is_in] * 20
    await world.attempt(account)
    assert await world.states(message) == [
        State.REFUSED if who == "r4@example.net" else State.ACCEPTED for who in people
    ]
    accepted = [who for call, _ in world.provider.calls for who in call if "r4@example.net" not in call]
    assert sorted(accepted) == sorted(set(people) - {"r4@example.net"})
    assert len(world.logged("recipient_finished")) == 7


async def test_a_process_killed_while_a_call_is_divided_has_refused_nobody(world):
    account = world.account()
    message = await world.kept(account, BOTH)
    second = Until(Accepted("", "batch"))
    world.provider.script = [Refused("invalid email", somebody_in_call=True), second]
    attempting = asyncio.create_task(world.attempt(account))
    await second.begun.wait()
    assert await world.states(message) == [State.SENDING, State.QUEUED]
    attempting.cancel()


# --- each at its own time ---


async def test_recipients_whose_call_was_not_made_wait_as_long_as_the_one_that_failed(world):
    account = world.account(recipients_per_call=1)
    await world.kept(account, BOTH)
    world.provider.script = [Deferred("HTTP 429", retry_after_seconds=3600.0)]
    await world.attempt(account)
    assert await world.queue.next_due_at() == world.clock.now + 3600


async def test_waits_grow_also_for_a_message_of_several_calls(world):
    account = world.account(recipients_per_call=1)
    await world.kept(account, BOTH)
    world.provider.script = [Deferred("busy")] * 4
    waits = []
    for _ in range(4):
        await world.attempt(account)
        waits.append(await world.queue.next_due_at() - world.clock.now)
        world.clock.advance(waits[-1])
    assert waits == [30.0, 60.0, 120.0, 240.0]


async def test_unconfirmed_recipients_whose_call_is_not_made_are_neither_counted_nor_due_at_once(world):
    """The worker span on such a message, and counted a possible duplicate at every turn."""
    account = world.account(recipients_per_call=1)
    message = await world.kept(account, BOTH)
    world.provider.script = [{BOTH[0]: Deferred("cut", maybe_accepted=True)}]
    await world.attempt(account)
    world.clock.advance(901)
    world.provider.script = [{BOTH[1]: Deferred("cut", maybe_accepted=True)}]
    (claim,) = await world.queue.claim("local/0", 1, 60.0)
    custody = world.custodian.take(claim, account)
    await custody.settle(custody.results_of({BOTH[1]: Deferred("cut", maybe_accepted=True)}))
    await custody.release()
    world.clock.advance(901)
    world.provider.script = [ProviderError("no connection", maybe_accepted=False)]
    await world.attempt(account)
    assert await world.states(message) == [State.QUEUED, State.UNCONFIRMED]
    assert await world.queue.next_due_at() > world.clock.now
    assert world.counted("relay_possible_duplicates_total", provider="mensatek") == 1


async def test_a_pause_stops_the_calls_that_wait_for_their_turn(world):
    """The vendor takes repeated refused calls for spam."""
    account = world.account(concurrency=1, mode="direct")
    world.provider.script = [Deferred("Res -1", blame=Blame.ACCOUNT)]
    prepared = [await world.prepared(account, [f"r{number}@example.net"]) for number in range(10)]
    taken = await asyncio.gather(*(world.direct.accept(one, still_there) for one in prepared))
    assert {one.reply.code for one in taken} == {451}
    assert len(world.provider.calls) == 1
