"""Sealing of what must be kept and must not be read: pass-through credentials in the store."""

import base64
import hmac
import os
import secrets
import tempfile
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from relay.config import StoreSettings
from relay.errors import ConfigError, Problem

_PURPOSE = b"relay: credentials in the store, version 1"
_MARK_PURPOSE = b"relay: fingerprints in the store, version 1"
_MARK_DIGITS = 32
_KEY_FILE = "secret.key"


class Sealer:
    """Seals bytes so that only a holder of the same secret can open them, unchanged (Fernet: AES-128-CBC with HMAC)."""

    def __init__(self, secret: str) -> None:
        # Any text may be the secret, so the key is derived from it (HKDF, RFC 5869). A secret that people made up
        # should be long: derivation is not stretching.
        self._fernet = Fernet(base64.urlsafe_b64encode(_derived(secret, _PURPOSE)))
        self._mark_key = _derived(secret, _MARK_PURPOSE)
        self._secret = secret

    def seal(self, data: bytes) -> bytes:
        """Seal; the same data looks different each time."""
        return self._fernet.encrypt(data)

    def mark(self, text: str) -> str:
        """Return a fingerprint by which only a holder of the same secret recognizes a text; 32 hex digits."""
        return hmac.digest(self._mark_key, text.encode("utf-8", "surrogatepass"), "sha256").hex()[:_MARK_DIGITS]

    def key_for(self, purpose: str) -> bytes:
        """Return a key of 32 bytes for something else that only holders of the same secret may make."""
        return _derived(self._secret, f"relay: {purpose}".encode())

    def open(self, sealed: bytes) -> bytes | None:
        """Open what was sealed; None: with another secret, or it was changed."""
        try:
            return self._fernet.decrypt(sealed)
        except InvalidToken:
            return None


def _derived(secret: str, purpose: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=purpose).derive(secret.encode())


def load_or_make_key(store: StoreSettings) -> str:
    """Return the secret that seals: the configured one, else the one in secret.key beside the store, made when missing.

    Raises:
        ConfigError: the file can neither be read nor made, or is empty.
    """
    configured = store.secret_key.get_secret_value() if store.secret_key else ""
    if configured:
        return configured
    path = store.path.parent / _KEY_FILE
    try:
        if not path.exists():
            _make(path)
        secret = path.read_text("ascii").strip()
    except OSError as error:
        raise _unusable(path, f"cannot be read or made: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise _unusable(path, "does not hold a key") from error
    if not secret:
        raise _unusable(path, "is empty")
    return secret


def _make(path: Path) -> None:
    """Write a new secret under another name, sync and link it: nobody ever sees half of it, and the first one wins."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{_KEY_FILE}.")  # mode 0600
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(48) + "\n")
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(temporary, path)
        except FileExistsError:
            return  # another process made one in the meantime
        _sync(path.parent)
    finally:
        Path(temporary).unlink()


def _sync(folder: Path) -> None:
    # Without it the name may be gone after a power loss, and with it every sealed credential.
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _unusable(path: Path, wrong: str) -> ConfigError:
    return ConfigError([Problem(str(path), "store.secret_key", "", wrong, "set it, or make the folder writable")])
