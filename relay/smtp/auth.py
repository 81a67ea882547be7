"""The exchange behind AUTH: PLAIN (RFC 4616) and LOGIN (draft-murchison-sasl-login). Pure; it judges no password."""

import binascii
from base64 import b64decode, b64encode

from aiosmtpd.smtp import LoginPassword

from relay.outcome import Replies, Reply

#: What EHLO announces.
MECHANISMS = ("PLAIN", "LOGIN")

_PLAIN_FIELDS = 3  # authzid NUL authcid NUL password

Challenge = bytes  # what the client is asked, decoded


class Exchange:
    """One run of one mechanism. `begin` and `answer` return a challenge, the login that came out, or a refusal."""

    def __init__(self, mechanism: str) -> None:
        self._mechanism = mechanism
        self._login: bytes | None = None  # LOGIN: what was answered to the first challenge

    def begin(self, initial: bytes | None) -> Challenge | LoginPassword | Reply:
        """Start; `initial` is the response given with AUTH itself, still encoded ("=": empty, RFC 4954 §4)."""
        if initial is not None:
            return self.answer(b"" if initial == b"=" else initial)
        # Strict clients (Go, Alertmanager, Xerox) want these very words; aiosmtpd's own stop them.
        return b"" if self._mechanism == "PLAIN" else b"Username:"

    def answer(self, line: bytes) -> Challenge | LoginPassword | Reply:
        """Take the client's next response, without its line end."""
        if line == b"*":
            return Replies.AUTH_CANCELLED
        try:
            response = b64decode(line, validate=True)
        except binascii.Error:
            return Replies.BAD_BASE64
        if self._mechanism == "PLAIN":
            return _plain(response)
        if self._login is None:
            self._login = response
            return b"Password:"
        return LoginPassword(self._login, response)


def begin_exchange(argument: bytes) -> tuple[Exchange, Challenge | LoginPassword | Reply] | Reply:
    """Read what follows AUTH and start the mechanism it names, in any case."""
    words = argument.split()
    if len(words) not in (1, 2):
        return Replies.BAD_SYNTAX.saying("Syntax: AUTH mechanism [initial-response]")
    mechanism = words[0].upper().decode("ascii", "replace")
    if mechanism not in MECHANISMS:
        return Replies.UNKNOWN_MECHANISM
    exchange = Exchange(mechanism)
    return exchange, exchange.begin(words[1] if len(words) > 1 else None)


def challenge_line(challenge: Challenge) -> bytes:
    """Write a challenge; the space stays even where it is empty (RFC 4954 §4)."""
    return b"%d %s\r\n" % (Replies.CHALLENGE.code, b64encode(challenge))


def credentials_text(login: LoginPassword) -> tuple[str, str]:
    """Decode login and password: UTF-8, or Latin-1 as older clients send it."""
    return _text(login.login), _text(login.password)


def _plain(response: bytes) -> LoginPassword | Reply:
    fields = response.split(b"\0")
    if len(fields) != _PLAIN_FIELDS:
        return Replies.BAD_BASE64.saying("The response is not in the form of PLAIN")
    authorized_as, login, password = fields
    if authorized_as not in (b"", login):
        return Replies.AUTH_FAILED  # nobody acts for somebody else here
    return LoginPassword(login, password)


def _text(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("latin-1")
