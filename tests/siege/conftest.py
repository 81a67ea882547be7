"""The besieged gateway, and how long the siege is: seconds in `make test`, minutes by `make siege`."""

import os
import re
import smtplib
import ssl
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from attacker import CUSTOMER, PATIENCE_SECONDS
from dialogue_machine import MAX_ERRORS
from running import BODY_MARKER, SUBJECT_MARKER, Gateway, Login, until


@dataclass(frozen=True, slots=True)
class Size:
    """One program, two sizes."""

    is_long: bool

    def of(self, small: int, long: int) -> int:
        """Choose."""
        return long if self.is_long else small


@pytest.fixture(scope="session")
def size() -> Size:
    """Tell how much of everything: `make siege` sets SIEGE=long."""
    return Size(os.environ.get("SIEGE") == "long")


@pytest.fixture(scope="session")
def trusting(certificate) -> ssl.SSLContext:
    """Make a client's TLS context that trusts the gateway's certificate."""
    return ssl.create_default_context(cafile=certificate.authority)


@dataclass(frozen=True, slots=True)
class Vitals:
    """What a gateway holds on to."""

    connections: int
    descriptors: int
    memory_bytes: int


@dataclass(frozen=True, slots=True)
class Besieged:
    """A gateway under attack."""

    gateway: Gateway

    def vitals(self) -> Vitals:
        """Look at the process, and at what it says of itself."""
        status = Path(f"/proc/{self.gateway.pid}/status").read_text()
        resident = re.search(r"VmRSS:\s+(\d+) kB", status)
        assert resident
        open_now = re.findall(r"^relay_connections\{[^}]*\} ([0-9.]+)$", self.gateway.get("/metrics")[1], re.MULTILINE)
        return Vitals(
            sum(int(float(number)) for number in open_now),
            len(list(Path(f"/proc/{self.gateway.pid}/fd").iterdir())),
            int(resident[1]) * 1024,
        )

    def assert_calm(self, before: Vitals, *, spare_descriptors: int = 40) -> None:
        """Wait until nobody is inside any more; nothing may have been left behind.

        `spare_descriptors`: kept connections to the APIs come and go.
        """
        until(lambda: self.vitals().connections == 0, 60, "connections are counted that nobody has")
        until(
            lambda: self.vitals().descriptors <= before.descriptors + spare_descriptors,
            60,
            f"descriptors are kept: {before} became {self.vitals()}",
        )
        assert self.gateway.is_running
        assert self.gateway.get("/readyz")[0] == 200
        assert not self.gateway.events("unexpected_error")


@pytest.fixture(scope="session")
def besiege(_make_gateway, base_config, certificate) -> Callable[..., Besieged]:
    """Start gateways to be attacked: `besiege(rules="max_errors = 5", environ={...})`; they tell all they can."""

    def make(rules: str = "", environ: dict[str, str] | None = None) -> Besieged:
        pair = f'certificate = "{certificate.chain}"\nkey = "{certificate.key}"'
        kinds = {"plain": "none", "starttls": "starttls", "required": "starttls-required", "implicit": "implicit"}
        listeners = "\n".join(
            f'[listener.{name}]\naddress = "127.0.0.1:0"\ntls = "{tls}"\n{"" if tls == "none" else pair}\n{rules}'
            for name, tls in kinds.items()
        )
        chatty = {"RELAY__LOG__LEVEL": "debug", "RELAY__LOGINS__DELAY": "0s"}
        return Besieged(_make_gateway(f"{base_config}\n{listeners}", environ=chatty | (environ or {}), name="besieged"))

    return make


@pytest.fixture(scope="session")
def fortress(besiege) -> Besieged:
    """Return the gateway that the fuzzers share."""
    return besiege(f"max_errors = {MAX_ERRORS}\nmax_connections_per_client = 1000")


@pytest.fixture(scope="session")
def note_figure(request, size) -> Iterator[Callable[[str, str], None]]:
    """Note a figure for docs/siege.md; the long siege prints them all at its end."""
    noted: dict[str, str] = {}
    yield noted.__setitem__
    if size.is_long:
        plugins = request.config.pluginmanager
        with plugins.get_plugin("capturemanager").global_and_fixture_disabled():
            for line in ["", *(f"| {name} | {value} |" for name, value in noted.items())]:
                plugins.get_plugin("terminalreporter").write_line(line)


@dataclass(frozen=True, slots=True)
class Customer:
    """An ordinary client at another address, who wants to get mail through whatever goes on beside it."""

    port: int
    login: Login
    word: str

    def send(self, number: int, patience_seconds: float = PATIENCE_SECONDS) -> list[float]:
        """Send so many mails, each on a connection of its own; return how long each took, in seconds."""
        taken = []
        for _ in range(number):
            begun = time.monotonic()
            with smtplib.SMTP("127.0.0.1", self.port, timeout=patience_seconds, source_address=(CUSTOMER, 0)) as client:
                client.login(self.login.user, self.login.password)
                mail = f"Subject: {SUBJECT_MARKER}\r\n\r\n{BODY_MARKER}\r\n"
                client.sendmail("app@example.org", [f"{self.word}.customer@example.net"], mail)
            taken.append(time.monotonic() - begun)
        return taken


@pytest.fixture
def make_customer(logins, unique) -> Callable[[Besieged], Customer]:
    """Make the ordinary client of a besieged gateway."""
    return lambda besieged: Customer(besieged.gateway.port("plain"), logins["kept-mensatek"], unique)
