"""Head of line: how long a small mail takes while two streams of big ones come in, against its time alone."""

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass

from load import Load
from measuring import LOAD, Bench, Server, both, sent
from servers import NullServer

NAME = "beside-2k"
IS_ESSENTIAL = True  # measured unless told otherwise
GOAL = 4.0  # at most so many times as long
SIZES = ("2k", "5m")

_STREAMS = 2
_MESSAGES = 100
_MORE_THAN_ENOUGH = 1_000_000
_UNDER_WAY_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Beside:
    """What one server showed: medians, each round's in order."""

    alone_ms: list[float]
    beside_ms: list[float]

    @property
    def ratio(self) -> float:
        """Return the median of the rounds' ratios."""
        pairs = zip(self.beside_ms, self.alone_ms, strict=True)
        return statistics.median(beside / alone for beside, alone in pairs)


@dataclass(frozen=True, slots=True)
class Together:
    """Both servers."""

    ours: Beside
    theirs: Beside


def measure(bench: Bench) -> Together:
    """Measure the gateway and Postfix, both of which keep all mail in their queues."""
    with ExitStack() as stack:
        api = stack.enter_context(NullServer("api"))
        servers = both(bench, api, stack, held=True)
        seen = tuple(Beside([], []) for _ in servers)
        for server in servers:
            _small(bench, server, 1)
            server.wait_until_held()
        for _ in range(bench.rounds):
            for server, side in zip(servers, seen, strict=True):
                side.alone_ms.append(_small(bench, server, bench.messages or _MESSAGES))
                with _big(bench, server):
                    side.beside_ms.append(_small(bench, server, bench.messages or _MESSAGES))
    return Together(*seen)


def _small(bench: Bench, server: Server, messages: int) -> float:
    return sent(Load(server.ports[False], messages, 1, str(bench.bodies["2k"]), login=server.login)).p50_ms


@contextmanager
def _big(bench: Bench, server: Server) -> Iterator[None]:
    load = Load(server.ports[False], _MORE_THAN_ENOUGH, _STREAMS, str(bench.bodies["5m"]), login=server.login)
    process = subprocess.Popen([sys.executable, LOAD, json.dumps(asdict(load))])
    try:
        time.sleep(_UNDER_WAY_SECONDS)
        assert process.poll() is None, "the big mail was not taken"
        yield
    finally:
        process.kill()
        process.wait()
