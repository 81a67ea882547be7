"""Three ways of taking responsibility; what each says, and what each keeps."""

import asyncio

import pytest
from core_parts import Until, gone, still_there

from relay.errors import ProviderError, QueueFull
from relay.outcome import Accepted, Blame, Deferred, Refused, Replies
from relay.queue.contract import State

BOTH = ("ana@example.net", "luis@example.net")
YES, NO, LATER = Accepted("7", "70"), Refused("no", Replies.NO_SUCH_RECIPIENT), Deferred("busy")
DOUBT = Deferred("cut off", maybe_accepted=True)


async def test_queue_mode_says_250_for_what_the_store_has_and_calls_nobody(world):
    prepared = await world.prepared(world.account(), BOTH)
    taken = await world.queued.accept(prepared, still_there)
    assert (taken.reply.code, taken.queued) == (250, True)
    assert await world.states(prepared.message.id) == [State.QUEUED, State.QUEUED]
    assert world.provider.calls == []


@pytest.mark.parametrize("mode", ["queued", "direct", "auto"])
async def test_a_store_that_fails_gives_a_temporary_answer_and_sends_nothing(world, mode):
    """Sent without a word in the store, it would be sent again by a process that comes after a crash."""
    prepared = await world.prepared(world.account(mode="queue" if mode == "queued" else mode))
    await world.queue.close()
    taken = await getattr(world, mode).accept(prepared, still_there)
    assert taken.reply.code == 451
    assert world.provider.calls == []


@pytest.mark.parametrize(
    ("first", "second", "code", "kept"),
    [
        (YES, YES, 250, [State.ACCEPTED, State.ACCEPTED]),
        (YES, NO, 250, [State.ACCEPTED, State.REFUSED]),
        (YES, LATER, 250, [State.ACCEPTED, State.QUEUED]),
        (YES, DOUBT, 250, [State.ACCEPTED, State.UNCONFIRMED]),
        (NO, NO, 550, None),
        (LATER, LATER, 451, None),
        (NO, LATER, 451, None),
        (DOUBT, DOUBT, 451, None),
    ],
)
async def test_direct_mode_answers_for_all_and_keeps_what_is_left(world, first, second, code, kept):
    prepared = await world.prepared(world.account(mode="direct"), BOTH)
    world.provider.script = [{BOTH[0]: first, BOTH[1]: second}]
    taken = await world.direct.accept(prepared, still_there)
    assert taken.reply.code == code
    entries = await world.queue.entries(prepared.message.id)
    assert (None if entries is None else [entry.state for entry in entries]) == kept


async def test_direct_mode_delivers_the_rest_of_a_mixed_message_later(world):
    account = world.account(mode="direct")
    prepared = await world.prepared(account, BOTH)
    world.provider.script = [{BOTH[0]: YES, BOTH[1]: LATER}]
    await world.direct.accept(prepared, still_there)
    world.clock.advance(31)
    await world.attempt(account)
    assert world.provider.calls[1][0] == (BOTH[1],)
    assert await world.states(prepared.message.id) == [State.ACCEPTED, State.ACCEPTED]


async def test_direct_mode_says_250_for_accepted_mail_even_when_its_history_cannot_be_written(world):
    """Anything else would make the client send a second copy."""
    prepared = await world.prepared(world.account(mode="direct"))
    world.provider.script = [losing_the_store(world)]
    assert (await world.direct.accept(prepared, still_there)).reply.code == 250
    assert {event["what"] for event in world.logged("store_failed")} == {"put", "doubt"}


def losing_the_store(world):
    """A call that is accepted; the store fails meanwhile."""

    async def accept(_call):
        await world.queue.close()
        return YES

    return accept


