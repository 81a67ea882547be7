"""Failed logins hold in every process and over a restart; blocks grow; who owns a login is not shut out of it."""

import asyncio
import itertools

import pytest

from relay.accounts.failures import Failures, after_failure
from relay.config import LoginSettings
from relay.outcome import Replies, Reply

CLIENT = "203.0.113.9"
OWN = "198.51.100.1"
APP = "app@example.org"
GUESSES = itertools.count()
MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0


async def fail(accounts, times, login=APP, client=CLIENT):
    for _ in range(times):
        assert Replies.AUTH_FAILED == await accounts.authenticate(login, f"wrong {next(GUESSES)}", client)


async def hammer(accounts, times, login=APP):
    """Guess from everywhere, a try from each address."""
    for number in range(times):
        await accounts.authenticate(login, f"guess {number}", f"203.0.113.{number}")


def blocked_login(minutes):
    return Reply(454, "4.7.0", f"Too many failed logins; try again in {minutes}")


async def test_two_processes_give_no_more_tries_than_one(gate):
    one, two = (gate.accounts(logins={"failures": 4}) for _ in range(2))
    await fail(one, 2)
    await fail(two, 2)
    assert [1, 2, 4, 8] == gate.slept
    for accounts in (one, two):
        reply = await accounts.authenticate(APP, "right", CLIENT)
        assert Replies.CLIENT_BLOCKED.code == reply.code
        assert reply == accounts.blocked(CLIENT)  # known there from now on, before the greeting
        assert blocked_login("15 minutes") == await accounts.authenticate(APP, "right", "203.0.113.77")


async def test_many_processes_and_connections_at_once_gain_a_few_tries_at_most(gate):
    processes = [gate.accounts(logins={"failures": 5}) for _ in range(3)]
    replies = await asyncio.gather(
        *(processes[n % 3].authenticate(APP, f"guess {n}", f"203.0.113.{n}") for n in range(60))
    )
    # Each has four checks under way at once when the fifth failure is counted.
    assert 5 <= replies.count(Replies.AUTH_FAILED) <= 5 + 3 * 4


async def test_a_restart_gives_no_fresh_start(gate):
    await fail(gate.accounts(logins={"failures": 3}), 2)
    await fail(gate.accounts(logins={"failures": 3}), 1)
    reply = await gate.accounts(logins={"failures": 3}).authenticate(APP, "right", CLIENT)
    assert Replies.CLIENT_BLOCKED.code == reply.code


async def test_an_upstream_is_asked_no_more_often_by_two_processes(gate):
    """Mensatek blocks callers whose connections fail often, and counts not by process."""
    processes = [gate.accounts(logins={"failures": 1, "delay": 0}) for _ in range(2)]
    for number in range(14):
        await processes[number % 2].authenticate(f"acme-{number + 1}", "guess", f"203.0.113.{number}")
    assert 10 == len(gate.dmds.asked)


async def test_blocks_in_a_row_grow_and_after_quiet_time_begin_anew():
    settings = LoginSettings(failures=1, block=15 * MINUTE, block_longest=2 * HOUR, quiet=DAY)
    standing, now, blocks = None, 1_800_000_000.0, []
    for _ in range(6):
        standing = after_failure(standing, now, settings)
        blocks.append((standing.blocked_until - now) / MINUTE)
        now = standing.blocked_until
    assert [15, 30, 60, 120, 120, 120] == blocks
    assert 15 * MINUTE == after_failure(standing, now + DAY, settings).blocked_until - now - DAY
    assert 120 * MINUTE == after_failure(standing, now + DAY - 1, settings).blocked_until - now - DAY + 1


async def test_blocks_do_not_grow_where_the_longest_is_less_than_one():
    settings = LoginSettings(failures=1, block=60.0, block_longest=0.0)
    standing = after_failure(after_failure(None, 1000.0, settings), 1060.0, settings)
    assert 1120.0 == standing.blocked_until


async def test_who_guesses_from_everywhere_does_not_shut_out_the_application_that_owns_the_login(gate):
    """After a restart its password is remembered by nobody, and it gets in all the same."""
    await gate.accounts(logins={"failures": 3}).authenticate(APP, "right", OWN)
    await hammer(gate.accounts(logins={"failures": 3}), 20)

    restarted = gate.accounts(logins={"failures": 3})
    assert "erp" == (await restarted.authenticate(APP, "right", OWN)).name
    # It does not lift the block for those who guess.
    assert blocked_login("15 minutes") == await restarted.authenticate(APP, "right", "203.0.113.200")
    assert blocked_login("15 minutes") == await restarted.authenticate(APP, "guess", "203.0.113.201")


