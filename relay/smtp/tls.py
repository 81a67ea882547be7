"""Certificates and TLS contexts, with words for what can be wrong with them.

A renewed certificate is taken without a restart: new connections get it, old ones keep theirs.
"""

import ssl
import time
import warnings
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509

from relay.config import ListenerSettings
from relay.errors import ConfigError
from relay.message import Clock

_VERSIONS = {
    "1.0": ssl.TLSVersion.TLSv1,
    "1.1": ssl.TLSVersion.TLSv1_1,
    "1.2": ssl.TLSVersion.TLSv1_2,
    "1.3": ssl.TLSVersion.TLSv1_3,
}
_OLD_VERSIONS = ("1.0", "1.1")
_WARN_DAYS_BEFORE = 14


def server_context(listener: ListenerSettings) -> ssl.SSLContext:
    """Make the TLS context of a listener. Raises ConfigError naming the file and the cure."""
    certificate = listener.certificate
    if certificate is None:
        raise ConfigError(f'tls = "{listener.tls}" needs a certificate: set `certificate` to a PEM file')
    key = listener.key or certificate
    _read(certificate)
    _read(key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.options |= ssl.OP_NO_RENEGOTIATION  # what is to be written never waits for what is to be read
    _set_least_version(context, listener.tls_min)
    _load(context, certificate, key)
    return context


def certificate_warnings(listener: ListenerSettings, clock: Clock = time.time) -> list[str]:
    """Name what works but should be looked at: dates, old TLS versions. Empty where there is no TLS.

    Raises ConfigError where `server_context` would.
    """
    if listener.tls == "none":
        return []
    server_context(listener)
    found = []
    if listener.tls_min in _OLD_VERSIONS:
        found.append(f'tls_min = "{listener.tls_min}" is broken by today\'s standard: only for devices of your own')
    if listener.certificate is not None:
        found += _date_warnings(listener.certificate, datetime.fromtimestamp(clock(), UTC))
    return found


class Certificate:
    """The TLS context of a listener, which follows its files."""

    def __init__(self, listener: ListenerSettings) -> None:
        self._listener = listener
        self._stamp = self._files_stamp()
        self.context = server_context(listener)

    def refresh(self) -> bool:
        """Take the files if they changed, and tell so. Raises ConfigError if they are no good; the old ones stay."""
        stamp = self._files_stamp()
        if stamp == self._stamp:
            return False
        self._stamp = stamp  # a bad file is told of once, not at each look
        server_context(self._listener)  # the one in use must not be left half loaded by a bad pair
        if self._listener.certificate is not None:
            _load(self.context, self._listener.certificate, self._listener.key or self._listener.certificate)
        return True

    def _files_stamp(self) -> tuple[object, ...]:
        return tuple(_stamp(path) for path in (self._listener.certificate, self._listener.key) if path)


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_ino, status.st_size


def _set_least_version(context: ssl.SSLContext, least: str) -> None:
    with warnings.catch_warnings():
        # The module warns of 1.0 and 1.1; the operator chose them for a printer and has been warned already.
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = _VERSIONS[least]
    if least in _OLD_VERSIONS:
        context.set_ciphers("DEFAULT:@SECLEVEL=0")  # OpenSSL 3 forbids SHA-1 signatures, so TLS < 1.2, above level 0


def _load(context: ssl.SSLContext, certificate: Path, key: Path) -> None:
    try:
        # Without a password function OpenSSL would ask for one on the terminal and wait.
        context.load_cert_chain(certificate, key, password=lambda: "")
    except ssl.SSLError as error:
        raise ConfigError(_cure(error, certificate, key)) from error


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise ConfigError(f"{path} does not exist: give the path of a PEM file") from error
    except OSError as error:
        cure = "let the gateway's user read it" if isinstance(error, PermissionError) else "give a PEM file"
        raise ConfigError(f"{path} cannot be read ({error.strerror}): {cure}") from error


def _cure(error: ssl.SSLError, certificate: Path, key: Path) -> str:
    if error.reason == "KEY_VALUES_MISMATCH":
        return f"{key} is not the private key of {certificate}: use the pair that was issued together"
    if b"ENCRYPTED" in _read(key):
        return f"{key} is protected by a passphrase: store it without one (openssl pkey), mode 0600"
    if b"PRIVATE KEY-----" not in _read(key):
        return f"{key} holds no private key: set `key` to the PEM file that does"
    return f"{certificate} holds no usable certificate and key ({error.reason}): give PEM, server's certificate first"


def _date_warnings(certificate: Path, now: datetime) -> list[str]:
    first = x509.load_pem_x509_certificates(_read(certificate))[0]
    begins, ends = first.not_valid_before_utc, first.not_valid_after_utc
    if now > ends:
        return [f"{certificate} expired on {ends:%Y-%m-%d}: clients will refuse it; renew it"]
    if now < begins:
        return [f"{certificate} is valid only from {begins:%Y-%m-%d}: clients will refuse it; check the clock"]
    days = (ends - now).days
    return [f"{certificate} expires in {days} days; renew it"] if days < _WARN_DAYS_BEFORE else []