async def test_a_client_that_comes_back_with_a_doubtful_message_is_held_back(world):
    """451 asks the client to send again, and the API may have the first one."""
    account = world.account(mode="direct", unconfirmed_wait="15m")
    world.provider.script = [ProviderError("timeout", maybe_accepted=True)]
    assert (await world.direct.accept(await world.prepared(account), still_there)).reply.code == 451
    assert (await world.direct.accept(await world.prepared(account), still_there)).reply.code == 451
    assert len(world.provider.calls) == 1
    world.clock.advance(901)
    assert (await world.direct.accept(await world.prepared(account), still_there)).reply.code == 250
    assert len(world.provider.calls) == 2
    assert world.counted("relay_possible_duplicates_total", provider="mensatek") == 1


async def test_a_bug_while_the_client_waits_is_no_licence_to_send_twice(world):
    account = world.account(mode="direct", unconfirmed_wait="15m")
    world.provider.script = [ZeroDivisionError("a bug")]
    assert (await world.direct.accept(await world.prepared(account), still_there)).reply.code == 451
    assert (await world.direct.accept(await world.prepared(account), still_there)).reply.code == 451
    assert len(world.provider.calls) == 1
    assert world.logged("unexpected_error")


async def test_a_pause_that_cannot_be_ended_in_the_store_does_not_turn_250_into_451(world):
    account = world.account(mode="direct")
    await world.pauses.fault("erp", "mensatek", "Res -1")
    world.clock.advance(61)
    world.provider.script = [losing_the_store(world)]
    assert (await world.direct.accept(await world.prepared(account), still_there)).reply.code == 250
    assert "resume" in {event["what"] for event in world.logged("store_failed")}


@pytest.mark.parametrize("mode", ["direct", "auto"])
async def test_who_has_it_gets_no_second_copy_when_the_rest_could_not_be_kept(world, mode, monkeypatch):
    """451 makes the client send the whole message again."""
    account = world.account(mode=mode)
    world.provider.script = [{BOTH[0]: YES, BOTH[1]: LATER}]
    with monkeypatch.context() as broken:
        broken.setattr(world.queue, "put", refuse)
        taken = await getattr(world, mode).accept(await world.prepared(account, BOTH), still_there)
    assert taken.reply.code == 452
    again = await getattr(world, mode).accept(await world.prepared(account, BOTH), still_there)
    assert again.reply.code == 250
    assert world.provider.calls == [(BOTH, ""), ((BOTH[1],), "70")]


async def refuse(_new):
    raise QueueFull("no room")


@pytest.mark.parametrize("mode", ["direct", "auto"])
async def test_a_client_that_lost_patience_and_sends_again_gets_no_second_copy(world, mode):
    """RFC 1047: the first 250 was not heard."""
    account = world.account(mode=mode)
    intake = getattr(world, mode)
    slow = Until(YES)
    world.provider.script = [slow]
    first = asyncio.create_task(intake.accept(await world.prepared(account), gone))
    await slow.begun.wait()
    second = asyncio.create_task(intake.accept(await world.prepared(account), still_there))
    await asyncio.sleep(0.01)
    slow.let_end.set()
    assert (await first).reply.code == (await second).reply.code == 250
    assert len(world.provider.calls) == 1
    assert world.counted("relay_messages_repeated_total") == 1


async def test_a_client_that_lost_patience_and_comes_to_another_process_gets_no_second_copy(world):
    account = world.account(mode="direct")
    slow = Until(YES)
    world.provider.script = [slow]
    first = asyncio.create_task(world.direct.accept(await world.prepared(account), gone))
    await slow.begun.wait()
    other = world.another_direct("local/1")
    second = asyncio.create_task(other.accept(await world.prepared(account), still_there))
    await asyncio.sleep(0.05)
    assert not second.done()
    slow.let_end.set()
    assert (await first).reply.code == (await second).reply.code == 250
    assert len(world.provider.calls) == 1


