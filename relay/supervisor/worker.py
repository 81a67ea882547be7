"""One worker: a process that serves the sockets it is given, and does what the supervisor says.

Run as `python -m relay.supervisor.worker DESCRIPTOR`, by the supervisor alone. Signals of the terminal are the
supervisor's to hear; when the supervisor is gone, so is the worker, after what is under way.
"""

import asyncio
import signal
import socket
import sys
import time
from collections.abc import Iterator, Sequence

import uvloop
from prometheus_client import CollectorRegistry

from relay.app import Gateway, Part, running, set_apart_what_lasts
from relay.errors import ConfigError, QueueError
from relay.log import logger
from relay.smtp.listening import Listening
from relay.supervisor.channel import Channel, Closed
from relay.supervisor.orders import Begin, Doors, Failed, Reload, Reloaded, Serving, Tell, Told
from relay.web import QueueGauges


def main(descriptor: int) -> None:
    """Work until told to stop, or until there is nobody any more who could tell."""
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        sys.exit(runner.run(_work(socket.socket(fileno=descriptor))))


async def _work(end: socket.socket) -> int:
    loop = asyncio.get_running_loop()
    asked = asyncio.Event()

    def stop() -> None:
        asked.set()
        loop.remove_signal_handler(signal.SIGTERM)  # the second one ends the process at once

    loop.add_signal_handler(signal.SIGTERM, stop)
    channel = Channel(end)
    try:
        begin, sockets = await channel.receive()
        return await _serve(channel, begin, sockets, asked)
    except Closed:
        return 0  # the supervisor went before anything had begun


async def _serve(channel: Channel, begin: Begin, sockets: Sequence[socket.socket], asked: asyncio.Event) -> int:
    try:
        listening = dict(_opened(begin.doors, sockets))
        async with running(begin.settings, part=Part(begin.number), listening=listening) as gateway:
            set_apart_what_lasts()
            await channel.send(Serving())
            stopping = asyncio.create_task(asked.wait(), name="stop signal")
            obeying = asyncio.create_task(_obey(channel, gateway, begin.number), name="orders")
            watched: list[asyncio.Future[object]] = [stopping, obeying, gateway.ended]  # type: ignore[list-item]
            done, _ = await asyncio.wait(watched, return_when=asyncio.FIRST_COMPLETED)
            for task in (stopping, obeying):
                task.cancel()
            for ended in done:
                ended.result()
    except (ConfigError, QueueError, OSError) as error:
        await channel.send(Failed(str(error), is_configuration=isinstance(error, ConfigError)))
        return 1
    return 0


async def _obey(channel: Channel, gateway: Gateway, number: int) -> None:
    """Do what is said, until nobody is there to say anything."""
    of_queue = CollectorRegistry()
    gauges = QueueGauges(gateway.queue, gateway.queue, gateway.queue.reports, of_queue, time.time)
    while True:
        try:
            order, sockets = await channel.receive()
            if isinstance(order, Reload):
                await channel.send(await _reload(gateway, order, sockets, number))
            elif isinstance(order, Tell):
                await channel.send(await _told(gateway, order, gauges, of_queue))
        except Closed:
            return


async def _reload(gateway: Gateway, order: Reload, sockets: Sequence[socket.socket], number: int) -> Reloaded | Failed:
    try:
        await gateway.reload(order.settings, dict(_opened(order.doors, sockets)))
    except (ConfigError, OSError) as error:
        return Failed(str(error), is_configuration=isinstance(error, ConfigError))
    gateway.events.speak_by(logger(order.settings.log.format, order.settings.log.level, worker=number))
    return Reloaded()


async def _told(gateway: Gateway, order: Tell, gauges: QueueGauges, of_queue: CollectorRegistry) -> Told:
    is_ready = True
    try:
        if order.is_ready:
            await gateway.queue.check()
        if order.of_queue:
            await gauges.refresh()
    except QueueError as error:
        gateway.events.store_failed("stats", str(error))
        is_ready = False
    queue = list(of_queue.collect()) if order.of_queue and is_ready else []
    return Told(order.question, is_ready, list(gateway.events.registry.collect()), queue)


def _opened(doors: Doors, sockets: Sequence[socket.socket]) -> Iterator[tuple[str, Listening]]:
    given = iter(sockets)
    for name, address, place, count in doors.listeners:
        own = tuple(next(given) for _ in range(count))
        for one in own:
            one.settimeout(0)
        yield name, Listening(address, place, own)


if __name__ == "__main__":
    main(int(sys.argv[1]))
