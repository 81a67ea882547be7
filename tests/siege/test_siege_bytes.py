"""Raw bytes at every door: there is always an answer or a close, in time, and nothing stays behind."""

import asyncio
import contextlib
import random
import re
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
from attacker import PATIENCE_SECONDS, judged, read_lines
from dialogue_machine import KINDS

#: What the listeners of `hasty` allow a client: who says nothing is closed on.
RULES = 'greeting_timeout = "1s"\ncommand_timeout = "1s"\ndata_timeout = "1s"\nmax_connections_per_client = 1000'

_DIALOGUES = Path(__file__).parents[1] / "smtp" / "dialogues"
_AT_ONCE = 200
_TLS_HELLO = bytes.fromhex("16030100c8010000c40303") + bytes(range(200))
_LOGIN = b"EHLO x\r\nAUTH PLAIN AHNob3AAd3Jvbmc=\r\n"
FIXED = {
    "nothing": b"",
    "all bytes": bytes(range(256)),
    "all bytes, thousandfold": bytes(range(256)) * 1000,
    "nul": b"\0" * 100_000,
    "one long line": b"x" * 3_000_000,
    "a long line that ends": b"EHLO " + b"x" * 100_000 + b"\r\nQUIT\r\n",
    "line feeds": b"\n" * 10_000,
    "carriage returns": b"\r" * 10_000,
    "empty lines": b"\r\n" * 10_000,
    "tls hello": _TLS_HELLO,
    "broken tls hello": b"\x16\x03\x01\xff\xff" + b"\0" * 70_000,
    "sslv2 hello": bytes.fromhex("802e0100020015000000100700c00300800200800600400400800100000a0700c0") * 3,
    "http": b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    "http with mail in its body": b"POST / HTTP/1.1\r\nContent-Length: 99\r\n\r\n"
    + _LOGIN
    + b"MAIL FROM:<a@b.example>\r\n",
    "proxy v1": b"PROXY TCP4 192.0.2.1 192.0.2.2 1 25\r\nEHLO x\r\nQUIT\r\n",
    "proxy v2": b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c" + bytes(12) + b"EHLO x\r\nQUIT\r\n",
    "ssh": b"SSH-2.0-OpenSSH_9.2\r\n",
    "deep pipeline": b"EHLO x\r\n" + b"NOOP\r\n" * 20_000 + b"QUIT\r\n",
    "deep pipeline of errors": b"EHLO x\r\n" + b"DATA\r\nRCPT TO:<a@b.example>\r\n" * 5000,
    "deep pipeline of logins": _LOGIN * 30,
    "starttls over and over": b"STARTTLS\r\n" * 100,
    "starttls with the hello behind it": b"EHLO x\r\nSTARTTLS\r\n" + _TLS_HELLO,
    "bdat": b"EHLO x\r\nBDAT 10\r\nMAIL FROM:BDAT 99999999999999999999 LAST\r\nQUIT\r\n" * 3,
    "unicode": "EHLO ñandú.例え\r\nMAIL FROM:<ñ@例え.テスト> SMTPUTF8\r\nQUIT\r\n".encode(),
    "auth that never ends": b"EHLO x\r\nAUTH LOGIN\r\n" + b"QUFB" * 50_000 + b"\r\n",
    "auth of nul": b"EHLO x\r\nAUTH PLAIN AAAA\r\nAUTH PLAIN AAAAAAAA\r\nAUTH LOGIN AA==\r\nAA==\r\nQUIT\r\n",
}


