"""`relay` that is killed at a point of one's choice: the file `dies-at` in its folder says `begin/after`, for example.

The points stand around everything that must not be half done: each operation on the store, which is one transaction,
and each call to an API. Nothing of this is in the gateway itself.
"""

import functools
import os
import signal
from pathlib import Path

from relay.cli import main
from relay.providers.dmds import DmdsProvider
from relay.providers.mensatek import MensatekProvider
from relay.queue.sqlite import SqliteQueue

#: What a point may stand before and after.
OPERATIONS = ("put", "begin", "record", "conclude", "release", "confirm", "open_doubt", "write_doubt")


def dying(name, operation):
    """Make an operation that is killed before it begins, or when it has ended, if that was asked for."""

    @functools.wraps(operation)
    async def wrapped(*given, **named):
        die_if_asked(f"{name}/before")
        result = await operation(*given, **named)
        die_if_asked(f"{name}/after")
        return result

    return wrapped


def die_if_asked(point):
    chosen = Path("dies-at")
    if chosen.exists() and chosen.read_text() == point:
        os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    for name in OPERATIONS:
        setattr(SqliteQueue, name, dying(name, getattr(SqliteQueue, name)))
    for provider in (MensatekProvider, DmdsProvider):
        provider.send = dying("send", provider.send)
        provider.traces = dying("traces", provider.traces)
    main()
