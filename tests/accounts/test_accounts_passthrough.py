"""Logins that are the provider's own credentials: where they go, how often, and what is kept."""

import asyncio

import pytest

from relay.accounts import hash_password
from relay.accounts.directory import _is_misspelt
from relay.outcome import Replies
from relay.providers.contract import DmdsCredentials, MensatekCredentials, Verdict

CLIENT = "203.0.113.9"


async def test_dmds_login_is_host_campaign_and_apikey(gate):
    gate.dmds.right = {"two-words-12345": "k3y"}
    account = await gate.accounts().authenticate("two-words-12345", "k3y", CLIENT)
    assert ("dmds:two-words-12345", "dmds", "auto") == (account.name, account.provider, account.policy.mode)
    assert ("two-words", 12345) == (account.credentials.dmdsid, account.credentials.campaign)
    assert isinstance(account.credentials, DmdsCredentials)
    assert "k3y" == account.credentials.apikey.get_secret_value()


async def test_spellings_of_one_dmds_login_are_one_account(gate):
    gate.dmds.right = {"acme-7": "k3y"}
    accounts = gate.accounts()
    names = {(await accounts.authenticate(login, "k3y", CLIENT)).name for login in ("acme-7", "ACME-007")}
    assert {"dmds:acme-7"} == names


async def test_mensatek_login_is_user_and_token(gate):
    gate.mensatek.right = {"customer": "t0ken"}
    account = await gate.accounts().authenticate("customer", "t0ken", CLIENT)
    assert ("mensatek:customer", "mensatek", "queue") == (account.name, account.provider, account.policy.mode)
    assert isinstance(account.credentials, MensatekCredentials)


@pytest.mark.parametrize(
    ("login", "asked"),
    [
        ("acme-7", "dmds"),
        ("Acme-7", "dmds"),
        ("customer", "mensatek"),
        ("odd-7", "mensatek"),  # looks like DMDS, and is one of the users listed
        ("evil-7", ""),  # a dmdsid that is not listed
        ("evil.example/-7", ""),
        ("acme-0", ""),
        ("acme-1234567890", ""),
        ("acme-\u0667", ""),
        ("acme", ""),
        ("stranger", ""),
        ("Customer", ""),
    ],
)
async def test_only_allowed_logins_go_upstream(gate, login, asked):
    assert Replies.AUTH_FAILED == await gate.accounts().authenticate(login, "k", CLIENT)
    assert asked == "".join(["dmds"] * len(gate.dmds.asked) + ["mensatek"] * len(gate.mensatek.asked))


async def test_any_mensatek_user_may_where_none_is_listed(gate):
    passthrough = {"mensatek": {"enabled": True}, "dmds": {"enabled": True, "dmdsids": ["acme"]}}
    accounts = gate.accounts(passthrough=passthrough)
    for login in ("anybody", "evil-7", "a:b", "a\x00b", ""):
        await accounts.authenticate(login, "k", CLIENT)
    assert (["anybody"], []) == ([login for login, _ in gate.mensatek.asked], gate.dmds.asked)


OPEN = {"mensatek": {"enabled": True}, "dmds": {"enabled": True, "dmdsids": ["acme", "two-words"]}}


@pytest.mark.parametrize(
    ("login", "looks_like"),
    [
        ("acme", "a login at DMDS"),  # with the APIKEY as password
        ("ACME", "a login at DMDS"),
        ("acme-", "a login at DMDS"),
        ("acme_12345", "a login at DMDS"),
        ("acme 12345", "a login at DMDS"),
        ("Two-Words", "a login at DMDS"),
        ("apq@example.org", "a login of this gateway"),
        ("App@Example.org", "a login of this gateway"),
        ("ap@example.org", "a login of this gateway"),
        ("pap@example.org", "a login of this gateway"),
        ("aapp@example.org", "a login of this gateway"),
    ],
)
async def test_mistyped_login_is_not_asked_for_at_mensatek(gate, login, looks_like):
    """Where no user is listed, a slip of the finger sent an APIKEY or a kept password to the other provider."""
    gate.mensatek.right = {login: "s3cret"}
    assert Replies.AUTH_FAILED == await gate.accounts(passthrough=OPEN).authenticate(login, "s3cret", CLIENT)
    assert ([], []) == (gate.mensatek.asked, gate.dmds.asked)
    (line,) = gate.log.getvalue().splitlines()
    assert f"no such login; it looks like {looks_like}, mistyped" in line
    assert f'"{login}"' not in line


