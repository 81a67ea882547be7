"""Mail sent while the gateway is killed again and again, and an audit of what came of it."""

import random
import signal
import smtplib
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import astuple, dataclass, fields

from running import BODY_MARKER, SUBJECT_MARKER, Gateway, Login, RunningSandbox, until

SENDERS = 4
#: From when it is ready to when it is killed, in seconds.
LEAST_LIFE, LONGEST_LIFE = 0.02, 0.8
#: Some bodies are files beside the store.
SIZES = (200, 200, 200, 20_000, 200_000)
DRAINED_SECONDS = 120


@dataclass
class Row:
    """What one round brought; a recipient is one that stood in a mail answered with 250."""

    mode: str
    ended_by: str
    kills: int
    messages: int
    recipients: int
    lost: int  # recipients without a copy
    second_copies: int  # beyond the first, of all recipients, also of mails that were not answered with 250
    unexplained: int  # of these, where no second attempt was counted
    unconfirmed: int  # said to be so; a crash leaves others that nobody could tell of
    proven: int
    retried: int

    @classmethod
    def head(cls) -> str:
        """The columns' names."""
        return " ".join(f"{each.name:>13}" for each in fields(cls))

    def __str__(self) -> str:
        return " ".join(f"{value:>13}" for value in astuple(self))


class Sender(threading.Thread):
    """An application that sends numbered mails, each once, and notes which were answered with 250."""

    def __init__(self, port: Callable[[], int], login: Login, name: str, seed: int) -> None:
        super().__init__(name=name)
        self._port, self._login = port, login
        self._chance = random.Random(seed)
        self.messages = 0
        self.accepted: list[str] = []
        self.stopping = False

    def run(self) -> None:
        number = 0
        while not self.stopping:
            number += 1
            count = self._chance.choice((1, 1, 1, 2, 3))
            addresses = [f"{self.name}-{number}-{place}@example.net" for place in range(count)]
            try:
                self._send(addresses, self._chance.choice(SIZES))
            except (OSError, smtplib.SMTPException):
                threading.Event().wait(0.05)
            else:
                self.messages += 1
                self.accepted += addresses

    def _send(self, addresses: list[str], size: int) -> None:
        text = f"{BODY_MARKER}\r\n" * (size // len(BODY_MARKER) + 1)
        with smtplib.SMTP("127.0.0.1", self._port(), timeout=15) as smtp:
            smtp.login(self._login.user, self._login.password)
            # Who is refused alone would not be told of: all or none.
            if smtp.sendmail("app@example.org", addresses, f"Subject: {SUBJECT_MARKER}\r\n\r\n{text}"):
                raise smtplib.SMTPException("some were refused")


def torture(
    gateway: Gateway,
    sandbox: RunningSandbox,
    logins: list[Login],
    unique: str,
    *,
    mode: str,
    kills: int,
    number: signal.Signals,
    seed: int,
    kill: Callable[[Gateway, signal.Signals], None] | None = None,
) -> Row:
    """Send, kill and restart; then let it drain, and compare what was promised with what arrived. For a new gateway.

    `kill`: ends what is to be ended, and brings it back; the gateway itself where nothing is said.
    """
    chance = random.Random(seed)
    ports = [gateway.port("plain")]  # the last one counts
    senders = [
        Sender(lambda: ports[-1], logins[place % len(logins)], f"{unique}-{place}", seed + place)
        for place in range(SENDERS)
    ]
    for sender in senders:
        sender.start()
    for _ in range(kills):
        threading.Event().wait(chance.uniform(LEAST_LIFE, LONGEST_LIFE))
        (kill or restart)(gateway, number)
        ports.append(gateway.port("plain"))
    for sender in senders:
        sender.stopping = True
        sender.join()
    until(lambda: is_drained(gateway), DRAINED_SECONDS, f"the queue does not empty: {gateway.log()[-5000:]}")
    copies = arrived(sandbox, unique)
    accepted = [address for sender in senders for address in sender.accepted]
    said = {name: gateway.events(name) for name in ("recipient_unconfirmed", "proof_found", "retried_unconfirmed")}
    told = Counter(event["recipient"] for event in said["retried_unconfirmed"])
    second = {address: count - 1 for address, count in copies.items() if count > 1}
    return Row(
        mode,
        number.name,
        kills,
        sum(sender.messages for sender in senders),
        len(accepted),
        sum(not copies[address] for address in accepted),
        sum(second.values()),
        sum(max(0, count - told[address]) for address, count in second.items()),
        *map(len, said.values()),
    )


def restart(gateway: Gateway, number: signal.Signals) -> None:
    """End the gateway by a signal, and start it again."""
    gateway.stop(number)
    gateway.start()


def is_drained(gateway: Gateway) -> bool:
    """Tell whether nothing is left to be tried."""
    lines = gateway.get("/metrics")[1].splitlines()
    return any(line == "relay_queue_messages 0.0" for line in lines)


def arrived(sandbox: RunningSandbox, unique: str) -> Counter[str]:
    """Count the copies that each mailbox of this round has."""
    return sandbox.ask(lambda world: Counter(mail.mailbox for mail in world.mails if unique in mail.mailbox))
