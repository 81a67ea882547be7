"""TLS in both forms and on both loops: what is offered, what is forgotten, what cannot be injected."""

import asyncio
import contextlib
import errno
import ssl
import warnings
from pathlib import Path

import pytest
from certificates import Certificate, make_certificate
from cryptography.hazmat.primitives import serialization
from doorstep import Caller, Doorstep, account

from relay.config import ListenerSettings
from relay.errors import ConfigError
from relay.outcome import Replies
from relay.smtp import certificate_warnings, server_context
from relay.smtp.porch import Porch
from relay.smtp.secured import HANDSHAKE_SECONDS

LOGIN = "AUTH PLAIN AHVzZXIAcGFzcw=="
DAY = 86400.0


def rules(pem: Certificate, tls: str, **others: object) -> dict[str, object]:
    return {"tls": tls, "certificate": pem.chain, "key": pem.key, **others}


async def test_starttls_is_offered_once_and_forgets_everything(make_doorstep, pem: Certificate, trusting):
    doorstep: Doorstep = await make_doorstep(rules(pem, "starttls", auth_without_tls="never"))
    doorstep.gatekeeper.trusts = account("trusted")
    caller = await doorstep.call()
    await caller.reply()
    before = await caller.say("EHLO x")
    assert "STARTTLS" in before
    assert "AUTH" not in before
    assert await caller.say(LOGIN) == str(Replies.AUTH_NEEDS_TLS)
    assert (await caller.say("MAIL FROM:<a@example.org>"))[:3] == "250"
    assert await caller.say("starttls") == str(Replies.TLS_READY)
    await caller.start_tls(trusting)
    assert await caller.say("MAIL FROM:<a@example.org>") == "503 5.5.1 EHLO first"
    after = await caller.say("EHLO x")
    assert "STARTTLS" not in after
    assert after.count("AUTH PLAIN LOGIN") == 1
    assert await caller.say("STARTTLS") == "503 5.5.1 TLS is active already"
    assert await caller.say("RCPT TO:<b@example.org>") == "503 5.5.1 MAIL first"
    assert (await caller.say(LOGIN))[:3] == "235"
    await caller.send(b"MAIL FROM:<>\r\nRCPT TO:<b@example.org>\r\nDATA\r\nover tls\r\n.\r\nQUIT\r\n")
    assert [line[:3] for line in (await caller.rest()).splitlines()] == ["250", "250", "354", "250", "221"]
    assert [(one.account, one.data) for one in doorstep.reception.received] == [("user", b"over tls\r\n")]


async def test_helo_is_enough_after_starttls(make_doorstep, pem: Certificate, trusting):
    doorstep: Doorstep = await make_doorstep(rules(pem, "starttls-required"))
    caller = await doorstep.greeted()
    assert (await caller.say("STARTTLS"))[:3] == "220"
    await caller.start_tls(trusting)
    assert await caller.say("HELO x") == "250 relay.test"
    assert (await caller.say(LOGIN))[:3] == "235"


async def test_where_starttls_is_required_nothing_else_goes_before(make_doorstep, pem: Certificate):
    doorstep: Doorstep = await make_doorstep(rules(pem, "starttls-required", max_errors=100))
    doorstep.gatekeeper.trusts = account("trusted")
    caller = await doorstep.call()
    await caller.reply()
    offer = await caller.say("EHLO x")
    assert "STARTTLS" in offer
    assert "AUTH" not in offer
    for line in ("HELO x", LOGIN, "MAIL FROM:<a@example.org>", "RCPT TO:<b@c.org>", "DATA", "RSET", "VRFY x"):
        assert await caller.say(line) == str(Replies.TLS_REQUIRED)
    assert await caller.say("NOOP") == "250 2.0.0 Ok"
    assert await caller.say("QUIT") == "221 2.0.0 Bye"


