"""Fixtures that run the real gateway as a process, with the sandbox behind it.

`sandbox` is both vendors' APIs in a thread of this process; `start_gateway` makes `relay serve` processes of a
configuration text and stops them at the end; `gateway` is one with every kind of door and login. Each gateway's log is
read when it has stopped: no secret, no subject and no body may stand in it.
"""

import asyncio
import concurrent.futures
import http.client
import json
import os
import secrets
import signal
import subprocess
import sys
import threading
import time
import urllib.parse
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeVar

import pytest
from argon2 import PasswordHasher
from certificates import Certificate, make_certificate
from discretion import CANARY, leaks, watch_file

if TYPE_CHECKING:  # tests of one room need not load the others
    from relay.sandbox import SandboxOptions
    from relay.sandbox.mail import Mail
    from relay.sandbox.world import World

T = TypeVar("T")

#: Put these into subjects and bodies of test mail: the log must never show them.
SUBJECT_MARKER = f"subject-{CANARY}"
BODY_MARKER = f"body-{CANARY}"

_START_SECONDS = 30.0
_STOP_SECONDS = 45.0
_MAIL_SECONDS = 30.0
_TICK_SECONDS = 0.02

RELAY = Path(sys.executable).with_name("relay")
#: What gateways are started with where no test says otherwise: relay, and every library's logger at its loudest.
_TALKATIVE = (sys.executable, Path(__file__).with_name("talkative.py"))


@dataclass(frozen=True, slots=True)
class Login:
    """One way to log in, and where its mail comes out."""

    user: str
    password: str
    api: str  # "mensatek", "dmds"


class RunningSandbox:
    """The sandbox, served from a thread so that no test's loop can hold it up; asked by HTTP like everybody asks."""

    def __init__(self, options: "SandboxOptions") -> None:
        self.options = options
        self.url = ""
        self._loop = asyncio.new_event_loop()
        self._stopping = asyncio.Event()
        self._ready = threading.Event()
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="sandbox")

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.wait(_START_SECONDS)
        if self._failure:
            raise self._failure
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join(_STOP_SECONDS)

    def mails(self, address: str) -> tuple["Mail", ...]:
        """List what one mailbox has, oldest first."""
        return self.ask(lambda world: world.mailbox(address))

    def wait_for(self, address: str, count: int = 1) -> tuple["Mail", ...]:
        """Wait until a mailbox has so many mails; too many are a failure, too."""
        until(lambda: len(self.mails(address)) >= count, _MAIL_SECONDS, f"{address} did not get {count} mails")
        mails = self.mails(address)
        assert count == len(mails), f"{address} got {len(mails)} mails instead of {count}"
        return mails

    def ask(self, question: Callable[["World"], T]) -> T:
        """Ask the sandbox's memory something, in the sandbox's own thread."""
        answer: concurrent.futures.Future[T] = concurrent.futures.Future()
        self._loop.call_soon_threadsafe(lambda: answer.set_result(question(self._world)))
        return answer.result(_START_SECONDS)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._serve())
        finally:
            self._ready.set()
            self._loop.close()

    async def _serve(self) -> None:
        from relay.sandbox import Sandbox  # noqa: PLC0415

        try:
            async with Sandbox(self.options) as sandbox:
                self.url = sandbox.url
                self._world = sandbox.world
                self._ready.set()
                await self._stopping.wait()
        except OSError as error:
            self._failure = error


