"""The gate: who a client is, what it may send, and how much."""

import asyncio
import math
from collections.abc import Awaitable, Callable
from functools import lru_cache

from relay.accounts.account import Account
from relay.accounts.bounded import Bounded
from relay.accounts.checking import LONGEST, Checking
from relay.accounts.directory import Directory, KeptLogin, Login, PassthroughLogin
from relay.accounts.failures import Failures, Keys, client_key, delay_seconds
from relay.accounts.limits import Limits
from relay.accounts.remembered import Checked, Remembered
from relay.accounts.senders import Senders
from relay.accounts.vault import Vault
from relay.clients import parsed
from relay.config import Settings
from relay.events import Events
from relay.message import Clock
from relay.outcome import Replies, Reply
from relay.providers.contract import Providers
from relay.queue.contract import Queue
from relay.seal import Sealer

_KEYS = 4096  # what so many clients' logins are counted under is remembered
_RESOLVED = 10_000  # pass-through accounts are made by clients
_RESOLVED_SECONDS = 60.0  # how long another process's newer credential may go unnoticed


class Accounts:
    """Implements `Gatekeeper`: see there for what each method promises."""

    def __init__(
        self,
        settings: Settings,
        providers: Providers,
        queue: Queue,
        sealer: Sealer,
        events: Events,
        clock: Clock,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        *,
        remembered: Remembered | None = None,
    ) -> None:
        """Judge by these settings. `remembered`: what an earlier configuration's gate has learnt, and goes on to."""
        self._settings = settings.logins
        self._events = events
        self._sleep = sleep
        self._directory = Directory(settings)
        self._senders = Senders()
        self._limits = Limits(queue, clock)
        self._vault = Vault(queue, sealer)
        self._resolved: Bounded[str, Account] = Bounded(_RESOLVED, clock)
        self._marked = sealer.mark
        self._keys = lru_cache(_KEYS)(self._make_keys)  # most clients come again and again
        self._failures = Failures(queue, settings.logins, events, clock)
        self._checking = Checking(
            settings.logins, providers, self._vault, self._failures, events, remembered or Remembered(clock)
        )

    # --- logging in ---

    def remembered(self, login: str, password: str, client: str) -> Account | None:
        """Let in who was right a while ago; see `Gatekeeper.remembered`."""
        who = self._directory.login(login)
        if who is None or self.blocked(client) is not None:
            return None
        # What is remembered does not pass a block from anywhere: then whoever guesses would be told when it is right.
        if self._failures.blocked_seconds(self._keys_of(login, who, client).login):
            return None
        account = self._checking.remembered(login, password, who)
        return None if account is None else self._accepted(login, account, client)

    async def authenticate(self, login: str, password: str, client: str) -> Account | Reply:
        """Check a login; see `Gatekeeper.authenticate`."""
        account = self.remembered(login, password, client)
        if account is not None:
            return account
        who = self._directory.login(login)
        keys = self._keys_of(login, who, client)
        refusal = self.blocked(client) or await self._blocked_now(keys, client)
        if refusal is not None:
            return self._blocked(refusal, login, who, client)
        account = self._checking.remembered(login, password, who) if who else None
        if account is None:
            counted_under = self._failures.counted_under(keys)
            checked = await self._checking.check(login, password, who, counted_under)
            if checked.account is None:
                shown, reason = self._shown(login, who), self._reason(checked, login, who)
                return await self._refuse(checked, shown, client, keys, reason)
            await self._failures.welcome(keys)
            account = checked.account
            self._resolved.put(account.name, account, _RESOLVED_SECONDS)
        return self._accepted(login, account, client)

    def _accepted(self, login: str, account: Account, client: str) -> Account:
        self._events.login_accepted(login, account.name, client)
        return self._one_and_the_same(account)

    def _keys_of(self, login: str, who: Login | None, client: str) -> Keys:
        return self._keys(who.name if who else login[:LONGEST], client)

    async def _blocked_now(self, keys: Keys, client: str) -> Reply | None:
        """Ask the store: another process may have counted."""
        await self._failures.look((keys.client, keys.login, keys.pair))
        seconds = self._failures.blocked_seconds(self._failures.counted_under(keys))
        return self.blocked(client) or (_login_blocked(seconds) if seconds else None)

    def _blocked(self, reply: Reply, login: str, who: Login | None, client: str) -> Reply:
        self._events.login_blocked(self._shown(login, who), client)
        return reply

    async def _refuse(self, checked: Checked, shown: str, client: str, keys: Keys, reason: str) -> Reply:
        if checked.reply != Replies.AUTH_FAILED:
            self._events.login_unavailable(shown, client, reason)
            return checked.reply
        # Counted before the wait, so that many connections at once gain nothing.
        failures = max(checked.failures, await self._failures.count(keys.client))
        self._events.login_refused(shown, client, reason)
        await self._sleep(delay_seconds(self._settings, failures))
        return checked.reply

    def _make_keys(self, name: str, client: str) -> Keys:
        # Marked, for who mixes up the fields sends the password as login.
        party = client_key(client)
        return Keys(f"client {party}", f"login {self._marked(name)}", f"pair {self._marked(f'{party} {name}')}")

    def _reason(self, checked: Checked, login: str, who: Login | None) -> str:
        meant = self._directory.resemblance(login) if who is None else ""
        return f"{checked.reason}; it looks like {meant}, mistyped" if meant else checked.reason

    def _shown(self, login: str, who: Login | None) -> str:
        # Who mixes up the fields sends the password as login: what nobody knows is not written whole into the log.
        is_known = who is not None
        if isinstance(who, PassthroughLogin):
            is_known = who.is_configured or self._checking.is_proven(who)
        return login if is_known else f"{login[:3]}... ({len(login)} characters)"

    def blocked(self, client: str) -> Reply | None:
        """Return the 421 for a client with too many failed logins; see `Gatekeeper.blocked`.

        Never for this machine itself, nor for trusted networks: one wrong setting in one application would shut out all
        others on the host. There the block of the login, and the delay, must do.
        """
        seconds = self._failures.blocked_seconds(f"client {client_key(client)}")
        if not seconds:
            return None
        address = parsed(client)
        if address is None or address.is_loopback or self._directory.is_trusted_anywhere(client):
            return None
        text = "Too many failed logins from your address"
        return Replies.CLIENT_BLOCKED.saying(f"{text}; try again in {_minutes(seconds)}")

    def mark(self, login: str) -> str:
        """Name what a login rests on now; see `Gatekeeper.mark`."""
        who = self._directory.login(login)
        return who.mark if who else ""

    def renewed(self, account: Account, login: str, mark: str) -> Account | None:
        """Return what the account of a session is by now; see `Gatekeeper.renewed`."""
        who = self._directory.login(login)
        if who is None or who.mark != mark:
            return None
        now = (
            who.account
            if isinstance(who, KeptLogin)
            else Account(who.name, who.provider, account.credentials, who.policy)
        )
        return self._one_and_the_same(now)

    def trusted(self, listener: str, client: str) -> Account | None:
        """Return the account that a listener binds to the client's network; see `Gatekeeper.trusted`."""
        return self._directory.trusted(listener, client)

    # --- sending ---

    def refuse_sender(self, account: Account, address: str) -> Reply | None:
        """Return the refusal of a MAIL FROM or From address; see `Gatekeeper.refuse_sender`."""
        return self._senders.refuse(account, address)

    async def refuse_volume(self, account: Account, recipients: int) -> Reply | None:
        """Count one message, or return the 452; see `Gatekeeper.refuse_volume`."""
        return await self._limits.refuse(account, recipients)

    # --- looking up ---

    async def resolve(self, name: str) -> Account | None:
        """Find an account by its name; see `Gatekeeper.resolve`. Raises QueueError when the store cannot be asked."""
        account = self._directory.accounts.get(name) or self._resolved.get(name)
        if account is not None:
            return account
        login = self._directory.passthrough(name)
        secret = await self._vault.load(name) if login else None
        if login is None or secret is None:
            return None
        account = login.account(secret)
        self._resolved.put(name, account, _RESOLVED_SECONDS)
        return account

    def _one_and_the_same(self, account: Account) -> Account:
        """Return the object that others have for this account, too: what was planned for one is known by it."""
        known = self._resolved.get(account.name)
        return known if known == account else account

    async def close(self) -> None:
        """End the checks that are under way and their threads."""
        await self._checking.close()


def _login_blocked(seconds: float) -> Reply:
    return Replies.AUTH_UNAVAILABLE.saying(f"Too many failed logins; try again in {_minutes(seconds)}")


def _minutes(seconds: float) -> str:
    minutes = max(1, math.ceil(seconds / 60))
    return "a minute" if minutes == 1 else f"{minutes} minutes"
