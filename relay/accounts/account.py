"""What everybody else knows of an account, and of the room that grants it."""

from dataclasses import dataclass
from typing import Protocol

from relay.config import AccountPolicy
from relay.outcome import Reply
from relay.providers.contract import Credentials, DmdsCredentials


@dataclass(frozen=True, slots=True)
class Account:
    """Through which API, with whose credentials and under which rules mail is sent."""

    name: str  # as configured; pass-through: "dmds:<dmdsid>-<campaign>", "mensatek:<user>"
    provider: str  # key of Providers
    credentials: Credentials
    policy: AccountPolicy

    @property
    def place(self) -> str:
        """Where its calls go: what accounts with the same have in common is the API's trouble, not their own."""
        own_host = self.credentials.dmdsid if isinstance(self.credentials, DmdsCredentials) else ""
        return f"{self.provider}:{own_host}/"


class Gatekeeper(Protocol):
    """Who may send what. The front door asks; nothing here knows SMTP but its replies."""

    def remembered(self, login: str, password: str, client: str) -> Account | None:
        """Return the account at once where the password was right a while ago and nothing is blocked.

        None: it must be checked; `authenticate` finds out.
        """

    async def authenticate(self, login: str, password: str, client: str) -> Account | Reply:
        """Check a login: the account, or the reply that refuses it.

        535: wrong; 454: cannot be checked now, or too many failures on this login; 421: client blocked.
        Slows, counts and blocks failures; asks an upstream once for each password. Never raises, never blocks the loop.
        """

    def mark(self, login: str) -> str:
        """Name what a login rests on now: as long as it is the same, a session that logged in by it may go on."""

    def renewed(self, account: Account, login: str, mark: str) -> Account | None:
        """Return what the account of a session that logged in under an earlier configuration is now.

        `mark`: what the login rested on then. None: that has changed; the client must log in again.
        """

    def trusted(self, listener: str, client: str) -> Account | None:
        """Return the account that a listener binds to the client's network; None: it must log in."""

    def blocked(self, client: str) -> Reply | None:
        """Return the 421 for a client with too many failed logins; asked before the greeting."""

    def refuse_sender(self, account: Account, address: str) -> Reply | None:
        """Return the refusal of a MAIL FROM or From address; None: allowed. The null sender is always allowed."""

    async def refuse_volume(self, account: Account, recipients: int) -> Reply | None:
        """Count one message against the account's limits, or return the refusal.

        452 says when to come back; 5xx: never, for it is more than the account may send in any day.
        """

    async def resolve(self, name: str) -> Account | None:
        """Find an account by its name for mail that is already kept.

        None: it no longer exists, is no longer allowed, or its credential is lost. Raises QueueError.
        """
