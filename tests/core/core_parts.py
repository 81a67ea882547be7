"""Parts for testing the path of a message: the real store, a provider that follows a script, a clock that obeys."""

import asyncio
import io
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from discretion import CANARY
from pydantic import SecretStr

from relay.accounts.account import Account
from relay.active import ActiveQueue
from relay.config import AccountPolicy
from relay.config.settings import DeliverySettings, MimeSettings, RetrySettings, StoreSettings
from relay.delivery import Delivery
from relay.doubts import Doubts
from relay.events import Events
from relay.intake import Auto, Direct, Queued
from relay.keeping import Custodian, Keeper
from relay.log import logger
from relay.message import Envelope, EnvelopeRecipient, Message, MessageId, new_message_id
from relay.mime.content import Content
from relay.outcome import Accepted, Outcome
from relay.pauses import Pauses
from relay.preparation import Preparation, Prepared
from relay.proof import Proof
from relay.providers.contract import (
    Brief,
    Call,
    Credentials,
    MensatekCredentials,
    Plan,
    Providers,
    Trace,
    Verdict,
    Verification,
)
from relay.queue.contract import RecipientEntry, State
from relay.queue.sqlite import SqliteQueue
from relay.settlement import Schedule
from relay.unheard import Unheard

NOON = 1_800_000_000.0
RETRY = RetrySettings(first=30.0, factor=2.0, longest=3600.0, jitter=0.0)


