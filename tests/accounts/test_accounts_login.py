"""Logins that the gateway keeps, trusted networks, and what a stranger hears."""

import asyncio
import json

import pytest
from accounts_parts import BASE
from hypothesis import given, settings
from hypothesis import strategies as st

from relay.accounts import Directory, hash_password
from relay.accounts.passwords import Passwords
from relay.config import Settings
from relay.outcome import Replies

CLIENT = "203.0.113.9"


async def test_right_password_gives_the_account(gate):
    account = await gate.accounts().authenticate("app@example.org", "right", CLIENT)
    assert ("erp", "mensatek", "me", "t0ken") == (
        account.name,
        account.provider,
        account.credentials.user,
        account.credentials.token.get_secret_value(),
    )
    assert [] == gate.slept


async def test_kept_login_comes_before_passthrough(gate):
    account = await gate.accounts().authenticate("acme-22", "own", CLIENT)
    assert "news" == account.name
    assert [] == gate.dmds.asked


async def test_wrong_password_of_a_kept_login_never_goes_upstream(gate):
    assert Replies.AUTH_FAILED == await gate.accounts().authenticate("acme-22", "k3y", CLIENT)
    assert ([], []) == (gate.dmds.asked, gate.mensatek.asked)


@pytest.mark.parametrize(
    ("login", "password"),
    [
        ("app@example.org", "wrong"),
        ("app@example.org", ""),
        ("app@example.org", "x" * 12000),
        ("APP@example.org", "right"),
        ("nobody", "right"),
        ("", ""),
        ("\ud800", "\ud800"),
        ("x" * 12000, "right"),
    ],
)
async def test_wrong_and_unknown_hear_the_same(gate, login, password):
    assert Replies.AUTH_FAILED == await gate.accounts().authenticate(login, password, CLIENT)
    assert [1.0] == gate.slept
    assert ([], []) == (gate.dmds.asked, gate.mensatek.asked)


async def test_unknown_login_costs_as_much_as_a_wrong_password(gate, monkeypatch):
    """Each is one check of a hash, so that time does not tell who exists."""
    checked = []
    fits = Passwords.fits

    async def counted(self, password, password_hash):
        checked.append(password_hash.split("$")[3])
        return await fits(self, password, password_hash)

    monkeypatch.setattr(Passwords, "fits", counted)
    accounts = gate.accounts()
    await accounts.authenticate("app@example.org", "wrong", CLIENT)
    await accounts.authenticate("nobody", "wrong", CLIENT)
    await accounts.authenticate("stranger-5", "wrong", CLIENT)
    assert ["m=19456,t=2,p=1"] * 3 == checked


async def test_right_password_is_checked_once(gate, monkeypatch):
    accounts = gate.accounts()
    await accounts.authenticate("app@example.org", "right", CLIENT)
    monkeypatch.setattr(Passwords, "fits", None)  # would fail if it were asked again
    gate.clock.now += 599
    assert "erp" == (await accounts.authenticate("app@example.org", "right", CLIENT)).name


async def test_right_password_is_checked_again_after_its_time(gate, monkeypatch):
    accounts = gate.accounts()
    await accounts.authenticate("app@example.org", "right", CLIENT)
    gate.clock.now += 600
    checked = []

    async def no(self, password, password_hash):
        checked.append(password)
        return False

    monkeypatch.setattr(Passwords, "fits", no)
    assert Replies.AUTH_FAILED == await accounts.authenticate("app@example.org", "right", CLIENT)
    assert ["right"] == checked


async def test_login_and_password_are_not_run_together(gate):
    accounts = gate.accounts(
        login={
            "ab": {"account": "erp", "password_hash": hash_password("c")},
            "a": {"account": "erp", "password_hash": hash_password("x")},
        }
    )
    assert "erp" == (await accounts.authenticate("ab", "c", CLIENT)).name
    assert Replies.AUTH_FAILED == await accounts.authenticate("a", "bc", CLIENT)


async def test_log_has_neither_password_nor_a_login_that_nobody_knows(gate):
    accounts = gate.accounts()
    await accounts.authenticate("app@example.org", "hunter2", CLIENT)
    await accounts.authenticate("hunter2", "app@example.org", CLIENT)
    await accounts.authenticate("app@example.org", "right", CLIENT)
    assert ["login_refused", "login_refused", "login_accepted"] == gate.events()
    assert "hunter2" not in gate.log.getvalue()
    assert "hun... (7 characters)" in gate.log.getvalue()


