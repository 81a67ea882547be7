"""An account sends only as it may, and only so much."""

import asyncio

import pytest

from relay.accounts.account import Account
from relay.config import AccountPolicy
from relay.message import Envelope, EnvelopeRecipient, Message, Recipient, Role, new_message_id
from relay.outcome import Replies, Reply
from relay.providers.contract import MensatekCredentials
from relay.queue.contract import NewMessage, RecipientEntry

DAY = 86400.0


def account(**policy):
    return Account("erp", "mensatek", MensatekCredentials("me", "t"), AccountPolicy.model_validate(policy))


@pytest.mark.parametrize(
    ("senders", "address", "text"),
    [
        ((), "anybody@anywhere.example", None),
        (("*@example.org",), "", None),
        (("*@example.org",), "a@EXAMPLE.org", None),
        (("*@example.org", "b@example.net"), "b@example.net", None),
        (("*@example.org",), "a@example.net", "a@example.net: this account may send as: *@example.org"),
        (("*@example.org",), "not an address", "not an address: this account may send as: *@example.org"),
        (("*@example.org",), "ñ@example.net", "\\xf1@example.net: this account may send as: *@example.org"),
        (("*@ñandú.example",), "a@example.net", "a@example.net: this account may send as: *@\\xf1and\\xfa.example"),
        (("*@example.org",), "a\r\n@example.net", "That sender: this account may send as: *@example.org"),
        (("*@example.org",), "x" * 101, "That sender: this account may send as: *@example.org"),
        (
            tuple(f"{letter}@b.org" for letter in "abcdefg"),
            "z@b.org",
            "z@b.org: this account may send as: a@b.org, b@b.org, c@b.org, d@b.org, e@b.org and 2 more",
        ),
    ],
)
async def test_sender_is_allowed_or_refused_with_the_rule(gate, senders, address, text):
    accounts = gate.accounts()
    for _ in range(2):
        reply = accounts.refuse_sender(account(senders=senders), address)
        assert (text and Reply(550, "5.7.1", text)) == reply


async def test_nothing_is_limited_by_default(gate, failing_store):
    accounts = gate.accounts(queue=failing_store)
    assert {None} == {await accounts.refuse_volume(account(), 10**6) for _ in range(1000)}


async def test_messages_in_a_minute_are_limited(gate):
    accounts, erp = gate.accounts(), account(messages_per_minute=3)
    for _ in range(3):
        assert await accounts.refuse_volume(erp, 1) is None
        gate.clock.now += 10
    text = "The account's limit of 3 messages per minute is reached; try again in 30 seconds"
    assert Replies.RATE_LIMITED.saying(text) == await accounts.refuse_volume(erp, 1)
    gate.clock.now += 30
    assert await accounts.refuse_volume(erp, 1) is None
    assert "try again in 10 seconds" in (await accounts.refuse_volume(erp, 1)).text


async def test_recipients_in_a_day_are_limited(gate):
    accounts, erp = gate.accounts(), account(recipients_per_day=10)
    assert await accounts.refuse_volume(erp, 9) is None
    text = "The account's limit of 10 recipients per day is reached; try again after 00:00 UTC (in 840 minutes)"
    assert Reply(452, "4.7.1", text) == await accounts.refuse_volume(erp, 2)
    assert await accounts.refuse_volume(erp, 1) is None
    gate.clock.now += 14 * 3600
    assert await accounts.refuse_volume(erp, 10) is None


async def test_message_that_no_day_has_room_for_is_refused_for_good(gate, failing_store):
    """It got 452 once, and clients came back with it until they gave up."""
    text = "11 recipients are more than the account's 10 per day; send to fewer at once"
    expected = Reply(550, "5.7.1", text)
    for accounts in (gate.accounts(), gate.accounts(queue=failing_store)):
        assert expected == await accounts.refuse_volume(account(recipients_per_day=10), 11)


async def test_message_refused_for_the_day_does_not_count_for_the_minute(gate):
    accounts, erp = gate.accounts(), account(recipients_per_day=10, messages_per_minute=2)
    assert await accounts.refuse_volume(erp, 5) is None
    assert (await accounts.refuse_volume(erp, 6)).is_temporary
    assert (await accounts.refuse_volume(erp, 11)).code >= 500
    assert await accounts.refuse_volume(erp, 5) is None


async def test_message_refused_for_the_minute_does_not_count_for_the_day(gate):
    accounts, erp = gate.accounts(), account(recipients_per_day=10, messages_per_minute=1)
    assert await accounts.refuse_volume(erp, 5) is None
    assert (await accounts.refuse_volume(erp, 5)).is_temporary
    gate.clock.now += 60
    assert await accounts.refuse_volume(erp, 5) is None


