"""Rounds: load one server, then the other, look at what both cost, and compare."""

import json
import shutil
import statistics
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from cases import Case
from certificates import Certificate
from load import Load, Result
from meter import memory_bytes, settled_cpu_seconds
from rival import PostfixUnderTest
from running import until
from servers import GatewayUnderTest, NullServer

_LOAD = Path(__file__).with_name("load.py")
_LONGEST_SECONDS = 300.0
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


class Bench:
    """Measures cases, each with fresh servers, so that none inherits another's queue."""

    def __init__(
        self, folder: Path, bodies: Mapping[str, Path], certificate: Certificate, rounds: int, messages: int = 0
    ) -> None:
        self._folder = folder
        self._bodies = bodies
        self._certificate = certificate
        self._rounds = rounds
        self._messages = messages  # 0: as each case says

    def measure(self, case: Case) -> Line:
        """Measure one case on both servers in turn."""
        with ExitStack() as stack:
            api = stack.enter_context(NullServer("api"))
            kinds = (GatewayUnderTest, PostfixUnderTest)
            sides = [stack.enter_context(self._opened(kind, case, api)) for kind in kinds]
            for side in sides:
                side.warm_up()
            for number in range(self._rounds):
                for side in sides[:: -1 if number % 2 else 1]:
                    side.load()
        return compare(case, *(side.seen() for side in sides))

    @contextmanager
    def _opened(self, kind: type[Server], case: Case, api: NullServer) -> Iterator["Loaded"]:
        folder = self._folder / f"{kind.name}-{case.name}"
        server = kind(folder, self._certificate, api, held=case.kind != "e2e")
        try:
            yield Loaded(server, case, api, self._bodies, self._messages)
        finally:
            server.stop()
            shutil.rmtree(folder)


class Loaded:
    """One server, as it is loaded round after round."""

    def __init__(self, server: Server, case: Case, api: NullServer, bodies: Mapping[str, Path], messages: int) -> None:
        self._server, self._case, self._api, self._bodies = server, case, api, bodies
        self._messages = messages or case.messages(ours=server.login is not None)
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
        before = settled_cpu_seconds(self._server.pid)
        result, seconds = self._send(self._messages)
        cpu = settled_cpu_seconds(self._server.pid) - before
        each = 1000 / self._messages
        self._rounds.append(
            Round(self._messages / seconds, result.p50_ms, result.p99_ms, cpu * each, result.cpu_seconds * each)
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
            str(self._bodies[case.size]),
            kept=case.kept,
            login=self._server.login,
            tls=case.tls,
        )
        result = sent(load)
        if case.kind != "e2e":
            return result, result.seconds
        until(
            lambda: self._api.tally()["posts"] >= delivered + messages, _LONGEST_SECONDS, "not everything was delivered"
        )
        return result, self._api.tally()["last"] - result.began


def sent(load: Load) -> Result:
    """Run the generator."""
    done = subprocess.run(
        [sys.executable, _LOAD, json.dumps(asdict(load))], stdout=subprocess.PIPE, check=True, timeout=_LONGEST_SECONDS
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


def compare(case: Case, ours: Side, theirs: Side) -> Line:
    """Make the table's line: the median of the rounds' ratios."""
    ratio = statistics.median(
        our.per_second / their.per_second for our, their in zip(ours.rounds, theirs.rounds, strict=True)
    )
    return Line(case, ours, theirs, ratio)
