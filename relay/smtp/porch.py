"""Where the callers of an implicit-TLS listener are counted, and shake hands before they come in.

A server that is made with a TLS context counts nobody before the handshake is done: thousands of silent connections
would take descriptors and memory without a word. And a handshake that is begun on a connection already accepted loses
its first bytes under uvloop, which forgets a pause asked for in `connection_made`. So connections are taken off the
listening socket here, refused there and then, and given to the loop with their TLS context.
"""

import asyncio
import contextlib
import socket

from relay.smtp.connection import Connection
from relay.smtp.lobby import Lobby
from relay.smtp.tls import CLOSE_SECONDS, HANDSHAKE_SECONDS, Certificate

_ACCEPTED_AT_ONCE = 100  # before others get their turn
_RETRY_SECONDS = 1.0  # how long to wait where the system has no descriptor left; asyncio's own servers wait as long


class Porch:
    """The sockets of one implicit-TLS listener; has of `asyncio.Server` what the door needs."""

    def __init__(self, lobby: Lobby, certificate: Certificate, sockets: list[socket.socket]) -> None:
        self.sockets = sockets
        self._lobby = lobby
        self._certificate = certificate
        self._loop = asyncio.get_running_loop()
        for listening in sockets:
            self._watch(listening)

    def close(self) -> None:
        """Accept nobody more; safe to repeat. Those who are inside, or shaking hands, stay."""
        for listening in self.sockets:
            if listening.fileno() >= 0:
                self._loop.remove_reader(listening)
                listening.close()

    def _watch(self, listening: socket.socket) -> None:
        if listening.fileno() >= 0:
            self._loop.add_reader(listening, self._accept, listening)

    def _accept(self, listening: socket.socket) -> None:
        for _ in range(_ACCEPTED_AT_ONCE):
            try:
                accepted, peer = listening.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:  # no descriptor or no memory is left; a closed connection may give some back
                self._lobby.events.unexpected("smtp", error)
                self._loop.remove_reader(listening)
                self._loop.call_later(_RETRY_SECONDS, self._watch, listening)
                return
            self._meet(accepted, peer[0].removeprefix("::ffff:"))

    def _meet(self, accepted: socket.socket, client: str) -> None:
        refusal = self._lobby.refusal(client)
        if refusal is not None:
            # Without TLS there is nothing that the client could read.
            self._lobby.events.connection_refused(self._lobby.name, client, refusal[1])
            accepted.close()
            return
        accepted.settimeout(0)
        caller = _Caller(client)
        self._lobby.enter(caller)
        caller.handshake = self._loop.create_task(self._shake_hands(accepted, caller), name="tls handshake")

    async def _shake_hands(self, accepted: socket.socket, caller: "_Caller") -> None:
        try:
            # OSError: ssl.SSLError too, and the deadline. A client that hangs up may bring no error at all.
            with contextlib.suppress(OSError):
                await self._loop.connect_accepted_socket(
                    lambda: Connection(self._lobby, self._loop, forerunner=caller),
                    accepted,
                    ssl=self._certificate.context,
                    ssl_handshake_timeout=min(HANDSHAKE_SECONDS, self._lobby.rules.command_timeout),
                    ssl_shutdown_timeout=CLOSE_SECONDS,
                )
        finally:
            if caller in self._lobby.guests:  # no connection has taken its place
                self._lobby.events.connection_refused(self._lobby.name, caller.client, "tls handshake failed")
                self._lobby.leave(caller)


class _Caller:
    """Who shakes hands; a guest like any other, so that it is counted."""

    handshake: asyncio.Task[None]

    def __init__(self, client: str) -> None:
        self.client = client

    def look_at_clock(self, now: float) -> None:
        """Do nothing: the loop watches the handshake's deadline."""

    def dismiss(self) -> None:
        """Nothing can be said before TLS."""
        self.abort()

    def abort(self) -> None:
        """End the handshake, and the connection with it."""
        self.handshake.cancel()
