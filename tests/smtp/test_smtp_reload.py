"""A door that takes a new configuration: nobody is cut off, whoever comes next meets the new rules."""

import asyncio
import base64
import gc
import socket
from pathlib import Path

import pytest
from certificates import Certificate
from doorstep import PATIENCE_SECONDS, Doorstep, ScriptedGatekeeper, ScriptedReception, account

from relay.config import ListenerSettings, Settings
from relay.config.units import HostPort
from relay.errors import ConfigError
from relay.smtp.listening import Listening

ANY_PORT = HostPort("127.0.0.1", 0)


async def reload(doorstep: Doorstep, gatekeeper=None, reception=None, **listeners: ListenerSettings) -> None:
    settings = Settings(hostname="relay.test", listener=listeners)
    await doorstep.door.reload(settings, gatekeeper or ScriptedGatekeeper(), reception or ScriptedReception())


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def login(user: str, password: str) -> str:
    return "AUTH PLAIN " + base64.b64encode(f"\0{user}\0{password}".encode()).decode()


async def transaction(caller) -> str:
    for line in ("MAIL FROM:<a@example.org>", "RCPT TO:<b@example.org>", "DATA"):
        reply = await caller.say(line)
        if reply[0] not in "23":
            return reply
    return await caller.say("Subject: x\r\n\r\nbody\r\n.")


async def test_a_client_in_the_middle_of_data_finishes_and_the_new_reception_takes_its_message(doorstep: Doorstep):
    caller = await doorstep.ready()
    await caller.send(b"half a message\r\n")
    reception = ScriptedReception()
    await reload(doorstep, doorstep.gatekeeper, reception, test=ListenerSettings(address=ANY_PORT, max_message_bytes=9))
    assert (await caller.say("the other half\r\n."))[:3] == "250"
    assert [b"half a message\r\nthe other half\r\n"] == [one.data for one in reception.received]
    assert doorstep.reception.received == []


async def test_the_address_stays_open_and_new_rules_hold_for_who_comes_next(doorstep: Doorstep):
    before = await doorstep.greeted()
    address = doorstep.door.addresses["test"]
    await reload(doorstep, test=ListenerSettings(address=ANY_PORT, max_message_bytes=4321, auth=False))
    after = await doorstep.call()
    await after.reply()
    assert address == doorstep.door.addresses["test"]
    offer = await after.say("EHLO x")
    assert "SIZE 4321" in offer
    assert "AUTH" not in offer
    assert "SIZE 4321" not in await before.say("EHLO x")


async def test_a_listener_becomes_one_of_tls_on_the_same_port_and_back(doorstep: Doorstep, pem: Certificate, trusting):
    port = doorstep.door.addresses["test"].port
    tls = ListenerSettings(address=ANY_PORT, tls="implicit", certificate=pem.chain, key=pem.key)
    await reload(doorstep, test=tls)
    assert (await (await doorstep.call(trusting)).reply())[:3] == "220"
    await reload(doorstep, test=ListenerSettings(address=ANY_PORT))
    assert (await (await doorstep.call()).reply())[:3] == "220"
    assert port == doorstep.door.addresses["test"].port


async def test_who_calls_while_rules_change_is_not_refused(doorstep: Doorstep):
    async def call() -> str:
        return (await (await doorstep.call()).reply())[:3]

    for size in range(1000, 1020):
        calls = [asyncio.create_task(call()) for _ in range(5)]
        await reload(doorstep, test=ListenerSettings(address=ANY_PORT, max_message_bytes=size))
        assert {await one for one in calls} == {"220"}


async def test_guests_before_and_after_are_counted_together(doorstep: Doorstep):
    inside = await doorstep.greeted()
    await reload(doorstep, test=ListenerSettings(address=ANY_PORT, max_connections=1))
    assert (await (await doorstep.call()).reply())[:3] == "421"
    await inside.say("QUIT")
    await asyncio.wait_for(doorstep.door._lobbies[0].empty.wait(), PATIENCE_SECONDS)
    assert (await (await doorstep.call()).reply())[:3] == "220"


async def test_what_is_under_way_at_a_listener_that_is_gone_is_known_also_when_its_client_left(doorstep: Doorstep):
    doorstep.reception.may_answer.clear()
    caller = await doorstep.ready()
    await caller.send(b"x\r\n.\r\n")
    await doorstep.reception.has_begun.wait()
    caller.hang_up()
    await asyncio.wait_for(doorstep.door._lobbies[0].empty.wait(), PATIENCE_SECONDS)
    await reload(doorstep, doorstep.gatekeeper, new=ListenerSettings(address=ANY_PORT))
    assert 1 == len(doorstep.door.under_way())
    doorstep.reception.may_answer.set()
    await asyncio.wait(doorstep.door.under_way(), timeout=PATIENCE_SECONDS)
    assert not doorstep.door.under_way()


async def test_listeners_are_added_and_removed(doorstep: Doorstep):
    inside = await doorstep.ready()
    old = doorstep.door.addresses["test"]
    await reload(doorstep, doorstep.gatekeeper, new=ListenerSettings(address=ANY_PORT))
    assert ["new"] == list(doorstep.door.addresses)
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection(old.host, old.port)
    assert (await (await doorstep.call(listener="new")).reply())[:3] == "220"
    # What was begun is finished; nothing more is begun where no door is.
    assert (await inside.say("Subject: x\r\n\r\nbody\r\n."))[:3] == "250"
    assert (await inside.say("MAIL FROM:<a@example.org>")).startswith("421 4.3.2 The configuration has changed")