async def test_a_known_client_of_a_64_is_known_with_each_of_its_addresses(gate):
    accounts = gate.accounts(logins={"failures": 3})
    await accounts.authenticate(APP, "right", "2001:db8:9:9::1")
    await hammer(accounts, 3)
    restarted = gate.accounts(logins={"failures": 3})
    assert "erp" == (await restarted.authenticate(APP, "right", "2001:db8:9:9:8:7:6:5")).name
    assert 454 == (await restarted.authenticate(APP, "right", "2001:db8:9:8::1")).code


async def test_failures_of_a_known_client_are_counted_and_blocked_apart(gate):
    """Trusted and loopback clients are never blocked as clients, so it is this that stops them."""
    accounts = gate.accounts(logins={"failures": 3})
    await accounts.authenticate(APP, "right", "127.0.0.1")
    await fail(accounts, 3, client="127.0.0.1")
    restarted = gate.accounts(logins={"failures": 3})
    assert blocked_login("15 minutes") == await restarted.authenticate(APP, "right", "127.0.0.1")
    assert "erp" == (await restarted.authenticate(APP, "right", "127.0.0.2")).name
    gate.clock.now += 15 * MINUTE
    assert "erp" == (await restarted.authenticate(APP, "right", "127.0.0.1")).name


@pytest.mark.parametrize(("days", "is_known"), [(29, True), (31, False)])
async def test_a_client_is_known_for_a_time(gate, days, is_known):
    await gate.accounts(logins={"failures": 3}).authenticate(APP, "right", OWN)
    gate.clock.now += days * DAY
    accounts = gate.accounts(logins={"failures": 3})
    await hammer(accounts, 3)
    assert is_known == (await accounts.authenticate(APP, "right", OWN) == await accounts.resolve("erp"))


async def test_a_client_that_is_known_at_one_login_is_a_stranger_at_another(gate):
    accounts = gate.accounts(logins={"failures": 3})
    await accounts.authenticate(APP, "right", OWN)
    await hammer(accounts, 3, login="acme-22")
    assert 454 == (await accounts.authenticate("acme-22", "own", OWN)).code


async def test_nobody_is_known_where_the_settings_say_so(gate):
    rules = {"failures": 3, "known_client": 0}
    await gate.accounts(logins=rules).authenticate(APP, "right", OWN)
    accounts = gate.accounts(logins=rules)
    await hammer(accounts, 3)
    assert 454 == (await accounts.authenticate(APP, "right", OWN)).code


async def test_a_store_in_trouble_lets_in_no_more_than_before(gate, failing_store):
    accounts = gate.accounts(logins={"failures": 3}, queue=failing_store)
    failing_store.is_gone = False
    await fail(accounts, 1)
    failing_store.is_gone = True
    await fail(accounts, 2)
    assert accounts.blocked(CLIENT) is not None
    assert blocked_login("15 minutes") == await accounts.authenticate(APP, "right", "203.0.113.77")
    failing_store.is_gone = False  # it comes back, and knows nothing of it
    assert blocked_login("15 minutes") == await accounts.authenticate(APP, "right", "203.0.113.78")
    assert "store_failed" in gate.events()


async def test_what_the_store_could_not_take_is_counted_when_it_is_back(gate, failing_store, quiet_events):
    failures = Failures(failing_store, LoginSettings(failures=9), quiet_events, gate.clock)
    assert [1, 2, 3] == [await failures.count("k") for _ in range(3)]
    failing_store.is_gone = False
    assert 4 == await failures.count("k")
    assert 4 == (await gate.queue.standings(["k"]))["k"].failures


async def test_a_right_login_that_is_remembered_asks_the_store_nothing(gate, failing_store):
    failing_store.is_gone = False
    accounts = gate.accounts(queue=failing_store)
    await accounts.authenticate(APP, "right", OWN)
    failing_store.is_gone = True
    assert "erp" == (await accounts.authenticate(APP, "right", OWN)).name
    assert "store_failed" not in gate.events()


async def test_a_right_login_that_is_no_news_writes_nothing(gate):
    await gate.accounts().authenticate(APP, "right", OWN)
    commits = gate.queue._writer.commits
    await gate.accounts().authenticate(APP, "right", OWN)
    assert commits == gate.queue._writer.commits


async def test_the_store_shows_no_login_that_failed(gate, tmp_path):
    """Who mixes up the fields types the password as login."""
    await fail(gate.accounts(), 1, "hunter2-is-my-password")
    await gate.queue.close()
    written = b"".join(file.read_bytes() for file in tmp_path.glob("relay.db*") if file.is_file())
    assert b"client 203.0.113.9" in written
    assert b"hunter2" not in written
