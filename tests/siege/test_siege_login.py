"""Guessing passwords at a running gateway: it is counted, slowed and blocked, asks nobody twice, and tells nothing."""

import base64
import itertools
import secrets

import pytest
from attacker import CLOSED, CUSTOMER, Attacker, Said
from running import Login

GUESSED = {"RELAY__LOGINS__FAILURES": "5", "RELAY__LOGINS__WINDOW": "10m", "RELAY__LOGINS__BLOCK": "10m"}


def guess(port: int, login: Login | str, password: str = "", *, source: str = "127.0.0.1") -> Said:
    """Log in by PLAIN on a connection of its own."""
    user, word = (login.user, password or login.password) if isinstance(login, Login) else (login, password)
    with Attacker(port, source=source) as client:
        assert client.reply().code == 220
        client.say("EHLO guess")
        return client.say("AUTH PLAIN " + base64.b64encode(f"\0{user}\0{word}".encode()).decode())


def test_a_guessed_login_is_blocked_and_its_owner_still_gets_in(besiege, logins):
    """Each guess comes from an address of its own, so that only the login can be counted."""
    gateway = besiege(environ=GUESSED).gateway
    port, owner = gateway.port("plain"), logins["kept-mensatek"]
    assert guess(port, owner, source=CUSTOMER).code == 235
    said = [guess(port, owner, f"guess-{number}", source=f"127.0.7.{number + 1}").code for number in range(10)]
    assert said == [535] * 5 + [454] * 5
    assert guess(port, owner, source="127.0.7.99").code == 454  # a guesser who came upon it does not learn so
    assert guess(port, owner, source=CUSTOMER).code == 235
    assert guess(port, logins["kept-dmds"], source="127.0.7.99").code == 235  # nobody else is blocked


def test_a_restart_is_no_fresh_start_for_guessers_and_none_for_the_owner(besiege, logins):
    gateway = besiege(environ=GUESSED).gateway
    owner = logins["kept-mensatek"]
    assert guess(gateway.port("plain"), owner, source=CUSTOMER).code == 235
    for number in range(5):
        assert guess(gateway.port("plain"), owner, f"guess-{number}", source="127.0.7.1").code == 535
    gateway.stop()
    gateway.start()
    assert guess(gateway.port("plain"), owner, "guess-6", source="127.0.7.2").code == 454
    assert guess(gateway.port("plain"), owner, source=CUSTOMER).code == 235


@pytest.mark.parametrize("provider", ["mensatek", "dmds"])
def test_a_provider_is_asked_once_about_a_password_that_it_refused(besiege, logins, sandbox, provider):
    gateway = besiege(environ={"RELAY__LOGINS__FAILURES": "100"}).gateway
    login, wrong = logins[f"passed-{provider}"], f"wrong-{secrets.token_hex(8)}"
    before = sandbox.ask(lambda world: len(world.calls))
    said = [guess(gateway.port("plain"), login, wrong).code for _ in range(5)]
    assert said == [535] * 5
    assert sandbox.ask(lambda world: len(world.calls)) - before <= 1


def test_no_reply_tells_a_login_that_exists_from_one_that_does_not(besiege, logins):
    """Kept, passed through and made up: the words are the same."""
    gateway = besiege(environ={"RELAY__LOGINS__FAILURES": "100"}).gateway
    known = [login.user for login in logins.values()]
    names = [*known, "nobody", "nobody@example.org", "demo-99999", "x" * 500, "root", "ñandú"]
    said = {name: guess(gateway.port("plain"), name, "wrong-one").lines for name in names}
    assert len(set(said.values())) == 1, said


def test_passwords_in_the_wrong_place_are_refused_and_nowhere_written(besiege, logins):
    """The watch over the logs sees whether one was: every password here holds its canary."""
    gateway = besiege(environ={"RELAY__LOGINS__FAILURES": "1000"}).gateway
    password = logins["kept-mensatek"].password
    encoded = base64.b64encode(password.encode()).decode()
    plain = base64.b64encode(f"\0shop\0{password}".encode()).decode()
    places = [
        [password],
        [plain],
        [f"AUTH {password}"],
        [f"AUTH {plain}"],
        [f"AUTH PLAIN {password}"],
        [f"AUTH PLAIN {plain} {encoded}"],
        ["AUTH LOGIN", encoded, encoded],
        ["AUTH LOGIN", password],
        [f"VRFY {password}"],
        [f"HELP {encoded}"],
        [f"NOOP {encoded}"],
        [f"MAIL FROM:<a@example.org> AUTH={encoded}"],
        ["AUTH LOGIN", encoded, base64.b64encode(b"\0\r\n" + password.encode()).decode()],
    ]
    for place in places:
        with Attacker(gateway.port("plain")) as client:
            client.reply()
            client.say("EHLO x")
            said = list(itertools.takewhile(lambda one: one != CLOSED, map(client.say, place)))
            assert said[-1].code not in (235, 354)
            assert not any(password in line or encoded in line for one in said for line in one.lines)
