"""Guessing at a login, at the program's own door: blocked for all but its owner, also after kill -9."""

import base64
import signal
import smtplib

from running import BODY_MARKER, SUBJECT_MARKER

OWNER, TRIES = "127.0.0.2", 3
AUTHENTICATED = 235


def log_in(gateway, user, password, client) -> int:
    """Log in from an address of this machine, and send a mail if that works; the code of the last reply."""
    with smtplib.SMTP("127.0.0.1", gateway.port("plain"), timeout=60, source_address=(client, 0)) as smtp:
        smtp.ehlo()
        response = base64.b64encode(f"\0{user}\0{password}".encode()).decode()
        code, _ = smtp.docmd("AUTH", f"PLAIN {response}")  # `login` would try every mechanism
        if code != AUTHENTICATED:
            return code
        mail = f"Subject: {SUBJECT_MARKER}\r\n\r\n{BODY_MARKER}\r\n"
        return 0 if smtp.sendmail("app@example.org", ["ana@example.net"], mail) else 250


def test_who_guesses_is_blocked_over_a_crash_and_the_owner_of_the_login_is_not(start_gateway, base_config, logins):
    rules = {"RELAY__LOGINS__FAILURES": str(TRIES), "RELAY__LOGINS__DELAY": "0s"}
    gateway = start_gateway(base_config + '\n[listener.plain]\naddress = "127.0.0.1:0"\n', environ=rules)
    login = logins["kept-dmds"]
    assert 250 == log_in(gateway, login.user, login.password, OWNER)
    guesses = [log_in(gateway, login.user, f"guess-{n}", f"127.0.0.{n + 3}") for n in range(TRIES + 2)]
    assert [535] * TRIES + [454] * 2 == guesses
    gateway.stop(signal.SIGKILL)
    gateway.start()
    assert 454 == log_in(gateway, login.user, "guess-again", "127.0.0.99")
    assert 454 == log_in(gateway, login.user, login.password, "127.0.0.99")
    assert 250 == log_in(gateway, login.user, login.password, OWNER)
