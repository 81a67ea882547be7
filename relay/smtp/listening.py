"""The listening sockets: opened before anybody serves them, and kept while those who serve them come and go.

Who calls while nobody serves waits in the socket's own queue and is refused by nobody: over a change of rules, and over
the death of a worker that shares the socket with others.
"""

import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from relay.config import ListenerSettings
from relay.config.units import HostPort
from relay.errors import ConfigError

_BACKLOG = 1024  # connections the system may keep waiting for us; bursts of applications are larger than asyncio's 100


@dataclass(frozen=True, slots=True)
class Listening:
    """The sockets of one listener."""

    address: HostPort  # as configured
    place: HostPort  # where it really listens: the first of its sockets
    sockets: tuple[socket.socket, ...]  # one for each address that the host's name stands for

    def shared(self) -> list[socket.socket]:
        """Return sockets that can be closed without closing these, and take from the same queue."""
        return [one.dup() for one in self.sockets]

    def close(self) -> None:
        """Stop listening, unless another process goes on. Safe to repeat."""
        for one in self.sockets:
            one.close()


def listen(listeners: Mapping[str, ListenerSettings], present: Sequence[tuple[str, Listening]]) -> dict[str, Listening]:
    """Open what is not open yet; what is open at its address stays, also under another name. Blocks.

    Args:
        listeners: those that are wanted, by name.
        present: those that are open, with their names. None of them is closed.

    Raises:
        ConfigError: one cannot be opened; then none is.
    """
    opened: dict[str, Listening] = {}
    try:
        return {
            name: _present(name, rules.address, present) or _open(name, rules.address, opened)
            for name, rules in listeners.items()
        }
    except ConfigError:
        close_all(opened)
        raise


def close_all(listening: Mapping[str, Listening], kept: Mapping[str, Listening] | None = None) -> None:
    """Close listeners, but for those that stand in another table, too."""
    kept = kept or {}
    for one in listening.values():
        if one not in kept.values():
            one.close()


def _present(name: str, address: HostPort, present: Sequence[tuple[str, Listening]]) -> Listening | None:
    for other, one in present:
        # Port 0 stands for another port each time.
        if address == one.address and (address.port or name == other):
            return one
    return next((one for _, one in present if address == one.place), None)


def _open(name: str, address: HostPort, opened: dict[str, Listening]) -> Listening:
    sockets: list[socket.socket] = []
    try:
        found = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        for family, _, _, _, place in dict.fromkeys(found):
            sockets.append(socket.create_server(place, family=family, backlog=_BACKLOG))
            sockets[-1].settimeout(0)
    except OSError as error:
        for one in sockets:
            one.close()
        raise ConfigError(f"listener.{name}: cannot listen on {address}: {_cure(error)}") from error
    host, port, *_ = sockets[0].getsockname()
    opened[name] = Listening(address, HostPort(host, port), tuple(sockets))
    return opened[name]


def _cure(error: OSError) -> str:
    if isinstance(error, PermissionError):
        return "ports below 1024 need the capability CAP_NET_BIND_SERVICE; or choose a higher one"
    return f"{error.strerror or error}; choose an address of this machine and a port that nobody else has"