async def test_implicit_tls_offers_auth_and_no_starttls(make_doorstep, pem: Certificate, trusting):
    """By itself aiosmtpd does not know that the connection is secured, and keeps AUTH back (its issue 281)."""
    doorstep: Doorstep = await make_doorstep(rules(pem, "implicit", auth_without_tls="never"))
    caller = await doorstep.call(trusting)
    assert await caller.reply() == "220 relay.test ESMTP"
    offer = await caller.say("EHLO x")
    assert "AUTH PLAIN LOGIN" in offer
    assert "STARTTLS" not in offer
    assert (await caller.say(LOGIN))[:3] == "235"
    assert await caller.say("STARTTLS") == "503 5.5.1 TLS is active already"
    assert await caller.say("QUIT") == "221 2.0.0 Bye"
    assert await caller.rest() == ""


@pytest.mark.parametrize("answers", [True, False])
async def test_a_goodbye_over_tls_is_quiet_and_ends_the_connection(
    make_doorstep, pem: Certificate, trusting, caplog, answers: bool
):
    """Clients answer the close_notify with theirs, or just close."""
    doorstep: Doorstep = await make_doorstep(rules(pem, "implicit"))
    caller = await doorstep.call(trusting)
    await caller.reply()
    assert (await caller.say("QUIT"))[:3] == "221"
    assert await caller.rest() == ""
    if answers:
        doorstep.callers.remove(caller)
        caller.writer.close()
        with contextlib.suppress(OSError):  # as the kernel has it
            await caller.writer.wait_closed()
    else:
        caller.hang_up()
    await until_empty(doorstep)
    assert [record for record in caplog.records if record.name == "asyncio" and record.levelname != "DEBUG"] == []


async def test_a_big_message_arrives_whole_over_tls(make_doorstep, pem: Certificate, trusting):
    doorstep: Doorstep = await make_doorstep(rules(pem, "implicit"))
    caller = await doorstep.call(trusting)
    await caller.reply()
    await caller.say("EHLO x")
    await caller.say(LOGIN)
    body = (b"x" * 76 + b"\r\n") * 40_000
    await caller.send(b"MAIL FROM:<>\r\nRCPT TO:<b@example.org>\r\nDATA\r\n" + body + b".\r\nQUIT\r\n")
    assert [line[:3] for line in (await caller.rest()).splitlines()] == ["250", "250", "354", "250", "221"]
    assert doorstep.reception.received[0].data == body


@pytest.mark.parametrize(
    "injected", [b"NOOP\r\n", b"R", b"EHLO evil\r\nAUTH PLAIN AGV2aWwAZXZpbA==\r\n", b"\x16\x03\x01"]
)
async def test_nothing_is_taken_from_between_starttls_and_the_handshake(
    make_doorstep, pem: Certificate, injected: bytes
):
    """CVE-2011-0411."""
    doorstep: Doorstep = await make_doorstep(rules(pem, "starttls"))
    caller = await doorstep.greeted()
    await caller.send(b"STARTTLS\r\n" + injected)
    assert await caller.rest() == f"{Replies.SENT_BEFORE_TLS}\r\n"
    assert doorstep.gatekeeper.asked == []


async def test_what_is_injected_later_breaks_the_handshake(make_doorstep, pem: Certificate, trusting):
    doorstep: Doorstep = await make_doorstep(rules(pem, "starttls"))
    caller = await doorstep.greeted()
    assert (await caller.say("STARTTLS"))[:3] == "220"
    await caller.send(b"EHLO evil\r\nAUTH PLAIN AGV2aWwAZXZpbA==\r\n")
    with pytest.raises(OSError):  # noqa: PT011, PT012 - reset or broken TLS, as the kernel has it
        await caller.start_tls(trusting)
        await caller.say("EHLO x")
        raise ConnectionResetError
    assert doorstep.gatekeeper.asked == []


@pytest.mark.parametrize("noise", [b"", b"\x16\x03\x01", b"GET / HTTP/1.1\r\n\r\n"])
async def test_a_handshake_that_fails_is_told_of_and_forgotten(make_doorstep, pem: Certificate, noise: bytes):
    doorstep: Doorstep = await make_doorstep(rules(pem, "starttls"))
    caller = await doorstep.greeted()
    assert (await caller.say("STARTTLS"))[:3] == "220"
    await caller.send(noise)
    caller.writer.write_eof()
    with contextlib.suppress(ConnectionError):
        await caller.reader.read()
    caller.hang_up()
    async with asyncio.timeout(10):
        await doorstep.door._lobbies[0].empty.wait()
    assert [event["reason"] for event in doorstep.events("connection_refused")] == ["tls handshake failed"]
    assert doorstep.events("unexpected_error") == []
    assert [e["event"] for e in doorstep.events() if "connected" in e["event"]] == ["connected", "disconnected"]


