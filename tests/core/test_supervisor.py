"""What a supervisor does by itself: shares, sums, and messages with sockets."""

import asyncio
import signal
import socket
import sys

import pytest
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from relay.config import Settings, reloadable
from relay.events import Events
from relay.log import logger
from relay.supervisor import crew as crew_module
from relay.supervisor.channel import Channel, Closed
from relay.supervisor.crew import Crew
from relay.supervisor.figures import Figures
from relay.supervisor.orders import Failed, Reloaded
from relay.supervisor.process import WorkerProcess
from relay.supervisor.share import share_of


def test_each_worker_has_its_share_rounded_up():
    whole = Settings.model_validate(
        {
            "listener": {"a": {"max_connections": 5, "max_connections_per_client": 1}},
            "account": {"x": {"provider": "mensatek", "user": "u", "token": "t", "concurrency": 3}},
            "passthrough": {"dmds": {"policy": {"concurrency": 4}}},
            "delivery": {"concurrency": 7, "bytes_in_flight": 1001},
        }
    )

    share = share_of(whole, 2)

    assert (3, 1) == (share.listener["a"].max_connections, share.listener["a"].max_connections_per_client)
    assert (2, 2) == (share.account["x"].concurrency, share.passthrough.dmds.policy.concurrency)
    assert (4, 501) == (share.delivery.concurrency, share.delivery.bytes_in_flight)
    assert whole == share_of(whole, 1)


def test_what_only_a_restart_changes_is_named_and_stays():
    running = Settings.model_validate({"store": {"path": "/a/relay.db", "keep": "1d"}, "workers": 2})
    wanted = Settings.model_validate(
        {"store": {"path": "/b/relay.db", "keep": "2d"}, "web": {"address": "127.0.0.1:1"}, "hostname": "new"}
    )

    settings, held = reloadable(running, wanted)

    assert ("store.path", "web.address", "workers") == held
    assert (running.store.path, wanted.store.keep) == (settings.store.path, settings.store.keep)
    assert (2, "new") == (settings.workers, settings.hostname)
    assert ((), wanted) == reloadable(wanted, wanted)[::-1]


def counted(messages: int, inside: int) -> CollectorRegistry:
    registry = CollectorRegistry()
    Counter("messages", "x", ["account"], registry=registry).labels("a").inc(messages)
    Gauge("inside", "x", registry=registry).set(inside)
    Histogram("seconds", "x", buckets=(1, 2), registry=registry).observe(messages)
    return registry


def page(figures: Figures) -> list[str]:
    registry = CollectorRegistry()
    registry.register(figures)
    return [line for line in generate_latest(registry).decode().splitlines() if "_created" not in line]


def test_figures_are_added_up_and_never_fall_when_a_worker_dies():
    figures = Figures(CollectorRegistry())
    queue = CollectorRegistry()
    Gauge("queue", "x", registry=queue).set(9)
    figures.heard(0, list(counted(1, 5).collect()), list(queue.collect()))
    figures.heard(1, list(counted(2, 6).collect()), ())

    shown = page(figures)

    assert {'messages_total{account="a"} 3.0', "inside 11.0", "queue 9.0"} <= set(shown)
    assert {'seconds_bucket{le="1.0"} 1.0', 'seconds_bucket{le="+Inf"} 2.0', "seconds_count 2.0"} <= set(shown)
    assert 1 == shown.count("# TYPE messages_total counter")

    figures.gone(0)
    figures.heard(0, list(counted(4, 1).collect()), ())

    assert {'messages_total{account="a"} 7.0', "inside 7.0", "seconds_count 3.0"} <= set(page(figures))


async def test_messages_of_any_size_come_whole_with_their_sockets():
    here, there = socket.socketpair()
    mine, other = Channel(here), Channel(there)
    with socket.create_server(("127.0.0.1", 0)) as given:
        sending = asyncio.create_task(mine.send(["x" * 1_000_000], [given]))
        message, sockets = await other.receive()
        await sending
        await mine.send("next")

        assert ["x" * 1_000_000] == message
        assert [given.getsockname()] == [one.getsockname() for one in sockets]
        assert ("next", []) == await other.receive()
        for one in sockets:
            one.close()
    waiting = asyncio.create_task(other.receive())
    await asyncio.sleep(0)
    mine.close()
    with pytest.raises(Closed):
        await waiting
    with pytest.raises(Closed):
        await other.send("x" * 1_000_000)
    other.close()


