"""Seeking proof: when the API is asked, what follows, and when it is left alone."""

import asyncio

from core_parts import NOON

from relay.errors import ProviderError
from relay.outcome import Blame, Deferred
from relay.providers.contract import Trace
from relay.queue.contract import State

ANA, LUIS = "ana@example.net", "luis@example.net"
CUT = Deferred("cut off", maybe_accepted=True)
MADE = Trace(ANA, "b-1", NOON + 1)


async def unconfirmed(world, account, *recipients):
    message = await world.kept(account, recipients or (ANA,))
    world.provider.script = [CUT]
    await world.attempt(account)
    return message


async def look_after(world, seconds):
    world.clock.advance(seconds)
    await world.proof.look_around()


async def test_who_is_proven_is_accepted_and_gets_no_second_copy(world):
    account = world.account()
    message = await unconfirmed(world, account)
    world.provider.told = [MADE]
    await look_after(world, 900 / 16)
    (entry,) = await world.entries(message)
    assert (State.ACCEPTED, "b-1") == (entry.state, entry.provider_batch_id)
    assert [] == await world.queue.claim("local/0", 10, 60.0)
    assert 1 == len(world.provider.calls)
    assert 1 == world.counted("relay_proof_found_total", provider="mensatek")
    assert 0 == world.counted("relay_possible_duplicates_total", provider="mensatek")
    (told,) = world.logged("recipient_finished")
    assert ("accepted", "proven by the provider's events") == (told["state"], told["reason"])


async def test_it_is_asked_a_few_times_with_growing_pauses(world):
    account = world.account(unconfirmed_wait="16m")
    await unconfirmed(world, account)
    world.provider.told = []
    asked = []
    for minute in range(16):
        before = len(world.provider.questions)
        await world.proof.look_around()
        asked += [minute] * (len(world.provider.questions) - before)
        world.clock.advance(60)
    assert [1, 2, 4, 8] == asked


async def test_it_is_asked_once_more_before_the_account_s_rule(world):
    account = world.account()
    message = await unconfirmed(world, account)
    world.provider.told = [MADE]
    world.clock.advance(900)
    await world.attempt(account)
    assert [State.ACCEPTED] == await world.states(message)
    assert 1 == len(world.provider.calls)
    assert 1 == len(world.logged("recipient_finished"))
    assert 0 == (await world.queue.stats()).messages_open


async def test_what_the_last_attempt_of_a_long_outage_brought_is_proof(world):
    account = world.account()
    message = await unconfirmed(world, account)
    for _ in range(5):
        world.clock.advance(900)
        world.provider.script = [CUT]
        await world.attempt(account)
    world.provider.told = [Trace(ANA, "b-6", world.clock() + 1)]
    world.clock.advance(900)
    await world.attempt(account)
    assert [State.ACCEPTED] == await world.states(message)
    assert 6 == len(world.provider.calls)


async def test_without_proof_the_account_s_rule_decides_and_a_copy_is_counted(world):
    account = world.account()
    message = await unconfirmed(world, account)
    world.provider.told = []
    world.clock.advance(900)
    await world.attempt(account)
    assert [State.ACCEPTED] == await world.states(message)
    assert 2 == len(world.provider.calls)
    assert 1 == world.counted("relay_possible_duplicates_total", provider="mensatek")


async def test_what_is_held_is_still_found_later(world):
    account = world.account(on_unconfirmed="hold")
    message = await unconfirmed(world, account)
    world.provider.told = []
    world.clock.advance(900)
    await world.attempt(account)
    assert [State.HELD] == await world.states(message)
    world.provider.told = [MADE]
    await look_after(world, 300)
    assert [State.HELD] == await world.states(message)
    await look_after(world, 300)
    assert [State.ACCEPTED] == await world.states(message)
    assert 0 == (await world.queue.stats()).messages_open


async def test_many_who_are_held_for_long_leave_the_question_to_those_behind_them(world, monkeypatch):
    monkeypatch.setattr("relay.proof._MOST", 2)
    account = world.account(on_unconfirmed="hold")
    for number in range(2):
        await unconfirmed(world, account, f"user{number}@example.net")
    world.provider.told = []
    world.clock.advance(900)
    for _ in range(2):
        await world.attempt(account)
    world.clock.advance(8 * 3600)
    message = await unconfirmed(world, account)
    world.provider.told = [Trace(ANA, "b-1", world.clock() + 1)]
    await look_after(world, 100)
    assert [State.ACCEPTED] == await world.states(message)
    assert 2 == (await world.queue.stats()).by_state[State.HELD]


async def test_only_who_is_proven_is_spared_the_second_attempt(world):
    account = world.account()
    message = await unconfirmed(world, account, ANA, LUIS)
    world.provider.told = [MADE]
    world.clock.advance(900)
    await world.attempt(account)
    assert [State.ACCEPTED, State.ACCEPTED] == await world.states(message)
    assert [((ANA, LUIS), ""), ((LUIS,), "")] == world.provider.calls


async def test_one_question_serves_all_messages_of_an_account(world):
    account = world.account(concurrency=10)
    messages = [await unconfirmed(world, account, f"user{number}@example.net") for number in range(5)]
    world.provider.told = [Trace(f"user{number}@example.net", f"b-{number}", NOON + 1) for number in range(5)]
    world.clock.advance(900)
    await world.attempt(account)
    assert 1 == len(world.provider.questions)
    assert [[State.ACCEPTED]] * 5 == [await world.states(message) for message in messages]


