"""Behind a proxy: whom the door takes for the client, and what it makes of headers that nobody may send."""

import asyncio
import contextlib
import ssl
import struct
from collections.abc import Awaitable, Callable

import pytest
from certificates import Certificate
from doorstep import PATIENCE_SECONDS, Caller, Doorstep, account

from relay.smtp.proxy import SIGNATURE

Open = Callable[..., Awaitable[Doorstep]]

V1 = b"PROXY TCP4 203.0.113.7 10.0.0.1 51234 25\r\n"
V2 = SIGNATURE + b"\x21\x11\x00\x0c" + bytes([203, 0, 113, 7, 10, 0, 0, 1]) + struct.pack("!HH", 51234, 25)
LOCAL = SIGNATURE + b"\x20\x00\x00\x00"
PROXIES = {"proxies": ("127.0.0.0/8",), "auth_without_tls": "always"}
ELSEWHERE = {"proxies": ("192.0.2.10/32",)}


def under(pem: Certificate) -> dict[str, object]:
    """The listener's settings for a certificate."""
    return {"certificate": pem.chain, "key": pem.key}


async def until_left(doorstep: Doorstep) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        for lobby in doorstep.door._lobbies:
            await lobby.empty.wait()


async def until_logged(doorstep: Doorstep, event: str, count: int = 1) -> list[str]:
    """Wait for events, and return their reasons."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while len(doorstep.events(event)) < count:  # noqa: ASYNC110 - the log tells nobody
            await asyncio.sleep(0.01)
    return [line.get("reason", "") for line in doorstep.events(event)]


async def send_message(caller: Caller) -> None:
    assert (await caller.reply()).startswith("220 ")
    for line in (
        "EHLO x",
        "AUTH PLAIN AHVzZXIAcGFzcw==",
        "MAIL FROM:<a@example.org>",
        "RCPT TO:<b@example.org>",
        "DATA",
    ):
        assert (await caller.say(line))[0] in "23"
    assert (await caller.say("x\r\n.")).startswith("250 ")


@pytest.mark.parametrize("header", [V1, V2], ids=["v1", "v2"])
async def test_the_client_is_whom_the_header_names(make_doorstep: Open, header: bytes):
    """For the login, the message and the log."""
    doorstep = await make_doorstep(PROXIES)
    caller = await doorstep.call()
    await caller.send(header)
    await send_message(caller)
    assert doorstep.gatekeeper.asked == [("user", "pass", "203.0.113.7")]
    assert [one.client for one in doorstep.reception.received] == ["203.0.113.7"]
    await caller.say("QUIT")
    await until_left(doorstep)
    assert [line["client"] for line in doorstep.events("disconnected")] == ["203.0.113.7"]


@pytest.mark.parametrize("header", [V1, V2], ids=["v1", "v2"])
async def test_a_header_may_come_in_pieces_and_with_what_follows(make_doorstep: Open, header: bytes):
    """Cut at every byte; the first command comes at once behind it."""
    doorstep = await make_doorstep(PROXIES)
    doorstep.gatekeeper.trusts = account("trusted")
    for place in range(len(header) + 1):
        caller = await doorstep.call()
        if place:
            await caller.send(header[:place])
            await asyncio.sleep(0)
        await caller.send(header[place:] + b"EHLO x\r\nNOOP\r\nQUIT\r\n")
        assert [line[:4] for line in (await caller.rest()).splitlines()][-2:] == ["250 ", "221 "]
    await until_left(doorstep)
    assert doorstep.events("connection_refused") == []


@pytest.mark.parametrize("header", [b"PROXY UNKNOWN\r\n", LOCAL], ids=["unknown", "local"])
async def test_where_the_proxy_tells_no_client_its_own_address_counts(make_doorstep: Open, header: bytes):
    doorstep = await make_doorstep(PROXIES)
    caller = await doorstep.call()
    await caller.send(header)
    await send_message(caller)
    assert [one.client for one in doorstep.reception.received] == ["127.0.0.1"]


async def test_starttls_works_behind_a_proxy(make_doorstep: Open, pem: Certificate, trusting: ssl.SSLContext):
    doorstep = await make_doorstep({"tls": "starttls-required", **under(pem), **PROXIES})
    caller = await doorstep.call()
    await caller.send(V2)
    await caller.reply()
    await caller.say("EHLO x")
    assert (await caller.say("STARTTLS")).startswith("220 ")
    await caller.start_tls(trusting)
    for line in ("EHLO x", "AUTH PLAIN AHVzZXIAcGFzcw=="):
        assert (await caller.say(line))[0] == "2"
    assert doorstep.gatekeeper.asked[0][2] == "203.0.113.7"


@pytest.mark.parametrize("header", [V1, V2], ids=["v1", "v2"])
async def test_the_header_comes_before_the_handshake(
    make_doorstep: Open, pem: Certificate, trusting: ssl.SSLContext, header: bytes
):
    """On a listener with TLS from the first byte, which is the first behind the header."""
    doorstep = await make_doorstep({"tls": "implicit", **under(pem), **PROXIES})
    caller = await doorstep.call()
    await caller.send(header)
    await caller.start_tls(trusting)
    await send_message(caller)
    assert doorstep.reception.received[0].client == "203.0.113.7"


async def test_a_loopback_proxy_makes_nobody_local(make_doorstep: Open):
    """Who may log in without TLS because of being on this machine is decided by the header's address."""
    doorstep = await make_doorstep({"proxies": ("127.0.0.1",)})
    caller = await doorstep.call()
    await caller.send(V1)
    await caller.reply()
    assert "AUTH" not in await caller.say("EHLO x")


