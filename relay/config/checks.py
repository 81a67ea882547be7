"""What no single setting can tell: references, contradictions, and values whose form has rules of its own."""

import difflib
import re
import string
from collections.abc import Collection, Iterator
from email.utils import parseaddr
from ipaddress import ip_network
from urllib.parse import urlsplit

from relay.config.finding import SENDERS, Finding, is_loopback, is_mailbox, readable
from relay.config.listeners import ListenerSettings
from relay.config.returning import return_routes
from relay.config.section import Network
from relay.config.senders import SenderPattern
from relay.config.settings import AccountPolicy, AccountSettings, PassthroughSettings, Settings
from relay.config.shape import KeyPath
from relay.config.units import HostPort
from relay.powers import default_problem

#: A customer's id becomes part of a host name: letters, digits and inner hyphens (RFC 1123 section 2.1), and short
#: enough that api-dmds-<dmdsid> is still a label.
DMDSID = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,52}[A-Za-z0-9])?")

_ARGON2 = re.compile(r"\$argon2(?:id|i|d)\$v=[0-9]+\$m=[0-9]+,t=[0-9]+,p=[0-9]+\$[A-Za-z0-9+/]+\$[A-Za-z0-9+/]{16,}")
#: Characters; with 64 to choose from, 120 bits.
_SHORTEST_TOKEN = 20
_DMDSID_WORDS = "letters, digits and inner hyphens, at most 54, as in the name of the customer's host"


def findings(settings: Settings, accounts: Collection[str]) -> Iterator[Finding]:
    """Tell every mistake in settings whose single values are right.

    Args:
        settings: what to check.
        accounts: the names of all accounts that were written, also of those that are wrong themselves.
    """
    yield from _listeners(settings, accounts)
    yield from _logins(settings, accounts)
    for name, account in settings.account.items():
        yield from _credentials(("account", name), account)
        yield from _policy(("account", name), account)
    yield from _policy(("defaults",), settings.defaults)
    yield from _passthrough(settings.passthrough)
    yield from return_routes(settings)
    yield from _store(settings)
    yield from _providers(settings)
    yield from _sizes(settings)
    yield from _web(settings)


# --- doors ---


def _listeners(settings: Settings, accounts: Collection[str]) -> Iterator[Finding]:
    if not settings.listener:
        yield Finding(
            ("listener",),
            "there is none, so no mail could come in",
            'a table like [listener.local] with address = "127.0.0.1:2525"',
        )
    for name, listener in settings.listener.items():
        yield from _tls(("listener", name), listener)
        yield from _trusted(("listener", name, "trusted"), listener, accounts)
        yield from _proxies(("listener", name, "proxies"), listener)
        yield from _fixed_sender(("listener", name, "sender"), listener, settings)
    yield from _addresses(settings)


def _tls(path: KeyPath, listener: ListenerSettings) -> Iterator[Finding]:
    if listener.tls != "none" and listener.certificate is None:
        yield Finding((*path, "certificate"), f'is missing: tls = "{listener.tls}" needs one', "the path of a PEM file")
    if listener.key is not None and listener.certificate is None:
        yield Finding((*path, "key"), "is a key without a certificate", "set certificate too", listener.key)
    for key, file in (("certificate", listener.certificate), ("key", listener.key)):
        yield from readable((*path, key), file)


def _addresses(settings: Settings) -> Iterator[Finding]:
    doors: list[tuple[KeyPath, HostPort]] = [
        (("listener", name, "address"), listener.address) for name, listener in settings.listener.items()
    ]
    if settings.web.address is not None:
        doors.append((("web", "address"), settings.web.address))
    for position, (path, address) in enumerate(doors):
        for other, taken in doors[:position]:
            if _collide(address, taken):
                yield Finding(path, f"is taken by {'.'.join(other)}", "another port or host", str(address))


def _collide(one: HostPort, other: HostPort) -> bool:
    # Of a pair like 0.0.0.0:25 and 127.0.0.1:25 the second to be bound fails.
    if one.port != other.port or one.port == 0:
        return False
    everywhere = {"0.0.0.0", "::"}
    same_family = (":" in one.host) == (":" in other.host)
    return one.host == other.host or (same_family and bool({one.host, other.host} & everywhere))


def _trusted(path: KeyPath, listener: ListenerSettings, accounts: Collection[str]) -> Iterator[Finding]:
    earlier: list[tuple[str, Network]] = []
    for text, account in listener.trusted.items():
        yield from _known_account((*path, text), account, accounts)
        try:
            network = ip_network(text)
        except ValueError:
            yield Finding((*path, text), "is not a network", _network_hint(text))
            continue
        if network.prefixlen == 0:
            yield Finding((*path, text), "would let everybody send", 'the networks that are yours, like "192.0.2.0/24"')
        for other, taken in earlier:
            if network.version == taken.version and network.overlaps(taken):
                yield Finding((*path, text), f'overlaps "{other}"', "each client in one network")
        earlier.append((text, network))