async def test_day_begins_with_what_the_store_counts(gate):
    await kept(gate, recipients=4, at=gate.clock.now - 3600)
    await kept(gate, recipients=9, at=gate.clock.now - DAY)
    accounts, erp = gate.accounts(), account(recipients_per_day=10)
    assert (await accounts.refuse_volume(erp, 7)).is_temporary
    assert await accounts.refuse_volume(erp, 6) is None


async def test_what_another_process_takes_is_seen_within_a_second(gate):
    accounts, erp = gate.accounts(), account(recipients_per_day=10, messages_per_minute=4)
    assert await accounts.refuse_volume(erp, 1) is None
    await kept(gate, recipients=8, at=gate.clock.now)
    gate.clock.now += 1
    assert "10 recipients per day" in (await accounts.refuse_volume(erp, 3)).text
    assert await accounts.refuse_volume(erp, 1) is None
    for seconds in (0, 20, 40):
        await kept(gate, recipients=1, at=gate.clock.now - seconds)
    gate.clock.now += 1
    assert "4 messages per minute" in (await accounts.refuse_volume(account(messages_per_minute=4), 1)).text


async def test_room_in_the_minute_comes_when_the_first_message_of_any_process_is_a_minute_old(gate):
    accounts, erp = gate.accounts(), account(messages_per_minute=2)
    await kept(gate, recipients=1, at=gate.clock.now - 35)
    assert await accounts.refuse_volume(erp, 1) is None
    assert "try again in 25 seconds" in (await accounts.refuse_volume(erp, 1)).text
    gate.clock.now += 26
    assert await accounts.refuse_volume(erp, 1) is None


async def test_two_processes_take_what_one_may_and_little_more(gate):
    """Each hears of the other once a second: what both take within one may be too much, and no more."""
    processes, erp = [gate.accounts() for _ in range(2)], account(recipients_per_day=30)
    taken = 0
    for second in range(20):
        for number in range(4):
            if await processes[number % 2].refuse_volume(erp, 1) is None:
                taken += 1
                await kept(gate, recipients=1, at=gate.clock.now)
        gate.clock.now += 1
        assert taken >= min(30, 4 * (second + 1))
    assert 30 <= taken <= 32


async def test_a_day_of_many_messages_is_not_counted_from_its_beginning_every_second(gate):
    asked = []

    class Noting:
        async def volume(self, account, since, before):
            asked.append((since, before))
            return await gate.queue.volume(account, since, before)

    accounts, erp = gate.accounts(queue=Noting()), account(recipients_per_day=1000)
    noon, midnight = gate.clock.now, gate.clock.now - 10 * 3600
    for _ in range(3):
        for _ in range(5):
            await accounts.refuse_volume(erp, 1)
        gate.clock.now += 1
    edge = noon - 300
    assert [(midnight, edge), *[(edge, midnight + DAY)] * 3] == asked


async def test_an_account_without_limits_asks_the_store_nothing(gate, failing_store):
    accounts = gate.accounts(queue=failing_store)
    assert await accounts.refuse_volume(account(), 1000) is None
    assert Replies.STORE_UNAVAILABLE == await accounts.refuse_volume(account(messages_per_minute=1), 1)


async def test_messages_at_once_cannot_share_the_last_place(gate):
    accounts, erp = gate.accounts(), account(recipients_per_day=10)
    replies = await asyncio.gather(*(accounts.refuse_volume(erp, 1) for _ in range(50)))
    assert 10 == replies.count(None)


async def test_limits_are_each_accounts_own(gate):
    accounts, erp = gate.accounts(), account(messages_per_minute=1)
    other = Account("other", "mensatek", erp.credentials, erp.policy)
    assert [None, None] == [await accounts.refuse_volume(erp, 1), await accounts.refuse_volume(other, 1)]


async def test_store_that_cannot_count_is_temporary(gate, failing_store):
    accounts = gate.accounts(queue=failing_store)
    assert Replies.STORE_UNAVAILABLE == await accounts.refuse_volume(account(recipients_per_day=10), 1)


async def kept(gate, *, recipients, at):
    """Put a message into the store that came at a time."""
    addresses = [f"r{number}@example.org" for number in range(recipients)]
    envelope = Envelope("a@example.org", tuple(EnvelopeRecipient(address) for address in addresses))
    message = Message(new_message_id(lambda: at), "erp", envelope, b"Subject: x\r\n\r\n", at)
    entries = tuple(RecipientEntry(number, Recipient(address, Role.TO)) for number, address in enumerate(addresses))
    now, gate.clock.now = gate.clock.now, at
    await gate.queue.put(NewMessage(message, entries, "queue", due_at=at, expires_at=at + DAY))
    gate.clock.now = now