@pytest.mark.parametrize("rule", ["hold", "retry"])
async def test_what_a_process_had_begun_when_it_died_is_not_sent_blindly_again(world, rule):
    """It may have died after the API took the mail and before its client heard a word."""
    account = world.account(mode="direct", unconfirmed_wait="15m", on_unconfirmed=rule)
    slow = Until(YES)
    world.provider.script = [slow]
    dying = asyncio.create_task(world.another_direct("local/1").accept(await world.prepared(account), gone))
    await slow.begun.wait()
    await world.queue.recover("local/1")
    for _ in range(2):
        assert (await world.direct.accept(await world.prepared(account), still_there)).reply.code == 451
    assert len(world.provider.calls) == 1
    world.clock.advance(901)
    again = await world.direct.accept(await world.prepared(account), still_there)
    assert (again.reply.code, len(world.provider.calls)) == ((451, 1) if rule == "hold" else (250, 2))
    assert world.counted("relay_possible_duplicates_total", provider="mensatek") == (rule == "retry")
    slow.let_end.set()
    await dying


async def test_who_has_it_gets_no_second_copy_from_a_queue_that_takes_the_rest_during_a_pause(world, monkeypatch):
    account = world.account(mode="auto")
    world.provider.script = [{BOTH[0]: YES, BOTH[1]: LATER}]
    with monkeypatch.context() as broken:
        broken.setattr(world.queue, "put", refuse)
        await world.auto.accept(await world.prepared(account, BOTH), still_there)
    await world.pauses.fault("erp", "mensatek", "Res -1")
    again = await world.prepared(account, BOTH)
    assert (await world.auto.accept(again, still_there)).reply.code == 250
    assert await world.states(again.message.id) == [State.ACCEPTED, State.QUEUED]


@pytest.mark.parametrize("mode", ["direct", "auto"])
async def test_the_same_mail_sent_twice_on_purpose_is_sent_twice(world, mode):
    account = world.account(mode=mode)
    intake = getattr(world, mode)
    for _ in range(2):
        assert (await intake.accept(await world.prepared(account), still_there)).reply.code == 250
    assert len(world.provider.calls) == 2


async def test_once_its_250_was_heard_the_same_mail_is_sent_again_when_it_is_meant_so(world):
    """An alert without Date or Message-ID is the same bytes every time."""
    account = world.account(mode="direct")
    for hears in (gone, still_there, still_there):
        assert (await world.direct.accept(await world.prepared(account), hears)).reply.code == 250
    assert len(world.provider.calls) == 2


async def test_what_was_not_heard_is_remembered_for_a_day_only(world):
    account = world.account(mode="direct")
    await world.direct.accept(await world.prepared(account), gone)
    world.clock.advance(86401)
    await world.direct.accept(await world.prepared(account), still_there)
    assert len(world.provider.calls) == 2


async def test_auto_mode_leaves_to_the_worker_what_waits_for_a_turn(world):
    """Held here they would be without bound."""
    account = world.account(mode="auto", answer_within=0.01, concurrency=1)
    slow = Until(YES)
    world.provider.script = [slow]
    first = asyncio.create_task(world.auto.accept(await world.prepared(account, BOTH), still_there))
    await slow.begun.wait()
    others = [await world.auto.accept(await world.prepared(account), still_there) for _ in range(5)]
    assert {(one.reply.code, one.queued) for one in others} == {(250, True)}
    assert len(await world.queue.claim("local/0", 10, 60.0)) == 5  # nobody holds a lease on them
    slow.let_end.set()
    await first
    await world.auto.close(5.0)
    assert len(world.provider.calls) == 1


async def test_direct_mode_leaves_a_paused_account_alone(world):
    account = world.account(mode="direct")
    world.provider.script = [Deferred("Res -1", blame=Blame.ACCOUNT)]
    assert (await world.direct.accept(await world.prepared(account), still_there)).reply.code == 451
    assert (await world.direct.accept(await world.prepared(account), still_there)).reply.code == 451
    assert len(world.provider.calls) == 1


async def test_direct_mode_begins_no_further_call_when_its_time_is_over(world):
    account = world.account(mode="direct", answer_within=0.01, recipients_per_call=1)
    slow = Until(YES)
    world.provider.script = [slow]
    prepared = await world.prepared(account, BOTH)
    accepting = asyncio.create_task(world.direct.accept(prepared, still_there))
    await slow.begun.wait()
    await asyncio.sleep(0.05)
    slow.let_end.set()
    assert (await accepting).reply.code == 250
    assert len(world.provider.calls) == 1
    assert await world.states(prepared.message.id) == [State.ACCEPTED, State.QUEUED]


