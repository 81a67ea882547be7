"""Failed logins: counted per client and per login, slowed, and blocked for growing times.

What is counted is in the store, so that it holds in all processes that share it and over a restart: more workers give
no more tries (but for those under way at once), and none is won by making one crash. A failed login is rare and slow by
design and may cost a write; a right one that is remembered asks nobody.

Who guesses at a login from outside must not shut out the application that owns it. A client that was right at a login
before is known there for a time: its failures are counted apart from everybody else's, and theirs do not concern it.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from functools import lru_cache
from ipaddress import IPv6Address, ip_network

from relay.accounts.bounded import Bounded
from relay.clients import parsed
from relay.config import LoginSettings
from relay.errors import QueueError
from relay.events import Events
from relay.message import Clock
from relay.queue.contract import Queue, Standing

_REMEMBERED = 10_000  # keys whose standing is known here: some megabytes at worst
_CLIENTS = 4096  # whose addresses need not be read again
_LARGEST_FACTOR = 8
_MOST_DOUBLINGS = 30
#: A record from further ahead was written before the clock was set back; it ends at once, and not hours late.
_STEP_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Keys:
    """What a login from a client is counted under."""

    client: str
    login: str
    pair: str  # this client at this login


class Failures:
    """How clients and logins stand, from the store; where it fails, as far as it is known here."""

    def __init__(self, queue: Queue, settings: LoginSettings, events: Events, clock: Clock) -> None:
        self._queue = queue
        self._settings = settings
        self._events = events
        self._clock = clock
        self._known: Bounded[str, Standing] = Bounded(_REMEMBERED, clock)  # as the store told it last
        self._unsaved: Bounded[str, Standing] = Bounded(_REMEMBERED, clock)  # what it could not take

    def under(self, settings: LoginSettings) -> "Failures":
        """Return one on the same store that counts by other settings; the keys must be others, too."""
        return Failures(self._queue, settings, self._events, self._clock)

    async def look(self, keys: Collection[str]) -> None:
        """Ask the store how these stand, whoever may have failed where."""
        try:
            stored = await self._queue.standings(keys)
        except QueueError as error:
            self._events.store_failed("standings", str(error))
            return
        for key in keys:
            self._learn(key, _worse(stored.get(key), self._unsaved.get(key)))

    def blocked_seconds(self, key: str) -> float:
        """Tell how much longer a key is blocked, as far as that is known here; 0: it is not."""
        standing, now = self._known.get(key), self._clock()
        return max(0.0, standing.blocked_until - now) if standing and _is_credible(standing, now) else 0.0

    def counted_under(self, keys: Keys) -> str:
        """Tell which key a failure of this client at this login counts for, beside the client's own."""
        standing, now = self._known.get(keys.pair), self._clock()
        is_proven = standing is not None and _is_credible(standing, now) and standing.proven_until > now
        return keys.pair if is_proven else keys.login

    async def count(self, key: str) -> int:
        """Count one more failure; return how many there are within the window."""
        now, unsaved = self._clock(), self._unsaved.get(key)

        def change(known: Standing | None) -> Standing:
            return after_failure(_worse(known, unsaved), now, self._settings)

        standing = await self._change(key, change)
        return standing.failures if standing and standing.failures else self._settings.failures

    async def welcome(self, keys: Keys) -> None:
        """Take note of a right password: the failures that counted against it are forgiven, the client is known there.

        Writes only what is news.
        """
        now, counted = self._clock(), self.counted_under(keys)
        standing = self._known.get(counted)
        if standing is not None and (standing.failures or standing.blocked_until > now):
            await self._change(counted, lambda known: _forgiven(known, now))
        pair, seconds = self._known.get(keys.pair), self._settings.known_client
        if seconds and (pair is None or pair.proven_until < now + seconds / 2):
            await self._change(keys.pair, lambda known: _proven(known, now, now + seconds))

    async def _change(self, key: str, change: Callable[[Standing | None], Standing | None]) -> Standing | None:
        try:
            changed = await self._queue.change_standing(key, change)
        except QueueError as error:
            self._events.store_failed("standings", str(error))
            changed = change(self._known.get(key))
            if changed is not None:
                self._unsaved.put(key, changed, changed.until - self._clock())
        else:
            self._unsaved.drop(key)
        self._learn(key, changed)
        return changed

    def _learn(self, key: str, standing: Standing | None) -> None:
        if standing is None:
            self._known.drop(key)
        else:
            self._known.put(key, standing, standing.until - self._clock())


def after_failure(known: Standing | None, now: float, settings: LoginSettings) -> Standing:
    """Tell how a key stands after one more failure: each block in a row is twice as long as the one before."""
    if known is None or not _is_credible(known, now):
        known = Standing(0, now, now, now)
    is_row = known.blocks > 0 and now < known.blocked_until + settings.quiet
    blocks = known.blocks if is_row else 0
    is_window = now < known.since + settings.window
    failures, since = (known.failures + 1, known.since) if is_window else (1, now)
    blocked_until = known.blocked_until
    if failures >= settings.failures:
        blocks, failures, since = blocks + 1, 0, now
        longest = max(settings.block, settings.block_longest)
        blocked_until = now + min(settings.block * 2 ** min(blocks - 1, _MOST_DOUBLINGS), longest)
    until = max(since + settings.window, blocked_until + settings.quiet if blocks else now, known.proven_until)
    return Standing(failures, since, now, until, blocks, blocked_until, known.proven_until)


def delay_seconds(settings: LoginSettings, failures: int) -> float:
    """Tell how long the answer to a failed login waits: doubling with each failure, up to 8 times the first."""
    return settings.delay * min(1 << min(failures - 1, 16), _LARGEST_FACTOR)


@lru_cache(maxsize=_CLIENTS)
def client_key(client: str) -> str:
    """Reduce a client's address to what one party has: an IPv4 address, or an IPv6 /64 (RFC 4291 section 2.5.1)."""
    address = parsed(client)
    if isinstance(address, IPv6Address):
        return str(ip_network((int(address), 64), strict=False))
    return str(address or client)


def _forgiven(known: Standing | None, now: float) -> Standing | None:
    """Forget failures; the blocks in a row are remembered, or a guesser would profit from each right login."""
    if known is None or not (known.blocks or known.proven_until > now):
        return None
    return replace(known, failures=0, changed_at=now, blocked_until=min(known.blocked_until, now))


def _proven(known: Standing | None, now: float, until: float) -> Standing:
    known = known or Standing(0, now, now, now)
    return replace(known, changed_at=now, proven_until=until, until=max(known.until, until))


def _worse(one: Standing | None, other: Standing | None) -> Standing | None:
    """Put together what two sources know, to the disadvantage of who failed."""
    if one is None or other is None:
        return one or other
    newer = max(one, other, key=lambda standing: standing.changed_at)
    return replace(
        newer,
        failures=max(one.failures, other.failures),
        blocks=max(one.blocks, other.blocks),
        blocked_until=max(one.blocked_until, other.blocked_until),
        until=max(one.until, other.until),
    )


def _is_credible(standing: Standing, now: float) -> bool:
    return standing.changed_at <= now + _STEP_SECONDS
