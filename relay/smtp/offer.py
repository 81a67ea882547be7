"""What a listener offers to one client now: extensions, and whether it may log in. Pure."""

from functools import lru_cache
from ipaddress import ip_address

from relay.config import ListenerSettings
from relay.smtp.auth import MECHANISMS


def extensions(rules: ListenerSettings, client: str, *, has_tls: bool) -> list[str]:
    """List the lines of the EHLO reply behind the name."""
    return [
        f"SIZE {rules.max_message_bytes:d}",  # RFC 1870
        "8BITMIME",  # RFC 6152
        "CHUNKING",  # RFC 3030
        "BINARYMIME",  # RFC 3030
        "SMTPUTF8",  # RFC 6531
        "PIPELINING",  # RFC 2920
        "ENHANCEDSTATUSCODES",  # RFC 2034
        "DSN",  # RFC 3461
        f"LIMITS RCPTMAX={rules.max_recipients}",  # RFC 9422
        *(["STARTTLS"] if offers_tls(rules) and not has_tls else []),  # RFC 3207
        *([f"AUTH {' '.join(MECHANISMS)}"] if rules.auth and may_log_in(rules, client, has_tls=has_tls) else []),
    ]


def offers_tls(rules: ListenerSettings) -> bool:
    """Tell whether STARTTLS means anything here."""
    return rules.tls in ("starttls", "starttls-required")


def needs_tls(rules: ListenerSettings, *, has_tls: bool) -> bool:
    """Tell whether nothing goes before STARTTLS."""
    return rules.tls == "starttls-required" and not has_tls


def may_log_in(rules: ListenerSettings, client: str, *, has_tls: bool) -> bool:
    """Tell whether a password may cross the wire now (RFC 4954 §4)."""
    if has_tls:
        return True
    if needs_tls(rules, has_tls=has_tls):
        return False
    return rules.auth_without_tls == "always" or (rules.auth_without_tls == "loopback" and _is_loopback(client))


@lru_cache(maxsize=256)
def _is_loopback(client: str) -> bool:
    try:
        return ip_address(client).is_loopback
    except ValueError:
        return False