@pytest.mark.parametrize("noise", [b"", b"\x16\x03\x01", b"EHLO x\r\n"])
async def test_who_cannot_shake_hands_is_told_of_and_forgotten(make_doorstep, pem: Certificate, noise: bytes):
    doorstep: Doorstep = await make_doorstep(rules(pem, "implicit"))
    caller = await doorstep.call()
    await caller.send(noise)
    caller.writer.write_eof()
    with contextlib.suppress(ConnectionError):
        assert b"220" not in await caller.reader.read()
    await until_empty(doorstep)
    assert [event["event"] for event in doorstep.events()] == ["connected", "connection_refused", "disconnected"]
    assert [event["reason"] for event in doorstep.events("connection_refused")] == ["tls handshake failed"]


async def until_empty(doorstep: Doorstep) -> None:
    async with asyncio.timeout(10):
        await doorstep.door._lobbies[0].empty.wait()


async def is_closed(caller: Caller) -> bool:
    """Tell whether the door has hung up."""
    try:
        async with asyncio.timeout(0.5):
            return await caller.reader.read() == b""
    except ConnectionError:
        return True
    except TimeoutError:
        return False


async def test_silent_connections_are_counted_before_the_handshake(make_doorstep, pem: Certificate, trusting):
    """3,000 connections that said nothing once took as many descriptors for a minute, and nothing was logged."""
    doorstep: Doorstep = await make_doorstep(rules(pem, "implicit", max_connections=10))
    silent = [await doorstep.call() for _ in range(50)]
    closed = await asyncio.gather(*(is_closed(caller) for caller in silent))
    assert closed == [False] * 10 + [True] * 40
    reasons = [event["reason"] for event in doorstep.events("connection_refused")]
    assert reasons == ["too many connections"] * 40
    with pytest.raises(OSError):  # noqa: PT011 - an end or a reset, as the kernel has it
        await doorstep.call(trusting)
    for caller in silent[:10]:
        caller.hang_up()
    await until_empty(doorstep)
    assert (await (await doorstep.call(trusting)).reply())[:3] == "220"


async def test_silent_connections_of_one_client_are_counted(make_doorstep, pem: Certificate):
    doorstep: Doorstep = await make_doorstep(rules(pem, "implicit", max_connections_per_client=2))
    silent = [await doorstep.call() for _ in range(3)]
    assert [await is_closed(caller) for caller in silent] == [False, False, True]
    assert [event["reason"] for event in doorstep.events("connection_refused")] == [
        "too many connections of one client"
    ]


async def test_a_silent_connection_is_cut_soon(make_doorstep, pem: Certificate):
    assert HANDSHAKE_SECONDS <= 10
    doorstep: Doorstep = await make_doorstep(rules(pem, "implicit", command_timeout=0.2))
    caller = await doorstep.call()
    await caller.send(b"\x16\x03")
    await until_empty(doorstep)
    assert await is_closed(caller)
    assert [event["reason"] for event in doorstep.events("connection_refused")] == ["tls handshake failed"]


async def test_a_stop_does_not_wait_for_handshakes(make_doorstep, pem: Certificate):
    doorstep: Doorstep = await make_doorstep(rules(pem, "implicit"))
    caller = await doorstep.call()
    await caller.send(b"\x16\x03")
    await asyncio.sleep(0.05)
    assert len(doorstep.door._lobbies[0].guests) == 1
    async with asyncio.timeout(5):
        assert await doorstep.door.stop(5) == 0
    assert await is_closed(caller)
    await doorstep.door.stop(0)