@pytest.mark.parametrize("header", [V1, V2], ids=["v1", "v2"])
async def test_from_elsewhere_no_header_is_believed(make_doorstep: Open, header: bytes):
    """Nor is anything read that comes behind it."""
    doorstep = await make_doorstep(ELSEWHERE)
    caller = await doorstep.call()
    await caller.send(header + b"EHLO x\r\n")
    said = (await caller.rest()).splitlines()
    assert [line[:3] for line in said] == ["220", "421"]
    (refused,) = doorstep.events("connection_refused")
    assert (refused["client"], refused["reason"]) == (
        "127.0.0.1",
        "sends a PROXY header, and is not in this listener's proxies",
    )


async def test_from_elsewhere_clients_connect_directly(make_doorstep: Open):
    doorstep = await make_doorstep(ELSEWHERE)
    await send_message(await doorstep.call())
    assert [one.client for one in doorstep.reception.received] == ["127.0.0.1"]


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        (b"EHLO x\r\n", "PROXY header: no PROXY header"),
        (b"\x16\x03\x01", "PROXY header: no PROXY header"),
        (b"PROXY TCP4 1.2.3 10.0.0.1 1 2\r\n", "PROXY header: address"),
        (b"PROXY " + b"x" * 200, "PROXY header: line too long"),
        (SIGNATURE + b"\x21\x11\xff\xff" + b"x" * 100, "PROXY header: too long"),
    ],
)
async def test_a_proxy_without_a_good_header_is_cut_and_told_of(make_doorstep: Open, sent: bytes, reason: str):
    doorstep = await make_doorstep(PROXIES)
    caller = await doorstep.call()
    await caller.send(sent)
    with contextlib.suppress(ConnectionResetError):  # what it sent may be unread still
        assert await caller.rest() == ""
    assert await until_logged(doorstep, "connection_refused") == [reason]
    await until_left(doorstep)


async def test_a_proxy_that_hangs_up_in_the_header_is_told_of(make_doorstep: Open):
    doorstep = await make_doorstep(PROXIES)
    caller = await doorstep.call()
    await caller.send(V2[:20])
    caller.writer.close()
    assert await until_logged(doorstep, "connection_refused") == ["PROXY header: cut off"]
    await until_left(doorstep)


async def test_a_slow_header_is_cut(make_doorstep: Open):
    doorstep = await make_doorstep({**PROXIES, "command_timeout": 0.05})
    caller = await doorstep.call()
    await caller.send(V2[:20])
    assert await caller.rest() == ""
    assert await until_logged(doorstep, "connection_refused") == ["no PROXY header in time"]
    await until_left(doorstep)


@pytest.mark.parametrize("sent", [b"", LOCAL, LOCAL + b"QUIT\r\n"], ids=["connect", "local", "local and QUIT"])
@pytest.mark.parametrize("tls", ["none", "implicit"])
async def test_health_checks_leave_nothing_in_the_log(make_doorstep: Open, pem: Certificate, sent: bytes, tls: str):
    doorstep = await make_doorstep({"tls": tls, **under(pem), **PROXIES})
    for number, end in enumerate(("close", "reset"), 1):
        caller = await doorstep.call()
        await caller.send(sent)
        await until_logged(doorstep, "connected", number)
        if end == "close":
            caller.writer.close()
        else:
            caller.hang_up()
        await until_left(doorstep)
    assert [line for line in doorstep.events() if line["level"] not in ("debug", "info")] == []
    assert {line["event"] for line in doorstep.events()} == {"connected", "disconnected"}


async def test_connections_are_counted_by_the_client_behind_the_proxy(make_doorstep: Open):
    doorstep = await make_doorstep({**PROXIES, "max_connections_per_client": 1, "max_connections": 3})
    first, second, other = [await doorstep.call() for _ in range(3)]
    await first.send(V1)
    assert (await first.reply()).startswith("220 ")
    await second.send(V2)
    assert (await second.reply()).startswith("421 4.7.0 Too many connections")
    assert await until_logged(doorstep, "connection_refused") == ["too many connections of one client"]
    assert doorstep.events("connection_refused")[0]["client"] == "203.0.113.7"
    await other.send(V1.replace(b"203", b"204"))
    assert (await other.reply()).startswith("220 ")
    await first.say("QUIT")
    async with asyncio.timeout(PATIENCE_SECONDS):
        while len(doorstep.door._lobbies[0].guests) > 1:  # noqa: ASYNC110 - the door tells nobody
            await asyncio.sleep(0.01)
    again = await doorstep.call()
    await again.send(V1)
    assert (await again.reply()).startswith("220 ")


async def test_proxied_connections_are_limited_all_together(make_doorstep: Open):
    doorstep = await make_doorstep({**PROXIES, "max_connections": 1})
    first = await doorstep.call()
    await first.send(V1)
    assert (await first.reply()).startswith("220 ")
    assert (await (await doorstep.call()).reply()).startswith("421 4.7.0 Too many connections")


async def test_a_stop_ends_those_whose_header_is_awaited(make_doorstep: Open):
    doorstep = await make_doorstep(PROXIES)
    caller = await doorstep.call()
    await until_logged(doorstep, "connected")
    async with asyncio.timeout(PATIENCE_SECONDS):
        await doorstep.door.stop(PATIENCE_SECONDS * 2)
    assert await caller.rest() == ""
