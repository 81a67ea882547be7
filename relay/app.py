"""The only wiring: builds what lasts, puts a shift on it, relieves it when the configuration changes."""

import asyncio
import gc
import signal
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

from relay import __version__
from relay.accounts.remembered import Remembered
from relay.config import MOST_WORKERS, Settings, masked, reloadable
from relay.config.units import HostPort
from relay.descriptors import shortage
from relay.errors import ConfigError
from relay.events import Events
from relay.log import logger
from relay.message import Clock
from relay.queue.opening import open_desk, open_store, owner_name
from relay.seal import Sealer, load_or_make_key
from relay.shift import Ground, Shift
from relay.smtp import Door
from relay.smtp.listening import Listening
from relay.web import QueueGauges, Website


@dataclass(frozen=True, slots=True)
class Part:
    """Which part of the gateway a process is."""

    number: int | None = None  # of the worker; None: the only process, which opens and shows everything itself

    @property
    def is_alone(self) -> bool:
        """Tell whether there are no others."""
        return self.number is None


#: Objects between two looks for cycles among the newest. Python's own 700 is passed with every other message.
_GARBAGE_AFTER = 20_000


class Gateway:
    """The running gateway, as seen from outside."""

    def __init__(self, ground: Ground, door: Door, shift: Shift) -> None:
        self.events = ground.events
        self.queue = ground.queue
        self.website: Website | None = None  # None: the pages are off
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()  # a part that must not end has
        self._ground = ground
        self._door = door
        self._shift = shift
        self._relieved: dict[Shift, asyncio.Task[int]] = {}

    @property
    def addresses(self) -> Mapping[str, HostPort]:
        """Where each listener really listens, by its name."""
        return self._door.addresses

    @property
    def web_url(self) -> str:
        """Where the pages are; empty: they are off."""
        return self.website.url if self.website else ""

    async def reload(self, wanted: Settings, listening: Mapping[str, Listening] | None = None) -> tuple[str, ...]:
        """Go on by another configuration; nobody is cut off. Returns the keys whose change needs a restart.

        `listening`: sockets of new listeners, if they are open already. Raises ConfigError and OSError; then nothing
        has changed.
        """
        settings, held = reloadable(self._shift.settings, wanted)
        shift = await Shift.call(settings, self._ground)
        try:
            await self._door.reload(settings, shift.accounts, shift.reception, listening)
        except BaseException:  # a stop may come in the middle, too
            await shift.stop(0)
            raise
        relieved, self._shift = self._shift, shift
        self.begin()
        self._relieved[relieved] = asyncio.create_task(relieved.relieve(self._door.under_way()), name="relieved shift")
        self._relieved[relieved].add_done_callback(lambda task: self._gone(relieved, task))
        await shift.heed_credentials(relieved.settings)
        if self.website is not None:
            await self.website.reload(settings)
        return held

    def begin(self) -> None:
        """Let the shift work off the queue."""
        self._shift.begin()
        for task in self._shift.tasks.values():
            task.add_done_callback(self._note_end)

    async def close_door(self) -> int:
        """Take nobody's mail any more; clients whose final dot arrived get their reply, as long as the settings allow.

        Returns how many did not.
        """
        return await self._door.stop(self._shift.settings.delivery.stop_within)

    async def stop_delivery(self) -> int:
        """Let calls under way end, as long as the settings allow. Returns how many did not."""
        for task in self._relieved.values():
            task.cancel()
        within = self._shift.settings.delivery.stop_within
        shifts = [*self._relieved, self._shift]
        return sum(await asyncio.gather(*(shift.stop(within) for shift in shifts)))

    def _note_end(self, task: asyncio.Task[None]) -> None:
        if task not in self._shift.tasks.values() or task.cancelled() or self.ended.done():
            return
        error = task.exception()
        if error is None:
            self.ended.set_result(None)
        else:
            self.ended.set_exception(error)

    def _gone(self, shift: Shift, task: asyncio.Task[int]) -> None:
        if task.cancelled():
            return  # the gateway stops, and ends the shift itself
        del self._relieved[shift]
        if (error := task.exception()) is not None:
            self.events.unexpected("relieved shift", error)


