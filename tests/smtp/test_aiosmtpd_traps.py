"""The nineteen limits of aiosmtpd that users have met, in the order of our notes; each is shut.

Those with a longer story have a test of their own elsewhere; here stands the short proof.
"""

import asyncio
import inspect
import logging
from pathlib import Path

import pytest
from aiosmtpd.smtp import SMTP
from certificates import Certificate
from doorstep import Doorstep, account

import relay.smtp
from relay.outcome import Replies
from relay.smtp.connection import Connection

LOGIN = "AUTH PLAIN AHVzZXIAcGFzcw=="


async def _trusted(doorstep: Doorstep):
    doorstep.gatekeeper.trusts = account("trusted")
    return await doorstep.greeted()


async def test_01_parameters_of_postfix_and_exchange_are_taken(doorstep: Doorstep):
    caller = await _trusted(doorstep)
    assert (await caller.say("MAIL FROM:<a@b.org> AUTH=<> RET=FULL ENVID=x SIZE=1"))[:3] == "250"
    assert (await caller.say("RCPT TO:<a@b.org> NOTIFY=FAILURE ORCPT=rfc822;a@b.org"))[:3] == "250"


async def test_02_mechanisms_are_read_in_any_case(doorstep: Doorstep):
    assert (await (await doorstep.greeted()).say("auth Plain AHVzZXIAcGFzcw=="))[:3] == "235"


async def test_03_login_challenges_are_the_usual_ones(doorstep: Doorstep):
    caller = await doorstep.greeted()
    assert await caller.say("AUTH LOGIN") == "334 VXNlcm5hbWU6"
    assert await caller.say("dXNlcg==") == "334 UGFzc3dvcmQ6"


async def test_04_implicit_tls_is_tls(make_doorstep, pem: Certificate, trusting):
    doorstep = await make_doorstep(
        {"tls": "implicit", "certificate": pem.chain, "key": pem.key, "auth_without_tls": "never"}
    )
    assert (await (await doorstep.greeted(trusting)).say(LOGIN))[:3] == "235"


async def test_05_lines_of_data_may_have_any_length(doorstep: Doorstep):
    caller = await doorstep.ready()
    await caller.send(b"x" * 100_000 + b"\r\n")
    assert (await caller.say("."))[:3] == "250"
    assert len(doorstep.reception.received[0].data) == 100_002


async def test_06_the_size_is_ours_and_nothing_is_logged_for_each_line(
    doorstep: Doorstep, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.DEBUG)
    caller = await doorstep.ready()
    await caller.send((b"secret body" * 6 + b"\r\n") * 500_000)  # 34 MB: beyond aiosmtpd's 32 MiB
    assert (await caller.say("."))[:3] == "250"
    assert not [record for record in caplog.records if record.name == "mail.log" and record.levelno < logging.INFO]
    assert "secret body" not in doorstep.log.getvalue() + caplog.text


async def test_07_extensions_are_offered(doorstep: Doorstep):
    caller = await doorstep.call()
    await caller.reply()
    offer = (await caller.say("EHLO x")).split("\n")
    keywords = {line[4:].split()[0] for line in offer[1:]}
    assert keywords == {
        "SIZE",
        "8BITMIME",
        "CHUNKING",
        "BINARYMIME",
        "SMTPUTF8",
        "PIPELINING",
        "ENHANCEDSTATUSCODES",
        "DSN",
        "LIMITS",
        "AUTH",
    }
    assert len([line for line in offer if "AUTH" in line]) == 1


async def test_08_a_lost_client_cancels_no_message(doorstep: Doorstep):
    caller = await doorstep.ready()
    await caller.send(b"x\r\n.\r\n")
    caller.hang_up()
    async with asyncio.timeout(10):
        await doorstep.reception.has_ended.wait()


async def test_09_time_runs_by_phase_and_is_told(make_doorstep):
    doorstep = await make_doorstep({"command_timeout": 0.1, "data_timeout": 30})
    caller = await doorstep.ready()
    await asyncio.sleep(0.3)
    assert (await caller.say("."))[:3] == "250"
    assert await caller.rest() == f"{Replies.TIMED_OUT}\r\n"