async def test_two_equal_mails_in_one_outage_prove_neither_also_after_one_was_sent_again(world):
    """The trace is that of the first; sent again with success it leaves it behind, and the other must not take it."""
    account = world.account()
    first, second = [await unconfirmed(world, account) for _ in range(2)]
    world.provider.told = [MADE]
    world.clock.advance(900)
    await world.attempt(account)
    assert [[State.ACCEPTED], [State.UNCONFIRMED]] == [await world.states(each) for each in (first, second)]
    await world.attempt(account)
    assert [State.ACCEPTED] == await world.states(second)
    assert 4 == len(world.provider.calls)
    assert 0 == world.counted("relay_proof_found_total", provider="mensatek")


async def test_a_mail_that_is_being_sent_is_no_proof_of_another(world):
    account = world.account()
    message = await unconfirmed(world, account)
    await world.kept(account)
    claim, *_ = await world.queue.claim("other/0", 1, 60.0)
    await world.queue.begin(claim, [0], 60.0)
    world.provider.told = [MADE]
    await look_after(world, 100)
    assert [State.UNCONFIRMED] == await world.states(message)


async def test_an_account_that_is_paused_is_not_asked(world):
    account = world.account()
    await unconfirmed(world, account)
    world.provider.script = [Deferred("Res -1", blame=Blame.ACCOUNT)]
    await world.kept(account, (LUIS,))
    await world.attempt(account)
    world.provider.told = []
    await look_after(world, 100)  # the pause is over, and one careful call goes first
    assert [] == world.provider.questions


async def test_an_account_may_do_without(world):
    account = world.account(seek_proof=False)
    await unconfirmed(world, account)
    world.provider.told = [MADE]
    await look_after(world, 450)
    assert [] == world.provider.questions


async def test_an_api_that_does_not_answer_such_questions_is_left_alone_longer_each_time(world):
    account = world.account(unconfirmed_wait="16m")
    message = await unconfirmed(world, account)
    world.provider.told = ProviderError("HTTP 500", maybe_accepted=False)
    for _ in range(16):
        await look_after(world, 60)
    told = world.logged("proof_unavailable")
    assert [60, 120, 240, 480] == [event["seconds"] for event in told]
    assert [State.UNCONFIRMED] == await world.states(message)
    assert 4 == world.counted("relay_proof_looks_total", provider="mensatek", result="failed")


async def test_a_question_that_failed_is_asked_anew_for_the_next_message(world):
    account = world.account()
    first = await unconfirmed(world, account)
    world.clock.advance(70)
    second = await unconfirmed(world, account, LUIS)
    made = Trace(LUIS, "b-2", world.clock() + 1)
    world.clock.advance(830)
    world.provider.told = ProviderError("HTTP 500", maybe_accepted=False)
    await world.attempt(account)
    world.clock.advance(70)
    world.provider.told = [made]
    await world.attempt(account)
    assert [State.ACCEPTED] == await world.states(second)
    assert [(ANA,), (LUIS,), (ANA,)] == [addresses for addresses, _ in world.provider.calls]
    assert [State.ACCEPTED] == await world.states(first)


async def test_those_who_wait_for_a_question_that_fails_do_not_ask_it_again(world):
    account = world.account(concurrency=3)
    for number in range(3):
        await unconfirmed(world, account, f"user{number}@example.net")
    world.provider.told = ProviderError("HTTP 500", maybe_accepted=False)
    world.clock.advance(900)
    await asyncio.gather(*[world.attempt(account) for _ in range(3)])
    assert 1 == len(world.provider.questions)
    assert [60] == [event["seconds"] for event in world.logged("proof_unavailable")]


async def test_mail_of_an_account_that_is_gone_is_not_asked_for(world):
    account = world.account()
    await unconfirmed(world, account)
    del world.accounts.accounts["erp"]
    await look_after(world, 450)
    assert [] == world.provider.questions


async def test_what_a_crash_interrupted_is_sought_for_too(world):
    account = world.account()
    await world.kept(account)
    (claim,) = await world.queue.claim("local/0", 1, 60.0)
    await world.queue.begin(claim, [0], 60.0)
    world.clock.advance(3)
    await world.queue.recover("local/0")
    world.provider.told = [MADE]
    await look_after(world, 60)
    assert [State.ACCEPTED] == await world.states(claim.message.id)
    assert [] == world.provider.calls


async def test_proof_that_came_while_the_message_was_claimed_spares_the_attempt_and_is_told_of_once(world):
    """The look for another message found it; its holder then asked anew, heard nothing of it, and tried in vain."""
    account = world.account()
    message = await unconfirmed(world, account)
    world.provider.told = [MADE]
    world.clock.advance(900)
    (claim,) = await world.queue.claim("local/0", 1, 60.0)
    await world.proof.look_around()
    assert [State.ACCEPTED] == await world.states(message)
    world.clock.advance(200)
    await world.keeper.attempt(world.custodian.take(claim, account))
    assert 1 == len(world.provider.calls)
    assert 1 == len(world.logged("recipient_finished"))
    assert 0 == (await world.queue.stats()).messages_open
    assert 0 == await world.queue.recover("local/0")
