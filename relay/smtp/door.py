"""The front door: opens every listener, watches the time, closes in good order."""

import asyncio
import socket
from collections.abc import Mapping
from types import MappingProxyType

from relay.accounts.account import Gatekeeper
from relay.budget import ByteBudget
from relay.config import ListenerSettings, Settings
from relay.config.units import HostPort
from relay.errors import ConfigError
from relay.events import Events
from relay.smtp.connection import Connection
from relay.smtp.contract import Reception
from relay.smtp.lobby import Lobby
from relay.smtp.porch import Porch, open_sockets
from relay.smtp.tls import Certificate

_BACKLOG = 1024  # connections the system may keep waiting for us; bursts of applications are larger than asyncio's 100
_LONGEST_LOOK_SECONDS = 1.0  # how late a deadline may be noticed
_CERTIFICATE_LOOK_SECONDS = 30.0  # how late a renewed certificate may be taken


class Door:
    """All SMTP listeners of the gateway."""

    def __init__(
        self,
        settings: Settings,
        gatekeeper: Gatekeeper,
        reception: Reception,
        events: Events,
        *,
        budget: ByteBudget | None = None,
    ) -> None:
        self._settings = settings
        self._gatekeeper = gatekeeper
        self._reception = reception
        self._events = events
        self._budget = budget or ByteBudget(settings.delivery.bytes_in_flight)
        self._lobbies: list[Lobby] = []
        self._servers: list[asyncio.Server | Porch] = []
        self._addresses: dict[str, HostPort] = {}
        self._watch: asyncio.TimerHandle | None = None
        self._certificates_due = 0.0

    @property
    def addresses(self) -> Mapping[str, HostPort]:
        """Where each listener really listens, by its name."""
        return MappingProxyType(self._addresses)

    async def start(self) -> None:
        """Open every listener. Raises ConfigError, with nothing left open, when one cannot be."""
        try:
            for name, rules in self._settings.listener.items():
                await self._open(name, rules)
        except ConfigError:
            await self.stop(0)
            raise
        loop = asyncio.get_running_loop()
        self._certificates_due = loop.time() + _CERTIFICATE_LOOK_SECONDS
        self._watch = loop.call_later(self._look_seconds(), self._look_at_clock)

    async def stop(self, within_seconds: float) -> int:
        """Accept nobody more, take leave of the clients, and wait for messages whose final dot arrived.

        Safe to repeat, and before `start`. Returns how many messages were still under way when the time was over; they
        are not cancelled.
        """
        for server in self._servers:
            server.close()
        for lobby in self._lobbies:
            lobby.closing = True
            for guest in tuple(lobby.guests):
                guest.dismiss()
        try:
            async with asyncio.timeout(within_seconds):
                for lobby in self._lobbies:
                    if lobby.work:
                        await asyncio.wait(set(lobby.work))
                    await lobby.empty.wait()
        except TimeoutError:
            for lobby in self._lobbies:
                for guest in tuple(lobby.guests):
                    guest.abort()
        if self._watch is not None:
            self._watch.cancel()
        return sum(len(lobby.work) for lobby in self._lobbies)

    def reload_certificates(self) -> None:
        """Take certificates whose files changed; a bad one is told of and the one in use stays."""
        for lobby in self._lobbies:
            if lobby.certificate is None:
                continue
            try:
                if lobby.certificate.refresh():
                    self._events.certificate_renewed(lobby.name)
            except ConfigError as error:
                self._events.certificate_refused(lobby.name, str(error))

    async def _open(self, name: str, rules: ListenerSettings) -> None:
        try:
            certificate = Certificate(rules) if rules.tls != "none" else None
        except ConfigError as error:
            raise ConfigError(f"listener.{name}: {error}") from error
        lobby = Lobby(
            name,
            rules,
            hostname=self._settings.hostname or socket.gethostname(),
            gatekeeper=self._gatekeeper,
            reception=self._reception,
            events=self._events,
            budget=self._budget,
            certificate=certificate,
        )
        try:
            server = await _listen(lobby)
        except OSError as error:
            raise ConfigError(f"listener.{name}: cannot listen on {rules.address}: {_cure(error)}") from error
        self._lobbies.append(lobby)
        self._servers.append(server)
        host, port, *_ = server.sockets[0].getsockname()
        self._addresses[name] = HostPort(host, port)

    def _look_at_clock(self) -> None:
        """Let every connection notice its deadline: one timer for all is cheaper than one for each command."""
        loop = asyncio.get_running_loop()
        now = loop.time()
        for lobby in self._lobbies:
            for guest in tuple(lobby.guests):
                guest.look_at_clock(now)
        if now >= self._certificates_due:
            self._certificates_due = now + _CERTIFICATE_LOOK_SECONDS
            self.reload_certificates()
        self._watch = loop.call_later(self._look_seconds(), self._look_at_clock)

    def _look_seconds(self) -> float:
        shortest = min(
            (min(rules.command_timeout, rules.data_timeout) for rules in self._settings.listener.values()),
            default=_LONGEST_LOOK_SECONDS,
        )
        return max(0.01, min(_LONGEST_LOOK_SECONDS, shortest / 10))


async def _listen(lobby: Lobby) -> asyncio.Server | Porch:
    loop, rules = asyncio.get_running_loop(), lobby.rules
    if rules.tls == "implicit" and lobby.certificate is not None:
        return Porch(lobby, lobby.certificate, await open_sockets(rules.address, _BACKLOG))
    return await loop.create_server(
        lambda: Connection(lobby, loop), rules.address.host, rules.address.port, backlog=_BACKLOG
    )


def _cure(error: OSError) -> str:
    if isinstance(error, PermissionError):
        return "ports below 1024 need the capability CAP_NET_BIND_SERVICE; or choose a higher one"
    return f"{error.strerror or error}; choose an address of this machine and a port that nobody else has"
