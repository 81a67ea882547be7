"""Each way in which a call can fail, and whether it may have been accepted."""

import asyncio
import ssl
from datetime import UTC, datetime
from email.utils import format_datetime

import pytest
from aiohttp import ClientConnectionResetError
from provider_cases import serving

from relay.errors import ConfigError, ProviderError
from relay.providers.http import Answer, HttpClient, _Body, trust

_NOW = 1_700_000_000.0
_OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


async def _post(http, url, pieces=(b'{"a":1}',), timeout_seconds=5.0, **kwargs):
    return await http.post(url, headers={}, pieces=pieces, timeout_seconds=timeout_seconds, **kwargs)


async def _fails(http, url, **kwargs) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        await _post(http, url, **kwargs)
    return caught.value


async def _whole_request(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
    return head + await reader.readexactly(length)


# --- what goes out ---


async def test_a_request_goes_out_whole_with_its_length(http):
    """Neither chunked nor twice nor with anything that the library would like to add."""
    heard = []

    async def server(reader, writer):
        heard.append(await _whole_request(reader))
        writer.write(_OK)
        await writer.drain()

    big = b"x" * 700_000
    async with serving(server) as url:
        answer = await http.post(
            f"{url}/v1/", headers={"Authorization": "k"}, pieces=(b"[", big, b"]"), timeout_seconds=5
        )
    assert Answer(200, b"ok") == answer
    head, _, body = heard[0].partition(b"\r\n\r\n")
    assert b"[" + big + b"]" == body
    assert head.startswith(b"POST /v1/ HTTP/1.1\r\n")
    for expected in (b"Content-Length: 700002", b"Content-Type: application/json", b"Authorization: k", b"relay/"):
        assert expected in head
    for unwanted in (b"chunked", b"Cookie", b"gzip"):
        assert unwanted not in head


async def test_an_empty_get_goes_out(http, api):
    api.will_answer("1.5")
    answer = await http.request("GET", f"{api.url}/version/", headers={}, pieces=(), timeout_seconds=5)
    assert (200, b"1.5") == (answer.status, answer.body)


async def test_cookies_are_neither_kept_nor_sent(http, api):
    api.will_answer("a", Set_Cookie="session=1; Path=/")
    api.will_answer("b")
    await _post(http, api.url)
    await _post(http, api.url)
    assert "Cookie" not in api.heard[1].headers


async def test_redirects_are_answers_and_not_followed(http, api):
    api.will_answer("moved", status=307, Location=f"{api.url}/elsewhere")
    assert 307 == (await _post(http, api.url)).status
    assert 1 == len(api.heard)


async def test_one_connection_serves_calls_in_a_row(http):
    connections = []

    async def server(reader, writer):
        connections.append(writer)
        for _ in range(2):
            await _whole_request(reader)
            writer.write(_OK)

    async with serving(server) as url:
        await _post(http, url)
        await _post(http, url)
    assert 1 == len(connections)


@pytest.mark.parametrize("size", [0, 1, 65_536, 65_537, 262_144, 262_145, 524_288])
async def test_bodies_of_every_size_arrive_whole(http, api, size):
    """Around each bound at which writing changes."""
    api.will_answer("ok")
    body = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    await _post(http, api.url, pieces=(body[: size // 3], body[size // 3 :], b""))
    assert body == api.heard[0].body


# --- nothing was sent ---


async def test_nobody_listening_means_nothing_was_sent(http, unused_tcp_port):
    error = await _fails(http, f"http://127.0.0.1:{unused_tcp_port}/")
    assert not error.maybe_accepted
    assert "could not connect to 127.0.0.1" in error.reason


async def test_an_unknown_host_means_nothing_was_sent(http):
    error = await _fails(http, "http://api.invalid/")
    assert (False, "no address found for api.invalid") == (error.maybe_accepted, error.reason)


@pytest.mark.parametrize("url", ["http://", "nonsense", "http://[::1/"])
async def test_a_url_that_is_none_means_nothing_was_sent(http, url):
    assert not (await _fails(http, url)).maybe_accepted


async def test_tls_with_a_server_that_speaks_none_means_nothing_was_sent(http):
    async def server(reader, writer):
        await reader.read(10)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    async with serving(server) as url:
        error = await _fails(http, url.replace("http", "https"))
    assert not error.maybe_accepted
    assert "TLS" in error.reason


async def test_an_untrusted_certificate_means_nothing_was_sent_and_a_trusted_one_works(http, certificate):
    pem, key = certificate
    server_side = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server_side.load_cert_chain(pem, key)

    async def server(reader, writer):
        await _whole_request(reader)
        writer.write(_OK)
        await writer.drain()

    async with serving(server, ssl=server_side) as url:
        error = await _fails(http, url)
        assert 200 == (await _post(http, url, trusted=trust(pem))).status
    assert not error.maybe_accepted
    assert "certificate is not trusted (self-signed certificate)" in error.reason


async def test_a_slow_handshake_times_out_with_nothing_sent(http):
    async def server(_reader, _writer):
        await asyncio.sleep(60)

    async with serving(server) as url:
        error = await _fails(http, url.replace("http", "https"), timeout_seconds=0.2)
    assert not error.maybe_accepted
    assert "no answer within 0.2 seconds" in error.reason


async def test_a_body_that_did_not_leave_whole_cannot_have_been_accepted(http):
    """The server reads a little of a large body and cuts: half a JSON is none."""

    async def server(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        await reader.read(1000)
        writer.transport.abort()

    async with serving(server) as url:
        error = await _fails(http, url, pieces=(b"x" * 40_000_000,))
    assert not error.maybe_accepted


async def test_a_timeout_within_the_upload_cannot_have_been_accepted(http):
    async def server(_reader, _writer):
        await asyncio.sleep(60)

    async with serving(server) as url:
        error = await _fails(http, url, pieces=(b"x" * 40_000_000,), timeout_seconds=0.3)
    assert not error.maybe_accepted
    assert "not out" in error.reason


async def test_waiting_for_a_free_connection_counts_as_nothing_sent():
    arrived = asyncio.Event()

    async def server(reader, _writer):
        await _whole_request(reader)
        arrived.set()
        await asyncio.sleep(60)

    async with HttpClient(-9) as one_at_a_time, serving(server) as url:
        first = asyncio.create_task(_post(one_at_a_time, url))
        await arrived.wait()
        error = await _fails(one_at_a_time, url, timeout_seconds=0.2)
        first.cancel()
    assert not error.maybe_accepted


# --- maybe ---


async def test_silence_after_the_body_may_be_an_acceptance(http):
    async def server(reader, _writer):
        await _whole_request(reader)
        await asyncio.sleep(60)

    async with serving(server) as url:
        error = await _fails(http, url, timeout_seconds=0.2)
    assert error.maybe_accepted
    assert "the request was out" in error.reason


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Le",
        b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nhalf",
        b"not http at all\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnope",
    ],
)
async def test_a_broken_answer_may_be_an_acceptance(http, said):
    async def server(reader, writer):
        await _whole_request(reader)
        writer.write(said)
        await writer.drain()

    async with serving(server) as url:
        assert (await _fails(http, url)).maybe_accepted


async def test_a_post_is_sent_once_even_when_a_kept_connection_dies(http):
    """The library repeats idempotent methods by itself; a mail must not be repeated."""
    requests = []

    async def server(reader, writer):
        requests.append(await _whole_request(reader))
        if len(requests) == 1:
            writer.write(_OK)
            requests.append(await _whole_request(reader))
        writer.transport.abort()

    async with serving(server) as url:
        await _post(http, url)
        error = await _fails(http, url)
    assert error.maybe_accepted
    assert 2 == len(requests)


async def test_an_idle_connection_that_the_server_closed_is_not_used(http):
    closed = asyncio.Event()

    async def server(reader, writer):
        await _whole_request(reader)
        writer.write(_OK)
        await writer.drain()
        writer.close()
        closed.set()

    async with serving(server) as url:
        assert 200 == (await _post(http, url)).status
        await closed.wait()
        assert 200 == (await _post(http, url)).status


async def test_an_answer_without_end_is_cut_at_a_mebibyte(http):
    async def server(reader, writer):
        await _whole_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while not writer.is_closing():
            writer.write(b"x" * 65536)
            await writer.drain()

    async with serving(server) as url:
        error = await _fails(http, url)
    assert (True, "the answer (HTTP 200) is longer than 1 MiB") == (error.maybe_accepted, error.reason)


# --- early and partial refusals ---


async def test_a_refusal_before_the_upload_ends_is_heard_at_once(http):
    """A server that answers 413 and reads no further must not cost the whole deadline."""

    async def server(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 7\r\n\r\ntoo big")
        await writer.drain()
        await asyncio.sleep(60)

    async with serving(server) as url:
        answer = await _post(http, url, pieces=(b"x" * 40_000_000,), timeout_seconds=5)
    assert Answer(413, b"too big") == answer


async def test_a_refusal_whose_text_breaks_off_is_still_a_refusal(http):
    async def server(reader, writer):
        await _whole_request(reader)
        writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 50\r\n\r\nhalf")
        await writer.drain()

    async with serving(server) as url:
        assert Answer(403, b"") == await _post(http, url)


# --- Retry-After ---


def _date(seconds: float) -> str:
    return format_datetime(datetime.fromtimestamp(seconds, UTC), usegmt=True)


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, None),
        ({"Retry-After": "120"}, 120.0),
        ({"Retry-After": "0"}, 0.0),
        ({"Retry-After": "99999999999999999999"}, 86400.0),
        ({"Retry-After": "-5"}, None),
        ({"Retry-After": "1.5"}, None),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": _date(_NOW + 90)}, 90.0),
        ({"Retry-After": _date(_NOW - 90)}, 0.0),
        ({"Retry-After": _date(_NOW + 864_000)}, 86400.0),
        ({"Retry-After": "Tue, 14 Nov 2023 22:15:00 -0000"}, 100.0),
        ({"Retry-After": _date(_NOW + 4000), "Date": _date(_NOW + 3990)}, 10.0),
        ({"Retry-After": "Tue, 14 Nov 99999999999 22:15:00 GMT"}, None),
    ],
)
async def test_retry_after_is_read_as_seconds_or_as_a_date(http, headers, expected):
    """A date is measured against the server's own clock where it tells it."""

    async def server(reader, writer):
        await _whole_request(reader)
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        writer.write(f"HTTP/1.1 429 Too Many\r\nContent-Length: 0\r\n{lines}\r\n".encode())
        await writer.drain()

    async with serving(server) as url:
        assert expected == (await _post(http, url)).retry_after_seconds


# --- life ---


async def test_the_body_can_be_shown_by_the_library(http):
    """What the library asks of a payload besides writing it."""
    body = _Body((b'{"a":', b"1}"))
    assert '{"a":1}' == body.decode()
    written = []

    class Writer:
        transport = None

        async def write(self, chunk):
            written.append(chunk)

    with pytest.raises(ClientConnectionResetError):
        await body.write(Writer())
    assert ([], True, False) == (written, body.met_closed_connection, body.may_be_complete)


async def test_cancelling_goes_through(http):
    async def server(reader, _writer):
        await _whole_request(reader)
        await asyncio.sleep(60)

    async with serving(server) as url:
        task = asyncio.create_task(_post(http, url))
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


async def test_it_must_be_opened_first():
    with pytest.raises(RuntimeError, match="async with"):
        await _post(HttpClient(1), "http://127.0.0.1/")
    await HttpClient(1).__aexit__(None, None, None)


async def test_what_comes_after_its_end_is_not_sent():
    async with HttpClient(1) as client:
        pass
    with pytest.raises(ProviderError) as caught:
        await _post(client, "http://127.0.0.1/")
    assert ("the gateway is stopping", False) == (caught.value.reason, caught.value.maybe_accepted)


def test_a_file_of_no_use_as_authorities_is_a_configuration_error(tmp_path):
    assert trust(None) is None
    with pytest.raises(ConfigError, match="No such file"):
        trust(tmp_path / "none.pem")
    (tmp_path / "bad.pem").write_text("nothing")
    with pytest.raises(ConfigError, match=r"bad\.pem"):
        trust(tmp_path / "bad.pem")
