"""SMTP smuggling with real programs: Postfix in front of every listener profile, the sandbox's mailboxes behind.

Whatever an attacker hands to Postfix as one message, Postfix may pass on as it likes; no mailbox of the second message
that hides in it may get anything. And what goes straight to the gateway arrives as one message, too.
"""

import itertools
import os
import socket

import pytest
from postfix import Postfix
from running import BODY_MARKER, SUBJECT_MARKER, until

from relay.config.profiles import PROFILES

AROUND = (b"\n", b"\r", b"\r\n", b"\n\r", b"\r\r\n", b"\r\0\n", b"\0")
END = b"\r\n.\r\n"
PAIRS = [(before, behind) for before, behind in itertools.product(AROUND, AROUND) if END not in before + b"." + behind]


@pytest.fixture(scope="module")
def profiled(_make_gateway, base_config, certificate):
    """A gateway with a door of each profile; all take STARTTLS and logins, and trust this machine."""
    doors = [
        f'[listener.{profile}]\nprofile = "{profile}"\naddress = "127.0.0.1:0"\ntls = "starttls"\n'
        f'certificate = "{certificate.chain}"\nkey = "{certificate.key}"\n'
        f'[listener.{profile}.trusted]\n"127.0.0.1" = "dmds"'
        for profile in PROFILES
    ]
    return _make_gateway("\n".join([base_config, *doors]))


def attempt(pair, victim):
    """Make a message in which another hides behind something that resembles an end of data."""
    before, behind = pair
    header = f"From: a@shop.example\r\nSubject: {SUBJECT_MARKER}\r\n\r\n{BODY_MARKER}".encode()
    smuggled = (
        f"MAIL FROM:<evil@shop.example>\r\nRCPT TO:<{victim}>\r\nDATA\r\nSubject: {SUBJECT_MARKER} smuggled\r\n\r\n"
    )
    return header + before + b"." + behind + smuggled.encode() + BODY_MARKER.encode()


def hand_over(port, recipient, data):
    """Speak raw SMTP; return the codes of all replies from the one to DATA on, until the server hangs up."""
    with socket.create_connection(("127.0.0.1", port), 30) as line:
        answers = line.makefile("rb")
        answers.readline()
        for command in ("HELO attacker", "MAIL FROM:<a@shop.example>", f"RCPT TO:<{recipient}>", "DATA"):
            line.sendall(f"{command}\r\n".encode())
            said = answers.readline()
        assert said.startswith(b"354 "), said
        line.sendall(data + END)
        replies = [answers.readline()[:3]]
        line.sendall(b"QUIT\r\n")
        line.shutdown(socket.SHUT_WR)
        return [*replies, *(reply[:3] for reply in answers)]


@pytest.mark.parametrize("profile", PROFILES)
def test_one_message_stays_one(profiled, sandbox, unique, profile):
    for number, pair in enumerate(PAIRS):
        recipient, victim = f"one-{number}-{unique}@inbox.example", f"victim-{number}-{unique}@inbox.example"
        assert hand_over(profiled.port(profile), recipient, attempt(pair, victim)) == [b"250", b"221"], pair
    for number, pair in enumerate(PAIRS):
        (got,) = sandbox.wait_for(f"one-{number}-{unique}@inbox.example")
        assert "MAIL FROM:" in got.html, pair
        assert sandbox.mails(f"victim-{number}-{unique}@inbox.example") == (), pair


@pytest.mark.skipif(os.geteuid() != 0, reason="Postfix can only be started by root")
@pytest.mark.parametrize("profile", PROFILES)
def test_nor_does_postfix_in_front_make_two_of_it(profiled, sandbox, certificate, unique, profile):
    gateway = f"[127.0.0.1]:{profiled.port(profile)}"
    # As Debian 12 ships it, Postfix itself takes LF.LF for the end; what it then passes on are two messages indeed.
    options = {
        "smtp_tls_security_level": "encrypt",
        "smtpd_forbid_bare_newline": "normalize",
        "smtpd_forbid_bare_newline_exclusions": "",
    }
    postfix = Postfix({"/etc/postfix/main.cf": f"relayhost = {gateway}\n"}, certificate.authority, options=options)
    postfix.start()
    try:
        taken = [
            number
            for number, pair in enumerate(PAIRS)
            if hand_over(
                postfix.port,
                f"one-{number}-{unique}@inbox.example",
                attempt(pair, f"victim-{number}-{unique}@inbox.example"),
            )[0] == b"250"
        ]  # fmt: skip
        assert taken
        until(lambda: not postfix.waiting(), 60, f"not passed on: {postfix.log()}")
        log = postfix.log()
    finally:
        postfix.stop()
    for number in taken:
        assert f"to=<one-{number}-{unique}@inbox.example>" in log
        assert len(sandbox.wait_for(f"one-{number}-{unique}@inbox.example")) == 1, log
    assert [number for number in range(len(PAIRS)) if sandbox.mails(f"victim-{number}-{unique}@inbox.example")] == []
