"""What is allowed and yet worth a second look before the start."""

from collections.abc import Iterator
from ipaddress import ip_address, ip_network
from urllib.parse import urlsplit

from relay.config.finding import is_loopback
from relay.config.listeners import ListenerSettings
from relay.config.settings import AccountPolicy, Settings

_WIDE = 65536  # addresses: more than this is hardly one's own network


def warnings(settings: Settings) -> list[str]:
    """List what an operator should look at, one line each; nothing of it keeps the gateway from starting."""
    return [
        *(line for name, listener in settings.listener.items() for line in _listener(f"listener.{name}", listener)),
        *_senders(settings),
        *_providers(settings),
        *_reports(settings),
        *_sizes(settings),
        *_web(settings),
    ]


def _listener(name: str, listener: ListenerSettings) -> Iterator[str]:
    if not is_loopback(listener.address.host):
        yield from _reachable(name, listener)
    elif listener.proxies and listener.auth and listener.tls == "none" and listener.auth_without_tls == "loopback":
        yield (
            f"{name}: clients that a proxy announces are not this machine, so none of them can log in; set tls, or "
            'auth_without_tls = "always" where the proxy ends TLS'
        )
    if not listener.auth and not listener.trusted:
        yield f"{name}: nobody can send here: auth is off and no network is trusted"
    if listener.tls == "none" and listener.certificate is not None:
        yield f'{name}: the certificate is not used, because tls is "none"'
    if listener.tls != "none" and listener.tls_min in {"1.0", "1.1"}:
        yield f"{name}: TLS {listener.tls_min} is broken; keep it to old devices on a network of your own"
    if (listener.address.port == 465) != (listener.tls == "implicit") and listener.address.port in {25, 465, 587}:  # noqa: PLR2004
        yield f'{name}: clients expect tls = "implicit" on port 465 and only there, here it is "{listener.tls}"'
    yield from _networks(name, listener)


def _web(settings: Settings) -> Iterator[str]:
    web = settings.web
    if web.address is not None and not is_loopback(web.address.host) and (web.user or web.token) and not web.https:
        yield (
            f"web: the pages on {web.address} take passwords and show mail in clear; put a proxy with TLS before them, "
            "and set web.https = true"
        )


def _reachable(name: str, listener: ListenerSettings) -> Iterator[str]:
    if listener.auth and listener.tls in {"none", "starttls"} and listener.auth_without_tls == "always":
        yield f'{name}: auth_without_tls = "always" on {listener.address} lets passwords cross the network in clear'
    if listener.auth and listener.tls == "none" and listener.auth_without_tls != "always":
        yield f"{name}: without tls nobody but this machine itself can log in on {listener.address}"
    if listener.profile == "device" and _is_public(listener.address.host):
        yield (
            f"{name}: a device listener on {listener.address} may be reached from anywhere; give it an address of your "
            "own network, or let a firewall keep others away"
        )


def _networks(name: str, listener: ListenerSettings) -> Iterator[str]:
    for network in listener.trusted:
        parsed = ip_network(network)
        if any(_overlap(network, proxy) for proxy in listener.proxies):
            yield (
                f'{name}: "{network}" is trusted and holds a proxy; whoever comes through it without a client address '
                "in the header can send without login"
            )
        if parsed.num_addresses > _WIDE and parsed.version == 4 and not parsed.is_private:  # noqa: PLR2004
            yield f'{name}: "{network}" is a large public network; everybody in it can send without login'


def _overlap(one: str, other: str) -> bool:
    first, second = ip_network(one), ip_network(other)
    return first.version == second.version and first.overlaps(second)


def _is_public(host: str) -> bool:
    try:
        address = ip_address(host)
    except ValueError:
        return True  # a name may lead anywhere
    return address.is_global or address.is_unspecified


def _senders(settings: Settings) -> Iterator[str]:
    passthrough = settings.passthrough
    if not (settings.account or passthrough.mensatek.enabled or passthrough.dmds.enabled):
        yield "there is no account and no pass-through login, so nobody can send"
    if passthrough.mensatek.enabled and not passthrough.mensatek.users:
        yield (
            "passthrough.mensatek: users is empty, so every customer of Mensatek can use this gateway, and a mistyped "
            "login is sent to Mensatek with its password; list the API Users that may"
        )
    open_accounts = [name for name, account in settings.account.items() if not (account.senders or account.sender)]
    if open_accounts:
        names = ", ".join(open_accounts)
        yield f"senders is empty, so these accounts may send as anybody that the provider allows: {names}"
    bound = {login.account for login in settings.login.values()}
    bound |= {account for listener in settings.listener.values() for account in listener.trusted.values()}
    unused = [name for name in settings.account if name not in bound]
    if unused:
        yield f"no login and no trusted network leads to these accounts: {', '.join(unused)}"


def _providers(settings: Settings) -> Iterator[str]:
    for name, url in (("mensatek", settings.provider.mensatek.url), ("dmds", settings.provider.dmds.url)):
        parts = urlsplit(url)
        if parts.scheme == "http" and not is_loopback(parts.hostname or ""):
            yield f"provider.{name}: credentials and mail cross the network in clear; https is right"


def _reports(settings: Settings) -> Iterator[str]:
    policies: dict[str, AccountPolicy] = {"defaults": settings.defaults, **settings.account}
    untold = [name for name, policy in policies.items() if policy.reports.chosen_route == "none"]
    if untold:
        yield f"reports.route is none, so senders never learn that their mail failed: {', '.join(untold)}"


def _sizes(settings: Settings) -> Iterator[str]:
    largest = max((listener.max_message_bytes for listener in settings.listener.values()), default=0)
    for name, provider in (("mensatek", settings.provider.mensatek), ("dmds", settings.provider.dmds)):
        if largest > provider.max_request_bytes:
            yield (
                f"provider.{name}: max_request_bytes is less than a listener's max_message_bytes, "
                "so the largest mail is refused only after it came"
            )