@pytest.mark.parametrize(
    "login", ["acmeville", "tacme", "two", "customer", "bob@example.com", "app@example.net", "x" * 900, "acne"]
)
async def test_login_that_only_begins_alike_is_asked_for(gate, login):
    gate.mensatek.right = {login: "t0ken"}
    account = await gate.accounts(passthrough=OPEN).authenticate(login, "t0ken", CLIENT)
    assert f"mensatek:{login}" == account.name


async def test_user_that_is_listed_is_asked_for_whatever_it_looks_like(gate):
    gate.mensatek.right = {"acme": "t0ken", "apq@example.org": "t0ken"}
    passthrough = {**OPEN, "mensatek": {"enabled": True, "users": list(gate.mensatek.right)}}
    accounts = gate.accounts(passthrough=passthrough)
    for login in gate.mensatek.right:
        assert f"mensatek:{login}" == (await accounts.authenticate(login, "t0ken", CLIENT)).name


@pytest.mark.parametrize(
    ("name", "right", "expected"),
    [
        ("er", "erp", True),
        ("epr", "erp", False),  # in so short a name two letters are too many
        ("erp2", "erp", True),
        ("erp22", "erp", False),
        ("pre", "erp", False),
        ("orders", "orders", True),
        ("ordesr", "orders", True),
        ("oders1", "orders", True),
        ("sredro", "orders", False),
        ("order", "borders", True),
        ("mailer", "orders", False),
        ("", "a", True),
    ],
)
def test_misspelling_is_a_letter_or_two(name, right, expected):
    assert expected is _is_misspelt(name, right)


async def test_mail_kept_for_a_user_goes_on_when_a_login_alike_is_added(gate):
    """Who was accepted keeps its account: only new logins are looked at for slips."""
    gate.mensatek.right = {"orders": "t0ken"}
    await gate.accounts(passthrough=OPEN).authenticate("orders", "t0ken", CLIENT)
    login = {"order": {"account": "erp", "password_hash": hash_password("x")}}
    assert await gate.accounts(passthrough=OPEN, login=login).resolve("mensatek:orders") is not None


async def test_nothing_goes_upstream_where_passthrough_is_off(gate):
    accounts = gate.accounts(passthrough={"dmds": {"dmdsids": ["acme"]}, "mensatek": {"users": ["customer"]}})
    for login in ("acme-7", "customer"):
        assert Replies.AUTH_FAILED == await accounts.authenticate(login, "k", CLIENT)
    assert ([], []) == (gate.dmds.asked, gate.mensatek.asked)


@pytest.mark.parametrize("password", ["", "a\r\nX-Evil: 1", "contrase\u00f1a", "x" * 1001])
async def test_password_that_no_header_carries_is_wrong_without_asking(gate, password):
    assert Replies.AUTH_FAILED == await gate.accounts().authenticate("acme-7", password, CLIENT)
    assert [] == gate.dmds.asked


async def test_right_password_is_asked_for_once(gate):
    gate.dmds.right = {"acme-7": "k3y"}
    accounts = gate.accounts()
    for seconds in (0, 300, 299):
        gate.clock.now += seconds
        assert "dmds:acme-7" == (await accounts.authenticate("acme-7", "k3y", CLIENT)).name
    assert 1 == len(gate.dmds.asked)
    gate.clock.now += 1
    await accounts.authenticate("acme-7", "k3y", CLIENT)
    assert 2 == len(gate.dmds.asked)


