"""Killed at every point around every commit and call: what becomes of the mail, exactly.

Queue mode: the client sends once, whether it hears its 250 or not. Direct and auto: it comes back with the same bytes
until it hears 250, as mail servers do.
"""

import smtplib
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from running import BODY_MARKER, SUBJECT_MARKER, until

MODES = ("queue", "direct", "auto")
DYING = (sys.executable, Path(__file__).with_name("dying.py"))
RULES = """
[defaults]
mode = "{mode}"
unconfirmed_wait = "0.5s"
[retry]
first = "0.2s"
[listener.plain]
address = "127.0.0.1:0"
"""


@dataclass(frozen=True)
class Expected:
    """What comes of one mail to one recipient."""

    copies: int
    retried: int = 0  # counted as a possible second copy
    proven: int = 0  # found by proof


NOTHING = Expected(0)  # the client knows that nothing was taken
ONCE = Expected(1)
ONCE_BUT_COUNTED = Expected(1, retried=1)  # it might have been there already
ONCE_BY_PROOF = Expected(1, proven=1)
TWICE_AND_COUNTED = Expected(2, retried=1)
#: The client heard nothing of what was taken whole, and the program that knew is dead: nobody can know.
TWICE_BY_THE_CLIENT = Expected(2)

POINTS = [
    ("queue", "dmds", "put/before", NOTHING),
    ("queue", "dmds", "put/after", ONCE_BUT_COUNTED),  # the put journals that the call goes out
    ("queue", "dmds", "send/before", ONCE_BUT_COUNTED),
    ("queue", "dmds", "send/after", ONCE_BY_PROOF),
    ("queue", "dmds", "conclude/before", ONCE_BY_PROOF),
    ("queue", "dmds", "conclude/after", ONCE),
    ("queue", "mensatek", "send/before", ONCE_BUT_COUNTED),
    ("queue", "mensatek", "send/after", TWICE_AND_COUNTED),
    ("queue", "mensatek", "conclude/before", TWICE_AND_COUNTED),
    ("queue", "mensatek", "conclude/after", ONCE),
    *(
        (mode, "mensatek", point, expected)
        for mode in ("direct", "auto")
        for point, expected in (
            ("open_doubt/before", ONCE),
            ("open_doubt/after", ONCE_BUT_COUNTED),
            ("send/before", ONCE_BUT_COUNTED),
            ("send/after", TWICE_AND_COUNTED),
            ("put/before", TWICE_AND_COUNTED),
            ("put/after", TWICE_AND_COUNTED),
            ("write_doubt/before", TWICE_AND_COUNTED),
            ("write_doubt/after", TWICE_BY_THE_CLIENT),
        )
    ),
]
#: Once more while it mends what a first kill left behind: begin and conclude are those of the second attempt.
SECOND_POINTS = [
    ("dmds", "traces/before", ONCE_BY_PROOF),
    ("dmds", "traces/after", ONCE_BY_PROOF),
    ("mensatek", "begin/before", TWICE_AND_COUNTED),
    ("mensatek", "begin/after", TWICE_AND_COUNTED),
    ("mensatek", "send/after", Expected(3, retried=2)),
    ("mensatek", "conclude/after", TWICE_AND_COUNTED),
]


@pytest.fixture(scope="module")
def gateways(_make_gateway, base_config):
    """One for each mode, which dies on demand."""
    return {
        mode: _make_gateway(base_config + RULES.format(mode=mode), name=f"dying-{mode}", program=DYING)
        for mode in MODES
    }


@pytest.mark.parametrize(("mode", "api", "point", "expected"), POINTS)
def test_a_kill_at_each_point(gateways, sandbox, logins, unique, mode, api, point, expected):
    gateway, recipient = gateways[mode], f"{unique}@example.net"
    die_at(gateway, point, lambda: send(gateway, logins[f"kept-{api}"], recipient))
    if mode != "queue":
        until(lambda: send(gateway, logins[f"kept-{api}"], recipient) == 250, 30, "the mail is not taken")
    assert expected == settled(gateway, sandbox, recipient)


@pytest.mark.parametrize(("api", "point", "expected"), SECOND_POINTS)
def test_a_second_kill_while_the_first_is_mended(gateways, sandbox, logins, unique, api, point, expected):
    gateway, recipient = gateways["queue"], f"{unique}@example.net"
    die_at(gateway, "send/after", lambda: send(gateway, logins[f"kept-{api}"], recipient), then=point)
    die_at(gateway, point, lambda: None)
    # A first "retried" is told behind `begin`, and not at all where the kill comes before it.
    assert expected.copies == settled(gateway, sandbox, recipient).copies
    told = [event for event in gateway.events("retried_unconfirmed") if event["recipient"] == recipient]
    assert expected.copies - 1 <= max(len(told), 1 if "begin" in point else 0)


def die_at(gateway, point, act, then="") -> None:
    """Act with the point set, wait for the death, and start again; `then`: with another point set."""
    chosen = gateway.folder / "dies-at"
    chosen.write_text(point)
    act()
    until(lambda: not gateway.is_running, 30, f"it did not die at {point}: {gateway.log()}")
    if then:
        chosen.write_text(then)
    else:
        chosen.unlink()
    gateway.start(waits=not then)


def send(gateway, login, recipient: str) -> int:
    """Send one mail, always the same bytes; returns the reply's code, 0: none was heard."""
    mail = f"From: app@example.org\r\nTo: {recipient}\r\nSubject: {SUBJECT_MARKER}\r\n\r\n{BODY_MARKER}\r\n"
    try:
        with smtplib.SMTP("127.0.0.1", gateway.port("plain"), timeout=60) as smtp:
            smtp.login(login.user, login.password)
            smtp.mail("app@example.org")
            smtp.rcpt(recipient)
            return smtp.data(mail.encode())[0]
    except (OSError, smtplib.SMTPServerDisconnected):
        return 0


def settled(gateway, sandbox, recipient) -> Expected:
    """Wait until nothing is left to be tried; returns what came of it."""
    until(lambda: " 0.0" in figure(gateway, "relay_queue_messages"), 30, "the queue does not empty")

    def count(name):
        return sum(event["recipient"] == recipient for event in gateway.events(name))

    return Expected(len(sandbox.mails(recipient)), count("retried_unconfirmed"), count("proof_found"))


def figure(gateway, name) -> str:
    return next(line for line in gateway.get("/metrics")[1].splitlines() if line.startswith(f"{name} "))
