"""SMTP smuggling on every listener profile: one message stays one, and its end is CR LF dot CR LF alone.

What stands around the dot is every mixture of CR, LF and NUL up to three bytes; behind it come the commands of a second
message, which must arrive as content of the first (CVE-2023-51764, -51765, -51766; CVE-2024-27305).
"""

import itertools
import re

import pytest
from doorstep import account

from relay.config.profiles import PROFILES
from relay.smtp.data import DataReader
from relay.smtp.lineends import LineEnds

AROUND = [bytes(mixture) for length in range(4) for mixture in itertools.product(b"\r\n\0", repeat=length)]
SMUGGLED = b"MAIL FROM:<evil@example.org>\r\nRCPT TO:<victim@example.org>\r\nDATA\r\nSubject: smuggled\r\n"
END = b"\r\n.\r\n"


def attempts():
    """Every pair of what stands before and behind the dot, but for the one end of data."""
    return [
        b"one" + before + b"." + behind + SMUGGLED
        for before, behind in itertools.product(AROUND, AROUND)
        if END not in before + b"." + behind
    ]


def kept(raw: bytes, line_ends: str) -> bytes:
    """Tell by the book what is kept of a message's raw content."""
    if line_ends == "normalise":
        raw = re.sub(rb"\r\r\n|\r\n|\n|\r", b"\r\n", raw)
    return raw.replace(b"\r\n.", b"\r\n")


@pytest.mark.parametrize("profile", PROFILES)
async def test_one_message_stays_one(make_doorstep, profile):
    doorstep = await make_doorstep({"profile": profile, "max_commands": 1_000_000})
    doorstep.gatekeeper.trusts = account("trusted")
    rules = doorstep.door._lobbies[0].rules
    caller = await doorstep.greeted()
    for attempt in attempts():
        for line in ("MAIL FROM:<a@example.org>", "RCPT TO:<b@example.org>"):
            assert (await caller.say(line)).startswith("250 ")
        assert (await caller.say("DATA")).startswith("354 ")
        assert (await caller.send(attempt + END)) is caller
        assert (await caller.reply()).startswith("250 2.0.0 Ok: message"), attempt
        got = doorstep.reception.received.pop()
        assert (got.recipients, got.data) == (["b@example.org"], kept(attempt + b"\r\n", rules.line_ends))
        assert doorstep.reception.received == []


@pytest.mark.parametrize("profile", PROFILES)
async def test_nor_does_it_part_where_the_network_parts_it(make_doorstep, profile):
    """Each byte a packet, as far as packets can be made: the reader is waited for between them."""
    doorstep = await make_doorstep({"profile": profile})
    attempt = b"one\n.\r\n\r.\r\r\n.\n\n.\n\0.\r\n" + SMUGGLED + b"\n.\r\n"
    caller = await doorstep.ready()
    (guest,) = doorstep.door._lobbies[0].guests
    for byte in attempt + END:
        guest.data_received(bytes([byte]))  # type: ignore[attr-defined] # no socket would keep them apart
    assert (await caller.reply()).startswith("250 ")
    (got,) = doorstep.reception.received
    assert kept(attempt + b"\r\n", doorstep.door._lobbies[0].rules.line_ends) == got.data


@pytest.mark.parametrize("line_ends", ["strict", "normalise"])
def test_no_attempt_ends_the_data_at_whatever_byte_it_is_cut(line_ends):
    for attempt in attempts():
        start = len(attempt) - len(SMUGGLED) + 3
        for place in range(start):
            reader = DataReader(10_000, line_ends=LineEnds() if line_ends == "normalise" else None)
            assert reader.feed(attempt[:place]) is None
            assert reader.feed(attempt[place:]) is None
            assert reader.feed(END + b"QUIT\r\n") == b"QUIT\r\n"
            assert reader.content() == kept(attempt + b"\r\n", line_ends)


@pytest.mark.parametrize("profile", PROFILES)
async def test_nothing_from_before_the_handshake_survives_it(make_doorstep, profile, pem, trusting):
    """CVE-2011-0411, CVE-2024-34083: neither what was said, nor what was sent along with STARTTLS."""
    tls = {"profile": profile, "tls": "starttls", "certificate": pem.chain, "key": pem.key}
    doorstep = await make_doorstep(tls)
    doorstep.gatekeeper.trusts = account("trusted")
    for end in ("\r\n", "\n") if profile == "device" else ("\r\n",):
        eager = await doorstep.greeted()
        await eager.send(f"STARTTLS{end}MAIL FROM:<evil@example.org>{end}".encode())
        assert (await eager.rest()).startswith("554 5.7.0 Bytes came between STARTTLS and the handshake")
        caller = await doorstep.greeted()
        assert (await caller.say("MAIL FROM:<a@example.org>"))[:3] == "250"
        await caller.send(f"STARTTLS{end}".encode())
        assert (await caller.reply())[:3] == "220"
        await caller.start_tls(trusting)
        assert await caller.say("RCPT TO:<b@example.org>") == "503 5.5.1 EHLO first"
        assert (await caller.say("EHLO again"))[:3] == "250"
        assert await caller.say("RCPT TO:<b@example.org>") == "503 5.5.1 MAIL first"
