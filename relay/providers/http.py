"""The one HTTP client: a request goes out once, and it is known whether the other side can have had the whole of it.

A JSON body that was not handed to the socket to its last byte cannot have been understood, so nothing can have been
accepted. From the last byte on, silence means "maybe". Nothing here repeats a request: only the worker retries.
"""

import asyncio
import ssl
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

import aiohttp
from aiohttp.abc import AbstractStreamWriter
from aiohttp.payload import Payload

from relay import __version__
from relay.errors import ConfigError, ProviderError
from relay.message import Clock

_MAX_ANSWER_BYTES = 1024 * 1024  # a hundred times the longest answer known
_WRITE_BYTES = 256 * 1024
_JOIN_UP_TO_BYTES = 64 * 1024  # one write, together with the header
# A connection that the server closes just as we send leaves it unknown whether the request was taken. Apache closes
# idle connections after 5 seconds, others later: below that, the server is never the first to close.
_KEEP_ALIVE_SECONDS = 4.0
_SPARE_CONNECTIONS = 10  # checks of credentials must not wait for uploads to end
_LONGEST_RETRY_AFTER_SECONDS = 86400.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: always whole, whatever its status."""

    status: int
    body: bytes  # at most 1 MiB; empty also where a refusal's body broke off
    retry_after_seconds: float | None = None  # from Retry-After, as seconds or as a date (RFC 9110 section 10.2.3)
    content_type: str = ""  # in small letters, without parameters; empty: not told


def trust(ca_file: Path | None) -> ssl.SSLContext | None:
    """Read the authorities to trust; None stands for the system's. Raises ConfigError when the file is of no use."""
    if ca_file is None:
        return None
    try:
        return ssl.create_default_context(cafile=str(ca_file))
    except OSError as error:  # ssl.SSLError is one, too
        raise ConfigError(
            f"ca_file {ca_file}: {error.strerror or error}; a PEM file with certificates is needed"
        ) from error


class HttpClient:
    """One session for the life of the program: `async with` opens and closes it."""

    def __init__(self, concurrency: int, *, clock: Clock = time.time) -> None:
        self._concurrency = concurrency
        self._clock = clock
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=self._concurrency + _SPARE_CONNECTIONS, keepalive_timeout=_KEEP_ALIVE_SECONDS
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None),  # the deadline of `request` is the only one
            headers={"User-Agent": f"relay/{__version__}", "Accept": "application/json", "Accept-Encoding": "identity"},
            trust_env=False,
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        pieces: Sequence[bytes],
        timeout_seconds: float,
        trusted: ssl.SSLContext | None = None,
    ) -> Answer:
        """Send a JSON body once and read the answer; redirects are answers, too.

        `timeout_seconds` is for the whole of it, upload included. Raises ProviderError when no answer came, with
        `maybe_accepted` False only if the body cannot have left whole.
        """
        if self._session is None:
            raise RuntimeError("HttpClient is used outside its `async with`")
        if self._session.closed:
            raise ProviderError("the gateway is stopping", maybe_accepted=False)
        body = _Body(pieces)
        once = partial(self._once, self._session, method, url, headers, body, trusted or True)
        with _foreign_errors(body, timeout_seconds):
            async with asyncio.timeout(timeout_seconds):
                try:
                    return await once()
                except aiohttp.ClientError:
                    if not body.met_closed_connection:
                        raise
                    return await once()  # not a byte had left: the server had just closed an idle connection

    async def post(
        self,
        url: str,
        *,
        headers: Mapping[str, str],
        pieces: Sequence[bytes],
        timeout_seconds: float,
        trusted: ssl.SSLContext | None = None,
    ) -> Answer:
        """`request` by POST."""
        return await self.request(
            "POST", url, headers=headers, pieces=pieces, timeout_seconds=timeout_seconds, trusted=trusted
        )

    async def _once(
        self,
        session: aiohttp.ClientSession,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: "_Body",
        trusted: ssl.SSLContext | bool,  # noqa: FBT001 - the library's type: True stands for the system's authorities
    ) -> Answer:
        response = await session.request(method, url, data=body, headers=headers, allow_redirects=False, ssl=trusted)
        try:
            content = await _bounded(response)
        finally:
            # A server that refuses early may never read the rest: releasing would wait for the upload to end.
            if body.is_written:
                response.release()
            else:
                response.close()
        content_type = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        return Answer(response.status, content, self._retry_after_seconds(response.headers), content_type)

    def _retry_after_seconds(self, headers: Mapping[str, str]) -> float | None:
        value = headers.get("Retry-After", "").strip()
        if not value:
            return None
        if value.isascii() and value.isdigit():
            return min(float(value[:9]), _LONGEST_RETRY_AFTER_SECONDS)
        until = _http_date(value)
        if until is None:
            return None
        # Measured against the server's own clock where it tells it: ours may differ.
        now = _http_date(headers.get("Date", "")) or datetime.fromtimestamp(self._clock(), UTC)
        return min(max((until - now).total_seconds(), 0.0), _LONGEST_RETRY_AFTER_SECONDS)


