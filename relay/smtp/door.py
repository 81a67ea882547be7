"""The front door: opens every listener, watches the time, takes new rules, closes in good order."""

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
from relay.smtp.contract import Reception
from relay.smtp.deadlines import shortest_timeout
from relay.smtp.entrance import Entrance
from relay.smtp.listening import Listening, close_all, listen
from relay.smtp.lobby import Hosts, Lobby
from relay.smtp.seats import Seats
from relay.smtp.tls import Certificate

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
        self._hosts = Hosts(gatekeeper, reception, settings)
        self._events = events
        self._budget = budget or ByteBudget(settings.delivery.bytes_in_flight)
        self._seats = Seats()
        self._listening: Mapping[str, Listening] = {}
        self._entrances: dict[str, Entrance] = {}
        self._left: list[Entrance] = []  # no longer configured, with something to be finished
        self._watch: asyncio.TimerHandle | None = None
        self._certificates_due = 0.0

    @property
    def addresses(self) -> Mapping[str, HostPort]:
        """Where each listener really listens, by its name."""
        return MappingProxyType({name: listening.place for name, listening in self._listening.items()})

    @property
    def _lobbies(self) -> list[Lobby]:
        return [entrance.lobby for entrance in (*self._entrances.values(), *self._left)]

    async def start(self, listening: Mapping[str, Listening] | None = None) -> None:
        """Open every listener. Raises ConfigError, with nothing left open, when one cannot be.

        `listening`: sockets that are open already; they are the door's from here on.
        """
        try:
            await self._adopt(self._settings, listening)
        except ConfigError:
            close_all(listening or {})
            raise
        loop = asyncio.get_running_loop()
        self._certificates_due = loop.time() + _CERTIFICATE_LOOK_SECONDS
        self._watch = loop.call_later(self._look_seconds(), self._look_at_clock)

    async def reload(
        self,
        settings: Settings,
        gatekeeper: Gatekeeper,
        reception: Reception,
        listening: Mapping[str, Listening] | None = None,
    ) -> None:
        """Take a new configuration without cutting anybody off. Raises ConfigError, and then nothing has changed.

        Who comes from now on meets the new rules. Who is inside keeps the rules of the listener, and sends by the new
        gatekeeper and reception from the next MAIL on. A listener that is gone takes nobody more; its guests finish
        what they have begun. `listening`: as for `start`, of those that are new.
        """
        await self._adopt(settings, listening)
        self._settings = settings
        self._hosts.change(gatekeeper, reception, settings)
        self._budget.max_bytes = settings.delivery.bytes_in_flight
        self.reload_certificates()

    async def stop(self, within_seconds: float) -> int:
        """Accept nobody more, take leave of the clients, and wait for messages whose final dot arrived.

        Safe to repeat, and before `start`. Returns how many messages were still under way when the time was over; they
        are not cancelled.
        """
        close_all(self._listening)
        for entrance in self._entrances.values():
            entrance.close()
        lobbies = self._lobbies
        for lobby in lobbies:
            lobby.closing = True
            for guest in tuple(lobby.guests):
                guest.dismiss()
        try:
            async with asyncio.timeout(within_seconds):
                for lobby in lobbies:
                    if lobby.work:
                        await asyncio.wait(set(lobby.work))
                    await lobby.empty.wait()
        except TimeoutError:
            for lobby in lobbies:
                for guest in tuple(lobby.guests):
                    guest.abort()
        if self._watch is not None:
            self._watch.cancel()
        return sum(len(lobby.work) for lobby in lobbies)

    def under_way(self) -> frozenset[asyncio.Task[object]]:
        """Return everything that is being done for guests now: logins, handshakes, messages."""
        return frozenset(task for lobby in self._lobbies for task in lobby.work)

    def reload_certificates(self) -> None:
        """Take certificates whose files changed; a bad one is told of and the one in use stays."""
        for name, entrance in self._entrances.items():
            certificate = entrance.lobby.certificate
            if certificate is None:
                continue
            try:
                if certificate.refresh():
                    self._events.certificate_renewed(name)
            except ConfigError as error:
                self._events.certificate_refused(name, str(error))

    async def _adopt(self, settings: Settings, given: Mapping[str, Listening] | None) -> None:
        """Make what is open what is wanted. Raises ConfigError before anything has changed."""
        hostname = settings.hostname or socket.gethostname()
        rules_of = settings.listener
        changed = {name for name, rules in rules_of.items() if not self._is_served_so(name, rules, hostname)}
        certificates = {name: _certificate(name, rules_of[name]) for name in changed}
        present = [*(given or {}).items(), *self._listening.items()]
        listening = await asyncio.to_thread(listen, rules_of, present)
        entrances: dict[str, Entrance] = {}
        for name, rules in rules_of.items():
            entrance = self._entrances.get(name)
            if entrance is None:
                entrance = Entrance(self._lobby(name, rules, hostname, certificates[name]))
            elif name in changed:
                entrance.lobby = entrance.lobby.with_rules(rules, hostname, certificates[name])
            await entrance.serve(listening[name])
            entrances[name] = entrance
        left = [entrance for name, entrance in self._entrances.items() if name not in entrances]
        for entrance in left:
            entrance.close()
        close_all(self._listening, listening)
        close_all(given or {}, listening)
        self._left = [entrance for entrance in (*self._left, *left) if entrance.lobby.is_busy]
        self._entrances, self._listening = entrances, listening

    def _is_served_so(self, name: str, rules: ListenerSettings, hostname: str) -> bool:
        entrance = self._entrances.get(name)
        return entrance is not None and (entrance.lobby.rules, entrance.lobby.hostname) == (rules, hostname)

    def _lobby(self, name: str, rules: ListenerSettings, hostname: str, certificate: Certificate | None) -> Lobby:
        return Lobby(
            name,
            rules,
            hostname=hostname,
            hosts=self._hosts,
            events=self._events,
            budget=self._budget,
            seats=self._seats,
            certificate=certificate,
        )

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
            (shortest_timeout(rules) for rules in self._settings.listener.values()),
            default=_LONGEST_LOOK_SECONDS,
        )
        return max(0.01, min(_LONGEST_LOOK_SECONDS, shortest / 10))


def check_certificates(listeners: Mapping[str, ListenerSettings]) -> None:
    """Raise ConfigError for a certificate that a door could not open with."""
    for name, rules in listeners.items():
        _certificate(name, rules)


def _certificate(name: str, rules: ListenerSettings) -> Certificate | None:
    try:
        return Certificate(rules) if rules.tls != "none" else None
    except ConfigError as error:
        raise ConfigError(f"listener.{name}: {error}") from error
