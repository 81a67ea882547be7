"""Failed logins are slowed, counted and blocked, per client and per login, and nobody else suffers."""

import asyncio
import itertools

import pytest

from relay.accounts.bounded import Bounded
from relay.accounts.failures import Failures, client_key, delay_seconds
from relay.config import LoginSettings
from relay.outcome import Replies, Reply

CLIENT = "203.0.113.9"
APP = "app@example.org"
GUESSES = itertools.count()


async def fail(accounts, times, login=APP, client=CLIENT):
    for _ in range(times):
        assert Replies.AUTH_FAILED == await accounts.authenticate(login, f"wrong {next(GUESSES)}", client)


def blocked_login(minutes):
    return Reply(454, "4.7.0", f"Too many failed logins; try again in {minutes}")


async def test_delay_doubles_up_to_eight_times(gate):
    await fail(gate.accounts(logins={"delay": 2}), 6)
    assert [2, 4, 8, 16, 16, 16] == gate.slept


async def test_delay_counts_the_client_over_all_logins(gate):
    accounts = gate.accounts()
    for login in ("a", "b", "c"):
        await fail(accounts, 1, login)
    assert [1, 2, 4] == gate.slept


async def test_an_application_with_an_old_password_shuts_out_itself_and_nobody_who_has_the_new_one(gate):
    """And a client that tries each mechanism with the same password has not failed twice at the login."""
    accounts = gate.accounts(logins={"failures": 3})
    for _ in range(3):
        assert Replies.AUTH_FAILED == await accounts.authenticate(APP, "old", CLIENT)
    assert [1, 2, 4] == gate.slept
    assert accounts.blocked(CLIENT) is not None
    assert "erp" == (await accounts.authenticate(APP, "right", "203.0.113.10")).name


async def test_many_connections_at_once_gain_nothing(gate):
    accounts = gate.accounts(logins={"failures": 5})
    replies = await asyncio.gather(*(accounts.authenticate(APP, f"guess {n}", f"203.0.113.{n}") for n in range(30)))
    # Three others were being checked when the fifth failure was counted.
    assert 5 <= sum(reply == Replies.AUTH_FAILED for reply in replies) <= 8
    assert all(reply.code in {454, 535} for reply in replies)


async def test_client_is_blocked_after_so_many_failures(gate):
    accounts = gate.accounts(logins={"failures": 3})
    await fail(accounts, 2, "a")
    assert accounts.blocked(CLIENT) is None
    await fail(accounts, 1, "b")
    expected = Reply(421, "4.7.0", "Too many failed logins from your address; try again in 15 minutes")
    assert expected == accounts.blocked(CLIENT)
    assert expected == await accounts.authenticate(APP, "right", CLIENT)
    assert accounts.blocked("203.0.113.10") is None


async def test_block_of_a_client_ends(gate):
    accounts = gate.accounts(logins={"failures": 3})
    await fail(accounts, 3, "a")
    gate.clock.now += 870
    assert "Too many failed logins from your address; try again in a minute" == accounts.blocked(CLIENT).text
    gate.clock.now += 30
    assert accounts.blocked(CLIENT) is None
    assert "erp" == (await accounts.authenticate(APP, "right", CLIENT)).name


async def test_failures_are_forgotten_after_the_window(gate):
    accounts = gate.accounts(logins={"failures": 3, "window": 60})
    await fail(accounts, 2)
    gate.clock.now += 60
    await fail(accounts, 2)
    assert accounts.blocked(CLIENT) is None
    assert [1, 2, 1, 2] == gate.slept


async def test_login_is_blocked_from_everywhere(gate):
    accounts = gate.accounts(logins={"failures": 3})
    for number in range(3):
        await fail(accounts, 1, client=f"203.0.113.{number}")
    assert blocked_login("15 minutes") == await accounts.authenticate(APP, "right", "198.51.100.1")
    assert "login_blocked" == gate.events()[-1]
    gate.clock.now += 900
    assert "erp" == (await accounts.authenticate(APP, "right", "198.51.100.1")).name


async def test_remembered_password_passes_a_blocked_login_from_where_it_was_right_and_from_nowhere_else(gate):
    """Who guesses at a login from outside must not shut out the application that owns it, nor hear of a right guess."""
    accounts = gate.accounts(logins={"failures": 3})
    await accounts.authenticate(APP, "right", "198.51.100.1")
    await fail(accounts, 3)
    assert "erp" == (await accounts.authenticate(APP, "right", "198.51.100.1")).name
    assert blocked_login("15 minutes") == await accounts.authenticate(APP, "right", "198.51.100.2")


