"""SIGHUP: the gateway goes on by the configuration as it is now, and nobody notices who need not."""

import json
import smtplib
import threading
import urllib.request
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from running import BODY_MARKER, SUBJECT_MARKER, Gateway, until

MAIL = f"Subject: {SUBJECT_MARKER}\r\n\r\n{BODY_MARKER}\r\n"
DOOR = '\n[listener.plain]\naddress = "127.0.0.1:0"\n'
RELOADS = 200
HASHER = PasswordHasher(time_cost=1, memory_cost=8 * 1024, parallelism=1)


def login_table(name: str, password: str) -> str:
    return f'\n[login."{name}"]\naccount = "dmds"\npassword_hash = "{HASHER.hash(password)}"\n'


def connect(gateway: Gateway, listener: str = "plain") -> smtplib.SMTP:
    return smtplib.SMTP("127.0.0.1", gateway.port(listener), timeout=30)


def may_log_in(gateway: Gateway, user: str, password: str) -> bool:
    with connect(gateway) as smtp:
        try:
            return smtp.login(user, password)[0] == 235
        except smtplib.SMTPAuthenticationError:
            return False


def test_a_message_in_the_middle_of_data_goes_through(start_gateway, base_config, logins, sandbox, unique):
    gateway = start_gateway(base_config + DOOR)
    with connect(gateway) as smtp:
        smtp.login(logins["kept-dmds"].user, logins["kept-dmds"].password)
        for line in ("MAIL FROM:<app@example.org>", f"RCPT TO:<{unique}@example.net>"):
            assert smtp.docmd(line)[0] == 250
        assert smtp.docmd("DATA")[0] == 354
        smtp.send(MAIL[:20].encode())
        assert gateway.reload(base_config + DOOR + 'max_message_bytes = "1MB"\n[log]\nlevel = "debug"\n')
        smtp.send(MAIL[20:].encode() + b".\r\n")
        assert smtp.getreply()[0] == 250
        # The session goes on, too, as what it is by the new configuration.
        smtp.sendmail("app@example.org", [f"{unique}-2@example.net"], MAIL)
    sandbox.wait_for(f"{unique}@example.net")
    sandbox.wait_for(f"{unique}-2@example.net")


def test_logins_come_and_go_and_an_old_password_is_refused_at_once(start_gateway, base_config, unique):
    start = base_config + DOOR + login_table("early", "first")
    gateway = start_gateway(start)
    assert may_log_in(gateway, "early", "first")
    assert not may_log_in(gateway, "late", "second")  # and that is remembered
    session = connect(gateway)
    session.login("early", "first")

    gateway.reload(base_config + DOOR + login_table("early", "changed") + login_table("late", "second"))

    assert not may_log_in(gateway, "early", "first")  # although it was remembered as right
    assert may_log_in(gateway, "early", "changed")
    assert may_log_in(gateway, "late", "second")
    code, text = session.docmd("MAIL FROM:<app@example.org>")
    assert (421, True) == (code, b"configuration has changed" in text)
    session.close()

    gateway.reload(base_config + DOOR)

    assert not may_log_in(gateway, "late", "second")


def test_listeners_come_and_go(start_gateway, base_config, logins):
    gateway = start_gateway(base_config + DOOR)
    old = gateway.port("plain")
    with connect(gateway) as inside:
        inside.login(logins["kept-dmds"].user, logins["kept-dmds"].password)
        inside.docmd("MAIL FROM:<app@example.org>")

        said = gateway.reload(base_config + '\n[listener.another]\naddress = "127.0.0.1:0"\n')

        assert ("reloaded", []) == (said["event"], said["needs_restart"])
        assert ["plain"] == [event["listener"] for event in gateway.events("listener_closed")]
        with connect(gateway, "another") as smtp:
            assert smtp.noop()[0] == 250
        with pytest.raises(ConnectionRefusedError):
            smtplib.SMTP("127.0.0.1", old, timeout=5)
        assert inside.docmd("RCPT TO:<a@example.net>")[0] == 250
        assert inside.docmd("DATA")[0] == 354
        inside.send(f"{MAIL}.\r\n".encode())
        assert inside.getreply()[0] == 250


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("[defaults]\nmood = 1\n", "defaults.mood"),
        ("no toml", "relay.toml"),
        ('[provider.dmds.wire]\nno_such = "x"\n', "no_such"),
        ('[listener.bad]\naddress = "192.0.2.1:2525"\n', "listener.bad: cannot listen on 192.0.2.1:2525"),
    ],
)
def test_a_configuration_with_mistakes_changes_nothing_and_they_are_told(
    start_gateway, base_config, logins, wrong, said
):
    gateway = start_gateway(base_config + DOOR)

    told = gateway.reload(f"{base_config}{DOOR}{wrong}{login_table('late', 'second')}")

    assert "reload_refused" == told["event"]
    assert said in told["reason"]
    assert not may_log_in(gateway, "late", "second")
    assert may_log_in(gateway, logins["kept-dmds"].user, logins["kept-dmds"].password)


