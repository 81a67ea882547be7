"""Whether a login and its password are right: remembered, hashed here, or asked upstream; once at a time."""

import asyncio
from dataclasses import replace

from pydantic import SecretStr

from relay.accounts.account import Account
from relay.accounts.directory import KeptLogin, Login, PassthroughLogin
from relay.accounts.failures import Failures
from relay.accounts.passwords import Passwords
from relay.accounts.remembered import Checked, Remembered
from relay.accounts.vault import Vault
from relay.config import LoginSettings
from relay.errors import QueueError
from relay.events import Events
from relay.outcome import Replies
from relay.providers.contract import Providers, Verdict

#: Characters of a login or password; nobody has longer ones, and hashing them costs.
LONGEST = 1000

_UNKNOWN_SECONDS = 5.0  # how long an upstream that could not tell is not asked again for the same password
_UPSTREAM_SECONDS = 30.0  # clients give up on AUTH after a minute or less
_WAITING = 100  # checks of one kind under way at once, over all clients
_AT_ONCE = 4  # of these, being worked on: so the failures of the others are known before it is their turn
_UPSTREAM_FACTOR = 10
_PROVEN_SECONDS = 86400.0  # how long it is remembered that a login was right once; the store remembers longer


class Checking:
    """Checks logins. A check is a task of its own: who hangs up ends none that others wait for."""

    def __init__(
        self,
        settings: LoginSettings,
        providers: Providers,
        vault: Vault,
        failures: Failures,
        events: Events,
        remembered: Remembered,
    ) -> None:
        self._settings = settings
        self._providers = providers
        self._vault = vault
        self._failures = failures
        self._events = events
        self._passwords = Passwords()
        self._remembered = remembered
        # Mensatek blocks callers whose connections fail often (doc), whoever sent us the passwords. Then no mail could
        # be delivered either, so wrong passwords from all sides together are bounded too. Names that anybody may invent
        # are counted apart from those that are known, or strangers could shut out everybody; and what is not one
        # party's doing does not grow.
        bound = settings.failures * _UPSTREAM_FACTOR
        self._upstreams = failures.under(settings.model_copy(update={"failures": bound, "block_longest": 0.0}))
        self._flights: dict[tuple[bytes, str], asyncio.Task[Checked]] = {}
        # An upstream that hangs must not keep the gateway's own logins waiting: each has its own line.
        self._lines = {name: _Line() for name in ("", *providers.by_name)}

    def remembered(self, login: str, password: str, who: Login) -> Account | None:
        """Return the account of a login whose password was right a while ago."""
        proof = self._remembered.proof(login, password, who.mark)
        return _account(who, password) if self._remembered.right.get(proof) else None

    def is_proven(self, who: PassthroughLogin) -> bool:
        """Tell whether a login is known to have been right once, here or in an earlier process."""
        return self._remembered.proven.get(who.name) is not None

    async def check(self, login: str, password: str, who: Login | None, key: str) -> Checked:
        """Check a password that is not remembered as right.

        Args:
            login: as given.
            password: as given.
            who: whose login it is; None: nobody's, which takes as long.
            key: what failures of this login, from this client, are counted under.
        """
        proof = self._remembered.proof(login, password, who.mark if who else "")
        known = self._remembered.refused.get(proof)
        if known is not None:
            # No guess: an application with an old password must not shut out those who have the new one. It counts for
            # the client all the same.
            return replace(known, failures=0)
        # Who is counted apart from others waits for no check that ends with their block.
        flight = self._flights.get((proof, key)) or self._depart(proof, who, key, password)
        if flight is None:
            return Checked(None, Replies.AUTH_UNAVAILABLE, "too many logins are being checked")
        await asyncio.wait({flight})
        if flight.cancelled() or flight.exception() is not None:
            return Checked(None, Replies.AUTH_UNAVAILABLE, "the check did not end well")
        return flight.result()

    async def close(self) -> None:
        """End the checks that are under way and their threads."""
        flights = list(self._flights.values())
        for flight in flights:
            flight.cancel()
        await asyncio.gather(*flights, return_exceptions=True)
        self._passwords.close()

    def _depart(self, proof: bytes, who: Login | None, key: str, password: str) -> asyncio.Task[Checked] | None:
        line = self._lines[who.provider if isinstance(who, PassthroughLogin) else ""]
        if line.waiting >= _WAITING:
            return None
        flight = asyncio.create_task(self._run(line, proof, who, key, password), name="login check")
        self._flights[proof, key] = flight
        line.waiting += 1

        def land(ended: asyncio.Task[Checked]) -> None:
            line.waiting -= 1
            del self._flights[proof, key]
            if not ended.cancelled() and (error := ended.exception()) is not None:
                self._events.unexpected("login check", error)

        flight.add_done_callback(land)
        return flight

    async def _run(self, line: "_Line", proof: bytes, who: Login | None, key: str, password: str) -> Checked:
        async with line.turns:
            await self._failures.look([key])
            if self._failures.blocked_seconds(key):
                return Checked(None, Replies.AUTH_UNAVAILABLE, "blocked while it waited")
            checked = await self._judge(who, password)
            if checked.account is not None:
                self._remembered.right.put(proof, checked.account.name, self._settings.remember)
                return checked
            wrong = checked.reply == Replies.AUTH_FAILED
            self._remembered.refused.put(proof, checked, self._settings.remember_wrong if wrong else _UNKNOWN_SECONDS)
            return await self._counted(checked, key)  # still in turn: whoever is next sees the block

    async def _counted(self, checked: Checked, key: str) -> Checked:
        wrong = checked.reply == Replies.AUTH_FAILED
        return replace(checked, failures=await self._failures.count(key)) if wrong else checked

    async def _judge(self, who: Login | None, password: str) -> Checked:
        if isinstance(who, KeptLogin) and len(password) <= LONGEST:
            fits = await self._passwords.fits(password, who.password_hash)
            return Checked(who.account) if fits else Checked(None, Replies.AUTH_FAILED, "wrong password")
        if isinstance(who, PassthroughLogin) and _can_be_sent(password):
            return await self._ask(who, password)
        await self._passwords.pretend(password[:LONGEST])
        return Checked(None, Replies.AUTH_FAILED, "no such login" if who is None else "wrong password")

    async def _ask(self, who: PassthroughLogin, password: str) -> Checked:
        known = "known" if who.is_listed or await self._recall(who) else "unknown"
        allowance = f"upstream {who.provider} {known}"
        await self._upstreams.look([allowance])
        if self._upstreams.blocked_seconds(allowance):
            return Checked(None, Replies.AUTH_UNAVAILABLE, f"{who.provider} refused too many passwords lately")
        account = who.account(SecretStr(password))
        try:
            async with asyncio.timeout(_UPSTREAM_SECONDS):
                verification = await self._providers[who.provider].verify(account.credentials)
        except TimeoutError:
            return Checked(None, Replies.AUTH_UNAVAILABLE, f"{who.provider} did not answer in time")
        if verification.verdict is Verdict.VALID:
            return await self._keep(who, account, password)
        if verification.verdict is Verdict.INVALID:
            await self._upstreams.count(allowance)
            return Checked(None, Replies.AUTH_FAILED, f"refused by {who.provider}: {verification.detail}")
        return Checked(None, Replies.AUTH_UNAVAILABLE, f"{who.provider} could not tell: {verification.detail}")

    async def _keep(self, who: PassthroughLogin, account: Account, password: str) -> Checked:
        # Before the client hears yes: mail that it then sends may be delivered by another process, or after a restart.
        try:
            await self._vault.save(account.name, SecretStr(password))
        except QueueError:
            return Checked(None, Replies.AUTH_UNAVAILABLE, "the store does not take the credential")
        self._remembered.proven.put(who.name, who.provider, _PROVEN_SECONDS)
        return Checked(account)

    async def _recall(self, who: PassthroughLogin) -> bool:
        if self.is_proven(who):
            return True
        try:
            is_kept = await self._vault.load(who.name) is not None
        except QueueError:
            return False  # nothing is known then, nor could it be kept
        if is_kept:
            self._remembered.proven.put(who.name, who.provider, _PROVEN_SECONDS)
        return is_kept


class _Line:
    """The checks of one kind: those whose turn it is, and the others."""

    def __init__(self) -> None:
        self.turns = asyncio.Semaphore(_AT_ONCE)
        self.waiting = 0


def _account(who: Login, password: str) -> Account:
    return who.account if isinstance(who, KeptLogin) else who.account(SecretStr(password))


def _can_be_sent(password: str) -> bool:
    # It becomes part of a header. And an empty one is known to be wrong: empty connections count as spam
    # (Mensatek, doc).
    return 0 < len(password) <= LONGEST and password.isascii() and password.isprintable()