class _Body(Payload):
    """The request's body, which knows how far it got."""

    def __init__(self, pieces: Sequence[bytes]) -> None:
        super().__init__(pieces, content_type="application/json")
        self._pieces = pieces
        self._size = self.length = sum(map(len, pieces))  # bytes; of `_size` the library makes Content-Length
        self.met_closed_connection = False  # a kept connection turned out to be closed before anything was written
        self.may_be_complete = False  # the last byte was, or may have been, handed to the socket
        self.is_written = False  # all was handed over without an error

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        return b"".join(self._pieces).decode(encoding, errors)

    async def write(self, writer: AbstractStreamWriter) -> None:
        await self.write_with_length(writer, None)

    async def write_with_length(self, writer: AbstractStreamWriter, content_length: int | None) -> None:
        del content_length  # always our own size
        # Nothing is awaited between these checks and the write that follows.
        self.met_closed_connection = _is_closed(writer)
        left = self.length
        for chunk in self._chunks():
            if _is_closed(writer):
                raise aiohttp.ClientConnectionResetError("the connection was closed before the request was written")
            left -= len(chunk)
            self.may_be_complete = left == 0
            await writer.write(chunk)
        self.is_written = True

    def _chunks(self) -> Iterator[bytes | memoryview]:
        if self.length <= _JOIN_UP_TO_BYTES:
            yield b"".join(self._pieces)
            return
        for piece in self._pieces:
            view = memoryview(piece)
            for start in range(0, len(view), _WRITE_BYTES):
                yield view[start : start + _WRITE_BYTES]


def _is_closed(writer: AbstractStreamWriter) -> bool:
    transport = getattr(writer, "transport", None)
    return transport is None or bool(transport.is_closing())


async def _bounded(response: aiohttp.ClientResponse) -> bytes:
    """Read an answer up to the bound; of a refusal, take what there is."""
    content = bytearray()
    try:
        if response.content.is_eof():  # came together with its header, as nearly every answer does
            content += response.content.read_nowait()
        async for chunk in response.content.iter_chunked(_JOIN_UP_TO_BYTES):
            content += chunk
            if len(content) > _MAX_ANSWER_BYTES:
                raise ProviderError(f"the answer (HTTP {response.status}) is longer than 1 MiB", maybe_accepted=True)
    except (aiohttp.ClientError, OSError):
        if response.status < 400:  # noqa: PLR2004 - RFC 9110 section 15: from 400 on the status tells enough
            raise
        return b""
    return bytes(content)


def _http_date(value: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    return date if date.tzinfo else date.replace(tzinfo=UTC)


@contextmanager
def _foreign_errors(body: _Body, timeout_seconds: float) -> Iterator[None]:
    """Turn what the library raises into ProviderError. The library's texts hold nothing that we would want to show."""
    try:
        yield
    except aiohttp.ClientConnectorCertificateError as error:
        raise ProviderError(f"TLS: the certificate is not trusted ({_why(error)})", maybe_accepted=False) from error
    except aiohttp.ClientSSLError as error:
        raise ProviderError(f"TLS: the handshake failed ({_why(error)})", maybe_accepted=False) from error
    except aiohttp.ClientConnectorDNSError as error:
        raise ProviderError(f"no address found for {error.host}", maybe_accepted=False) from error
    except aiohttp.ClientConnectorError as error:
        raise ProviderError(f"could not connect to {error.host} ({_why(error)})", maybe_accepted=False) from error
    except aiohttp.InvalidURL as error:
        raise ProviderError("the address of the API is not a URL", maybe_accepted=False) from error
    except TimeoutError as error:
        raise ProviderError(
            f"no answer within {timeout_seconds:g} seconds ({_progress(body)})", maybe_accepted=body.may_be_complete
        ) from error
    except (aiohttp.ClientError, OSError) as error:
        raise ProviderError(
            f"the connection broke off: {type(error).__name__} ({_progress(body)})", maybe_accepted=body.may_be_complete
        ) from error


def _progress(body: _Body) -> str:
    return "the request was out" if body.may_be_complete else "the request was not out"


def _why(error: Exception) -> str:
    """Name the reason in words of the system or of OpenSSL, which hold no secrets."""
    for cause in (getattr(error, "certificate_error", None), getattr(error, "os_error", None), error.__cause__):
        for attribute in ("verify_message", "reason", "strerror"):
            text = getattr(cause, attribute, None)
            if isinstance(text, str) and text:
                return text
    return type(error).__name__
