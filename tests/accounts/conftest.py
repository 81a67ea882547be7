"""A gate with real parts: an SQLite store, argon2, sealed credentials; only the upstream is scripted."""

import asyncio
import io
import json

import pytest
from accounts_parts import BASE

from relay.accounts import Accounts
from relay.config import Settings, StoreSettings
from relay.errors import QueueError
from relay.events import Events
from relay.log import logger
from relay.providers.contract import MensatekCredentials, Providers, Verdict, Verification
from relay.queue.sqlite import SqliteQueue
from relay.seal import Sealer

#: 2026-03-02 10:00:00 UTC, a Monday.
NOON = 1772445600.0


class SetClock:
    """A clock that stands still until it is set."""

    def __init__(self):
        self.now = NOON

    def __call__(self):
        return self.now


class ScriptedUpstream:
    """An API that knows some credentials; `verdict` overrides, `gate` keeps it waiting."""

    def __init__(self, name):
        self.name = name
        self.right = {}
        self.verdict = None
        self.error = None
        self.asked = []
        self._news = asyncio.Condition()
        self.gate = asyncio.Event()
        self.gate.set()

    async def was_asked(self, times):
        async with asyncio.timeout(5), self._news:
            await self._news.wait_for(lambda: len(self.asked) >= times)

    async def verify(self, credentials):
        if isinstance(credentials, MensatekCredentials):
            login, secret = credentials.user, credentials.token
        else:
            login, secret = f"{credentials.dmdsid}-{credentials.campaign}", credentials.apikey
        self.asked.append((login, secret.get_secret_value()))
        async with self._news:
            self._news.notify_all()
        await self.gate.wait()
        if self.error:
            raise self.error
        known = Verdict.VALID if self.right.get(login) == secret.get_secret_value() else Verdict.INVALID
        return Verification(self.verdict or known, "scripted")


class FailingStore:
    """A store whose disk is gone, until it comes back."""

    def __init__(self, queue):
        self.is_gone = True
        self._queue = queue

    def __getattr__(self, name):
        return self._fail if self.is_gone else getattr(self._queue, name)

    async def _fail(self, *_args, **_named):
        raise QueueError("disk is gone")


class Gate:
    """What a test has in its hands."""

    def __init__(self, queue, clock):
        self.queue, self.clock = queue, clock
        self.mensatek, self.dmds = ScriptedUpstream("mensatek"), ScriptedUpstream("dmds")
        self.slept = []
        self.log = io.StringIO()
        self.opened = []

    async def sleep(self, seconds):
        self.slept.append(seconds)

    def accounts(self, secret="s", queue=None, **settings):
        merged = {**BASE, **settings}
        accounts = Accounts(
            Settings.model_validate(merged),
            Providers({"mensatek": self.mensatek, "dmds": self.dmds}),
            queue or self.queue,
            Sealer(secret),
            Events(logger("json", "debug", self.log)),
            self.clock,
            self.sleep,
        )
        self.opened.append(accounts)
        return accounts

    def events(self):
        return [json.loads(line)["event"] for line in self.log.getvalue().splitlines()]


@pytest.fixture
def clock():
    return SetClock()


@pytest.fixture
async def gate(tmp_path, clock):
    queue = await SqliteQueue.open(StoreSettings(path=tmp_path / "relay.db"), clock=clock)
    gate = Gate(queue, clock)
    yield gate
    for accounts in gate.opened:
        await accounts.close()
    await queue.close()


@pytest.fixture
def failing_store(gate):
    return FailingStore(gate.queue)


@pytest.fixture
def quiet_events():
    return Events(logger("json", "critical", io.StringIO()))