def mutations(number: int, seed: int) -> Iterator[bytes]:
    """Bend the recorded dialogues: bytes swapped, cut, doubled, inserted."""
    dice = random.Random(seed)
    lines = [
        line[3:].encode() + b"\r\n"
        for path in sorted(_DIALOGUES.glob("*.txt"))
        for line in path.read_text().splitlines()
        if line.startswith("C:")
    ]
    for _ in range(number):
        text = bytearray(b"".join(dice.choices(lines, k=dice.randint(1, 30))))
        for _ in range(dice.randint(0, 20)):
            place = dice.randrange(len(text) + 1)
            match dice.randrange(5):
                case 0:
                    text[place : place + 1] = bytes([dice.randrange(256)])
                case 1:
                    text[place:place] = dice.choice(
                        (b"\r", b"\n", b"\r\n", b"\0", b"\r\n.\r\n", b" ", b"<", b">", b'"')
                    )
                case 2:
                    del text[place : place + dice.randrange(10)]
                case 3:
                    text[place:place] = dice.randbytes(dice.randrange(100))
                case 4:
                    text[place:place] = text[place : place + dice.randrange(50)] * dice.randrange(20)
        yield bytes(text)


@pytest.fixture(scope="module")
def hasty(besiege):
    return besiege(RULES)


async def throw(port: int, payload: bytes, context: ssl.SSLContext | None, dice: random.Random) -> bytes:
    """Connect, throw the bytes in pieces, maybe close our half, and read until the gateway closes."""
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", port, ssl=context, server_hostname="localhost" if context else None
    )
    received = bytearray()

    async def read() -> None:
        while came := await reader.read(65536):
            received.extend(came)

    async def write() -> None:
        at, step = 0, max(1, len(payload) // dice.randint(1, 8))
        while at < len(payload):
            writer.write(payload[at : at + step])
            await writer.drain()
            at += step
        if context is None and dice.random() < 0.7:
            writer.write_eof()

    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            await asyncio.gather(_until_cut(read()), _until_cut(write()))
    except TimeoutError:
        pytest.fail(
            f"neither answered nor closed after {payload[:80]!r} ({len(payload)} bytes); got {received[-80:]!r}"
        )
    finally:
        writer.transport.abort()
    return bytes(received)


async def _until_cut(work) -> None:
    with contextlib.suppress(OSError):  # whatever a reset looks like, ssl.SSLError included
        await work


def assert_smtp(received: bytes) -> None:
    """Fail where the gateway said something that is no SMTP reply, or broke off in the middle of one."""
    if b"\r\n220 2.0.0 Ready to start TLS\r\n" in received:  # then TLS spoke
        received = received[: received.index(b"\r\n220 2.0.0 ") + 2]
    lines, reply = read_lines(received), []
    for line in lines:
        reply.append(line)
        if line[3] == " ":
            judged(reply)
            reply = []
    assert not reply, f"broken off: {reply}"


@pytest.mark.parametrize("kind", KINDS)
async def test_bytes_are_answered_or_the_connection_is_closed(hasty, size, trusting, kind):
    """A client that has thrown its bytes and waits is never kept waiting beyond the listener's limits."""
    before = hasty.vitals()
    dice = random.Random(kind)
    port = hasty.gateway.port(kind)
    payloads = [*FIXED.values(), *mutations(size.of(100, 5000), dice.getrandbits(32))]
    payloads += [dice.randbytes(dice.randrange(3000)) for _ in range(size.of(30, 1000))]
    contexts = [None, trusting] if kind == "implicit" else [None]
    jobs = [(payload, context) for payload in payloads for context in contexts]
    for begin in range(0, len(jobs), _AT_ONCE):
        group = jobs[begin : begin + _AT_ONCE]
        answers = await asyncio.gather(*(throw(port, payload, context, dice) for payload, context in group))
        for (_, context), received in zip(group, answers, strict=True):
            if kind != "implicit" or context is not None:
                assert_smtp(received)
    await asyncio.to_thread(hasty.assert_calm, before)
    grown = hasty.vitals().memory_bytes - before.memory_bytes
    assert grown < 100 * 1024**2, f"{grown} bytes of memory stayed"


def test_none_of_it_was_taken_for_a_message(hasty):
    """The logins in these bytes are wrong: whatever they held, nobody could send."""
    metrics = hasty.gateway.get("/metrics")[1]
    assert not re.search(r"^relay_messages_accepted_total\{", metrics, re.MULTILINE)