async def test_a_listener_under_another_name_keeps_its_socket(doorstep: Doorstep):
    address = doorstep.door.addresses["test"]
    await reload(doorstep, old=ListenerSettings(address=address))
    with socket.create_connection((address.host, address.port)) as waiting:
        await reload(doorstep, new=ListenerSettings(address=address))
        reader, writer = await asyncio.open_connection(sock=waiting)
        assert (await reader.readline())[:3] == b"220"
        writer.close()


async def test_a_session_whose_login_stays_goes_on_and_one_whose_password_changed_does_not(doorstep: Doorstep):
    doorstep.gatekeeper.passwords = {"same": "1", "changed": "1", "gone": "1"}
    callers = {}
    for name in doorstep.gatekeeper.passwords:
        callers[name] = await doorstep.greeted()
        assert (await callers[name].say(login(name, "1")))[:3] == "235"
    gatekeeper = ScriptedGatekeeper()
    gatekeeper.passwords = {"same": "1", "changed": "2"}
    await reload(doorstep, gatekeeper, test=ListenerSettings(address=ANY_PORT))
    assert (await transaction(callers["same"]))[:3] == "250"
    assert (await transaction(callers["changed"])).startswith("421 4.3.2")
    assert (await transaction(callers["gone"])).startswith("421 4.3.2")


async def test_a_login_under_way_is_judged_again_by_the_new_gatekeeper(doorstep: Doorstep):
    doorstep.gatekeeper.may_answer.clear()
    caller = await doorstep.greeted()
    await caller.send(login("user", "pass").encode() + b"\r\n")
    await asyncio.wait_for(doorstep.gatekeeper.has_been_asked.wait(), PATIENCE_SECONDS)
    gatekeeper = ScriptedGatekeeper()
    gatekeeper.passwords = {"user": "another"}
    await reload(doorstep, gatekeeper, test=ListenerSettings(address=ANY_PORT))
    doorstep.gatekeeper.may_answer.set()
    assert (await caller.reply())[:3] == "235"
    assert (await transaction(caller)).startswith("421 4.3.2")


async def test_a_failed_login_changes_nothing_of_what_a_trusted_network_gives(doorstep: Doorstep):
    """The login that was tried in vain must not become the session's, by whatever it is in the next configuration."""
    doorstep.gatekeeper.trusts = account("trusted")
    caller = await doorstep.greeted()
    assert (await caller.say(login("user", "wrong")))[:3] == "535"
    gatekeeper, reception = ScriptedGatekeeper(), ScriptedReception()
    gatekeeper.trusts = account("newly-trusted")
    await reload(doorstep, gatekeeper, reception, test=ListenerSettings(address=ANY_PORT))
    assert (await transaction(caller))[:3] == "250"
    assert ["newly-trusted"] == [one.account for one in reception.received]


async def test_a_network_that_is_trusted_no_more_is_told_at_the_next_mail(doorstep: Doorstep):
    doorstep.gatekeeper.trusts = account("trusted")
    caller = await doorstep.greeted()
    await reload(doorstep, test=ListenerSettings(address=ANY_PORT))
    assert (await transaction(caller)).startswith("421 4.3.2")


@pytest.mark.parametrize("wrong", ["address", "certificate"])
async def test_what_cannot_be_had_changes_nothing(doorstep: Doorstep, wrong, tmp_path):
    address = doorstep.door.addresses["test"]
    with socket.create_server(("127.0.0.1", 0)) as taken:
        bad = (
            ListenerSettings(address=HostPort(*taken.getsockname()))
            if wrong == "address"
            else ListenerSettings(address=ANY_PORT, tls="starttls", certificate=tmp_path / "none.pem")
        )
        with pytest.raises(ConfigError, match=r"listener\.bad"):
            await reload(doorstep, good=ListenerSettings(address=ANY_PORT), bad=bad)
    assert {"test": address} == dict(doorstep.door.addresses)
    doorstep.gatekeeper.trusts = account("trusted")
    assert (await transaction(await doorstep.greeted()))[:3] == "250"


async def test_sockets_of_another_process_can_be_given(doorstep: Doorstep):
    one = socket.create_server(("127.0.0.1", 0))
    given = {"given": Listening(ANY_PORT, HostPort(*one.getsockname()), (one,))}
    settings = Settings(listener={"given": ListenerSettings(address=ANY_PORT)})
    await doorstep.door.reload(settings, doorstep.gatekeeper, doorstep.reception, given)
    assert (await (await doorstep.call(listener="given")).reply())[:3] == "220"


async def test_many_changes_leave_nothing_open(doorstep: Doorstep):
    async def change(size: int) -> None:
        await reload(
            doorstep,
            test=ListenerSettings(address=ANY_PORT, max_message_bytes=size),
            **{f"other{size % 2}": ListenerSettings(address=ANY_PORT)},
        )
        await asyncio.sleep(0)

    await change(1000)
    gc.collect()
    before = descriptors()
    for size in range(1001, 1041):
        await change(size)
    gc.collect()
    assert descriptors() <= before + 1
