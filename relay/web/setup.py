"""The configuration in force, secrets masked."""

from collections.abc import Iterator, Mapping

from aiohttp import web

from relay.config import Settings, masked, warnings
from relay.web.guard import Guard
from relay.web.rendering import Renderer


class Setup:
    """Shows the settings."""

    def __init__(self, settings: Settings, guard: Guard, renderer: Renderer) -> None:
        self._settings = settings
        self._guard = guard
        self._renderer = renderer

    def routes(self) -> list[web.RouteDef]:
        """Say where."""
        return [web.get("/setup", self._guard.page(self._show))]

    async def _show(self, request: web.Request) -> web.Response:
        tables = [(name, list(keys)) for name, keys in _tables((), masked(self._settings))]
        return self._renderer.page(request, "setup.html", tables=tables, cautions=warnings(self._settings))


def _tables(path: tuple[str, ...], table: Mapping[str, object]) -> Iterator[tuple[str, Iterator[tuple[str, object]]]]:
    """Split nested settings into the tables that a configuration file has."""
    plain = [(key, value) for key, value in table.items() if not isinstance(value, Mapping)]
    if plain:
        yield ".".join(path), iter(plain)
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from _tables((*path, key), value)
