"""Puts the sandbox together: one application, one port."""

import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from types import TracebackType
from typing import Self

from aiohttp import web

from relay.sandbox import control
from relay.sandbox.dmds.api import Dmds
from relay.sandbox.exchange import Api, serve
from relay.sandbox.mensatek.api import Mensatek
from relay.sandbox.options import SandboxOptions
from relay.sandbox.page import Page
from relay.sandbox.reports import posting_reports
from relay.sandbox.world import World

#: Where the application keeps its world, for tests that start it themselves.
WORLD = web.AppKey("WORLD", World)

_ANY = frozenset({"", "0.0.0.0", "::"})
_STOP_SECONDS = 2.0  # for calls under way when the sandbox ends


def create_app(
    options: SandboxOptions,
    *,
    clock: Callable[[], float] = time.time,
    new_eeid: Callable[[], str] = lambda: str(uuid.uuid4()),
) -> web.Application:
    """Build the application; its journal file, if any, is opened now and closed at its cleanup.

    Raises:
        OSError: the journal file cannot be opened.
    """
    world = World(options, clock=clock, new_eeid=new_eeid)
    app = web.Application(client_max_size=options.max_request_bytes)
    app[WORLD] = world
    app.add_routes([web.get("/", Page(world).show), *control.routes(world)])
    for api in (Mensatek(world), Dmds(world)):
        app.router.add_route("*", f"/{api.name}/{{tail:.*}}", _door(world, api))
    app.cleanup_ctx.append(_running)
    app.on_shutdown.append(_hurry)
    return app


class Sandbox:
    """A running sandbox: `async with Sandbox(SandboxOptions(port=0)) as sandbox: ...`."""

    def __init__(self, options: SandboxOptions | None = None, *, clock: Callable[[], float] = time.time) -> None:
        self._options = options or SandboxOptions()
        self._clock = clock
        self._port = self._options.port
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> Self:
        app = create_app(self._options, clock=self._clock)
        self.world = app[WORLD]
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=_STOP_SECONDS)
        try:
            await self._runner.setup()
            await web.TCPSite(self._runner, self._options.host, self._options.port).start()
        except BaseException:
            await self._runner.cleanup()
            raise
        self._port = self._runner.addresses[0][1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    @property
    def url(self) -> str:
        """The page, and the start of every address."""
        host = self._options.host
        host = "127.0.0.1" if host in _ANY else f"[{host}]" if ":" in host else host
        return f"http://{host}:{self._port}"

    @property
    def mensatek_url(self) -> str:
        """Mensatek's base address."""
        return f"{self.url}/mensatek/v7"

    @property
    def dmds_url(self) -> str:
        """DMDS's base address, with the literal `{dmdsid}` in it."""
        return f"{self.url}/dmds/{{dmdsid}}/v1"


def _door(world: World, api: Api) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def door(request: web.Request) -> web.StreamResponse:
        return await serve(request, world, api)

    return door


async def _running(app: web.Application) -> AsyncIterator[None]:
    world = app[WORLD]
    async with posting_reports(world):
        yield
    world.close()


async def _hurry(app: web.Application) -> None:
    app[WORLD].closing.set()
