"""Opening and closing the door, and ordinary clients at it."""

import asyncio
import smtplib
import socket
import ssl
import time
from pathlib import Path

import pytest
from certificates import Certificate
from doorstep import PATIENCE_SECONDS, Doorstep, account, open_door

from relay.config import ListenerSettings, Settings
from relay.config.units import HostPort
from relay.errors import ConfigError
from relay.outcome import Replies
from relay.smtp import Door
from relay.smtp.listening import _cure
from relay.smtp.offer import may_log_in

ANY_PORT = HostPort("127.0.0.1", 0)


async def test_every_listener_is_opened_where_it_says(doorstep: Doorstep, pem: Certificate):
    listeners = {
        "one": ListenerSettings(address=ANY_PORT),
        "two": ListenerSettings(address=HostPort("::1", 0)),
        "three": ListenerSettings(address=ANY_PORT, tls="implicit", certificate=pem.chain, key=pem.key),
    }
    door = Door(Settings(listener=listeners), doorstep.gatekeeper, doorstep.reception, doorstep.door._events)
    await door.start()
    assert list(door.addresses) == ["one", "two", "three"]
    assert door.addresses["two"].host == "::1"
    assert all(address.port for address in door.addresses.values())
    reader, writer = await asyncio.open_connection("::1", door.addresses["two"].port)
    assert (await reader.readline()).startswith(f"220 {socket.gethostname()}".encode())
    writer.close()
    assert await door.stop(PATIENCE_SECONDS) == 0


async def test_an_address_that_is_taken_is_named_and_nothing_stays_open(doorstep: Doorstep):
    with socket.create_server(("127.0.0.1", 0)) as reserved:
        port = reserved.getsockname()[1]
    free = ListenerSettings(address=HostPort("127.0.0.1", port))
    taken = ListenerSettings(address=doorstep.door.addresses["test"])
    door = Door(
        Settings(listener={"free": free, "taken": taken}),
        doorstep.gatekeeper,
        doorstep.reception,
        doorstep.door._events,
    )
    with pytest.raises(ConfigError, match=r"listener\.taken: cannot listen on 127\.0\.0\.1:\d+: .*choose an address"):
        await door.start()
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", port)


async def test_a_listener_without_its_certificate_is_named(doorstep: Doorstep):
    settings = Settings(
        listener={"mail": ListenerSettings(address=ANY_PORT, tls="starttls", certificate=Path("/none"))}
    )
    door = Door(settings, doorstep.gatekeeper, doorstep.reception, doorstep.door._events)
    with pytest.raises(ConfigError, match=r"listener\.mail: /none does not exist"):
        await door.start()


async def test_a_door_that_was_never_opened_can_be_closed(doorstep: Doorstep):
    door = Door(Settings(), doorstep.gatekeeper, doorstep.reception, doorstep.door._events)
    assert await door.stop(1) == 0


async def test_idle_clients_are_told_and_nobody_new_comes_in(doorstep: Doorstep):
    idle = await doorstep.greeted()
    busy = await doorstep.ready()
    await busy.send(b"half a message\r\n")
    address = doorstep.door.addresses["test"]
    assert await doorstep.door.stop(PATIENCE_SECONDS) == 0
    assert await idle.rest() == f"{Replies.SHUTTING_DOWN}\r\n"
    assert await busy.rest() == f"{Replies.SHUTTING_DOWN}\r\n"
    assert doorstep.reception.received == []
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection(address.host, address.port)


async def test_a_message_whose_final_dot_arrived_gets_its_reply(doorstep: Doorstep):
    doorstep.reception.may_answer.clear()
    caller = await doorstep.ready()
    await caller.send(b"x\r\n.\r\n")
    await doorstep.reception.has_begun.wait()
    stopping = asyncio.create_task(doorstep.door.stop(PATIENCE_SECONDS))
    await asyncio.sleep(0.05)
    assert not stopping.done()
    doorstep.reception.may_answer.set()
    assert await caller.rest() == f"250 2.0.0 Ok: message 1\r\n{Replies.SHUTTING_DOWN}\r\n"
    assert await stopping == 0


