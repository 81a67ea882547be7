"""A shift: every part that works by one configuration, over those that outlive it.

A new configuration is not told to the parts one by one. A new shift takes over what comes from now on, by its own
rules; the old one finishes what it has begun by the rules that it began with, and goes.
"""

import asyncio
import random
import socket
from collections.abc import Callable, Collection, Coroutine, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

from relay.accounts import Accounts
from relay.accounts.remembered import Remembered
from relay.active import ActiveQueue
from relay.audit import Audit
from relay.config import Settings
from relay.config.settings import AccountSettings
from relay.delivery import Delivery
from relay.doubts import Doubts
from relay.errors import QueueError
from relay.events import Events
from relay.housekeeping import Housekeeping
from relay.intake import Auto, Direct, Intake, Queued
from relay.keeping import Custodian, Keeper
from relay.message import Clock
from relay.pauses import Pauses
from relay.preparation import Preparation
from relay.proof import Proof
from relay.providers import HttpClient, build_providers
from relay.queue.opening import FullStore
from relay.reception import Reception
from relay.reports import Reporter, Routing
from relay.seal import Sealer
from relay.settlement import Schedule
from relay.unheard import Unheard
from relay.vacancy import Vacancy
from relay.worker import Worker

#: Longer than any call takes: a shift that is relieved is waited for, not hurried.
_UNHURRIED_SECONDS = 1e6


@dataclass(frozen=True, slots=True)
class Ground:
    """What outlives a configuration."""

    owner: str  # the name under which this process leases messages
    queue: FullStore
    sealer: Sealer
    events: Events
    clock: Clock
    remembered: Remembered
    keeps_house: bool  # one process of those that share a store


@dataclass(frozen=True, slots=True, eq=False)
class Shift:
    """The parts that work by one configuration. Made by `call`; then `begin`, and `relieve` or `stop` at the end."""

    settings: Settings
    accounts: Accounts
    reception: Reception
    _pauses: Pauses
    _auto: Auto
    _worker: Worker
    _reporter: Reporter
    _background: Mapping[str, Callable[[], Coroutine[None, None, None]]]  # what runs beside the worker
    _things: AsyncExitStack  # to be closed at the end
    tasks: dict[str, asyncio.Task[None]] = field(default_factory=dict)  # what runs until the shift ends

    @classmethod
    async def call(cls, settings: Settings, ground: Ground) -> "Shift":
        """Build every part; nothing runs yet. Raises ConfigError."""
        async with AsyncExitStack() as things:
            http = await things.enter_async_context(HttpClient(settings.delivery.concurrency))
            providers = build_providers(settings.provider, http)
            queue, events, clock = ground.queue, ground.events, ground.clock
            accounts = Accounts(settings, providers, queue, ground.sealer, events, clock, remembered=ground.remembered)
            things.push_async_callback(accounts.close)
            pauses = await _known_pauses(settings, ground)
            preparation = Preparation(providers, settings.mime)
            delivery = Delivery(providers, pauses, events, clock)
            schedule = Schedule(settings.retry, random.random)
            custodian = Custodian(queue, schedule, events, clock, _lease_seconds(settings))
            proof = Proof(providers, queue, accounts, pauses, events, clock)
            keeper = Keeper(preparation, delivery, proof, clock)
            active = ActiveQueue(
                ground.owner,
                queue=queue,
                keeper=keeper,
                custodian=custodian,
                pauses=pauses,
                settings=settings.delivery,
                retry=settings.retry,
                events=events,
                clock=clock,
            )
            intakes, auto = _intakes(settings, ground, active, preparation, delivery, pauses, keeper, custodian)
            worker = Worker(
                ground.owner,
                queue=queue,
                gatekeeper=accounts,
                active=active,
                custodian=custodian,
                pauses=pauses,
                retry=settings.retry,
                events=events,
                clock=clock,
            )
            vacancy = Vacancy(queue, events)
            return cls(
                settings,
                accounts,
                Reception(preparation, accounts, intakes, settings.mime, vacancy, events, clock),
                pauses,
                auto,
                worker,
                _reporter(settings, ground, accounts, preparation, intakes["queue"], http),
                _background(settings, ground, accounts, proof, vacancy),
                things.pop_all(),
            )

    async def heed_credentials(self, before: Settings) -> None:
        """Let paused accounts whose credentials are others now be tried at once, by one careful call."""
        for name, account in self.settings.account.items():
            known = before.account.get(name)
            if known is not None and _credentials(known) != _credentials(account):
                await self._pauses.hurry(name)

    def begin(self) -> None:
        """Work off the queue; tell senders, keep house, and seek proof."""
        self.tasks["worker"] = asyncio.create_task(self._worker.run(), name="worker")
        self.tasks["reporter"] = asyncio.create_task(self._reporter.run(), name="reporter")
        for name, run in self._background.items():
            self.tasks[name] = asyncio.create_task(run(), name=name)

    async def relieve(self, under_way: Collection[asyncio.Task[object]]) -> int:
        """Begin nothing more, and end when everything that was begun has ended; also what is under way at the door.

        To be cancelled only where `stop` follows.
        """
        await self._worker.stop(_UNHURRIED_SECONDS)
        if under_way:
            await asyncio.wait(under_way)
        return await self.stop(_UNHURRIED_SECONDS)

    async def stop(self, within_seconds: float) -> int:
        """Let calls under way end, for so long; returns how many did not. Safe to repeat, and before `begin`."""
        if "worker" not in self.tasks:
            await self._things.aclose()
            return 0
        unfinished = await asyncio.gather(
            self._auto.close(within_seconds), self._worker.stop(within_seconds), self._reporter.stop(within_seconds)
        )
        for name in self._background:
            self.tasks[name].cancel()
        await asyncio.gather(*self.tasks.values(), return_exceptions=True)
        await self._things.aclose()
        return sum(unfinished)


