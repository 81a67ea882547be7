"""What the tools of a measurement cost themselves: the generator, against a sink that only answers."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from load import Load
from measuring import sent
from servers import LOGIN, NullServer

_MESSAGES = {"2k": 3000, "50k": 1000, "5m": 40, "20m": 10}
_CONNECTIONS = 10


def weigh_generator(bodies: Mapping[str, Path], messages: int) -> Iterator[str]:
    """Say what one message costs the generator, and how many it could send if servers cost nothing and had a core."""
    with NullServer("sink") as sink:
        for size, body in bodies.items():
            for kept in (False, True):
                count = messages or _MESSAGES[size]
                login = None if kept else LOGIN
                result = sent(Load(sink.port, count, _CONNECTIONS, str(body), kept=kept, login=login))
                each = result.cpu_seconds / count
                how = "kept connection" if kept else "connection each, AUTH"
                yield f"generator, {size}, {how}: {1000 * each:.3f} ms of CPU a message, at most {1 / each:.0f}/s"