class Gateway:
    """One `relay serve` as a process of its own."""

    def __init__(
        self, config: str, folder: Path, environ: dict[str, str], program: Path | tuple[str | Path, ...] | None = None
    ) -> None:
        self.folder = folder
        self._program = (program,) if isinstance(program, Path) else program or _TALKATIVE
        self.config = folder / "relay.toml"
        self.config.write_text(config, encoding="utf-8")
        self.log_file = folder / "relay.log"
        watch_file(self.log_file)
        self._environ = {**os.environ, **environ}
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, *, waits: bool = True) -> "Gateway":
        """Start, and return when it is ready to take mail; at once where it may never be."""
        with self.log_file.open("ab") as log:
            log.write(b"\n")  # a killed life may have left half a line
            self._process = subprocess.Popen(
                [*self._program, "serve", "--config", self.config],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self._environ,
                cwd=self.folder,
            )
        if waits:
            until(self._is_ready, _START_SECONDS, f"not ready: {self.log_file.read_text()}")
        return self

    @property
    def pid(self) -> int:
        """The process's number."""
        assert self._process is not None
        return self._process.pid

    @property
    def is_running(self) -> bool:
        """Whether the process lives."""
        return self._process is not None and self._process.poll() is None

    def port(self, listener: str) -> int:
        """Tell where a listener of the configuration really listens."""
        addresses = [event["address"] for event in self.events("listener_opened") if event["listener"] == listener]
        return int(addresses[-1].rpartition(":")[2])

    @property
    def web_url(self) -> str:
        """Where its pages are."""
        return self.events("web_opened")[-1]["address"]

    def get(self, path: str) -> tuple[int, str]:
        """Ask one of its pages."""
        address = urllib.parse.urlsplit(self.web_url).netloc
        connection = http.client.HTTPConnection(address, timeout=10)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def log(self) -> str:
        """Return everything that it wrote."""
        return self.log_file.read_text(encoding="utf-8")

    def events(self, name: str) -> list[dict[str, Any]]:
        """Return the logged events of one name, oldest first."""
        return [event for event in map(_event, self.log().splitlines()) if event.get("event") == name]

    def wait_for_event(self, name: str, count: int = 1) -> list[dict[str, Any]]:
        """Wait until an event was logged so often."""
        until(lambda: len(self.events(name)) >= count, _MAIL_SECONDS, f"no {count} {name} in the log")
        return self.events(name)

    def tell(self, number: int) -> None:
        """Send a signal that does not stop it."""
        assert self._process is not None
        self._process.send_signal(number)

    def reload(self, config: str) -> dict[str, Any]:
        """Give it another configuration; returns what it said to it, "reloaded" or "reload_refused"."""

        def answers() -> list[dict[str, Any]]:
            told = map(_event, self.log().splitlines())
            return [event for event in told if event.get("event") in {"reloaded", "reload_refused"}]

        before = len(answers())
        self.config.write_text(config, encoding="utf-8")
        self.tell(signal.SIGHUP)
        until(lambda: len(answers()) > before, _MAIL_SECONDS, "it said nothing to its new configuration")
        return answers()[-1]

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Stop by a signal; returns the exit code. Safe to repeat."""
        if self._process is None:
            return 0
        if self._process.poll() is None:
            self._process.send_signal(number)
        try:
            return self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            raise

    def _is_ready(self) -> bool:
        assert self.is_running, f"relay serve ended: {self.log()}"
        try:
            return bool(self.events("web_opened")) and self.get("/readyz")[0] == http.HTTPStatus.OK
        except OSError:
            return False


def _event(line: str) -> dict[str, Any]:
    """Read one line of a log; what is none, or was cut off by a kill, is an event without a name."""
    try:
        return json.loads(line) if line.startswith("{") else {}
    except ValueError:
        return {}


def until(holds: Callable[[], bool], seconds: float, otherwise: str) -> None:
    """Return as soon as something holds; fail with words when it does not in time."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, otherwise
        time.sleep(_TICK_SECONDS)


def assert_discreet(log: str) -> None:
    """Fail where a log shows what nobody may see, or tells of what nobody foresaw."""
    assert not leaks(log), f"the log shows what must stay hidden: {leaks(log)}"
    assert "Traceback" not in log, log
    assert "unexpected_error" not in log, log


# --- fixtures ---


@pytest.fixture(scope="session")
def certificate(tmp_path_factory) -> Certificate:
    """A certificate for localhost and 127.0.0.1, with the authority that vouches for it."""
    return make_certificate(tmp_path_factory.mktemp("certificate"))


@pytest.fixture(scope="session")
def sandbox() -> Iterator[RunningSandbox]:
    """Both vendors' APIs. Its credentials are made up anew for each run."""
    from relay.sandbox import SandboxOptions  # noqa: PLC0415

    options = SandboxOptions(
        port=0,
        mensatek_users={"demo-user": f"{CANARY}-token-{secrets.token_hex(12)}"},
        dmds_campaigns={"demo-12345": f"{CANARY}-apikey-{secrets.token_hex(12)}"},
    )
    with RunningSandbox(options) as running:
        yield running


