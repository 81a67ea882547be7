"""What a listener offers to one client now: extensions, and whether it may log in. Pure."""

from relay.clients import parsed
from relay.config import ListenerSettings
from relay.outcome import Replies
from relay.smtp.auth import MECHANISMS
from relay.smtp.wire import reply_line


class Offer:
    """What a listener says of itself, written once for all its clients."""

    def __init__(self, rules: ListenerSettings, hostname: str) -> None:
        self._rules = rules
        self._hostname = hostname
        self._replies: dict[tuple[bool, bool], bytes] = {}  # to EHLO: with TLS or without, with AUTH or without
        self.greeting = reply_line(Replies.GREETING.saying(f"{hostname} {Replies.GREETING.text}"))

    def to_ehlo(self, client: str, *, has_tls: bool) -> bytes:
        """Return the whole reply for the wire."""
        key = has_tls, self._rules.auth and may_log_in(self._rules, client, has_tls=has_tls)
        if key not in self._replies:
            lines = [self._hostname, *extensions(self._rules, has_tls=key[0], has_auth=key[1])]
            code = Replies.HELLO.code
            text = "".join(f"{code}-{line}\r\n" for line in lines[:-1]) + f"{code} {lines[-1]}\r\n"
            self._replies[key] = text.encode("ascii", "replace")
        return self._replies[key]


def extensions(rules: ListenerSettings, *, has_tls: bool, has_auth: bool) -> list[str]:
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
        *([f"AUTH {' '.join(MECHANISMS)}"] if has_auth else []),
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


def _is_loopback(client: str) -> bool:
    address = parsed(client)
    return address is not None and address.is_loopback