async def test_what_is_remembered_is_told_at_once_and_never_past_a_block(gate):
    """Without waiting for anything; `authenticate` must find out about all others."""
    accounts = gate.accounts(logins={"failures": 3})
    assert accounts.remembered(APP, "right", "198.51.100.1") is None
    await accounts.authenticate(APP, "right", "198.51.100.1")
    assert "erp" == accounts.remembered(APP, "right", "198.51.100.1").name
    assert "login_accepted" == gate.events()[-1]
    assert accounts.remembered(APP, "wrong", "198.51.100.1") is None
    assert accounts.remembered("unknown", "right", "198.51.100.1") is None
    await fail(accounts, 3, "mistyped", client="198.51.100.1")
    assert accounts.remembered(APP, "right", "198.51.100.1") is None
    assert "erp" == accounts.remembered(APP, "right", "198.51.100.2").name
    await fail(accounts, 3)
    assert accounts.remembered(APP, "right", "198.51.100.2") is None


async def test_right_password_forgives_the_login_and_not_the_client(gate):
    accounts = gate.accounts(logins={"failures": 3})
    await fail(accounts, 2)
    await accounts.authenticate(APP, "right", CLIENT)
    await fail(accounts, 1, client="198.51.100.1")
    assert [1, 2, 1] == gate.slept
    await fail(accounts, 1)
    assert accounts.blocked(CLIENT) is not None


@pytest.mark.parametrize("client", ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1", "192.0.2.5", "", "unix"])
async def test_this_machine_and_trusted_networks_are_never_blocked_as_clients(gate, client):
    accounts = gate.accounts(logins={"failures": 3})
    await fail(accounts, 3, "mistyped", client)
    assert accounts.blocked(client) is None
    assert "erp" == (await accounts.authenticate(APP, "right", client)).name
    assert blocked_login("15 minutes") == await accounts.authenticate("mistyped", "x", client)


async def test_spellings_of_a_passthrough_login_are_counted_together(gate):
    accounts = gate.accounts(logins={"failures": 3})
    for number, login in enumerate(("acme-7", "ACME-7", "acme-007")):
        await fail(accounts, 1, login, f"203.0.113.{number}")
    assert blocked_login("15 minutes") == await accounts.authenticate("acme-7", "k3y", "198.51.100.1")


async def test_upstream_that_cannot_tell_is_nobodys_failure(gate, failing_store):
    gate.dmds.right = {"acme-7": "k3y"}
    accounts = gate.accounts(logins={"failures": 1}, queue=failing_store)
    for _ in range(3):
        assert Replies.AUTH_UNAVAILABLE == await accounts.authenticate("acme-7", "k3y", CLIENT)
    assert accounts.blocked(CLIENT) is None


@pytest.mark.parametrize(
    ("client", "key"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::", "2001:db8:1:3::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("unix", "unix"),
    ],
)
def test_client_is_an_address_or_a_64(client, key):
    assert key == client_key(client)


async def test_clock_that_is_set_back_blocks_nobody_for_longer(gate):
    accounts = gate.accounts(logins={"failures": 3})
    await fail(accounts, 3)
    gate.clock.now -= 30 * 86400
    assert accounts.blocked(CLIENT) is None
    assert "erp" == (await accounts.authenticate(APP, "right", CLIENT)).name


async def test_failures_take_bounded_memory_also_without_the_store(failing_store, quiet_events, clock):
    failures = Failures(failing_store, LoginSettings(), quiet_events, clock)
    for number in range(10_500):
        await failures.count(str(number))
    assert (10_000, 10_000) == (len(failures._known), len(failures._unsaved))


async def test_failures_are_counted_up_to_the_block_and_then_anew(gate, quiet_events, clock):
    failures = Failures(gate.queue, LoginSettings(failures=5), quiet_events, clock)
    assert [1, 2, 3, 4, 5, 1] == [await failures.count("k") for _ in range(6)]


def test_delay_stays_bounded_for_any_count():
    assert 8 == delay_seconds(LoginSettings(), 10**6)
    assert 0 == delay_seconds(LoginSettings(delay=0), 10)


def test_bounded_forgets_by_time_and_the_oldest_first(clock):
    memory = Bounded(2, clock)
    memory.put("a", 1, 10)
    memory.put("b", 2, 10)
    memory.put("a", 3, 10)
    memory.put("c", 4, 5)
    assert (3, None, 4) == (memory.get("a"), memory.get("b"), memory.get("c"))
    clock.now += 5
    assert (3, None) == (memory.get("a"), memory.get("c"))
    memory.drop("a")
    memory.drop("a")
    assert (None, 0) == (memory.get("a"), len(memory))
