"""Where callers are counted, and where those who must show something first show it: a PROXY header, a TLS handshake.

A server that is made with a TLS context counts nobody before the handshake is done: thousands of silent connections
would take descriptors and memory without a word. And a handshake that is begun on a connection already accepted loses
its first bytes under uvloop, which forgets a pause asked for in `connection_made`. So connections are taken off the
listening socket here, refused there and then, and given to the loop with their TLS context. A PROXY header is taken off
the socket before that, to the byte, so that what comes behind it is the handshake's, or the dialogue's.
"""

import asyncio
import contextlib
import socket
import ssl
from ipaddress import ip_network

from relay.clients import client_address, parsed
from relay.outcome import Reply
from relay.smtp.connection import Connection
from relay.smtp.lobby import Lobby
from relay.smtp.proxy import MAX_HEADER, Announced, BadHeaderError, header_length, read_header
from relay.smtp.secured import HANDSHAKE_SECONDS, Secured
from relay.smtp.wire import reply_line

_ACCEPTED_AT_ONCE = 100  # before others get their turn
_RETRY_SECONDS = 1.0  # how long to wait where the system has no descriptor left; asyncio's own servers wait as long
_HEADER_SECONDS = 5.0  # how long a proxy may take for its header; one lost packet (3 seconds) is forgiven


class Porch:
    """The sockets of one listener; has of `asyncio.Server` what the door needs."""

    def __init__(self, lobby: Lobby, sockets: list[socket.socket]) -> None:
        self.sockets = sockets
        self._lobby = lobby
        self._certificate = lobby.certificate if lobby.rules.tls == "implicit" else None
        self._proxies = [ip_network(network) for network in lobby.rules.proxies]
        self._loop = asyncio.get_running_loop()
        for listening in sockets:
            self._watch(listening)

    def close(self) -> None:
        """Accept nobody more; safe to repeat. Those who are inside, or on their way in, stay."""
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
            accepted.settimeout(0)
            self._meet(accepted, client_address(peer))

    def _meet(self, accepted: socket.socket, peer: str) -> None:
        is_proxy = self._is_proxy(peer)
        # A proxy brings everybody's connections: only all together are too many.
        refusal = self._lobby.refusal_of_all() if is_proxy else self._lobby.refusal(peer)
        if refusal is not None:
            self._turn_away(accepted, peer, refusal)
            return
        caller = _Caller(f"proxy {peer}" if is_proxy else peer)
        self._lobby.enter(caller)
        bringing = self._announce(accepted, caller, peer) if is_proxy else self._bring_in(accepted, caller)
        caller.way = self._loop.create_task(bringing, name="way in")

    def _is_proxy(self, peer: str) -> bool:
        if not self._proxies:
            return False
        address = parsed(peer)
        return address is not None and any(address in network for network in self._proxies)

    async def _announce(self, accepted: socket.socket, caller: "_Caller", peer: str) -> None:
        announced = None
        try:
            announced = await self._announced(accepted, peer)
        finally:
            if announced is None:
                accepted.close()
                self._lobby.leave(caller)
        if announced is None:
            return
        self._lobby.introduce(caller, announced.client or peer)
        refusal = self._lobby.refusal_of(caller.client, inside=1)
        if refusal is not None:
            self._turn_away(accepted, caller.client, refusal)
            self._lobby.leave(caller)
            return
        await self._bring_in(accepted, caller, is_check=announced.is_local)

    async def _announced(self, accepted: socket.socket, peer: str) -> Announced | None:
        """Take the header off; None: there is none to go on with."""
        try:
            async with asyncio.timeout(min(_HEADER_SECONDS, self._lobby.rules.command_timeout)):
                header = await _take_header(self._loop, accepted)
            return read_header(header) if header else None
        except BadHeaderError as error:
            self._lobby.events.connection_refused(self._lobby.name, peer, f"PROXY header: {error}")
        except TimeoutError:
            self._lobby.events.connection_refused(self._lobby.name, peer, "no PROXY header in time")
        except OSError:  # hung up; health checks end like that
            return None
        return None

    async def _bring_in(self, accepted: socket.socket, caller: "_Caller", *, is_check: bool = False) -> None:
        connection = Connection(self._lobby, self._loop, forerunner=caller)
        try:
            if self._certificate is None:
                await self._loop.connect_accepted_socket(lambda: connection, accepted)
            else:
                await self._shake_hands(accepted, connection, self._certificate.context)
        finally:
            if caller in self._lobby.guests:  # no connection has taken its place
                if not is_check:
                    self._lobby.events.connection_refused(self._lobby.name, caller.client, "tls handshake failed")
                self._lobby.leave(caller)

    async def _shake_hands(self, accepted: socket.socket, connection: Connection, context: ssl.SSLContext) -> None:
        patience = min(HANDSHAKE_SECONDS, self._lobby.rules.command_timeout)
        layer = Secured(context, connection, patience_seconds=patience, begin=connection.connection_made)
        transport, _ = await self._loop.connect_accepted_socket(lambda: layer, accepted)
        try:
            await layer.shaken
        except asyncio.CancelledError:
            transport.abort()
            raise

    def _turn_away(self, accepted: socket.socket, client: str, refusal: tuple[Reply, str]) -> None:
        reply, reason = refusal
        self._lobby.events.connection_refused(self._lobby.name, client, reason)
        if self._certificate is None:  # before a handshake there is nothing that the client could read
            with contextlib.suppress(OSError):
                accepted.send(reply_line(reply))
        accepted.close()


class _Caller:
    """Who is on the way in; a guest like any other, so that it is counted."""

    way: asyncio.Task[None]

    def __init__(self, client: str) -> None:
        self.client = client

    def look_at_clock(self, now: float) -> None:
        """Do nothing: header and handshake have deadlines of their own."""

    def dismiss(self) -> None:
        """Nothing can be said yet."""
        self.abort()

    def abort(self) -> None:
        """End the way in, and the connection with it."""
        # A task that is cancelled before its first step would never come to its own tidying up.
        self.way.get_loop().call_soon(self.way.cancel)


async def _take_header(loop: asyncio.AbstractEventLoop, accepted: socket.socket) -> bytes:
    """Take one PROXY header off a socket, and not a byte more; empty: the proxy hung up without one.

    Raises BadHeaderError, OSError.
    """
    header = b""
    while True:
        try:
            seen = accepted.recv(MAX_HEADER - len(header), socket.MSG_PEEK)
        except BlockingIOError:
            await _until_readable(loop, accepted)
            continue
        if not seen:
            if header:
                raise BadHeaderError("cut off")
            return b""
        length = header_length(header + seen)
        header += accepted.recv(len(seen) if length is None else length - len(header))
        if length is not None:
            return header


async def _until_readable(loop: asyncio.AbstractEventLoop, accepted: socket.socket) -> None:
    readable = asyncio.Event()
    loop.add_reader(accepted, readable.set)
    try:
        await readable.wait()
    finally:
        loop.remove_reader(accepted)