async def test_wrong_password_is_asked_for_once(gate):
    accounts = gate.accounts()
    for seconds in (0, 200, 99):
        gate.clock.now += seconds
        assert Replies.AUTH_FAILED == await accounts.authenticate("acme-7", "wrong", CLIENT)
    assert 1 == len(gate.dmds.asked)
    gate.clock.now += 1
    await accounts.authenticate("acme-7", "wrong", CLIENT)
    assert 2 == len(gate.dmds.asked)


async def test_same_login_at_once_is_asked_for_once(gate):
    gate.dmds.right = {"acme-7": "k3y"}
    gate.dmds.gate.clear()
    accounts = gate.accounts()
    waiting = [asyncio.create_task(accounts.authenticate("acme-7", "k3y", CLIENT)) for _ in range(50)]
    await gate.dmds.was_asked(1)
    gate.dmds.gate.set()
    assert {"dmds:acme-7"} == {account.name for account in await asyncio.gather(*waiting)}
    assert 1 == len(gate.dmds.asked)


async def test_client_that_hangs_up_ends_no_check_that_others_wait_for(gate):
    gate.dmds.right = {"acme-7": "k3y"}
    gate.dmds.gate.clear()
    accounts = gate.accounts()
    first, second = (asyncio.create_task(accounts.authenticate("acme-7", "k3y", CLIENT)) for _ in range(2))
    await gate.dmds.was_asked(1)
    first.cancel()
    gate.dmds.gate.set()
    assert "dmds:acme-7" == (await second).name
    assert first.cancelled()


async def test_upstream_that_cannot_tell_is_temporary_and_not_hammered(gate):
    gate.dmds.right = {"acme-7": "k3y"}
    gate.dmds.verdict = Verdict.UNKNOWN
    accounts = gate.accounts()
    for _ in range(20):
        assert Replies.AUTH_UNAVAILABLE == await accounts.authenticate("acme-7", "k3y", CLIENT)
    assert 1 == len(gate.dmds.asked)
    assert [] == gate.slept  # no failure of the client's
    gate.dmds.verdict = None
    gate.clock.now += 5
    assert "dmds:acme-7" == (await accounts.authenticate("acme-7", "k3y", CLIENT)).name


async def test_upstream_that_never_answers_is_temporary(gate, monkeypatch):
    monkeypatch.setattr("relay.accounts.checking._UPSTREAM_SECONDS", 0.01)
    gate.dmds.gate.clear()
    assert Replies.AUTH_UNAVAILABLE == await gate.accounts().authenticate("acme-7", "k3y", CLIENT)
    assert "dmds did not answer in time" in gate.log.getvalue()


async def test_upstream_that_breaks_is_temporary_and_told(gate):
    gate.dmds.error = RuntimeError("a bug")
    assert Replies.AUTH_UNAVAILABLE == await gate.accounts().authenticate("acme-7", "k3y", CLIENT)
    assert ["unexpected_error", "login_unavailable"] == gate.events()


async def test_hanging_upstream_keeps_no_other_login_waiting(gate):
    gate.dmds.gate.clear()
    accounts = gate.accounts()
    hanging = [asyncio.create_task(accounts.authenticate(f"acme-{n}", "k", CLIENT)) for n in range(100, 250)]
    await gate.dmds.was_asked(4)
    assert "erp" == (await accounts.authenticate("app@example.org", "right", CLIENT)).name
    # Four are being asked, 96 wait their turn, and the others were told to come back.
    assert 50 == sum(task.done() and task.result() == Replies.AUTH_UNAVAILABLE for task in hanging)
    assert 4 == len(gate.dmds.asked)
    await accounts.close()
    await asyncio.gather(*hanging)