async def test_10_what_nobody_foresaw_is_451(doorstep: Doorstep):
    doorstep.reception.says = [RuntimeError("secret detail")]
    caller = await doorstep.ready()
    assert await caller.say(".") == str(Replies.OUR_FAULT)
    (guest,) = doorstep.door._lobbies[0].guests
    assert isinstance(guest, Connection)
    assert await guest.handle_exception(RuntimeError("secret detail")) == str(Replies.OUR_FAULT)


async def test_11_logins_are_checked_without_blocking(doorstep: Doorstep):
    doorstep.gatekeeper.may_answer.clear()
    await (await doorstep.greeted()).send(f"{LOGIN}\r\n".encode())
    assert (await (await doorstep.greeted()).say("NOOP"))[:3] == "250"


async def test_12_limits_of_one_session_do_not_grow_by_another(doorstep: Doorstep):
    first = await doorstep.greeted()
    for _ in range(50):
        await (await doorstep.greeted()).say("EHLO again")
    assert await first.say("NOOP " + "x" * 600) == str(Replies.LINE_TOO_LONG)
    assert SMTP.command_size_limits == {}


async def test_13_the_null_sender_is_empty_and_replies_stay_ascii(doorstep: Doorstep):
    caller = await _trusted(doorstep)
    assert (await caller.say("MAIL FROM:<>"))[:3] == "250"
    assert (await caller.say("RCPT TO:<ü@example.org>"))[:3] == "553"
    assert (await caller.say("RCPT TO:<b@example.org>"))[:3] == "250"
    await caller.say("DATA")
    await caller.say(".")
    assert doorstep.reception.received[0].envelope.mail_from == ""


async def test_14_connections_and_tries_are_limited(make_doorstep):
    doorstep = await make_doorstep({"max_connections": 1, "max_errors": 2})
    caller = await doorstep.greeted()
    assert (await (await doorstep.call()).reply())[:3] == "421"
    assert (await caller.say("JUNK"))[:3] == "500"
    assert (await caller.say("JUNK"))[:3] == "421"


async def test_15_certificates_are_looked_at_again(make_doorstep, pem: Certificate):
    doorstep = await make_doorstep({"tls": "starttls", "certificate": pem.chain, "key": pem.key})
    doorstep.door._certificates_due = 0
    pem.chain.touch()
    async with asyncio.timeout(10):
        while not doorstep.events("certificate_renewed"):  # noqa: ASYNC110 - the log tells nobody
            await asyncio.sleep(0.05)


async def test_16_commands_must_end_with_cr_lf(doorstep: Doorstep):
    caller = await doorstep.greeted()
    await caller.send(b"NOOP\n")
    assert await caller.rest() == f"{Replies.BARE_LINE_FEED}\r\n"


async def test_17_tls_does_not_rest_on_private_parts_of_asyncio(make_doorstep, pem: Certificate, trusting):
    doorstep = await make_doorstep({"tls": "starttls", "certificate": pem.chain, "key": pem.key})
    caller = await doorstep.greeted()
    assert (await caller.say("STARTTLS"))[:3] == "220"
    await caller.start_tls(trusting)
    assert (await caller.say("EHLO x"))[:3] == "250"
    sources = "".join(path.read_text() for path in Path(inspect.getfile(relay.smtp)).parent.glob("*.py"))
    assert "sslproto" not in sources


async def test_18_greeting_needs_no_hook(doorstep: Doorstep):
    caller = await doorstep.call()
    await caller.reply()
    assert (await caller.say("MAIL FROM:<>"))[:3] == "503"
    assert (await caller.say("HELO x"))[:3] == "250"
    assert (await caller.say("MAIL FROM:<>"))[:3] == "530"


async def test_19_help_is_neither_offered_nor_given(doorstep: Doorstep):
    assert await (await doorstep.greeted()).say("HELP") == str(Replies.NOT_IMPLEMENTED)
