"""Who there is: accounts, logins and trusted networks of the configuration, and which pass-through logins may be."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_network

from pydantic import SecretStr

from relay.accounts.account import Account
from relay.clients import parsed
from relay.config import AccountPolicy, AccountSettings, Settings
from relay.providers.contract import Credentials, DmdsCredentials, MensatekCredentials

_DMDS = "dmds"
_MENSATEK = "mensatek"
#: A pass-through login at DMDS: <dmdsid>-<campaign> (doc: "dmdsid-12345"). The dmdsid may have hyphens itself.
_DMDS_LOGIN = re.compile(r"(?P<dmdsid>.+)-(?P<campaign>[0-9]{1,9})", re.DOTALL)

_EDITS = 2  # letters that a misspelt login may differ in: two swapped ones count twice
_LONG_NAME = 6  # letters; in a shorter name two others would make it anybody's
_COMPARED = 4096  # names, and clients' addresses, that are remembered: most come again and again

_Network = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True)
class KeptLogin:
    """A login that the gateway itself keeps."""

    name: str
    account: Account
    password_hash: str

    @property
    def mark(self) -> str:
        """Name what the login rests on: who was judged by another hash is to be judged again."""
        return f"kept {self.password_hash}"


@dataclass(frozen=True, slots=True)
class PassthroughLogin:
    """A login whose password is the provider's own secret."""

    name: str  # of the account: "dmds:<dmdsid>-<campaign>", "mensatek:<user>"
    provider: str
    policy: AccountPolicy
    user: str = ""  # Mensatek
    dmdsid: str = ""  # DMDS
    campaign: int = 0  # DMDS
    is_listed: bool = False  # the operator named it, so no stranger can have invented it

    @property
    def mark(self) -> str:
        """Name what the login rests on: the provider judges, for this account."""
        return f"passed {self.name}"

    @property
    def is_configured(self) -> bool:
        """Tell whether the operator named it, or the dmdsid that it begins with."""
        return self.is_listed or self.provider == _DMDS

    def account(self, secret: SecretStr) -> Account:
        """Return the account that this login is with this secret."""
        return Account(self.name, self.provider, self._credentials(secret), self.policy)

    def _credentials(self, secret: SecretStr) -> Credentials:
        if self.provider == _DMDS:
            return DmdsCredentials(self.dmdsid, self.campaign, secret)
        return MensatekCredentials(self.user, secret)


Login = KeptLogin | PassthroughLogin