class SlowToStart:
    """A worker process whose start takes as long as the test wants."""

    may_start = asyncio.Event()

    def __init__(self, number: int) -> None:
        self.number = number
        self.is_serving = False
        self.began = asyncio.get_running_loop().create_future()
        self._gone = asyncio.Event()

    @classmethod
    async def start(cls, number: int, *_: object) -> "SlowToStart":
        await cls.may_start.wait()
        worker = cls(number)
        worker.began.set_result(None)
        return worker

    async def until_gone(self) -> int:
        await self._gone.wait()
        return 0

    def stop(self) -> None:
        self._gone.set()

    def kill(self) -> None:
        raise AssertionError("it was never asked to end")


async def test_a_worker_that_starts_while_all_are_asked_to_end_ends_too(monkeypatch):
    monkeypatch.setattr(crew_module, "WorkerProcess", SlowToStart)
    monkeypatch.setattr(SlowToStart, "may_start", asyncio.Event())
    crew = Crew(Settings.model_validate({"workers": 1}), {}, Events(logger("json", "info")))
    SlowToStart.may_start.set()
    await crew.start()
    SlowToStart.may_start.clear()
    crew._workers[0].stop()  # its successor is begun after a moment
    async with asyncio.timeout(5):
        while crew._workers or not crew._changing.locked():  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.01)
        stopping = asyncio.create_task(crew.stop())
        await asyncio.sleep(0)
        SlowToStart.may_start.set()
        await asyncio.wait({stopping, *crew._keepers}, return_when=asyncio.ALL_COMPLETED)
    await stopping


# Says what it is asked by signals, lower numbers first, and hears nothing else.
_DEAF = """
import signal
signal.signal(signal.SIGTERM, lambda *_: print("end", flush=True))
signal.signal(signal.SIGWINCH, lambda *_: print("look", flush=True))
print("up", flush=True)
while True:
    signal.pause()
"""


@pytest.fixture
async def deaf_worker():
    """A worker that goes on, whatever it is asked."""
    here, there = socket.socketpair()
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", _DEAF, stdout=asyncio.subprocess.PIPE)
    assert b"up\n" == await process.stdout.readline()
    yield WorkerProcess(3, process, Channel(here)), process
    process.kill()
    await process.communicate()
    here.close()
    there.close()


async def test_only_who_is_hurried_is_asked_to_end_twice(deaf_worker):
    worker, process = deaf_worker

    worker.stop()  # it could not reload
    assert b"end\n" == await process.stdout.readline()
    worker.stop()  # all are to end
    process.send_signal(signal.SIGWINCH)
    assert b"look\n" == await process.stdout.readline()
    worker.hurry()
    assert b"end\n" == await process.stdout.readline()


async def test_a_worker_that_hangs_keeps_nobody_from_reloading(deaf_worker):
    worker, _ = deaf_worker

    async with asyncio.timeout(30):
        failed = await worker.reload(Settings(), {}, 0.1)

    assert failed.reason == "worker 3 does not answer"
    worker._hear(Reloaded())  # later than anybody waits


class Hanging(SlowToStart):
    """A worker process that does not answer, and ends only when it is killed."""

    async def reload(self, *_: object) -> Failed:
        return Failed("it does not answer", is_configuration=False)

    def stop(self) -> None:
        pass

    def kill(self) -> None:
        self._gone.set()


async def test_a_worker_that_hangs_is_replaced(monkeypatch):
    monkeypatch.setattr(crew_module, "WorkerProcess", Hanging)
    monkeypatch.setattr(crew_module, "_KILL_AFTER_SECONDS", 0.01)
    Hanging.may_start.set()
    settings = Settings.model_validate({"workers": 1, "delivery": {"stop_within": "0s"}})
    crew = Crew(settings, {}, Events(logger("json", "info")))
    await crew.start()
    first = crew._workers[0]

    await crew.reload(settings, {})

    async with asyncio.timeout(30):
        while crew._workers.get(0) in (first, None):  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.01)
    await crew.stop()
