"""Failed logins: counted per client and per login, slowed, and in the end blocked."""

import math
from collections import deque
from ipaddress import IPv6Address, ip_network

from relay.accounts.bounded import Bounded
from relay.accounts.directory import parsed
from relay.config import LoginSettings
from relay.message import Clock

_REMEMBERED = 10_000  # clients, and as many logins: some megabytes at worst
_LARGEST_FACTOR = 8


class _Record:
    def __init__(self) -> None:
        self.times: deque[float] = deque()  # of the failures within the window
        self.blocked_until = -math.inf


class Failures:
    """The failures of one kind of key: client networks, or logins."""

    def __init__(self, settings: LoginSettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._records: Bounded[str, _Record] = Bounded(_REMEMBERED, clock)

    def count(self, key: str) -> int:
        """Count one more failure; return how many there are within the window."""
        now = self._clock()
        record = self._records.get(key) or _Record()
        while record.times and record.times[0] <= now - self._settings.window:
            record.times.popleft()
        record.times.append(now)
        failures = len(record.times)
        if failures >= self._settings.failures:
            record.blocked_until = now + self._settings.block
            record.times.clear()
        self._records.put(key, record, max(self._settings.window, self._settings.block))
        return failures

    def blocked_seconds(self, key: str) -> float:
        """Tell how much longer a key is blocked; 0: it is not."""
        record = self._records.get(key)
        return 0.0 if record is None else max(0.0, record.blocked_until - self._clock())

    def forgive(self, key: str) -> None:
        """Forget a key's failures: it has shown the right password."""
        self._records.drop(key)


def delay_seconds(settings: LoginSettings, failures: int) -> float:
    """Tell how long the answer to a failed login waits: doubling with each failure, up to 8 times the first."""
    return settings.delay * min(1 << min(failures - 1, 16), _LARGEST_FACTOR)


def client_key(client: str) -> str:
    """Reduce a client's address to what one party has: an IPv4 address, or an IPv6 /64 (RFC 4291 section 2.5.1)."""
    address = parsed(client)
    if isinstance(address, IPv6Address):
        return str(ip_network((int(address), 64), strict=False))
    return str(address or client)