@pytest.fixture(scope="session")
def logins(sandbox) -> dict[str, Login]:
    """The logins of `gateway`: two that it keeps, two that it passes through."""
    token, apikey = sandbox.options.mensatek_users["demo-user"], sandbox.options.dmds_campaigns["demo-12345"]
    return {
        "kept-mensatek": Login("shop", f"{CANARY}-password-{secrets.token_hex(12)}", "mensatek"),
        "kept-dmds": Login("billing@example.org", f"{CANARY}-password-{secrets.token_hex(12)}", "dmds"),
        "passed-mensatek": Login("demo-user", token, "mensatek"),
        "passed-dmds": Login("demo-12345", apikey, "dmds"),
    }


@pytest.fixture(scope="session")
def base_config(sandbox, logins) -> str:
    """A configuration without listeners and store: the two APIs in the sandbox, and the four logins."""
    hasher = PasswordHasher(time_cost=1, memory_cost=8 * 1024, parallelism=1)
    kept = [logins["kept-mensatek"], logins["kept-dmds"]]
    tables = [
        f'[login."{login.user}"]\naccount = "{login.api}"\npassword_hash = "{hasher.hash(login.password)}"'
        for login in kept
    ]
    return "\n".join(
        [
            f'[provider.mensatek]\nurl = "{sandbox.url}/mensatek/v7"',
            f'[provider.dmds]\nurl = "{sandbox.url}/dmds/{{dmdsid}}/v1"',
            '[account.mensatek]\nprovider = "mensatek"\nuser = "demo-user"',
            f'token = "{sandbox.options.mensatek_users["demo-user"]}"',
            '[account.dmds]\nprovider = "dmds"\ndmdsid = "demo"\ncampaign = 12345',
            f'apikey = "{sandbox.options.dmds_campaigns["demo-12345"]}"',
            "[passthrough.mensatek]\nenabled = true",
            '[passthrough.dmds]\nenabled = true\ndmdsids = ["demo"]',
            # Many tests log in wrongly, all from the same address.
            '[logins]\nfailures = 10000\ndelay = "0.05s"',
            *tables,
        ]
    )


@pytest.fixture(scope="session")
def doors(certificate) -> str:
    """Listeners of every kind, each on a port that the system gives: plain, starttls, required, implicit."""
    pair = f'certificate = "{certificate.chain}"\nkey = "{certificate.key}"'
    kinds = {"plain": "none", "starttls": "starttls", "required": "starttls-required", "implicit": "implicit"}
    return "\n".join(
        f'[listener.{name}]\naddress = "127.0.0.1:0"\ntls = "{tls}"\n{"" if tls == "none" else pair}'
        for name, tls in kinds.items()
    )


@pytest.fixture(scope="session")
def _make_gateway(tmp_path_factory) -> Iterator[Callable[..., Gateway]]:
    made: list[Gateway] = []

    def make(
        config: str,
        *,
        environ: dict[str, str] | None = None,
        name: str = "gateway",
        program: Path | tuple[str | Path, ...] | None = None,
    ) -> Gateway:
        folder = tmp_path_factory.mktemp(name)
        own = {"RELAY__HOSTNAME": "gateway.example"}
        if "RELAY__STORE__URL" not in (environ or {}):
            own["RELAY__STORE__PATH"] = f"{folder}/relay.db"
        own["RELAY__LOG__LEVEL"] = "debug"
        own["RELAY__WEB__ADDRESS"] = "127.0.0.1:0"
        made.append(Gateway(config, folder, own | (environ or {}), program))
        return made[-1].start()

    yield make
    for gateway in made:
        gateway.stop()
    for gateway in made:
        assert_discreet(gateway.log())


@pytest.fixture
def start_gateway(_make_gateway) -> Callable[..., Gateway]:
    """Start gateways: `start_gateway(config, environ={}, name="...")`. Store, host name and web address are set.

    They live until the end of the run unless the test stops them; the log of each is checked.
    """
    return _make_gateway


@pytest.fixture(scope="session")
def gateway(_make_gateway, base_config, doors) -> Gateway:
    """A gateway with every kind of door and login, shared by all tests: use addresses of your own."""
    return _make_gateway(base_config + "\n" + doors)


@pytest.fixture
def unique() -> str:
    """A word that no other test has, for addresses."""
    return secrets.token_hex(6)