@pytest.mark.parametrize(
    ("step", "code", "kept"),
    [
        (YES, 250, State.ACCEPTED),
        (NO, 550, None),
        (LATER, 250, State.QUEUED),
        (DOUBT, 250, State.UNCONFIRMED),
    ],
)
async def test_auto_mode_commits_what_the_api_did_not_take(world, step, code, kept):
    prepared = await world.prepared(world.account(mode="auto"))
    world.provider.script = [step]
    assert (await world.auto.accept(prepared, still_there)).reply.code == code
    entries = await world.queue.entries(prepared.message.id)
    assert (None if entries is None else entries[0].state) == kept


@pytest.mark.parametrize(
    ("late", "state"), [(YES, State.ACCEPTED), (NO, State.REFUSED), (LATER, State.QUEUED), (DOUBT, State.UNCONFIRMED)]
)
async def test_auto_mode_answers_in_time_and_records_what_the_api_says_later(world, late, state):
    account = world.account(mode="auto", answer_within=0.01)
    slow = Until(late)
    world.provider.script = [slow]
    prepared = await world.prepared(account)
    taken = await world.auto.accept(prepared, still_there)
    assert (taken.reply.code, taken.queued) == (250, True)
    assert await world.states(prepared.message.id) == [State.SENDING]
    assert await world.queue.claim("local/0", 1, 60.0) == []  # nobody else may send it meanwhile
    slow.let_end.set()
    assert await world.auto.close(10.0) == 0
    assert await world.states(prepared.message.id) == [state]
    assert len(world.provider.calls) == 1


async def test_auto_mode_records_the_calls_after_the_deadline_too(world):
    account = world.account(mode="auto", answer_within=0.01, recipients_per_call=1)
    slow = Until(YES)
    world.provider.script = [slow, NO]
    prepared = await world.prepared(account, BOTH)
    await world.auto.accept(prepared, still_there)
    assert await world.states(prepared.message.id) == [State.SENDING, State.QUEUED]
    slow.let_end.set()
    await world.auto.close(10.0)
    assert await world.states(prepared.message.id) == [State.ACCEPTED, State.REFUSED]


async def test_auto_mode_that_cannot_commit_waits_for_the_api(world):
    """Its 250 needs one of the two: the disk or the API."""
    slow = Until(YES)
    world.provider.script = [slow]
    prepared = await world.prepared(world.account(mode="auto", answer_within=0.01))
    accepting = asyncio.create_task(world.auto.accept(prepared, still_there))
    await slow.begun.wait()
    await world.queue.close()
    await asyncio.sleep(0.05)
    assert not accepting.done()
    slow.let_end.set()
    assert (await accepting).reply.code == 250


async def test_a_process_that_dies_after_the_deadline_leaves_the_message_unconfirmed(world):
    slow = Until(YES)
    world.provider.script = [slow]
    prepared = await world.prepared(world.account(mode="auto", answer_within=0.01))
    await world.auto.accept(prepared, still_there)
    assert await world.auto.close(0.0) == 1
    assert await world.queue.recover("local/0") == 1
    assert await world.states(prepared.message.id) == [State.UNCONFIRMED]


async def test_a_message_is_in_hand_for_as_long_as_its_client_may_have_to_wait(world):
    """A lease shorter than answer_within let a second session take the message while the first was still sending it."""
    account = world.account(mode="direct", answer_within="10m")
    slow = Until(YES)
    world.provider.script = [slow]
    first = asyncio.create_task(world.direct.accept(await world.prepared(account), still_there))
    await slow.begun.wait()
    world.clock.advance(500)
    second = asyncio.create_task(world.direct.accept(await world.prepared(account), still_there))
    await asyncio.sleep(0.1)
    assert not second.done()
    slow.let_end.set()
    assert (await first).reply.code == 250
    await second