async def test_log_has_no_login_that_nobody_configured_even_where_any_user_may(gate):
    """Where no user is listed, anything could be an API User, also a password in the wrong field."""
    accounts = gate.accounts(passthrough={"mensatek": {"enabled": True}}, logins={"failures": 2})
    for password in ("a", "b", "c"):
        await accounts.authenticate("hunter2 horse", password, CLIENT)
    assert ["login_refused", "login_refused", "login_blocked"] == gate.events()
    assert "hunter2" not in gate.log.getvalue()
    assert 3 == gate.log.getvalue().count('"hun... (13 characters)"')


async def test_log_has_logins_that_are_configured_or_were_right_once(gate):
    gate.mensatek.right = {"bob": "t0ken"}
    passthrough = {"mensatek": {"enabled": True}, "dmds": {"enabled": True, "dmdsids": ["acme"]}}
    await gate.accounts(passthrough=passthrough).authenticate("bob", "t0ken", CLIENT)
    later = gate.accounts(passthrough=passthrough)  # only the store knows that it was right once
    for login in ("bob", "acme-7", "app@example.org"):
        await later.authenticate(login, "wrong", CLIENT)
    await gate.accounts().authenticate("customer", "wrong", CLIENT)  # listed
    lines = [json.loads(line) for line in gate.log.getvalue().splitlines()]
    assert [
        ("login_accepted", "bob"),
        ("login_refused", "bob"),
        ("login_refused", "acme-7"),
        ("login_refused", "app@example.org"),
        ("login_refused", "customer"),
    ] == [(line["event"], line["login"]) for line in lines]


@pytest.mark.parametrize(
    ("listener", "client", "expected"),
    [
        ("local", "192.0.2.200", "erp"),
        ("local", "::ffff:192.0.2.200", "erp"),
        ("local", "2001:db8::1", "news"),
        ("local", "2001:db8:0:1::1", None),
        ("local", "198.51.100.7", None),
        ("other", "198.51.100.7", "news"),
        ("unknown", "192.0.2.200", None),
        ("local", "127.0.0.1", None),
        ("local", "", None),
        ("local", "fe80::1%eth0", None),
        ("local", "192.0.2.200:25", None),
    ],
)
async def test_trusted_network_is_bound_to_its_listener_and_account(gate, listener, client, expected):
    account = gate.accounts().trusted(listener, client)
    assert expected == (account and account.name)


async def test_resolve_finds_accounts_by_name(gate):
    accounts = gate.accounts()
    assert "k3y" == (await accounts.resolve("news")).credentials.apikey.get_secret_value()
    assert "acme" == (await accounts.resolve("news")).credentials.dmdsid
    assert await accounts.resolve("gone") is None


@pytest.mark.parametrize(
    ("name", "account", "secret"),
    [
        ("app@example.org", "erp", "t0ken"),
        ("erp", "erp", "t0ken"),
        ("acme-22", "news", None),
        ("acme-7", "dmds:acme-7", None),
        ("customer", "mensatek:customer", ""),
        ("stranger", None, None),
    ],
)
def test_directory_tells_what_a_login_sends_through(name, account, secret):
    found = Directory(Settings.model_validate(BASE)).account_for(name)
    assert account == (found and found.name)
    if secret is not None:
        assert secret == found.credentials.token.get_secret_value()


async def test_closing_ends_checks_under_way(gate):
    gate.dmds.gate.clear()
    accounts = gate.accounts()
    waiting = asyncio.create_task(accounts.authenticate("acme-5", "k", CLIENT))
    await gate.dmds.was_asked(1)
    await accounts.close()
    assert Replies.AUTH_UNAVAILABLE == await waiting


@settings(max_examples=20, deadline=None)
@given(st.text(min_size=1, max_size=30).filter(lambda text: text.isprintable()))
def test_hash_is_one_that_the_configuration_takes(password):
    from relay.config.checks import _ARGON2  # noqa: PLC0415

    assert _ARGON2.fullmatch(hash_password(password))
