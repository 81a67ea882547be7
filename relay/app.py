"""The only wiring: builds every part, starts them in order, stops them in reverse."""

import asyncio
import random
import signal
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from relay import __version__
from relay.accounts import Accounts
from relay.active import ActiveQueue
from relay.config import Settings, masked
from relay.config.units import HostPort
from relay.delivery import Delivery
from relay.descriptors import shortage
from relay.doubts import Doubts
from relay.events import Events
from relay.housekeeping import Housekeeping
from relay.intake import Auto, Direct, Intake, Queued
from relay.keeping import Custodian, Keeper
from relay.log import logger
from relay.message import Clock
from relay.pauses import Pauses
from relay.preparation import Preparation
from relay.providers import HttpClient, build_providers
from relay.queue.sqlite import SqliteQueue
from relay.reception import Reception
from relay.seal import Sealer, load_or_make_key
from relay.settlement import Schedule
from relay.smtp import Door
from relay.web import QueueGauges, Web
from relay.worker import Worker

#: The name under which this process leases messages. One process works on an SQLite store; its lock sees to that.
_OWNER = "local/0"


@dataclass(frozen=True, slots=True)
class Gateway:
    """The running gateway, as seen from outside."""

    addresses: dict[str, HostPort]  # where each listener really listens, by its name
    web_url: str  # empty: the pages are off
    tasks: frozenset[asyncio.Task[None]]  # what runs in the background; one that ends is a reason to stop
    reload_certificates: Callable[[], None]  # takes renewed certificates now; it is looked for them anyway


@asynccontextmanager
async def running(settings: Settings, events: Events | None = None, clock: Clock = time.time) -> AsyncIterator[Gateway]:
    """Run the gateway inside the `async with`; on leaving, mail under way is finished and everything closed."""
    events = events or Events(logger(settings.log.format, settings.log.level))
    events.started(__version__, masked(settings))
    if too_few := shortage(settings):
        events.descriptors_short(too_few)
    async with AsyncExitStack() as stack:
        parts = await _Parts.build(settings, events, clock, stack)
        events.recovered(await parts.queue.recover(_OWNER))
        worker = asyncio.create_task(parts.worker.run(), name="worker")
        unfinished: list[int] = []
        stack.push_async_callback(_stop_delivery, parts, worker, unfinished)
        keeping_house = asyncio.create_task(parts.housekeeping.run(), name="housekeeping")
        stack.callback(keeping_house.cancel)
        stack.push_async_callback(_close_door, parts, unfinished)
        await parts.door.start()
        for name, address in parts.door.addresses.items():
            events.listener_opened(name, str(address), settings.listener[name].tls)
        web_url = await _open_web(settings, parts, stack)
        yield Gateway(
            dict(parts.door.addresses), web_url, frozenset({worker, keeping_house}), parts.door.reload_certificates
        )


async def serve(settings: Settings) -> None:
    """Run the gateway until SIGTERM or SIGINT, or until a part that must not end has ended. SIGHUP: certificates."""
    asked = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, asked.set)
    async with running(settings) as gateway:
        loop.add_signal_handler(signal.SIGHUP, gateway.reload_certificates)
        stopping = asyncio.create_task(asked.wait(), name="stop signal")
        await asyncio.wait({stopping, *gateway.tasks}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        for task in gateway.tasks:
            if task.done():
                task.result()


@dataclass(frozen=True, slots=True)
class _Parts:
    settings: Settings
    events: Events
    clock: Clock
    queue: SqliteQueue
    auto: Auto
    worker: Worker
    housekeeping: Housekeeping
    door: Door

    @classmethod
    async def build(cls, settings: Settings, events: Events, clock: Clock, stack: AsyncExitStack) -> "_Parts":
        queue = await SqliteQueue.open(settings.store, clock=clock, on_damage=events.body_unreadable)
        stack.push_async_callback(queue.close)
        http = await stack.enter_async_context(HttpClient(settings.delivery.concurrency))
        providers = build_providers(settings.provider, http)
        accounts = Accounts(settings, providers, queue, Sealer(load_or_make_key(settings.store)), events, clock)
        stack.push_async_callback(accounts.close)
        pauses = Pauses(queue, settings.delivery, events, clock)
        preparation = Preparation(providers, settings.mime)
        delivery = Delivery(providers, pauses, events, clock)
        schedule = Schedule(settings.retry, random.random)
        keeper = Keeper(preparation, delivery, clock)
        custodian = Custodian(queue, schedule, events, clock, _lease_seconds(settings))
        active = ActiveQueue(
            _OWNER,
            queue=queue,
            keeper=keeper,
            custodian=custodian,
            pauses=pauses,
            settings=settings.delivery,
            retry=settings.retry,
            events=events,
            clock=clock,
        )
        doubts = Doubts(queue, _OWNER, _lease_seconds(settings), events, clock)
        intakes, auto = _build_intakes(
            queue, active, preparation, delivery, doubts, pauses, schedule, keeper, custodian, events, clock
        )
        reception = Reception(preparation, accounts, intakes, settings.mime, events, clock)
        worker = Worker(
            _OWNER,
            queue=queue,
            gatekeeper=accounts,
            active=active,
            custodian=custodian,
            pauses=pauses,
            retry=settings.retry,
            events=events,
            clock=clock,
        )
        housekeeping = Housekeeping(queue, settings.store.keep, events, clock)
        door = Door(settings, accounts, reception, events)
        return cls(settings, events, clock, queue, auto, worker, housekeeping, door)


def _build_intakes(
    queue: SqliteQueue,
    active: ActiveQueue,
    preparation: Preparation,
    delivery: Delivery,
    doubts: Doubts,
    pauses: Pauses,
    schedule: Schedule,
    keeper: Keeper,
    custodian: Custodian,
    events: Events,
    clock: Clock,
) -> tuple[dict[str, Intake], Auto]:
    queued = Queued(queue, active, schedule, events, clock)
    direct = Direct(queued, preparation, delivery, doubts, pauses, events)
    auto = Auto(_OWNER, direct, queued, delivery, keeper, custodian, schedule, doubts, pauses, events, clock)
    return {"queue": queued, "direct": direct, "auto": auto}, auto


async def _open_web(settings: Settings, parts: _Parts, stack: AsyncExitStack) -> str:
    if settings.web.address is None:
        return ""
    gauges = QueueGauges(parts.queue, parts.queue, parts.events.registry, parts.clock)
    web = Web(settings.web.address, view=parts.queue, gauges=gauges, events=parts.events)
    await web.start()
    stack.push_async_callback(web.stop)
    return web.url


async def _close_door(parts: _Parts, unfinished: list[int]) -> None:
    """Take nobody's mail any more; clients whose final dot arrived get their reply, as long as the settings allow."""
    unfinished.append(await parts.door.stop(parts.settings.delivery.stop_within))


async def _stop_delivery(parts: _Parts, worker: asyncio.Task[None], unfinished: list[int]) -> None:
    """Let calls under way end, as long as the settings allow."""
    within = parts.settings.delivery.stop_within
    unfinished += await asyncio.gather(parts.auto.close(within), parts.worker.stop(within))
    await asyncio.gather(worker, return_exceptions=True)
    parts.events.stopped(sum(unfinished))


def _lease_seconds(settings: Settings) -> float:
    """Longer than any call can take, so that a lease only ends when its owner is dead."""
    return 2 * max(settings.provider.mensatek.timeout, settings.provider.dmds.timeout) + 60.0
