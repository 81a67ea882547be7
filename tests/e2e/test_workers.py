"""Several workers behind the same listeners and on the same store, and what becomes of mail when one dies."""

import os
import signal
import smtplib
import socket
import subprocess
import threading
from pathlib import Path

import pytest
from running import BODY_MARKER, RELAY, SUBJECT_MARKER, Gateway, until

MAIL = f"Subject: {SUBJECT_MARKER}\r\n\r\n{BODY_MARKER}\r\n"
DOOR = '\n[listener.plain]\naddress = "127.0.0.1:0"\n'
RULES = '[defaults]\nunconfirmed_wait = "0.5s"\n[log]\nlevel = "debug"\n'
TWO = "workers = 2\n"


def workers(gateway: Gateway) -> list[int]:
    return [int(pid) for pid in Path(f"/proc/{gateway.pid}/task/{gateway.pid}/children").read_text().split()]


def figure(gateway: Gateway, name: str) -> float:
    lines = [line for line in gateway.get("/metrics")[1].splitlines() if line.startswith((f"{name} ", f"{name}{{"))]
    return sum(float(line.rpartition(" ")[2]) for line in lines)


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


class Sender(threading.Thread):
    """Sends mail after mail, and notes what was taken and who could not even be called."""

    def __init__(self, port, login, name):
        super().__init__(name=name)
        self._port, self._login = port, login
        self.accepted: list[str] = []
        self.refused = 0
        self.stopping = False

    def run(self):
        number = 0
        while not self.stopping:
            number += 1
            address = f"{self.name}-{number}@example.net"
            try:
                with smtplib.SMTP("127.0.0.1", self._port, timeout=60) as smtp:
                    smtp.login(self._login.user, self._login.password)
                    smtp.sendmail("app@example.org", [address], MAIL)
                self.accepted.append(address)
            except ConnectionRefusedError:
                self.refused += 1
            except (OSError, smtplib.SMTPException):
                threading.Event().wait(0.02)


@pytest.fixture
def senders(logins, unique):
    """Start senders; they are told to stop at the end."""
    started: list[Sender] = []

    def start(gateway: Gateway, count: int) -> list[Sender]:
        started.extend(Sender(gateway.port("plain"), logins["kept-dmds"], f"{unique}-{n}") for n in range(count))
        for sender in started:
            sender.start()
        return started

    yield start
    stop(started)


def stop(senders: list[Sender]) -> set[str]:
    for sender in senders:
        sender.stopping = True
    for sender in senders:
        sender.join()
    return {address for sender in senders for address in sender.accepted}


def arrived(sandbox, unique) -> dict[str, int]:
    def count(world):
        counts: dict[str, int] = {}
        for mail in world.mails:
            if unique in mail.mailbox:
                counts[mail.mailbox] = counts.get(mail.mailbox, 0) + 1
        return counts

    return sandbox.ask(count)


def test_workers_share_the_work_and_are_one_to_look_at(start_gateway, base_config, senders, sandbox, unique):
    gateway = start_gateway(TWO + base_config + DOOR + RULES)
    running = senders(gateway, 4)

    def both_have_worked() -> bool:
        return {0, 1} <= {event["worker"] for event in gateway.events("message_accepted")}

    until(both_have_worked, 60, "one worker does everything")
    accepted = stop(running)

    until(lambda: accepted <= arrived(sandbox, unique).keys(), 60, "accepted mail is missing")
    assert {1} == set(arrived(sandbox, unique).values())
    assert len(gateway.events("message_accepted")) == figure(gateway, "relay_messages_accepted_total")
    until(lambda: figure(gateway, "relay_queue_messages") == 0, 30, "the queue does not empty")
    assert 2 == figure(gateway, "relay_workers")
    assert 1 == len([line for line in gateway.get("/metrics")[1].splitlines() if line.startswith("relay_queue_messa")])
    assert 1 == len(gateway.events("started")) == len(gateway.events("listener_opened"))
    pids = workers(gateway)
    assert 2 == len(pids)
    assert 0 == gateway.stop()
    assert [] == [pid for pid in pids if is_alive(pid)]
    assert {0, 1} == {event["worker"] for event in gateway.events("stopped")}