def test_what_needs_a_restart_is_named_and_the_rest_holds(start_gateway, base_config, logins):
    gateway = start_gateway(base_config + DOOR)

    told = gateway.reload(
        f'workers = 3\n{base_config}{DOOR}{login_table("late", "second")}[store]\nmax_bytes = "1GB"\n'
    )

    assert ["store.max_bytes", "workers"] == told["needs_restart"]
    assert may_log_in(gateway, "late", "second")
    assert gateway.get("/readyz")[0] == 200


def test_calls_under_way_end_by_the_rules_that_they_began_with(start_gateway, base_config, logins, sandbox, unique):
    """And a stop that comes meanwhile waits for those of the shift that was relieved, too."""
    gateway = start_gateway(base_config + DOOR)
    address = f"{unique}@example.net"
    slow = {"api": "dmds", "kind": "slow", "seconds": 1.0, "match": address}
    request = urllib.request.Request(
        f"{sandbox.url}/sandbox/faults", json.dumps(slow).encode(), {"Content-Type": "application/json"}
    )
    urllib.request.urlopen(request, timeout=10).close()
    with connect(gateway) as smtp:
        smtp.login(logins["kept-dmds"].user, logins["kept-dmds"].password)
        smtp.sendmail("app@example.org", [address], MAIL)
    gateway.reload(base_config.replace(f"{sandbox.url}/dmds", "http://127.0.0.1:9/dmds") + DOOR)
    assert gateway.stop() == 0
    (stopped,) = gateway.events("stopped")
    assert 0 == stopped["unfinished_calls"]
    sandbox.wait_for(address)


class Sender(threading.Thread):
    """Sends mail after mail, some in one connection, until told to stop."""

    def __init__(self, gateway, login, name):
        super().__init__(name=name)
        self._gateway, self._login = gateway, login
        self.accepted: list[str] = []
        self.refused: list[str] = []
        self.stopping = False

    def run(self):
        while not self.stopping:
            try:
                with connect(self._gateway) as smtp:
                    smtp.login(self._login.user, self._login.password)
                    for _ in range(5):
                        address = f"{self.name}-{len(self.accepted)}@example.net"
                        smtp.sendmail("app@example.org", [address], MAIL)
                        self.accepted.append(address)
            except (OSError, smtplib.SMTPException) as error:
                self.refused.append(repr(error))


def test_many_reloads_under_load_refuse_nobody_lose_nothing_and_leave_nothing(
    start_gateway, base_config, logins, sandbox, unique
):
    gateway = start_gateway(base_config + DOOR)
    changes = [f"max_errors = {10 + number}\n[retry]\nfirst = {number + 1}\n" for number in range(4)]
    gateway.reload(base_config + DOOR + changes[0])
    senders = [Sender(gateway, logins["kept-dmds"], f"{unique}-{number}") for number in range(2)]
    before = descriptors(gateway)
    for sender in senders:
        sender.start()
    for number in range(RELOADS):
        assert "reloaded" == gateway.reload(base_config + DOOR + changes[number % 4])["event"]
    for sender in senders:
        sender.stopping = True
        sender.join()

    assert [] == [error for sender in senders for error in sender.refused]
    for address in (address for sender in senders for address in sender.accepted):
        sandbox.wait_for(address)
    until(lambda: descriptors(gateway) <= before, 30, f"{descriptors(gateway)} descriptors are open, of {before}")
    until(lambda: threads(gateway) < 40, 30, "threads are left")


def descriptors(gateway) -> int:
    return len(list(Path(f"/proc/{gateway.pid}/fd").iterdir()))


def threads(gateway) -> int:
    return len(list(Path(f"/proc/{gateway.pid}/task").iterdir()))
