"""What all connections of one listener share: its rules, who is inside, what is under way."""

import asyncio
import copy
from collections import Counter
from collections.abc import Callable, Coroutine
from typing import Protocol, Self, TypeVar

from relay.accounts.account import Gatekeeper
from relay.budget import ByteBudget
from relay.config import ListenerSettings, Settings
from relay.events import Events
from relay.outcome import Replies, Reply
from relay.smtp.contract import Reception
from relay.smtp.incoming import Incoming
from relay.smtp.offer import Offer
from relay.smtp.seats import Seats
from relay.smtp.sentas import SentAs
from relay.smtp.tls import Certificate

_T = TypeVar("_T")


class Guest(Protocol):
    """A connection, as its lobby knows it."""

    client: str  # the client's address, without port

    def look_at_clock(self, now: float) -> None:
        """Notice a deadline that is over; `now` is the loop's time."""

    def dismiss(self) -> None:
        """Say goodbye as soon as a message whose final dot arrived has its reply."""

    def abort(self) -> None:
        """Cut the connection."""


class Hosts:
    """Who serves the guests of every listener: others, once the configuration has been reloaded."""

    def __init__(self, gatekeeper: Gatekeeper, reception: Reception, settings: Settings) -> None:
        self.change(gatekeeper, reception, settings)

    def change(self, gatekeeper: Gatekeeper, reception: Reception, settings: Settings) -> None:
        """Let others serve from now on."""
        self.gatekeeper = gatekeeper
        self.reception = reception
        self.listeners = frozenset(settings.listener)  # the names of those that are open
        self.max_header_bytes = settings.mime.max_header_bytes


class Lobby:
    """One listener's rules and guests."""

    def __init__(
        self,
        name: str,
        rules: ListenerSettings,
        *,
        hostname: str,
        hosts: Hosts,
        events: Events,
        budget: ByteBudget,
        seats: Seats,
        certificate: Certificate | None,
    ) -> None:
        """Open a lobby without guests."""
        self.name = name
        self.rules = rules
        self.hostname = hostname
        self.hosts = hosts
        self.events = events
        self.budget = budget
        self.seats = seats
        self.certificate = certificate
        self.offer = Offer(rules, hostname)
        self.alike: dict[str, object] = {}  # what aiosmtpd makes for each connection, and is the same for all
        self.closing = False
        self.guests: set[Guest] = set()
        self.work: set[asyncio.Task[object]] = set()
        self._guests_of: Counter[str] = Counter()
        self.empty = asyncio.Event()  # set while nobody is inside
        self.empty.set()

    @property
    def gatekeeper(self) -> Gatekeeper:
        """Return who judges logins and senders now."""
        return self.hosts.gatekeeper

    @property
    def reception(self) -> Reception:
        """Return who takes messages now."""
        if not self.rules.sender:
            return self.hosts.reception
        return SentAs(self.hosts.reception, self.rules.sender, self.hosts.max_header_bytes)

    def incoming(self, on_room: Callable[[], None]) -> Incoming:
        """Return what a guest's messages come into; `on_room` is called when there is room again."""
        # Each LF may become CR LF, and a message with another sender is a second one for a moment.
        is_made_anew = self.rules.line_ends == "normalise" or bool(self.rules.sender)
        return Incoming(self.budget.share(on_room), counts_for=2 if is_made_anew else 1)

    @property
    def is_given_up(self) -> bool:
        """Tell whether the listener is no longer configured: its guests may finish what they have begun."""
        return self.name not in self.hosts.listeners

    @property
    def is_busy(self) -> bool:
        """Tell whether somebody is inside, or something under way for somebody who has gone."""
        return bool(self.guests or self.work)

    def with_rules(self, rules: ListenerSettings, hostname: str, certificate: Certificate | None) -> Self:
        """Return the lobby for those who come from now on; who is inside keeps its rules. All are counted together."""
        changed = copy.copy(self)  # who is inside and what is under way stays one and the same
        changed.rules, changed.hostname, changed.certificate = rules, hostname, certificate
        changed.offer, changed.alike = Offer(rules, hostname), {}
        return changed

    def refusal(self, client: str) -> tuple[Reply, str] | None:
        """Say why a client may not come in now: the reply, and a reason for the log out of a closed list."""
        return self.refusal_of_all() or self.refusal_of(client)

    def refusal_of_all(self) -> tuple[Reply, str] | None:
        """Say why nobody may come in now, whoever it is."""
        if self.closing:
            return Replies.SHUTTING_DOWN, "stopping"
        if len(self.guests) >= self.rules.max_connections:
            return Replies.TOO_MANY_CONNECTIONS, "too many connections"
        return None

    def refusal_of(self, client: str, *, inside: int = 0) -> tuple[Reply, str] | None:
        """Say why this client may not come in now, though others may; `inside`: how often it is counted already."""
        if self._guests_of[client] - inside >= self.rules.max_connections_per_client:
            return Replies.TOO_MANY_CONNECTIONS, "too many connections of one client"
        blocked = self.gatekeeper.blocked(client)
        return (blocked, "blocked after failed logins") if blocked else None

    def enter(self, guest: Guest) -> None:
        """Count a guest in."""
        self.guests.add(guest)
        self.empty.clear()
        self._count_in(guest)
        self.events.connected(self.name, guest.client)

    def leave(self, guest: Guest) -> None:
        """Count a guest out; safe to repeat."""
        if guest not in self.guests:
            return
        self.guests.discard(guest)
        self._count_out(guest)
        if not self.guests:
            self.empty.set()
        self.events.disconnected(self.name, guest.client)

    def introduce(self, guest: Guest, client: str) -> None:
        """Count a guest inside as the client that it turned out to be."""
        self._count_out(guest)
        guest.client = client
        self._count_in(guest)

    def hand_over(self, guest: Guest, successor: Guest) -> bool:
        """Let another take a guest's place and go on for the same client; False: that guest is gone already."""
        if guest not in self.guests:
            return False
        self.guests.discard(guest)
        self.guests.add(successor)
        return True

    def begin(self, work: Coroutine[None, None, _T], then: Callable[[asyncio.Task[_T]], None]) -> None:
        """Run something in a task of its own, which no client's hang-up cancels; call `then` when it is done."""
        task = asyncio.get_running_loop().create_task(work)
        self.work.add(task)
        task.add_done_callback(self.work.discard)
        task.add_done_callback(then)

    def _count_in(self, guest: Guest) -> None:
        self._guests_of[guest.client] += 1

    def _count_out(self, guest: Guest) -> None:
        self._guests_of[guest.client] -= 1
        if not self._guests_of[guest.client]:
            del self._guests_of[guest.client]