def test_a_worker_that_is_killed_is_replaced_nobody_is_refused_and_nothing_is_lost(
    start_gateway, base_config, senders, sandbox, unique
):
    gateway = start_gateway(TWO + base_config + DOOR + RULES)
    running = senders(gateway, 4)
    for kill in range(1, 4):
        until(lambda: figure(gateway, "relay_workers") == 2, 60, "the worker is not replaced")
        until(lambda: sum(len(sender.accepted) for sender in running) > 5, 60, "nothing is taken")
        os.kill(workers(gateway)[kill % 2], signal.SIGKILL)
        until(lambda count=kill: figure(gateway, "relay_workers_lost_total") == count, 60, "its end is not told")
    until(lambda: figure(gateway, "relay_workers") == 2, 60, "the worker is not replaced")
    accepted = stop(running)

    assert 0 == sum(sender.refused for sender in running)
    until(lambda: accepted <= arrived(sandbox, unique).keys(), 60, "accepted mail is missing")
    until(lambda: figure(gateway, "relay_queue_messages") == 0, 60, "the queue does not empty")
    twice = {address for address, count in arrived(sandbox, unique).items() if count > 1}
    assert twice <= {event["recipient"] for event in gateway.events("retried_unconfirmed")}
    assert gateway.get("/readyz")[0] == 200


def test_workers_end_when_the_supervisor_is_killed_and_nothing_is_lost(
    start_gateway, base_config, senders, sandbox, unique
):
    gateway = start_gateway(TWO + base_config + DOOR + RULES)
    running = senders(gateway, 2)
    until(lambda: sum(len(sender.accepted) for sender in running) > 5, 60, "nothing is taken")
    pids = workers(gateway)
    gateway.stop(signal.SIGKILL)
    until(lambda: not any(map(is_alive, pids)), 60, "workers go on without supervisor")
    accepted = stop(running)
    gateway.start()

    until(lambda: accepted <= arrived(sandbox, unique).keys(), 60, "accepted mail is missing")
    until(lambda: figure(gateway, "relay_queue_messages") == 0, 60, "the queue does not empty")


def test_all_workers_go_on_by_a_new_configuration(start_gateway, base_config, logins, sandbox, unique):
    gateway = start_gateway(TWO + base_config + DOOR + RULES)
    inside = [smtplib.SMTP("127.0.0.1", gateway.port("plain"), timeout=30) for _ in range(6)]
    until(lambda: figure(gateway, "relay_connections") == 6, 30, "nobody is inside")

    assert "reload_refused" == gateway.reload(TWO + base_config + DOOR + "[defaults]\nmood = 1\n")["event"]
    told = gateway.reload("workers = 3\n" + base_config + DOOR + '[listener.new]\naddress = "127.0.0.1:0"\n')

    assert ("reloaded", ["workers"]) == (told["event"], told["needs_restart"])
    for number, smtp in enumerate(inside):
        smtp.login(logins["kept-dmds"].user, logins["kept-dmds"].password)
        smtp.sendmail("app@example.org", [f"{unique}-{number}@example.net"], MAIL)
        smtp.quit()
    for number in range(6):
        with smtplib.SMTP("127.0.0.1", gateway.port("new"), timeout=30) as smtp:
            smtp.login(logins["kept-dmds"].user, logins["kept-dmds"].password)
        sandbox.wait_for(f"{unique}-{number}@example.net")
    # Who comes later begins with what holds now.
    os.kill(workers(gateway)[0], signal.SIGKILL)
    gateway.wait_for_event("worker_began", 3)
    told = gateway.reload(TWO + base_config + '\n[listener.new]\naddress = "127.0.0.1:0"\n')
    assert "reloaded" == told["event"]
    with pytest.raises(ConnectionRefusedError):
        smtplib.SMTP("127.0.0.1", gateway.port("plain"), timeout=5)
    assert 0 == gateway.stop()


def test_what_keeps_all_workers_from_starting_is_told_once(tmp_path, base_config):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        config = tmp_path / "relay.toml"
        config.write_text(
            f'workers = 2\nstore.path = "{tmp_path}/relay.db"\nweb.address = ""\n{base_config}\n'
            f'[listener.bad]\naddress = "127.0.0.1:{taken.getsockname()[1]}"\n'
        )
        done = subprocess.run([RELAY, "serve", "--config", config], capture_output=True, text=True, check=False)

    assert 78 == done.returncode
    assert 1 == done.stderr.count("listener.bad: cannot listen on")