def _proxies(path: KeyPath, listener: ListenerSettings) -> Iterator[Finding]:
    for position, text in enumerate(listener.proxies):
        try:
            network = ip_network(text)
        except ValueError:
            yield Finding((*path, f"[{position}]"), "is not a network", _network_hint(text), text)
            continue
        if network.prefixlen == 0:
            right = 'the proxies\' own addresses, like "192.0.2.10"'
            yield Finding((*path, f"[{position}]"), "would believe anybody", right, text)


def _fixed_sender(path: KeyPath, listener: ListenerSettings, settings: Settings) -> Iterator[Finding]:
    if not listener.sender:
        return
    if not is_mailbox(listener.sender):
        yield Finding(path, "is not one sender", SENDERS, listener.sender)
        return
    address = parseaddr(listener.sender)[1]
    for name in dict.fromkeys(listener.trusted.values()):
        account = settings.account.get(name)
        if account is None:
            continue
        if account.sender:
            yield Finding(path, f"has no effect: account.{name}.sender goes over it", "one of the two", listener.sender)
        elif account.senders and not any(_matches(text, address) for text in account.senders):
            yield Finding(path, f"is none of account.{name}.senders", "", listener.sender)


def _matches(pattern: str, address: str) -> bool:
    try:
        return SenderPattern.parse(pattern).matches(address)
    except ValueError:
        return True  # told of where it stands


def _network_hint(text: str) -> str:
    try:
        return f'did you mean "{ip_network(text, strict=False)}"?'
    except ValueError:
        return 'one is written like "192.0.2.0/24", "192.0.2.7" or "2001:db8::/64"'


# --- who may send ---


def _logins(settings: Settings, accounts: Collection[str]) -> Iterator[Finding]:
    for name, login in settings.login.items():
        path = ("login", name)
        if not name or not name.isprintable():
            yield Finding(path, "is not a usable login", "one has printable characters only")
        yield from _known_account((*path, "account"), login.account, accounts)
        if not _ARGON2.fullmatch(login.password_hash.get_secret_value()):
            # What stands there may be the password itself: it is never shown.
            yield Finding((*path, "password_hash"), "is not a hash", "make one with `relay hash-password`", "")


def _web(settings: Settings) -> Iterator[Finding]:
    for name, user in settings.web.user.items():
        if not _ARGON2.fullmatch(user.password_hash.get_secret_value()):
            path = ("web", "user", name, "password_hash")
            yield Finding(path, "is not a hash", "make one with `relay hash-password`", "")
    for name, token in settings.web.token.items():
        if len(token.token.get_secret_value()) < _SHORTEST_TOKEN:
            path = ("web", "token", name, "token")
            yield Finding(path, "is too short", f"at least {_SHORTEST_TOKEN} characters, made by chance", "")


def _known_account(path: KeyPath, account: str, accounts: Collection[str]) -> Iterator[Finding]:
    if account in accounts:
        return
    close = difflib.get_close_matches(account, accounts, n=1)
    known = f"known are {', '.join(sorted(accounts))}" if accounts else f"there is no table [account.{account}]"
    yield Finding(path, "is not an account", f'did you mean "{close[0]}"?' if close else known, account)


def _credentials(path: KeyPath, account: AccountSettings) -> Iterator[Finding]:
    own: dict[str, dict[str, str | int]] = {
        "mensatek": {"user": account.user, "token": account.token.get_secret_value()},
        "dmds": {"dmdsid": account.dmdsid, "campaign": account.campaign, "apikey": account.apikey.get_secret_value()},
    }
    for provider, values in own.items():
        for key, value in values.items():
            if provider == account.provider and not value:
                yield Finding((*path, key), f"is missing: a {provider} account needs it")
            elif provider != account.provider and value:
                yield Finding((*path, key), f"belongs to {provider}, and this account's provider is {account.provider}")
    for key in ("token", "apikey"):
        yield from _header_safe((*path, key), str(own["mensatek" if key == "token" else "dmds"][key]))
    if ":" in account.user or not account.user.isprintable():
        yield Finding((*path, "user"), "cannot be sent: HTTP Basic has no colon or control character in a user")
    if account.dmdsid and not DMDSID.fullmatch(account.dmdsid):
        yield Finding((*path, "dmdsid"), "cannot be part of a host name", _DMDSID_WORDS, account.dmdsid)


def _header_safe(path: KeyPath, secret: str) -> Iterator[Finding]:
    if secret and not (secret.isascii() and secret.isprintable()):
        yield Finding(path, "holds characters that no HTTP header carries", "printable ASCII in one line", "")


