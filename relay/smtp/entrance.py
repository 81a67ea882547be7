"""One listener as it is served now: whoever takes its connections is replaced when its rules change."""

import asyncio

from relay.smtp.connection import Connection
from relay.smtp.listening import Listening
from relay.smtp.lobby import Lobby
from relay.smtp.porch import Porch


class Entrance:
    """Lets callers in to the lobby that is right for them."""

    def __init__(self, lobby: Lobby) -> None:
        self.lobby = lobby  # for those who come from now on
        self._servers: list[asyncio.Server | Porch] = []
        self._served: tuple[Lobby, Listening] | None = None

    async def serve(self, listening: Listening) -> None:
        """Take connections for the lobby; who took them before stops. Meanwhile nobody is refused."""
        if self._served == (self.lobby, listening):
            return
        former, self._servers = self._servers, await _serve(self.lobby, listening)
        self._served = (self.lobby, listening)
        for server in former:
            server.close()

    def close(self) -> None:
        """Take nobody more; those who are inside stay. Safe to repeat."""
        for server in self._servers:
            server.close()


async def _serve(lobby: Lobby, listening: Listening) -> list[asyncio.Server | Porch]:
    loop, sockets = asyncio.get_running_loop(), listening.shared()
    if lobby.rules.tls == "implicit" or lobby.rules.proxies:
        return [Porch(lobby, sockets)]
    return [await loop.create_server(lambda: Connection(lobby, loop), sock=one) for one in sockets]
