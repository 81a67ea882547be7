"""Who asks, what that one may do, and how that is proven: a session of a person, or a token of a program."""

import hashlib
import hmac
import secrets
from dataclasses import dataclass

from itsdangerous import BadSignature, URLSafeSerializer

from relay.config.web import Role, WebSettings
from relay.message import Clock

_MARK_CHARACTERS = 16
#: A session is written anew when this share of its time is over, so that it lasts as long as it is used.
_RENEWED_AFTER = 0.1


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody who has proven who they are."""

    name: str
    role: Role
    csrf: str = ""  # what a form of this session must bring along; empty: a program, which has no forms
    is_stale: bool = False  # the session should be written anew

    def may(self, role: Role) -> bool:
        """Tell whether this one may do what needs a role."""
        return role == "read" or self.role == "act"


class Sessions:
    """Makes and reads the cookies of people. Nothing is kept here: they hold on every node with the same secret."""

    def __init__(self, settings: WebSettings, key: bytes, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._serializer = URLSafeSerializer(
            key, salt="session", signer_kwargs={"key_derivation": "hmac", "digest_method": hashlib.sha256}
        )

    def begin(self, name: str) -> str:
        """Return the cookie of a new session."""
        return self._write(name, secrets.token_urlsafe(18))

    def renew(self, visitor: Visitor) -> str:
        """Return the cookie by which a session goes on."""
        return self._write(visitor.name, visitor.csrf)

    def read(self, cookie: str) -> Visitor | None:
        """Return whose session it is; None: nobody's, or it is over, or its password is no longer the same."""
        try:
            name, mark, csrf, written_at = self._serializer.loads(cookie)
        except (BadSignature, ValueError, TypeError):
            return None
        user = self._settings.user.get(name)
        if user is None or not hmac.compare_digest(mark, self._mark(name)):
            return None
        used_of_it = (self._clock() - written_at) / self._settings.session
        return Visitor(name, user.role, csrf, is_stale=used_of_it > _RENEWED_AFTER) if used_of_it < 1 else None

    def _write(self, name: str, csrf: str) -> str:
        written = self._serializer.dumps([name, self._mark(name), csrf, int(self._clock())])
        return written if isinstance(written, str) else written.decode("ascii")

    def _mark(self, name: str) -> str:
        # Of the hash, so that a session ends with the password it was begun with.
        hashed = self._settings.user[name].password_hash.get_secret_value().encode()
        return hashlib.sha256(hashed).hexdigest()[:_MARK_CHARACTERS]


def program(settings: WebSettings, token: str) -> Visitor | None:
    """Return which program has a token; every one is compared, in the same time."""
    found = None
    for name, known in settings.token.items():
        if hmac.compare_digest(known.token.get_secret_value().encode(), token.encode("utf-8", "surrogatepass")):
            found = Visitor(name, known.role)
    return found
