"""The process that everybody knows: it checks, opens what is shared, and watches over the workers who do the work."""

import asyncio
import signal
import time
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack

from prometheus_client import CollectorRegistry

from relay import __version__
from relay.app import tell_listeners
from relay.config import MOST_WORKERS, Settings, masked, reloadable
from relay.config.units import HostPort
from relay.errors import ConfigError
from relay.events import Events
from relay.log import logger
from relay.providers import HttpClient, build_providers
from relay.queue.opening import FullStore, open_desk, open_store, owner_name
from relay.seal import Sealer, load_or_make_key
from relay.smtp import check_certificates
from relay.smtp.listening import Listening, close_all, listen
from relay.supervisor.crew import Crew
from relay.web import Website


async def supervise(settings: Settings, reread: Callable[[], Settings]) -> None:
    """Run the gateway with several workers until SIGTERM or SIGINT. SIGHUP: go on by the configuration as it is now.

    Raises ConfigError, QueueError or OSError where it cannot begin.
    """
    loop = asyncio.get_running_loop()
    events = Events(logger(settings.log.format, settings.log.level))
    events.started(__version__, masked(settings))
    asked_to_stop, asked_to_reload = asyncio.Event(), asyncio.Event()
    async with AsyncExitStack() as stack:
        _check(settings)
        queue = await _prepare_store(settings, events)
        stack.push_async_callback(queue.close)
        listening = await asyncio.to_thread(listen, settings.listener, ())
        supervisor = _Supervisor(settings, listening, events, reread, queue)
        stack.callback(supervisor.close_sockets)
        stack.push_async_callback(supervisor.crew.stop)

        def stop() -> None:
            if asked_to_stop.is_set():
                supervisor.crew.hurry()
            asked_to_stop.set()

        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop)
        loop.add_signal_handler(signal.SIGHUP, asked_to_reload.set)
        watched = [
            asyncio.create_task(asked_to_stop.wait(), name="stop signal"),
            asyncio.create_task(supervisor.run(stack, asked_to_reload), name="supervisor"),
        ]
        done, pending = await asyncio.wait(watched, return_when=asyncio.FIRST_COMPLETED)
        for task in pending:
            task.cancel()
        await asyncio.gather(*pending, return_exceptions=True)
        for ended in done:
            ended.result()


class _Supervisor:
    def __init__(
        self,
        settings: Settings,
        listening: Mapping[str, Listening],
        events: Events,
        reread: Callable[[], Settings],
        queue: FullStore,
    ) -> None:
        self.crew = Crew(settings, listening, events)
        self._settings = settings
        self._listening = listening
        self._events = events
        self._reread = reread
        self._queue = queue
        self._website: Website | None = None

    async def run(self, stack: AsyncExitStack, asked_to_reload: asyncio.Event) -> None:
        """Start everything, then reload when asked; ends only when the program should."""
        await self.crew.start()
        tell_listeners(self._events, self._settings, {}, _places(self._listening))
        await self._open_website(stack)
        broken = asyncio.create_task(self.crew.until_broken(), name="crew")
        stack.callback(broken.cancel)
        while True:
            asked = asyncio.create_task(asked_to_reload.wait(), name="reload signal")
            done, _ = await asyncio.wait({asked, broken}, return_when=asyncio.FIRST_COMPLETED)
            if broken in done:
                asked.cancel()
                return broken.result()
            asked_to_reload.clear()
            await self._reload()

    def close_sockets(self) -> None:
        """Stop listening."""
        close_all(self._listening)

    async def _reload(self) -> None:
        try:
            wanted = await asyncio.to_thread(self._reread)
            settings, held = reloadable(self._settings, wanted)
            _check(settings)
            listening = await asyncio.to_thread(listen, settings.listener, list(self._listening.items()))
        except (ConfigError, OSError) as error:
            self._events.reload_refused(str(error))
            return
        before, self._settings, self._listening = self._listening, settings, listening
        await self.crew.reload(settings, listening)
        if self._website is not None:
            await self._website.reload(settings)
        close_all(before, listening)
        self._events.speak_by(logger(settings.log.format, settings.log.level))
        tell_listeners(self._events, settings, _places(before), _places(listening))
        self._events.reloaded(held)

    async def _open_website(self, stack: AsyncExitStack) -> None:
        address = self._settings.web.address
        if address is None:
            return
        registry = CollectorRegistry()
        registry.register(self.crew.figures)
        desk = await open_desk(self._settings.store, clock=time.time)
        stack.push_async_callback(desk.close)
        self._website = Website(
            address,
            store=self._queue,
            desk=desk,
            checked=self.crew,
            gauges=self.crew,
            registry=registry,
            sealer=Sealer(load_or_make_key(self._settings.store)),
            events=self._events,
            clock=time.time,
        )
        stack.push_async_callback(self._website.stop)
        await self._website.start(self._settings)


def _check(settings: Settings) -> None:
    """Raise ConfigError for what is only found when the parts are built: here it is told once, and not by all."""
    check_certificates(settings.listener)
    build_providers(settings.provider, HttpClient(1))


async def _prepare_store(settings: Settings, events: Events) -> FullStore:
    """Bring the store up to date, while nobody else has it, and free what earlier workers held, however many they were.

    Returns it for looking into, beside the workers.
    """
    queue = await open_store(settings.store, clock=time.time)
    try:
        load_or_make_key(settings.store)
        everybody = [owner_name(settings.store, number) for number in range(MOST_WORKERS)]
        freed = await asyncio.gather(*map(queue.recover, everybody))
        events.recovered(sum(freed))
    finally:
        await queue.close()
    return await open_store(settings.store, clock=time.time, exclusive=False)


def _places(listening: Mapping[str, Listening]) -> dict[str, HostPort]:
    return {name: one.place for name, one in listening.items()}