def _passthrough(passthrough: PassthroughSettings) -> Iterator[Finding]:
    path = ("passthrough", "dmds", "dmdsids")
    if passthrough.dmds.enabled and not passthrough.dmds.dmdsids:
        yield Finding(path, "is empty: the dmdsid becomes part of a host name", 'the ones that may, like ["acme"]')
    for position, dmdsid in enumerate(passthrough.dmds.dmdsids):
        if not DMDSID.fullmatch(dmdsid):
            yield Finding((*path, f"[{position}]"), "cannot be part of a host name", _DMDSID_WORDS, dmdsid)
    yield from _policy(("passthrough", "dmds", "policy"), passthrough.dmds.policy)
    yield from _policy(("passthrough", "mensatek", "policy"), passthrough.mensatek.policy)


def _policy(path: KeyPath, policy: AccountPolicy) -> Iterator[Finding]:
    for position, text in enumerate(policy.senders):
        try:
            SenderPattern.parse(text)
        except ValueError as error:
            yield Finding((*path, "senders", f"[{position}]"), "is not possible", str(error), text)
    if policy.sender and not is_mailbox(policy.sender):
        yield Finding((*path, "sender"), "is not one sender", SENDERS, policy.sender)
    for key, value in policy.powers.items():
        problem = default_problem(key, value)
        if problem:
            yield Finding((*path, "powers", key), problem, "", value)
    for position, campaign in enumerate(policy.campaigns):
        if campaign < 1:
            yield Finding((*path, "campaigns", f"[{position}]"), "is not a campaign", "a number above 0", campaign)


# --- the store ---


def _store(settings: Settings) -> Iterator[Finding]:
    store = settings.store
    if store.url is None:
        if store.password is not None:
            yield Finding(("store", "password"), "belongs to store.url, and there is none", "", "")
        return
    if "path" in store.model_fields_set:
        yield Finding(("store", "path"), "is set, and so is store.url", "one of the two", store.path)
    if not _is_database(store.url.get_secret_value()):
        right = 'one like "postgresql://relay@db.example.org/relay"'
        yield Finding(("store", "url"), "is not the address of a PostgreSQL database", right, "")
    if store.secret_key is None:
        wrong = "is missing: nodes that share a database must seal with the same secret"
        yield Finding(("store", "secret_key"), wrong, 'one text for all, or "file:/etc/relay/secret.key"')


def _is_database(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in {"postgresql", "postgres"} and bool(parts.path.strip("/"))


# --- APIs ---


def _providers(settings: Settings) -> Iterator[Finding]:
    yield from _url(("provider", "mensatek", "url"), settings.provider.mensatek.url, placeholder="")
    yield from _url(("provider", "dmds", "url"), settings.provider.dmds.url, placeholder="dmdsid")
    yield from readable(("provider", "mensatek", "ca_file"), settings.provider.mensatek.ca_file)
    yield from readable(("provider", "dmds", "ca_file"), settings.provider.dmds.ca_file)


def _url(path: KeyPath, template: str, *, placeholder: str) -> Iterator[Finding]:
    right = (
        f'one like "https://api-{{{placeholder}}}.example.org/v1"'
        if placeholder
        else 'one like "https://api.example.org/v7"'
    )
    try:
        names = {name for _, name, _, _ in string.Formatter().parse(template) if name is not None}
        parts = urlsplit(template.replace("{dmdsid}", "dmdsid"))
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        yield Finding(path, "is not an address", right, template)
        return
    if parts.username or parts.password:
        yield Finding(path, "holds a user or a password", "credentials belong to accounts", None)
    elif parts.scheme not in {"http", "https"} or not host or parts.query or parts.fragment:
        yield Finding(path, "is not the base of an API", right, template)
    elif names - {placeholder}:
        known = f"only {{{placeholder}}}" if placeholder else "none"
        yield Finding(path, f"has placeholders that are not known; {known} is", right, template)
    elif placeholder and not names and not is_loopback(host):
        # Loopback is a sandbox: there one address may serve every customer.
        yield Finding(path, f"does not say where the {placeholder} goes", right, template)


# --- sizes and times ---


def _sizes(settings: Settings) -> Iterator[Finding]:
    for name, listener in settings.listener.items():
        path = ("listener", name, "max_message_bytes")
        for other, room in (
            ("delivery.bytes_in_flight", settings.delivery.bytes_in_flight),
            ("store.max_bytes", settings.store.max_bytes),
        ):
            if listener.max_message_bytes > room:
                yield Finding(
                    path,
                    f"is more than {other}, so the largest mail could never come in",
                    "",
                    listener.max_message_bytes.human_readable(),
                )
    if settings.retry.longest < settings.retry.first:
        yield Finding(("retry", "longest"), "is less than retry.first", "", f"{settings.retry.longest:g}s")
    if settings.delivery.pause_longest < settings.delivery.pause_first:
        yield Finding(
            ("delivery", "pause_longest"),
            "is less than delivery.pause_first",
            "",
            f"{settings.delivery.pause_longest:g}s",
        )
