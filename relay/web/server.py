"""The HTTP server: binds once, answers whatever happens, and goes on by another configuration without closing."""

import os
import socket
from collections.abc import Awaitable, Callable, Iterable

from aiohttp import web

from relay.config.units import HostPort
from relay.errors import ConfigError
from relay.events import Events
from relay.web.headers import careful

_LARGEST_FORM = 256 * 1024  # bytes
_BACKLOG = 128


class Web:
    """Serves the pages."""

    def __init__(self, address: HostPort, events: Events) -> None:
        self._address = address
        self._events = events
        self._socket: socket.socket | None = None
        self._runner: web.AppRunner | None = None

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
        runner, before = web.AppRunner(app, access_log=None), self._runner
        await runner.setup()
        await web.SockSite(runner, self._socket.dup()).start()
        self._runner = runner
        if before is not None:
            await before.cleanup()

    async def stop(self) -> None:
        """Stop listening."""
        if self._runner is not None:
            await self._runner.cleanup()
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    @web.middleware
    async def _answer_whatever_happens(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        try:
            return await handler(request)
        except web.HTTPException:
            raise
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
