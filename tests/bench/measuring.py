"""Rounds: load one server, then the other, look at what both cost, and compare."""

import json
import shutil
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from cases import Case
from certificates import Certificate
from load import Load, Result
from meter import memory_bytes, settled_cpu_seconds
from rival import PostfixUnderTest
from servers import GatewayUnderTest, NullServer

LOAD = Path(__file__).with_name("load.py")
_LONGEST_SECONDS = 300.0
_LOOK_AT_API_EVERY_SECONDS = 0.1
_LOOK_AT_MEMORY_EVERY_SECONDS = 0.25

Server = GatewayUnderTest | PostfixUnderTest


@dataclass(frozen=True, slots=True)
class Round:
    """One server in one round."""

    per_second: float
    p50_ms: float
    p99_ms: float
    cpu_ms: float  # of the server, for one message
    generator_cpu_ms: float  # for one message
    api_cpu_ms: float  # for one message


@dataclass(frozen=True, slots=True)
class Side:
    """One server in all rounds."""

    rounds: list[Round]
    messages: int  # in each round
    idle_megabytes: float
    peak_megabytes: float

    def median(self, figure: Callable[[Round], float]) -> float:
        """Return the median of the rounds."""
        return statistics.median(map(figure, self.rounds))


@dataclass(frozen=True, slots=True)
class Line:
    """What the table says of a case."""

    case: Case
    ours: Side
    theirs: Side
    ratio: float


@dataclass(frozen=True, slots=True)
class Bench:
    """Where and how to measure."""

    folder: Path
    bodies: Mapping[str, Path]  # a mail of each size
    certificate: Certificate
    rounds: int
    messages: int = 0  # in a round; 0: as each case says


def measure(bench: Bench, case: Case) -> Line:
    """Measure one case on both servers in turn, each fresh, so that none inherits another's queue."""
    with ExitStack() as stack:
        api = stack.enter_context(NullServer("api"))
        servers = both(bench, api, stack, held=case.kind != "e2e")
        sides = [Loaded(bench, server, case, api) for server in servers]
        alternate(bench, sides)
    ours, theirs = (side.seen() for side in sides)
    return Line(case, ours, theirs, ratio_of(ours, theirs))


def both(bench: Bench, api: NullServer, stack: ExitStack, *, held: bool) -> tuple[GatewayUnderTest, PostfixUnderTest]:
    """Start both servers, which end with the stack."""
    with_api = (bench.certificate, api)
    ours = GatewayUnderTest(bench.folder / "gateway", *with_api, held=held)
    stack.callback(_end, ours, bench.folder / "gateway")
    theirs = PostfixUnderTest(bench.folder / "postfix", *with_api, held=held)
    stack.callback(_end, theirs, bench.folder / "postfix")
    return ours, theirs


def _end(server: Server, folder: Path) -> None:
    server.stop()
    shutil.rmtree(folder)


def alternate(bench: Bench, sides: Sequence["Loaded"]) -> None:
    """Warm up, then go round in turn, every other time backwards."""
    for side in sides:
        side.warm_up()
    for number in range(bench.rounds):
        for side in sides[:: -1 if number % 2 else 1]:
            side.load()


def ratio_of(ours: Side, theirs: Side) -> float:
    """Return the median of the rounds' ratios of what was done in a second."""
    pairs = zip(ours.rounds, theirs.rounds, strict=True)
    return statistics.median(our.per_second / their.per_second for our, their in pairs)


class Loaded:
    """One server, as it is loaded round after round."""

    def __init__(self, bench: Bench, server: Server, case: Case, api: NullServer) -> None:
        self._server, self._case, self._api, self._body = server, case, api, bench.bodies[case.size]
        self._messages = bench.messages or case.messages(ours=server.login is not None)
        self._rounds: list[Round] = []
        self._idle_bytes = self._peak_bytes = 0

    def warm_up(self) -> None:
        """Send a first mail, then half a round with an eye on memory."""
        self._idle_bytes = memory_bytes(self._server.pid)
        self._send(1)
        if self._case.kind != "e2e":
            self._server.wait_until_held()
        with _watched(self._server.pid) as peak:
            self._send(max(self._messages // 2, self._case.connections))
        self._peak_bytes = max(peak)

    def load(self) -> None:
        """Do one round that counts."""
        before, api = settled_cpu_seconds(self._server.pid), self._api.tally()["cpu_seconds"]
        result, seconds = self._send(self._messages)
        cpu = settled_cpu_seconds(self._server.pid) - before
        each = 1000 / self._messages
        self._rounds.append(
            Round(
                self._messages / seconds,
                result.p50_ms,
                result.p99_ms,
                cpu * each,
                result.cpu_seconds * each,
                (self._api.tally()["cpu_seconds"] - api) * each,
            )
        )

    def seen(self) -> Side:
        """Sum up."""
        return Side(self._rounds, self._messages, self._idle_bytes / 1e6, self._peak_bytes / 1e6)

    def _send(self, messages: int) -> tuple[Result, float]:
        """Send so many; returns what the clients saw, and how long it took until all were where they should go."""
        case = self._case
        delivered = self._api.tally()["posts"]
        load = Load(
            self._server.ports[case.tls],
            messages,
            case.connections,
            str(self._body),
            kept=case.kept,
            login=self._server.login,
            tls=case.tls,
        )
        result = sent(load)
        if case.kind != "e2e":
            return result, result.seconds
        return result, self._last_post(delivered + messages) - result.began

    def _last_post(self, count: int) -> float:
        """Wait until the API has had so many; returns when the last one was."""
        deadline = time.monotonic() + _LONGEST_SECONDS
        while (tally := self._api.tally())["posts"] < count:
            assert time.monotonic() < deadline, f"only {tally['posts']} of {count} reached the API"
            time.sleep(_LOOK_AT_API_EVERY_SECONDS)
        return tally["last"]


def sent(load: Load) -> Result:
    """Run the generator."""
    done = subprocess.run(
        [sys.executable, LOAD, json.dumps(asdict(load))], stdout=subprocess.PIPE, check=True, timeout=_LONGEST_SECONDS
    )
    return Result(**json.loads(done.stdout))


@contextmanager
def _watched(pid: int) -> Iterator[list[int]]:
    """Look at a family's memory while something runs."""
    seen, over = [memory_bytes(pid)], threading.Event()

    def look() -> None:
        while not over.wait(_LOOK_AT_MEMORY_EVERY_SECONDS):
            seen.append(memory_bytes(pid))

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield seen
    finally:
        over.set()
        thread.join()