async def test_a_connection_counts_once_from_handshake_to_goodbye(make_doorstep, pem: Certificate, trusting):
    doorstep: Doorstep = await make_doorstep(rules(pem, "implicit"))
    for _ in range(3):
        caller = await doorstep.call(trusting)
        assert (await caller.reply())[:3] == "220"
        assert (await caller.say("QUIT"))[:3] == "221"
    await until_empty(doorstep)
    names = [event["event"] for event in doorstep.events()]
    assert (names.count("connected"), names.count("disconnected"), len(names)) == (3, 3, 6)


async def test_many_shake_hands_at_once(make_doorstep, pem: Certificate, trusting):
    doorstep: Doorstep = await make_doorstep(rules(pem, "implicit"))
    callers = await asyncio.gather(*(doorstep.call(trusting) for _ in range(60)))
    assert {(await caller.reply())[:3] for caller in callers} == {"220"}


async def test_no_descriptor_left_is_told_of_and_waited_out(make_doorstep, pem: Certificate, trusting, monkeypatch):
    """Accepting fails then without an end; asking again at once would only burn the processor."""
    monkeypatch.setattr("relay.smtp.porch._RETRY_SECONDS", 0.1)
    doorstep: Doorstep = await make_doorstep(rules(pem, "implicit"))
    (porch,) = doorstep.door._entrances["test"]._servers
    assert isinstance(porch, Porch)

    class Exhausted:
        """A listening socket without a descriptor to give."""

        def accept(self) -> None:
            raise OSError(errno.EMFILE, "Too many open files")

        def fileno(self) -> int:
            return porch.sockets[0].fileno()

    porch._accept(Exhausted())  # type: ignore[arg-type] # it has what is needed
    assert len(doorstep.events("unexpected_error")) == 1
    monkeypatch.setattr(Exhausted, "accept", lambda _: porch.sockets[0].accept())
    caller = await doorstep.call(trusting)
    assert (await caller.reply())[:3] == "220"


async def test_a_port_in_use_is_told_with_its_cure(make_doorstep, pem: Certificate):
    doorstep: Doorstep = await make_doorstep(rules(pem, "implicit"))
    with pytest.raises(ConfigError, match=r"cannot listen on .* a port that nobody else has"):
        await make_doorstep(rules(pem, "implicit", address=doorstep.door.addresses["test"]))


async def test_a_full_house_closes_before_the_handshake(make_doorstep, pem: Certificate, trusting):
    doorstep: Doorstep = await make_doorstep(rules(pem, "implicit", max_connections=1))
    first = await doorstep.call(trusting)
    await first.reply()
    with pytest.raises(OSError):  # noqa: PT011 - an end or a reset, as the kernel has it
        await doorstep.call(trusting)
    assert [event["reason"] for event in doorstep.events("connection_refused")] == ["too many connections"]


async def test_a_message_over_tls_survives_the_client(make_doorstep, pem: Certificate, trusting):
    doorstep: Doorstep = await make_doorstep(rules(pem, "implicit"))
    doorstep.gatekeeper.trusts = account("trusted")
    doorstep.reception.may_answer.clear()
    caller = await doorstep.call(trusting)
    await caller.send(b"HELO x\r\nMAIL FROM:<>\r\nRCPT TO:<b@example.org>\r\nDATA\r\nx\r\n.\r\n")
    await doorstep.reception.has_begun.wait()
    caller.writer.close()
    doorstep.reception.may_answer.set()
    async with asyncio.timeout(10):
        await doorstep.reception.has_ended.wait()


@pytest.mark.parametrize(("least", "works"), [("1.0", True), ("1.1", False), ("1.2", False)])
async def test_old_devices_are_let_in_where_the_operator_says_so(
    make_doorstep, pem: Certificate, least: str, works: bool
):
    doorstep: Doorstep = await make_doorstep(rules(pem, "implicit", tls_min=least))
    context = ssl.create_default_context(cafile=pem.authority)
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1
    if not works:
        with pytest.raises(OSError):  # noqa: PT011 - an alert or a reset
            await doorstep.call(context)
        return
    caller = await doorstep.call(context)
    assert (await caller.reply())[:3] == "220"
    assert caller.writer.get_extra_info("ssl_object").version() == "TLSv1"