async def test_passwords_refused_to_everybody_together_are_bounded(gate):
    """The provider blocks the gateway's address for them, whoever sent them; then no mail would go out."""
    accounts = gate.accounts(logins={"failures": 2})
    for number in range(1, 31):
        await accounts.authenticate(f"acme-{number}", "wrong", f"203.0.113.{number}")
    assert 20 == len(gate.dmds.asked)
    assert Replies.AUTH_UNAVAILABLE == await accounts.authenticate("acme-99", "wrong", CLIENT)
    assert Replies.AUTH_FAILED == await accounts.authenticate("customer", "wrong", CLIENT)
    gate.clock.now += 900
    await accounts.authenticate("acme-99", "wrong", CLIENT)
    assert 21 == len(gate.dmds.asked)


async def fail_with_invented_names(accounts, times):
    for number in range(times):
        await accounts.authenticate(f"invented{number}@example.net", "wrong", f"198.51.100.{number}")


async def test_strangers_with_invented_names_shut_out_nobody_who_is_known(gate):
    """A hundred wrong passwords for names that nobody has once ended all checks at Mensatek for 15 minutes."""
    gate.mensatek.right = {"customer": "t0ken", "newcomer": "t0ken"}
    await gate.accounts(passthrough=OPEN).authenticate("customer", "t0ken", CLIENT)
    accounts = gate.accounts(passthrough=OPEN, logins={"failures": 2})  # a later process: only the store knows
    await fail_with_invented_names(accounts, 30)
    assert 1 + 20 == len(gate.mensatek.asked)
    assert Replies.AUTH_UNAVAILABLE == await accounts.authenticate("newcomer", "t0ken", CLIENT)
    assert "mensatek:customer" == (await accounts.authenticate("customer", "t0ken", CLIENT)).name
    gate.clock.now += 900
    assert "mensatek:newcomer" == (await accounts.authenticate("newcomer", "t0ken", CLIENT)).name


async def test_strangers_with_invented_campaigns_shut_out_no_known_one(gate):
    gate.dmds.right = {"acme-7": "k3y"}
    accounts = gate.accounts(logins={"failures": 2})
    await accounts.authenticate("acme-7", "k3y", CLIENT)
    for number in range(100, 130):
        await accounts.authenticate(f"acme-{number}", "wrong", f"198.51.100.{number}")
    gate.clock.now += 700  # the password is no longer remembered, the block lasts
    assert Replies.AUTH_UNAVAILABLE == await accounts.authenticate("acme-99", "k3y", CLIENT)
    assert "dmds:acme-7" == (await accounts.authenticate("acme-7", "k3y", CLIENT)).name


async def test_wrong_passwords_for_known_names_are_bounded_too(gate):
    names = [f"user{number}" for number in range(30)]
    passthrough = {"mensatek": {"enabled": True, "users": names}}
    accounts = gate.accounts(passthrough=passthrough, logins={"failures": 2})
    for number, name in enumerate(names):
        await accounts.authenticate(name, "wrong", f"198.51.100.{number}")
    assert 20 == len(gate.mensatek.asked)
    assert Replies.AUTH_UNAVAILABLE == await accounts.authenticate("user29", "other", CLIENT)


async def test_store_that_fails_makes_nobody_known(gate, failing_store):
    accounts = gate.accounts(passthrough=OPEN, queue=failing_store)
    assert Replies.AUTH_FAILED == await accounts.authenticate("customer", "wrong", CLIENT)


# --- what is kept ---


async def test_credential_is_kept_sealed_before_the_client_hears_yes(gate):
    gate.dmds.right = {"acme-7": "k3y"}
    await gate.accounts().authenticate("acme-7", "k3y", CLIENT)
    sealed = await gate.queue.load_credential("dmds:acme-7")
    assert sealed is not None
    assert b"k3y" not in sealed


async def test_credential_is_found_by_a_later_process(gate):
    gate.dmds.right, gate.mensatek.right = {"acme-7": "k3y"}, {"customer": "t0ken"}
    first = gate.accounts()
    await first.authenticate("acme-7", "k3y", CLIENT)
    await first.authenticate("customer", "t0ken", CLIENT)
    later = gate.accounts()
    dmds, mensatek = await later.resolve("dmds:acme-7"), await later.resolve("mensatek:customer")
    assert ("auto", "k3y") == (dmds.policy.mode, dmds.credentials.apikey.get_secret_value())
    assert "t0ken" == mensatek.credentials.token.get_secret_value()