class Directory:
    """The configuration, asked by name, by login and by network. Knows no passwords and asks nobody."""

    def __init__(self, settings: Settings) -> None:
        self._passthrough = settings.passthrough
        self._dmdsids = frozenset(dmdsid.lower() for dmdsid in settings.passthrough.dmds.dmdsids)
        self._users = frozenset(settings.passthrough.mensatek.users)
        self.accounts: Mapping[str, Account] = {name: _account(name, own) for name, own in settings.account.items()}
        self._logins = {
            name: KeptLogin(name, self.accounts[login.account], login.password_hash.get_secret_value())
            for name, login in settings.login.items()
        }
        self._kept_names = tuple({name.casefold() for name in self._logins})
        self._longest_kept = max((len(name) for name in self._kept_names), default=0)
        # The names of clients are compared with every login there is, and most clients come again and again.
        self._is_near_a_kept_login = lru_cache(_COMPARED)(self._compare_with_kept)
        self._trusted = {
            name: tuple((ip_network(network), self.accounts[account]) for network, account in listener.trusted.items())
            for name, listener in settings.listener.items()
        }

    def login(self, name: str) -> Login | None:
        """Find who a login is, without its password; None: nobody that could ever be right.

        The gateway's own logins come first. A login of the DMDS form whose dmdsid is not listed goes nowhere: the id
        would become part of a host name, and Mensatek is not to be asked for it, unless it is one of the users listed.
        Nor is it asked for what is somebody else's login, mistyped: the password is not its to see.
        """
        kept = self._logins.get(name)
        if kept is not None:
            return kept
        match = _DMDS_LOGIN.fullmatch(name) if self._passthrough.dmds.enabled else None
        if match and name not in self._users:
            return self._at_dmds(match["dmdsid"].lower(), int(match["campaign"]))
        return None if self.resemblance(name) else self._at_mensatek(name)

    def resemblance(self, name: str) -> str:
        """Say of what a name is a misspelling, most likely; empty: of nothing.

        Its password is then not Mensatek's to see. An API User that must be called so is listed by the operator.
        """
        if name in self._users or name in self._logins:
            return ""
        folded = name.casefold()
        if any(_is_dmds_login(folded, dmdsid) for dmdsid in self._dmdsids):
            return "a login at DMDS"
        is_near = len(folded) <= self._longest_kept + _EDITS and self._is_near_a_kept_login(folded)
        return "a login of this gateway" if is_near else ""

    def account_for(self, name: str) -> Account | None:
        """Find what a login, or the account of that name, would send through; pass-through has an empty secret."""
        match self.login(name):
            case KeptLogin(account=account):
                return account
            case PassthroughLogin() as found:
                return found.account(SecretStr(""))
            case None:
                return self.accounts.get(name)

    def passthrough(self, account: str) -> PassthroughLogin | None:
        """Find a pass-through login by its account's name; None: it is none, or may no longer be."""
        provider, _, login = account.partition(":")
        found: PassthroughLogin | None = None
        if provider == _DMDS and self._passthrough.dmds.enabled and (match := _DMDS_LOGIN.fullmatch(login)):
            found = self._at_dmds(match["dmdsid"].lower(), int(match["campaign"]))
        elif provider == _MENSATEK:
            found = self._at_mensatek(login)
        return found

    def trusted(self, listener: str, client: str) -> Account | None:
        """Find the account that a listener binds to a client's network."""
        address = parsed(client)
        if address is None:
            return None
        networks = self._trusted.get(listener, ())
        return next((account for network, account in networks if address in network), None)

    def is_trusted_anywhere(self, client: str) -> bool:
        """Tell whether any listener trusts a client's network."""
        return any(self.trusted(listener, client) for listener in self._trusted)

    def _compare_with_kept(self, folded: str) -> bool:
        return any(_is_misspelt(folded, kept) for kept in self._kept_names)

    def _at_dmds(self, dmdsid: str, campaign: int) -> PassthroughLogin | None:
        if dmdsid not in self._dmdsids or campaign < 1:
            return None
        name, policy = f"{_DMDS}:{dmdsid}-{campaign}", self._passthrough.dmds.policy
        return PassthroughLogin(name, _DMDS, policy, dmdsid=dmdsid, campaign=campaign)

    def _at_mensatek(self, user: str) -> PassthroughLogin | None:
        allowed = self._passthrough.mensatek.enabled and (not self._users or user in self._users)
        # HTTP Basic has no colon and no control character in a user (RFC 7617 section 2).
        if not allowed or not user or ":" in user or not user.isprintable():
            return None
        name, policy = f"{_MENSATEK}:{user}", self._passthrough.mensatek.policy
        return PassthroughLogin(name, _MENSATEK, policy, user=user, is_listed=user in self._users)


@lru_cache(_COMPARED)
def _is_dmds_login(name: str, dmdsid: str) -> bool:
    """Tell whether a name is a dmdsid with a campaign that is missing, or written in another way than `-12345`."""
    return name.startswith(dmdsid) and name[len(dmdsid) :].strip(" -_.:/#0123456789") == ""


def _is_misspelt(name: str, right: str) -> bool:
    """Tell whether a few letters too many, too few, wrong or swapped are all that parts two names."""
    allowed = _EDITS if len(right) >= _LONG_NAME else 1
    if abs(len(name) - len(right)) > allowed or len(set(name) ^ set(right)) > 2 * allowed:
        return False  # most end here, for a hundredth of the time
    changes = SequenceMatcher(None, name, right, autojunk=False).get_opcodes()
    return sum(max(b - a, d - c) for kind, a, b, c, d in changes if kind != "equal") <= allowed


def _account(name: str, own: AccountSettings) -> Account:
    credentials: Credentials
    if own.provider == _DMDS:
        credentials = DmdsCredentials(own.dmdsid.lower(), own.campaign, own.apikey)
    else:
        credentials = MensatekCredentials(own.user, own.token)
    return Account(name, own.provider, credentials, own)