async def test_stopping_has_an_end(doorstep: Doorstep):
    """What is still under way is counted, not cancelled."""
    doorstep.reception.may_answer.clear()
    caller = await doorstep.ready()
    await caller.send(b"x\r\n.\r\n")
    await doorstep.reception.has_begun.wait()
    begun = time.monotonic()
    assert await doorstep.door.stop(0.1) == 1
    assert time.monotonic() - begun < 5
    doorstep.reception.may_answer.set()
    async with asyncio.timeout(PATIENCE_SECONDS):
        await doorstep.reception.has_ended.wait()


async def test_stopping_during_a_handshake_cuts_it(make_doorstep, pem: Certificate):
    doorstep: Doorstep = await make_doorstep({"tls": "starttls", "certificate": pem.chain, "key": pem.key})
    caller = await doorstep.greeted()
    assert (await caller.say("STARTTLS"))[:3] == "220"
    assert await doorstep.door.stop(PATIENCE_SECONDS) == 0


def _send_with_smtplib(doorstep: Doorstep, pem: Certificate) -> None:
    address = doorstep.door.addresses["test"]
    with smtplib.SMTP("localhost", address.port, timeout=PATIENCE_SECONDS) as client:
        client.starttls(context=ssl.create_default_context(cafile=pem.authority))
        client.login("user", "pass")
        client.sendmail("a@example.org", ["b@example.org", "c@example.org"], "Subject: x\r\n\r\n.one\r\n..two\r\n")
        client.sendmail("", ["ü@example.org"], b"x", mail_options=["SMTPUTF8", "BODY=8BITMIME"])
        with pytest.raises(smtplib.SMTPRecipientsRefused):
            client.sendmail("a@example.org", ["bad"], "x")


async def test_smtplib_sends_over_starttls(make_doorstep, pem: Certificate):
    doorstep: Doorstep = await make_doorstep({"tls": "starttls-required", "certificate": pem.chain, "key": pem.key})
    await asyncio.to_thread(_send_with_smtplib, doorstep, pem)
    assert [(one.account, one.recipients, one.data) for one in doorstep.reception.received] == [
        ("user", ["b@example.org", "c@example.org"], b"Subject: x\r\n\r\n.one\r\n..two\r\n"),
        ("user", ["ü@example.org"], b"x\r\n"),
    ]


async def test_many_clients_at_once():
    doorstep = await open_door()
    doorstep.gatekeeper.trusts = account("trusted")

    async def send(number: int) -> None:
        caller = await doorstep.greeted()
        await caller.send(b"MAIL FROM:<>\r\nRCPT TO:<b@example.org>\r\nDATA\r\n%d\r\n.\r\nQUIT\r\n" % number)
        assert (await caller.rest()).splitlines()[-1] == "221 2.0.0 Bye"

    await asyncio.gather(*(send(number) for number in range(90)))
    assert sorted(int(one.data) for one in doorstep.reception.received) == list(range(90))
    await doorstep.close()


async def test_who_slips_in_while_the_door_closes_is_sent_away(doorstep: Doorstep):
    """The kernel may have accepted a client before the listener was closed."""
    lobby = doorstep.door._lobbies[0]
    lobby.closing = True
    assert await (await doorstep.call()).rest() == f"{Replies.SHUTTING_DOWN}\r\n"


def test_a_low_port_without_the_right_is_named_with_its_cure():
    assert "CAP_NET_BIND_SERVICE" in _cure(PermissionError(13, "Permission denied"))


@pytest.mark.parametrize(
    ("without_tls", "client", "has_tls", "may"),
    [
        ("loopback", "127.0.0.1", False, True),
        ("loopback", "127.8.9.1", False, True),
        ("loopback", "::1", False, True),
        ("loopback", "192.0.2.1", False, False),
        ("loopback", "unknown", False, False),
        ("loopback", "127.0.0.1.example", False, False),
        ("always", "192.0.2.1", False, True),
        ("never", "127.0.0.1", False, False),
        ("never", "192.0.2.1", True, True),
    ],
)
def test_who_may_log_in_without_tls(without_tls, client: str, has_tls: bool, may: bool):
    assert may is may_log_in(ListenerSettings(auth_without_tls=without_tls), client, has_tls=has_tls)
