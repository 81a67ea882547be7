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
        self._served: tuple[Listening, Lobby | None] | None = None

    async def serve(self, listening: Listening) -> None:
        """Take connections for the lobby; who took them before stops. Meanwhile nobody is refused."""
        rules = self.lobby.rules
        needs_porch = rules.tls == "implicit" or bool(rules.proxies)
        # A plain server asks for the lobby at each call. It is closed as seldom as can be: asyncio's own leaves whom it
        # has accepted in the same moment without an answer.
        wanted = (listening, self.lobby if needs_porch else None)
        if self._served == wanted:
            return
        former, self._served = self._servers, wanted
        if needs_porch:
            self._servers = [Porch(self.lobby, listening.shared())]
        else:
            loop = asyncio.get_running_loop()
            self._servers = [
                await loop.create_server(lambda: Connection(self.lobby, loop), sock=one) for one in listening.shared()
            ]
        for server in former:
            server.close()

    def close(self) -> None:
        """Take nobody more; those who are inside stay. Safe to repeat."""
        for server in self._servers:
            server.close()