async def test_a_renewed_certificate_is_taken_without_a_restart(
    make_doorstep, pem: Certificate, tmp_path: Path, trusting
):
    """New connections get the new one; a bad one is told of, once, and changes nothing."""
    current = Certificate(pem.authority, tmp_path / "current.pem", tmp_path / "current.key")
    current.chain.write_bytes(pem.chain.read_bytes())
    current.key.write_bytes(pem.key.read_bytes())
    doorstep: Doorstep = await make_doorstep(rules(current, "implicit"))
    old = await doorstep.call(trusting)
    assert (await old.reply())[:3] == "220"

    current.chain.write_text("nothing of use")
    doorstep.door.reload_certificates()
    doorstep.door.reload_certificates()
    assert len(doorstep.events("certificate_refused")) == 1
    assert (await (await doorstep.call(trusting)).reply())[:3] == "220"

    (tmp_path / "new").mkdir()
    renewed = make_certificate(tmp_path / "new")
    current.key.write_bytes(renewed.key.read_bytes())
    current.chain.write_bytes(renewed.chain.read_bytes())
    doorstep.door.reload_certificates()
    assert len(doorstep.events("certificate_renewed")) == 1
    new = await doorstep.call(ssl.create_default_context(cafile=renewed.authority))
    assert (await new.reply())[:3] == "220"
    assert (await old.say("NOOP"))[:3] == "250"


def test_certificates_are_looked_at_for_dates(pem: Certificate):
    listener = ListenerSettings(**rules(pem, "starttls"))
    now = pem.chain.stat().st_mtime
    assert certificate_warnings(ListenerSettings()) == []
    assert "expires in" in certificate_warnings(listener, lambda: now)[0]
    assert "expired on" in certificate_warnings(listener, lambda: now + 30 * DAY)[0]
    assert "valid only from" in certificate_warnings(listener, lambda: now - 30 * DAY)[0]
    old = listener.model_copy(update={"tls_min": "1.0"})
    assert "1.0" in certificate_warnings(old, lambda: now)[0]


def _no_file(pem: Certificate, folder: Path) -> dict[str, Path | None]:
    return {"certificate": folder / "missing.pem", "key": pem.key}


def _no_setting(pem: Certificate, folder: Path) -> dict[str, Path | None]:
    return {"certificate": None}


def _folder(pem: Certificate, folder: Path) -> dict[str, Path | None]:
    return {"certificate": folder, "key": pem.key}


def _other_key(pem: Certificate, folder: Path) -> dict[str, Path | None]:
    return {"certificate": pem.chain, "key": make_certificate(folder).key}


def _no_key(pem: Certificate, folder: Path) -> dict[str, Path | None]:
    return {"certificate": pem.chain}


def _no_certificate(pem: Certificate, folder: Path) -> dict[str, Path | None]:
    return {"certificate": pem.key, "key": pem.key}


def _sealed_key(pem: Certificate, folder: Path) -> dict[str, Path | None]:
    key = serialization.load_pem_private_key(pem.key.read_bytes(), None)
    sealed = serialization.BestAvailableEncryption(b"secret")
    file = folder / "sealed.pem"
    file.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, sealed))
    return {"certificate": pem.chain, "key": file}


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (_no_setting, "needs a certificate: set `certificate`"),
        (_no_file, "missing.pem does not exist: give the path"),
        (_folder, "cannot be read"),
        (_other_key, "is not the private key of"),
        (_no_key, "holds no private key: set `key`"),
        (_no_certificate, "holds no usable certificate"),
        (_sealed_key, "is protected by a passphrase"),
    ],
)
def test_faults_of_certificates_are_named_with_their_cure(fault, words: str, pem: Certificate, tmp_path: Path):
    with pytest.raises(ConfigError, match=words):
        server_context(ListenerSettings(tls="implicit", **fault(pem, tmp_path)))


def test_a_key_that_may_not_be_read_is_named(pem: Certificate, monkeypatch: pytest.MonkeyPatch):
    """Root reads everything, so the refusal is put into the library's mouth."""

    def refuse(_path: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(ConfigError, match="let the gateway's user read it"):
        server_context(ListenerSettings(tls="implicit", certificate=pem.chain, key=pem.key))