@asynccontextmanager
async def running(
    settings: Settings,
    events: Events | None = None,
    clock: Clock = time.time,
    *,
    part: Part | None = None,
    listening: Mapping[str, Listening] | None = None,
) -> AsyncIterator[Gateway]:
    """Run the gateway inside the `async with`; on leaving, mail under way is finished and everything closed.

    `part`, `listening`: for one worker of several, and with sockets that are open already.
    """
    part = part or Part()
    events = events or Events(logger(settings.log.format, settings.log.level, worker=part.number))
    if part.is_alone:
        events.started(__version__, masked(settings))
    if too_few := shortage(settings):
        events.descriptors_short(too_few)
    async with AsyncExitStack() as stack:
        queue = await open_store(settings.store, clock=clock, exclusive=part.is_alone, on_damage=events.body_unreadable)
        stack.push_async_callback(queue.close)
        sealer = Sealer(load_or_make_key(settings.store))
        owner = owner_name(settings.store, part.number or 0)
        ground = Ground(owner, queue, sealer, events, clock, Remembered(clock), keeps_house=not part.number)
        shift = await Shift.call(settings, ground)
        door = Door(settings, shift.accounts, shift.reception, events)
        gateway = Gateway(ground, door, shift)
        everybody = [owner_name(settings.store, number) for number in range(MOST_WORKERS)]
        earlier = everybody if part.is_alone else [owner]
        events.recovered(sum(await asyncio.gather(*(queue.recover(owner) for owner in earlier))))
        gateway.begin()
        stack.push_async_callback(_stop, gateway)
        await door.start(listening)
        if part.is_alone:
            tell_listeners(events, settings, {}, door.addresses)
            await _open_website(settings, gateway, sealer, clock, stack)
        yield gateway


async def serve(settings: Settings, reread: Callable[[], Settings]) -> None:
    """Run the gateway until SIGTERM or SIGINT, or until a part that must not end has ended.

    SIGHUP: go on by the configuration as it is now. A second SIGTERM or SIGINT ends the program at once.
    """
    loop = asyncio.get_running_loop()
    asked_to_stop, asked_to_reload = asyncio.Event(), asyncio.Event()

    def stop() -> None:
        asked_to_stop.set()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)  # whoever asks twice is not kept waiting: nothing gets lost

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    loop.add_signal_handler(signal.SIGHUP, asked_to_reload.set)
    async with running(settings) as gateway:
        set_apart_what_lasts()
        stopping = asyncio.create_task(asked_to_stop.wait(), name="stop signal")
        reloading = asyncio.create_task(_reload_when_asked(gateway, reread, asked_to_reload), name="reload signal")
        watched: list[asyncio.Future[Any]] = [stopping, reloading, gateway.ended]
        done, _ = await asyncio.wait(watched, return_when=asyncio.FIRST_COMPLETED)
        for task in (stopping, reloading):
            task.cancel()
        await asyncio.gather(stopping, reloading, return_exceptions=True)
        for ended in done:
            ended.result()


def set_apart_what_lasts() -> None:
    """Let the collector of cycles leave the program itself alone; for a process that serves and does nothing else."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_GARBAGE_AFTER)


async def _reload_when_asked(gateway: Gateway, reread: Callable[[], Settings], asked: asyncio.Event) -> None:
    while True:
        await asked.wait()
        asked.clear()
        before = dict(gateway.addresses)
        try:
            wanted = await asyncio.to_thread(reread)
            held = await gateway.reload(wanted)
        except (ConfigError, OSError) as error:  # OSError: no descriptor is left, say
            gateway.events.reload_refused(str(error))
            continue
        gateway.events.speak_by(logger(wanted.log.format, wanted.log.level))
        tell_listeners(gateway.events, wanted, before, gateway.addresses)
        gateway.events.reloaded(held)


async def _stop(gateway: Gateway) -> None:
    unfinished = await gateway.close_door() + await gateway.stop_delivery()
    gateway.events.stopped(unfinished)


async def _open_website(
    settings: Settings, gateway: Gateway, sealer: Sealer, clock: Clock, stack: AsyncExitStack
) -> None:
    if settings.web.address is None:
        return
    registry = gateway.events.registry
    desk = await open_desk(settings.store, clock=clock)
    stack.push_async_callback(desk.close)
    website = Website(
        settings.web.address,
        store=gateway.queue,
        desk=desk,
        checked=gateway.queue,
        gauges=QueueGauges(gateway.queue, gateway.queue, gateway.queue.reports, registry, clock),
        registry=registry,
        sealer=sealer,
        events=gateway.events,
        clock=clock,
    )
    stack.push_async_callback(website.stop)
    await website.start(settings)
    gateway.website = website


def tell_listeners(
    events: Events, settings: Settings, before: Mapping[str, HostPort], now: Mapping[str, HostPort]
) -> None:
    """Tell the log which listeners are new, by name and place, and which are gone."""
    for name, place in now.items():
        if before.get(name) != place:
            events.listener_opened(name, str(place), settings.listener[name].tls)
    for name in before.keys() - now.keys():
        events.listener_closed(name)
