"""AUTH at a listening door: in order, without blocking, without telling."""

import asyncio
import base64

import pytest
from doorstep import Doorstep, account

from relay.outcome import Replies
from relay.smtp.auth import begin_exchange, credentials_text


def plain(login: bytes, password: bytes, authorized_as: bytes = b"") -> str:
    return "AUTH PLAIN " + base64.b64encode(b"\0".join((authorized_as, login, password))).decode()


async def test_commands_behind_auth_wait_for_its_answer(doorstep: Doorstep):
    """They are answered in order, although the check takes long."""
    doorstep.gatekeeper.may_answer.clear()
    caller = await doorstep.greeted()
    await caller.send(f"{plain(b'user', b'pass')}\r\nMAIL FROM:<a@example.org>\r\nNOOP\r\n".encode())
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await caller.reply()
    doorstep.gatekeeper.may_answer.set()
    assert [(await caller.reply())[:3] for _ in range(3)] == ["235", "250", "250"]


async def test_one_login_that_takes_long_holds_up_nobody_else(doorstep: Doorstep):
    doorstep.gatekeeper.may_answer.clear()
    slow = await doorstep.greeted()
    await slow.send(plain(b"user", b"pass").encode() + b"\r\n")
    other = await doorstep.greeted()
    assert await other.say("NOOP") == "250 2.0.0 Ok"


async def test_pipelined_login_mechanism_is_read_in_order(doorstep: Doorstep):
    caller = await doorstep.greeted()
    await caller.send(b"AUTH LOGIN\r\ndXNlcg==\r\ncGFzcw==\r\nNOOP\r\n")
    assert [(await caller.reply())[:3] for _ in range(4)] == ["334", "334", "235", "250"]


@pytest.mark.parametrize(
    ("sent", "read"),
    [(b"p\xc3\xa4ss", "päss"), (b"p\xe4ss", "päss"), (b"p\xe2\x82\xacss", "p€ss"), (b"", ""), (b"a b:c", "a b:c")],
)
async def test_passwords_are_utf8_or_latin1(doorstep: Doorstep, sent: bytes, read: str):
    doorstep.gatekeeper.passwords = {"user": read}
    caller = await doorstep.greeted()
    assert (await caller.say(plain(b"user", sent)))[:3] == "235"
    assert doorstep.gatekeeper.asked == [("user", read, "127.0.0.1")]


@pytest.mark.parametrize(("authorized_as", "code"), [(b"", "235"), (b"user", "235"), (b"root", "535")])
async def test_nobody_acts_for_somebody_else(doorstep: Doorstep, authorized_as: bytes, code: str):
    caller = await doorstep.greeted()
    assert (await caller.say(plain(b"user", b"pass", authorized_as)))[:3] == code


async def test_a_blocked_client_is_told_and_cut(doorstep: Doorstep):
    doorstep.gatekeeper.says["user"] = Replies.CLIENT_BLOCKED
    caller = await doorstep.greeted()
    assert await caller.say(plain(b"user", b"pass")) == str(Replies.CLIENT_BLOCKED)
    assert await caller.rest() == ""


async def test_a_blocked_client_is_not_even_greeted(doorstep: Doorstep):
    doorstep.gatekeeper.blocks = Replies.CLIENT_BLOCKED
    caller = await doorstep.call()
    assert await caller.rest() == f"{Replies.CLIENT_BLOCKED}\r\n"
    assert [event["reason"] for event in doorstep.events("connection_refused")] == ["blocked after failed logins"]


async def test_a_failing_check_is_451_and_tells_nothing(doorstep: Doorstep):
    doorstep.gatekeeper.says["user"] = RuntimeError("secret detail")
    caller = await doorstep.greeted()
    assert await caller.say(plain(b"user", b"pass")) == str(Replies.OUR_FAULT)
    assert await caller.say("NOOP") == "250 2.0.0 Ok"
    assert [event["where"] for event in doorstep.events("unexpected_error")] == ["smtp"]


async def test_a_client_that_hangs_up_during_the_check_is_forgotten(doorstep: Doorstep):
    doorstep.gatekeeper.may_answer.clear()
    caller = await doorstep.greeted()
    await caller.send(plain(b"user", b"pass").encode() + b"\r\n")
    caller.hang_up()
    other = await doorstep.greeted()
    doorstep.gatekeeper.may_answer.set()
    assert await other.say("NOOP") == "250 2.0.0 Ok"
    assert doorstep.events("unexpected_error") == []


async def test_wrong_logins_end_the_connection(make_doorstep):
    doorstep = await make_doorstep({"max_errors": 3})
    caller = await doorstep.greeted()
    replies = [await caller.say(plain(b"user", b"wrong")) for _ in range(3)]
    assert [reply[:3] for reply in replies] == ["535", "535", "421"]
    assert await caller.rest() == ""


async def test_logging_in_replaces_the_trusted_account(doorstep: Doorstep):
    doorstep.gatekeeper.trusts = account("trusted")
    caller = await doorstep.greeted()
    assert (await caller.say(plain(b"user", b"pass")))[:3] == "235"
    await caller.send(b"MAIL FROM:<>\r\nRCPT TO:<b@example.org>\r\nDATA\r\nx\r\n.\r\nQUIT\r\n")
    assert (await caller.rest()).splitlines()[-1][:3] == "221"
    assert [one.account for one in doorstep.reception.received] == ["user"]


async def test_what_came_at_the_wrong_time_may_be_a_password_and_is_never_logged(doorstep: Doorstep):
    """A client that goes on after a refused AUTH sends its login and password as commands."""
    caller = await doorstep.greeted()
    await caller.send(
        b"AUTH NTLM\r\ndXNlcg==\r\nc2VjcmV0cGFzc3dvcmQ\r\nsecretpassword\r\nAUTH PLAIN AHVzZXIAd3Jvbmc=\r\nQUIT\r\n"
    )
    said = await caller.rest()
    assert [line[:3] for line in said.splitlines()] == ["504", "500", "500", "500", "535", "221"]
    for secret in ("dXNlcg", "c2VjcmV0", "secretpassword", "AHVzZXIA"):
        assert secret.lower() not in doorstep.log.getvalue().lower()
        assert secret.lower() not in said.lower()


async def test_a_response_that_is_too_long_ends_the_exchange(doorstep: Doorstep):
    caller = await doorstep.greeted()
    assert (await caller.say("AUTH LOGIN"))[:3] == "334"
    assert await caller.say("x" * 20_000) == str(Replies.LINE_TOO_LONG)
    assert await caller.say("NOOP") == "250 2.0.0 Ok"


def test_a_login_shows_no_password():
    begun = begin_exchange(b"PLAIN AHVzZXIAcGFzcw==")
    assert isinstance(begun, tuple)
    assert "pass'" not in repr(begun[1])
    assert credentials_text(begun[1]) == ("user", "pass")


async def test_a_remembered_login_is_answered_at_once(doorstep: Doorstep):
    """Without a task and without asking again; what is not remembered is checked."""
    doorstep.gatekeeper.remembers = {("user", "known"): account("kept")}
    caller = await doorstep.greeted()
    await caller.send(
        f"{plain(b'user', b'known')}\r\nMAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.org>\r\n".encode()
    )
    assert [(await caller.reply())[:3] for _ in range(3)] == ["235", "250", "250"]
    assert doorstep.gatekeeper.asked == []
    await caller.send(b"DATA\r\nx\r\n.\r\n")
    assert [(await caller.reply())[:3] for _ in range(2)] == ["354", "250"]
    assert [one.account for one in doorstep.reception.received] == ["kept"]