async def test_unchanged_credential_is_not_written_again(gate):
    gate.dmds.right = {"acme-7": "k3y"}
    accounts = gate.accounts()
    await accounts.authenticate("acme-7", "k3y", CLIENT)
    sealed = await gate.queue.load_credential("dmds:acme-7")
    gate.clock.now += 600
    await accounts.authenticate("acme-7", "k3y", CLIENT)
    assert sealed == await gate.queue.load_credential("dmds:acme-7")


async def test_changed_credential_replaces_the_old_one(gate):
    gate.dmds.right = {"acme-7": "old"}
    accounts = gate.accounts()
    await accounts.authenticate("acme-7", "old", CLIENT)
    gate.dmds.right = {"acme-7": "new"}
    await accounts.authenticate("acme-7", "new", CLIENT)
    for resolving in (accounts, gate.accounts()):
        assert "new" == (await resolving.resolve("dmds:acme-7")).credentials.apikey.get_secret_value()


async def test_older_password_that_is_still_remembered_does_not_replace_a_newer_credential(gate):
    """A remembered login is not asked upstream, so it proves nothing about today."""
    gate.dmds.right = {"acme-7": "old"}
    accounts = gate.accounts()
    await accounts.authenticate("acme-7", "old", CLIENT)
    gate.dmds.right = {"acme-7": "new"}
    await accounts.authenticate("acme-7", "new", CLIENT)
    await accounts.authenticate("acme-7", "old", CLIENT)
    assert "new" == (await accounts.resolve("dmds:acme-7")).credentials.apikey.get_secret_value()


async def test_store_that_fails_makes_the_login_temporary(gate, failing_store):
    gate.dmds.right = {"acme-7": "k3y"}
    accounts = gate.accounts(queue=failing_store)
    assert Replies.AUTH_UNAVAILABLE == await accounts.authenticate("acme-7", "k3y", CLIENT)


@pytest.mark.parametrize(
    "name",
    ["dmds:acme-8", "dmds:evil-7", "dmds:acme", "mensatek:stranger", "mensatek:", "other:acme-7", ""],
)
async def test_account_without_credential_or_permission_does_not_resolve(gate, name):
    assert await gate.accounts().resolve(name) is None


async def test_account_does_not_resolve_once_it_is_no_longer_allowed(gate):
    gate.dmds.right = {"acme-7": "k3y"}
    await gate.accounts().authenticate("acme-7", "k3y", CLIENT)
    for passthrough in ({}, {"dmds": {"enabled": True, "dmdsids": ["other"]}}):
        assert await gate.accounts(passthrough=passthrough).resolve("dmds:acme-7") is None


async def test_credential_sealed_with_another_key_is_lost(gate):
    gate.dmds.right = {"acme-7": "k3y"}
    await gate.accounts().authenticate("acme-7", "k3y", CLIENT)
    assert await gate.accounts(secret="another").resolve("dmds:acme-7") is None


async def test_credential_moved_to_another_account_opens_nothing(gate):
    gate.dmds.right = {"acme-7": "k3y"}
    await gate.accounts().authenticate("acme-7", "k3y", CLIENT)
    await gate.queue.save_credential("dmds:acme-8", await gate.queue.load_credential("dmds:acme-7"))
    assert await gate.accounts().resolve("dmds:acme-8") is None


async def test_resolving_asks_the_store_once_a_minute(gate, failing_store):
    gate.dmds.right = {"acme-7": "k3y"}
    await gate.accounts().authenticate("acme-7", "k3y", CLIENT)
    accounts = gate.accounts()
    await accounts.resolve("dmds:acme-7")
    await gate.queue.save_credential("dmds:acme-7", b"changed by another process")
    gate.clock.now += 59
    assert await accounts.resolve("dmds:acme-7") is not None
    gate.clock.now += 1
    assert await accounts.resolve("dmds:acme-7") is None