async def _known_pauses(settings: Settings, ground: Ground) -> Pauses:
    """Make the pauses, as the store knows them: auto mode asks for no others before the worker's first look."""
    pauses = Pauses(ground.queue, settings.delivery, ground.events, ground.clock)
    try:
        await pauses.refresh()
    except QueueError as error:
        ground.events.store_failed("paused", str(error))
    return pauses


def _credentials(account: AccountSettings) -> tuple[object, ...]:
    return (account.provider, account.user, account.token, account.dmdsid, account.campaign, account.apikey)


def _intakes(
    settings: Settings,
    ground: Ground,
    active: ActiveQueue,
    preparation: Preparation,
    delivery: Delivery,
    pauses: Pauses,
    keeper: Keeper,
    custodian: Custodian,
) -> tuple[dict[str, Intake], Auto]:
    queue, events, clock = ground.queue, ground.events, ground.clock
    schedule = Schedule(settings.retry, random.random)
    doubts = Doubts(queue, ground.owner, _lease_seconds(settings), events, clock)
    queued = Queued(queue, active, schedule, Unheard(doubts, queue, events, clock), events, clock)
    direct = Direct(queued, preparation, delivery, doubts, pauses, events)
    auto = Auto(ground.owner, direct, queued, delivery, keeper, custodian, schedule, doubts, pauses, events, clock)
    return {"queue": queued, "direct": direct, "auto": auto}, auto


def _background(
    settings: Settings, ground: Ground, accounts: Accounts, proof: Proof, vacancy: Vacancy
) -> Mapping[str, Callable[[], Coroutine[None, None, None]]]:
    background = {"vacancy": vacancy.run}
    if not ground.keeps_house:
        return background
    housekeeping = Housekeeping(ground.queue, settings.store.keep, ground.events, ground.clock)
    audit = Audit(ground.queue, accounts, ground.events)
    return background | {"housekeeping": housekeeping.run, "proof": proof.run, "audit": audit.run}


def _reporter(
    settings: Settings,
    ground: Ground,
    accounts: Accounts,
    preparation: Preparation,
    intake: Intake,
    http: HttpClient,
) -> Reporter:
    hostname = settings.hostname or socket.gethostname()
    routing = Routing(
        gatekeeper=accounts,
        preparation=preparation,
        intake=intake,
        view=ground.queue,
        http=http,
        hostname=hostname,
        directory=Path(f"{settings.store.path}.reports"),
        clock=ground.clock,
    )
    return Reporter(
        ground.owner,
        reports=ground.queue.reports,
        gatekeeper=accounts,
        defaults=settings.defaults,
        route_of=routing.route_of,
        hostname=hostname,
        retry=settings.retry,
        random=random.random,
        events=ground.events,
        clock=ground.clock,
    )


def _lease_seconds(settings: Settings) -> float:
    """Longer than any call can take, so that a lease only ends when its owner is dead."""
    return 2 * max(settings.provider.mensatek.timeout, settings.provider.dmds.timeout) + 60.0
