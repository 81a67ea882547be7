"""Kill -9 in the middle: what was answered with 250 arrives, and nothing arrives twice without being counted."""

import json
import random
import signal
import smtplib
import threading
import urllib.request

import pytest
from running import BODY_MARKER, SUBJECT_MARKER, Gateway, until

KILLS = 6
SENDERS = 4


class Sender(threading.Thread):
    """An application that sends numbered mails and notes which were answered with 250."""

    def __init__(self, port, login, name):
        super().__init__(name=name)
        self._port, self._login = port, login
        self.accepted: list[str] = []
        self.stopping = False

    def run(self):
        number = 0
        while not self.stopping:
            number += 1
            address = f"{self.name}-{number}@example.net"
            try:
                with smtplib.SMTP("127.0.0.1", self._port(), timeout=5) as smtp:
                    smtp.login(self._login.user, self._login.password)
                    smtp.sendmail("app@example.org", [address], f"Subject: {SUBJECT_MARKER}\r\n\r\n{BODY_MARKER}\r\n")
                self.accepted.append(address)
            except (OSError, smtplib.SMTPException):
                threading.Event().wait(0.05)


@pytest.mark.parametrize(("mode", "kind"), [("queue", "sqlite"), ("auto", "sqlite"), ("queue", "postgres")])
def test_what_was_answered_with_250_survives_kill_9(
    start_gateway, base_config, logins, sandbox, unique, mode, kind, store_environ
):
    rules = f'\n[defaults]\nmode = "{mode}"\nunconfirmed_wait = "0.5s"\n[log]\nlevel = "debug"\n'
    door = '[listener.plain]\naddress = "127.0.0.1:0"\n'
    gateway: Gateway = start_gateway(base_config + rules + door, environ=store_environ(kind))
    slow = {"api": "dmds", "kind": "slow_after", "seconds": 0.02, "times": None, "match": f"*{unique}*"}
    set_fault(sandbox, slow)
    senders = [
        Sender(lambda: gateway.port("plain"), logins["kept-dmds"], f"{unique}-{number}") for number in range(SENDERS)
    ]
    for sender in senders:
        sender.start()
    chance = random.Random(7)
    for _ in range(KILLS):
        threading.Event().wait(0.3 + chance.random() / 2)
        gateway.stop(signal.SIGKILL)
        gateway.start()
    for sender in senders:
        sender.stopping = True
        sender.join()
    accepted = {address for sender in senders for address in sender.accepted}
    assert len(accepted) > KILLS
    until(lambda: accepted <= arrived(sandbox, unique).keys(), 60, "accepted mail is missing")
    until(lambda: " 0.0" in metric(gateway, "relay_queue_messages"), 60, "the queue does not empty")
    copies = arrived(sandbox, unique)
    twice = {address for address, count in copies.items() if count > 1}
    # A second copy is possible only where the attempt was cut off, and then it was said.
    assert twice <= {event["recipient"] for event in gateway.events("retried_unconfirmed")}
    assert max(copies.values()) <= 1 + KILLS
    gateway.stop()


def set_fault(sandbox, fault) -> None:
    request = urllib.request.Request(
        f"{sandbox.url}/sandbox/faults", json.dumps(fault).encode(), {"Content-Type": "application/json"}
    )
    urllib.request.urlopen(request, timeout=10).close()


def arrived(sandbox, unique) -> dict[str, int]:
    def count(world):
        counts: dict[str, int] = {}
        for mail in world.mails:
            if unique in mail.mailbox:
                counts[mail.mailbox] = counts.get(mail.mailbox, 0) + 1
        return counts

    return sandbox.ask(count)


def metric(gateway, name) -> str:
    return next(line for line in gateway.get("/metrics")[1].splitlines() if line.startswith(f"{name} "))


def test_a_stop_by_sigterm_finishes_what_is_under_way(start_gateway, base_config, logins, sandbox, unique):
    gateway = start_gateway(base_config + '\n[listener.plain]\naddress = "127.0.0.1:0"\n')
    address = f"{unique}@example.net"
    set_fault(sandbox, {"api": "dmds", "kind": "slow", "seconds": 1.0, "match": address})
    with smtplib.SMTP("127.0.0.1", gateway.port("plain"), timeout=10) as smtp:
        smtp.login(logins["kept-dmds"].user, logins["kept-dmds"].password)
        smtp.sendmail("app@example.org", [address], f"Subject: {SUBJECT_MARKER}\r\n\r\n{BODY_MARKER}\r\n")
    assert gateway.stop() == 0
    gateway.start()  # what had not begun is begun now
    sandbox.wait_for(address, 1)
    (event,) = gateway.events("stopped")
    assert event["unfinished_calls"] == 0


@pytest.mark.parametrize("mode", ["direct", "auto"])
def test_a_client_that_comes_back_after_a_crash_between_the_api_and_the_reply_causes_no_second_copy(
    start_gateway, base_config, logins, sandbox, unique, mode
):
    """The API has the mail, the client heard nothing, the process that knew is dead."""
    rules = f'\n[defaults]\nmode = "{mode}"\non_unconfirmed = "hold"\n'
    gateway = start_gateway(base_config + rules + '[listener.plain]\naddress = "127.0.0.1:0"\n')
    address = f"{unique}@example.net"
    set_fault(sandbox, {"api": "dmds", "kind": "slow_after", "seconds": 30.0, "match": address})
    first = threading.Thread(target=try_to_send, args=(gateway.port("plain"), logins["kept-dmds"], address))
    first.start()
    sandbox.wait_for(address, 1)
    gateway.stop(signal.SIGKILL)
    first.join()
    gateway.start()
    assert [451, 451] == [try_to_send(gateway.port("plain"), logins["kept-dmds"], address) for _ in range(2)]
    # Another mail goes, and the first stays one copy.
    other = f"other-{address}"
    assert 250 == try_to_send(gateway.port("plain"), logins["kept-dmds"], other)
    sandbox.wait_for(other, 1)
    assert 1 == len(sandbox.mails(address))


def try_to_send(port, login, address) -> int:
    """Send one mail, always the same bytes; the reply's code, 0: the connection ended without one."""
    try:
        with smtplib.SMTP("127.0.0.1", port, timeout=60) as smtp:
            smtp.login(login.user, login.password)
            smtp.mail("app@example.org")
            smtp.rcpt(address)
            return smtp.data(f"Subject: {SUBJECT_MARKER}\r\n\r\n{BODY_MARKER}\r\n".encode())[0]
    except (OSError, smtplib.SMTPServerDisconnected):
        return 0
