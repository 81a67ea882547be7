"""The HTTP server: binds once, answers whatever happens, and goes on by another configuration without closing."""

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable, Iterable

from aiohttp import web

from relay.config.units import HostPort
from relay.errors import ConfigError, QueueError
from relay.events import Events
from relay.web.headers import careful

_LARGEST_FORM = 256 * 1024  # bytes
_BACKLOG = 128
_SHUTDOWN_SECONDS = 5.0  # for requests under way
_IDLE_SECONDS = 75.0  # of a connection between two requests
_REQUEST_SECONDS = 30.0  # for a request to come whole and be answered


class Web:
    """Serves the pages."""

    def __init__(self, address: HostPort, events: Events) -> None:
        self._address = address
        self._events = events
        self._socket: socket.socket | None = None
        self._runner: web.AppRunner | None = None
        self._leaving: set[asyncio.Task[None]] = set()  # who was asked before a change is still answered

    @property
    def url(self) -> str:
        """The address really bound, as a URL; empty: it is not."""
        if self._socket is None:
            return ""
        host, port = self._socket.getsockname()[:2]
        return f"http://{HostPort(host, port)}"

    async def start(self, routes: Iterable[web.AbstractRouteDef]) -> None:
        """Listen. Raises ConfigError when the address cannot be had."""
        try:
            self._socket = _bound(self._address)
        except OSError as error:
            reason = os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror
            cure = "choose an address of this machine and a port that nobody else has"
            raise ConfigError(f"web.address: cannot listen on {self._address}: {reason}; {cure}") from error
        await self.change(routes)
        self._events.web_opened(self.url)

    async def change(self, routes: Iterable[web.AbstractRouteDef]) -> None:
        """Serve these from now on; who is being answered gets the answer."""
        if self._socket is None:
            return
        app = web.Application(middlewares=[careful, self._answer_whatever_happens], client_max_size=_LARGEST_FORM)
        app.add_routes(routes)
        runner = web.AppRunner(
            app, access_log=None, shutdown_timeout=_SHUTDOWN_SECONDS, keepalive_timeout=_IDLE_SECONDS
        )
        own = self._socket.dup()
        await runner.setup()
        await web.SockSite(runner, own).start()
        if self._runner is not None:
            leaving = asyncio.create_task(self._runner.cleanup(), name="earlier pages")
            self._leaving.add(leaving)
            leaving.add_done_callback(self._leaving.discard)
        self._runner = runner

    async def stop(self) -> None:
        """Stop listening."""
        if self._runner is not None:
            await asyncio.gather(self._runner.cleanup(), *self._leaving)
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    @web.middleware
    async def _answer_whatever_happens(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        try:
            async with asyncio.timeout(_REQUEST_SECONDS):
                return await handler(request)
        except web.HTTPException:
            raise
        except TimeoutError:
            return web.Response(status=408, text="this took too long\n")
        except QueueError as error:
            self._events.store_failed("web", str(error))
            return web.Response(status=503, text="the mail store does not answer\n")
        except Exception as error:  # noqa: BLE001 - one request's trouble is answered, told, and over
            self._events.unexpected("web", error, path=request.path)
            return web.Response(status=500, text="something went wrong here\n")


def _bound(address: HostPort) -> socket.socket:
    places = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    family, kind, protocol, _, place = places[0]
    bound = socket.socket(family, kind, protocol)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.settimeout(0)
        bound.bind(place)
        bound.listen(_BACKLOG)
    except OSError:
        bound.close()
        raise
    return bound