class SetClock:
    """A clock that stands still until it is set."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds


Step = Outcome | Exception | Mapping[str, Outcome] | Callable[[Call], Awaitable[Outcome]]


@dataclass
class ScriptedProvider:
    """Splits by recipients_per_call and answers each call with the next step of its script; then accepts all."""

    name: str = "mensatek"
    script: list[Step] = field(default_factory=list)
    calls: list[tuple[tuple[str, ...], str]] = field(default_factory=list)
    plans: int = 0
    told: list[Trace] | Exception | None = None  # what it says of the mails that it made; None: it does not say
    questions: list[tuple[float, float]] = field(default_factory=list)

    def plan(self, content: Content, brief: Brief) -> Plan:
        self.plans += 1
        size = brief.policy.recipients_per_call
        chunks = [brief.recipients[at : at + size] for at in range(0, len(brief.recipients), size)]
        return Plan(tuple(Call("EnviarEMAIL", chunk, {"Asunto": content.subject}) for chunk in chunks))

    async def send(self, call: Call, credentials: Credentials, *, batch_id: str = "") -> Mapping[str, Outcome]:
        self.calls.append((tuple(recipient.address for recipient in call.recipients), batch_id))
        step = self.script.pop(0) if self.script else Accepted("id", "batch")
        if callable(step):
            step = await step(call)
        if isinstance(step, Exception):
            raise step
        if isinstance(step, Mapping):
            return step
        return {recipient.key: step for recipient in call.recipients}

    def split(self, call: Call) -> tuple[Call, ...]:
        half = (len(call.recipients) + 1) // 2
        return tuple(replace(call, recipients=part) for part in (call.recipients[:half], call.recipients[half:]))

    async def traces(self, credentials: Credentials, since: float, until: float) -> Sequence[Trace] | None:
        self.questions.append((since, until))
        told = self.told
        if isinstance(told, Exception):
            raise told
        return None if told is None else [trace for trace in told if since <= trace.at <= until]

    async def verify(self, credentials: Credentials) -> Verification:
        return Verification(Verdict.VALID)


def still_there() -> bool:
    """The client waits for its reply."""
    return True


def gone() -> bool:
    """The client has hung up."""
    return False


class Until:
    """A call that waits until the test lets it end."""

    def __init__(self, outcome: Outcome) -> None:
        self.begun = asyncio.Event()
        self.let_end = asyncio.Event()
        self._outcome = outcome

    async def __call__(self, call: Call) -> Outcome:
        self.begun.set()
        await self.let_end.wait()
        return self._outcome


class KnownAccounts:
    """Resolves the accounts it was given."""

    def __init__(self) -> None:
        self.accounts: dict[str, Account] = {}

    async def resolve(self, name: str) -> Account | None:
        return self.accounts.get(name)


@dataclass
class World:
    """Everything behind the front door, wired as `app` wires it."""

    clock: SetClock
    queue: SqliteQueue
    provider: ScriptedProvider
    events: Events
    log: io.StringIO
    pauses: Pauses
    preparation: Preparation
    delivery: Delivery
    schedule: Schedule
    proof: Proof
    custodian: Custodian
    keeper: Keeper
    active: ActiveQueue
    doubts: Doubts
    unheard: Unheard
    queued: Queued
    direct: Direct
    auto: Auto
    accounts: KnownAccounts

    def account(self, name: str = "erp", **policy: object) -> Account:
        made = Account(
            name, "mensatek", MensatekCredentials("user", SecretStr(CANARY)), AccountPolicy.model_validate(policy)
        )
        self.accounts.accounts[name] = made
        return made

    async def prepared(self, account: Account, recipients: Sequence[str] = ("ana@example.net",)) -> Prepared:
        data = b"From: app@example.org\r\nTo: ana@example.net\r\nSubject: Hi\r\n\r\nHello\r\n"
        envelope = Envelope("app@example.org", tuple(EnvelopeRecipient(address) for address in recipients))
        message = Message(new_message_id(self.clock), account.name, envelope, data, received_at=self.clock())
        return await self.preparation.prepare(message, account)

    async def kept(self, account: Account, recipients: Sequence[str] = ("ana@example.net",)) -> MessageId:
        prepared = await self.prepared(account, recipients)
        assert (await self.queued.accept(prepared, still_there)).reply.code == 250
        return prepared.message.id

    def another_direct(self, owner: str) -> Direct:
        """Take mail in direct mode as another process on the same store does."""
        doubts = Doubts(self.queue, owner, 60.0, self.events, self.clock)
        return Direct(self.queued, self.preparation, self.delivery, doubts, self.pauses, self.events)

    async def attempt(self, account: Account) -> None:
        """Claim one message and make one attempt at it."""
        (claim,) = await self.queue.claim("local/0", 1, 60.0)
        await self.keeper.attempt(self.custodian.take(claim, account))

    async def states(self, message_id: MessageId) -> list[State]:
        return [entry.state for entry in await self.entries(message_id)]

    async def entries(self, message_id: MessageId) -> Sequence[RecipientEntry]:
        entries = await self.queue.entries(message_id)
        assert entries is not None
        return entries

    def logged(self, event: str) -> list[dict[str, object]]:
        lines = [json.loads(line) for line in self.log.getvalue().splitlines()]
        return [line for line in lines if line["event"] == event]

    def counted(self, name: str, **labels: str) -> float:
        return self.events.registry.get_sample_value(name, labels) or 0.0


@asynccontextmanager
async def open_world(folder: Path, settings: DeliverySettings | None = None) -> AsyncIterator[World]:
    """Wire everything on a store in the folder."""
    settings = settings or DeliverySettings()
    clock, provider, log, accounts = SetClock(), ScriptedProvider(), io.StringIO(), KnownAccounts()
    events = Events(logger("json", "debug", log))
    store = StoreSettings.model_validate({"path": folder / "relay.db", "min_free_bytes": 0})
    queue = await SqliteQueue.open(store, clock=clock)
    providers = Providers({"mensatek": provider})
    pauses = Pauses(queue, settings, events, clock)
    preparation = Preparation(providers, MimeSettings())
    delivery = Delivery(providers, pauses, events, clock)
    schedule = Schedule(RETRY, lambda: 0.5)
    proof = Proof(providers, queue, accounts, pauses, events, clock)
    keeper = Keeper(preparation, delivery, proof, clock)
    custodian = Custodian(queue, schedule, events, clock, lease_seconds=60.0)
    active = ActiveQueue(
        "local/0",
        queue=queue,
        keeper=keeper,
        custodian=custodian,
        pauses=pauses,
        settings=settings,
        retry=RETRY,
        events=events,
        clock=clock,
    )
    doubts = Doubts(queue, "local/0", 60.0, events, clock)
    unheard = Unheard(doubts, queue, events, clock)
    queued = Queued(queue, active, schedule, unheard, events, clock)
    direct = Direct(queued, preparation, delivery, doubts, pauses, events)
    auto = Auto("local/0", direct, queued, delivery, keeper, custodian, schedule, doubts, pauses, events, clock)
    yield World(
        clock, queue, provider, events, log, pauses, preparation, delivery, schedule, proof, custodian, keeper, active,
        doubts, unheard, queued, direct, auto, accounts,
    )  # fmt: skip
    await queue.close()
