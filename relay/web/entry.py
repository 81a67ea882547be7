"""Letting people in: passwords checked slowly, failures counted in the store like those of SMTP logins."""

import asyncio
import math
from collections.abc import Awaitable, Callable

from relay.accounts.failures import Failures, Keys, client_key, delay_seconds
from relay.accounts.passwords import Passwords
from relay.clients import parsed
from relay.config import LoginSettings
from relay.config.web import WebSettings
from relay.events import Events

_LONGEST = 63  # characters of a name; see relay.config.section.Name


class Entry:
    """Checks who wants in, from a form or with a token."""

    def __init__(
        self,
        settings: WebSettings,
        limits: LoginSettings,
        *,
        failures: Failures,
        passwords: Passwords,
        mark: Callable[[str], str],
        events: Events,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._settings = settings
        self._limits = limits
        self._failures = failures
        self._passwords = passwords
        self._mark = mark
        self._events = events
        self._sleep = sleep

    async def blocked_minutes(self, name: str, client: str) -> int:
        """Tell for how long nothing is even checked; 0: it is."""
        keys = self._keys(name, client)
        await self._failures.look((keys.client, keys.login, keys.pair))
        seconds = self._failures.blocked_seconds(self._failures.counted_under(keys))
        return math.ceil(max(seconds, self._client_blocked_seconds(keys, client)) / 60)

    async def is_right(self, name: str, password: str, client: str) -> bool:
        """Check a password. A wrong one is counted, and answered late."""
        user, keys = self._settings.user.get(name), self._keys(name, client)
        if user is None:
            await self._passwords.pretend(password)
        elif await self._passwords.fits(password, user.password_hash.get_secret_value()):
            await self._failures.welcome(keys)
            self._events.visitor_entered(name, client)
            return True
        await self._refuse(keys, name if user else "", client)
        return False

    async def token_was_wrong(self, client: str) -> None:
        """Count a token that nobody has; a client that is blocked for it costs no more than the answer."""
        keys = self._keys("", client)
        await self._failures.look((keys.client,))
        if not self._failures.blocked_seconds(keys.client):
            await self._refuse(keys, "", client)

    async def _refuse(self, keys: Keys, name: str, client: str) -> None:
        counted = await self._failures.count(self._failures.counted_under(keys))
        failures = max(counted, await self._failures.count(keys.client))
        self._events.visitor_refused(name, client)
        await self._sleep(delay_seconds(self._limits, failures))

    def _client_blocked_seconds(self, keys: Keys, client: str) -> float:
        # Everybody behind a proxy on this machine is one client: there the block of the login must do, as for SMTP.
        address = parsed(client)
        is_this_machine = address is not None and address.is_loopback
        return 0.0 if is_this_machine else self._failures.blocked_seconds(keys.client)

    def _keys(self, name: str, client: str) -> Keys:
        # Marked, for who mixes up the fields types the password as name.
        party, name = client_key(client), self._mark(name[:_LONGEST])
        return Keys(f"web client {party}", f"web login {name}", f"web pair {self._mark(f'{party} {name}')}")
