"""The PROXY header: both versions read by the book, and nothing else taken for one."""

import ipaddress
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.smtp.proxy import MAX_HEADER, SIGNATURE, Announced, BadHeaderError, crc32c, header_length, read_header

PORTS = struct.pack("!HH", 51234, 25)


def v2(kind: int, addresses: bytes, tlvs: bytes = b"", *, command: int = 0x21) -> bytes:
    """Write a header of version 2."""
    body = addresses + tlvs
    return SIGNATURE + struct.pack("!BBH", command, kind, len(body)) + body


def tlv(kind: int, value: bytes) -> bytes:
    return struct.pack("!BH", kind, len(value)) + value


def over_ipv4(client: str, tlvs: bytes = b"") -> bytes:
    return v2(0x11, ipaddress.ip_address(client).packed + ipaddress.ip_address("10.0.0.1").packed + PORTS, tlvs)


def over_ipv6(client: str) -> bytes:
    return v2(0x21, ipaddress.ip_address(client).packed + ipaddress.ip_address("::1").packed + PORTS)


def checked(header: bytes) -> bytes:
    """Put a right CRC32c into a header's last four bytes, which are zero."""
    return header[:-4] + crc32c(header).to_bytes(4)


GOOD = {
    "v1 over IPv4": (b"PROXY TCP4 203.0.113.7 10.0.0.1 51234 25\r\n", Announced("203.0.113.7")),
    "v1 over IPv6": (b"PROXY TCP6 2001:DB8::7 2001:db8::1 51234 25\r\n", Announced("2001:db8::7")),
    "v1 mapped": (b"PROXY TCP6 ::ffff:203.0.113.7 ::1 1 2\r\n", Announced("203.0.113.7")),
    "v1 unknown": (b"PROXY UNKNOWN\r\n", Announced()),
    "v1 unknown with addresses": (b"PROXY UNKNOWN ffff:f...f:ffff ffff:f...f:ffff 65535 65535\r\n", Announced()),
    "v2 over IPv4": (over_ipv4("203.0.113.7"), Announced("203.0.113.7")),
    "v2 over IPv6": (over_ipv6("2001:db8::7"), Announced("2001:db8::7")),
    "v2 mapped": (over_ipv6("::ffff:203.0.113.7"), Announced("203.0.113.7")),
    "v2 over a Unix socket": (v2(0x31, b"/run/a".ljust(216, b"\0")), Announced()),
    "v2 unspecified": (v2(0x00, b""), Announced()),
    "v2 local": (v2(0x00, b"", command=0x20), Announced(is_local=True)),
    "v2 local with addresses": (over_ipv4("203.0.113.7").replace(b"\x21\x11", b"\x20\x11"), Announced(is_local=True)),
    "v2 with extensions": (
        over_ipv4("203.0.113.7", tlv(0x01, b"smtp") + tlv(0x04, b"") + tlv(0xE0, b"x" * 500)),
        Announced("203.0.113.7"),
    ),
    "v2 with a checksum": (checked(over_ipv4("203.0.113.7", tlv(0x03, bytes(4)))), Announced("203.0.113.7")),
}


@pytest.mark.parametrize(("header", "announced"), GOOD.values(), ids=GOOD)
def test_a_header_ends_where_it_ends_and_tells_the_client(header: bytes, announced: Announced):
    """At every byte before its end it is incomplete, and no byte behind it belongs to it."""
    assert read_header(header) == announced
    for place in range(len(header)):
        assert header_length(header[:place]) is None
    assert header_length(header) == header_length(header + b"EHLO x\r\n") == len(header)


@pytest.mark.parametrize(
    "header",
    [
        b"PROXY TCP4 203.0.113.7 10.0.0.1 51234 25\n",
        b"PROXY TCP4 203.0.113.7 10.0.0.1 51234\r\n",
        b"PROXY TCP4 203.0.113.7 10.0.0.1 51234 25 26\r\n",
        b"PROXY TCP4  203.0.113.7 10.0.0.1 51234 25\r\n",
        b"PROXY TCP4 203.0.113.256 10.0.0.1 51234 25\r\n",
        b"PROXY TCP4 2001:db8::7 10.0.0.1 51234 25\r\n",
        b"PROXY TCP6 203.0.113.7 ::1 51234 25\r\n",
        b"PROXY TCP6 fe80::1%eth0 ::1 51234 25\r\n",
        b"PROXY TCP4 203.0.113.7 10.0.0.1 65536 25\r\n",
        b"PROXY TCP4 203.0.113.7 10.0.0.1 -1 25\r\n",
        b"PROXY TCP4 203.0.113.7 10.0.0.1 1 \r\n",
        b"PROXY TCP4 203.0.113.7 \xff 1 2\r\n",
        b"PROXY UDP4 203.0.113.7 10.0.0.1 51234 25\r\n",
        b"PROXY \r\n",
        v2(0x11, b"short"),
        v2(0x12, bytes(12)),
        v2(0x41, bytes(12)),
        v2(0x11, bytes(12), command=0x22),
        v2(0x11, bytes(12), command=0x11),
        v2(0x11, bytes(12), b"\x04\x00"),
        v2(0x11, bytes(12), b"\x04\x00\x05abcd"),
        over_ipv4("203.0.113.7", tlv(0x03, b"\1\2\3\4")),
        over_ipv4("203.0.113.7", tlv(0x03, b"")),
    ],
)
def test_a_faulty_header_is_refused(header: bytes):
    assert header_length(header) == len(header)
    with pytest.raises(BadHeaderError):
        read_header(header)


@pytest.mark.parametrize(
    "start",
    [
        b"EHLO x\r\n",
        b"PROXz",
        b"proxy TCP4",
        b"\r\n\r\n\0\r\nQUIT\r",
        b"\x16\x03\x01",
        b"\0",
        b"PROXY UNKNOWN".ljust(107, b"x"),
        b"PROXY UNKNOWN".ljust(107, b"x") + b"\r\n",
        SIGNATURE + b"\x21\x11\xff\xff",
    ],
)
def test_what_can_be_no_header_is_refused_before_more_is_awaited(start: bytes):
    with pytest.raises(BadHeaderError):
        header_length(start)


def test_the_longest_headers_pass():
    assert header_length(b"PROXY UNKNOWN".ljust(105, b"x") + b"\r\n") == 107
    longest = over_ipv4("203.0.113.7", tlv(0xE0, bytes(MAX_HEADER - 16 - 12 - 3)))
    assert header_length(longest) == MAX_HEADER


def test_the_checksum_is_the_one_that_is_meant():
    """The check value of CRC-32C (RFC 3720 appendix B.4 and the catalogue of CRCs)."""
    assert crc32c(b"123456789") == 0xE3069283
    assert crc32c(bytes(32)) == 0x8A9136AA


@given(st.ip_addresses(), st.binary(max_size=40))
def test_every_address_comes_through(client: ipaddress.IPv4Address | ipaddress.IPv6Address, extra: bytes):
    header = (over_ipv4 if client.version == 4 else over_ipv6)(str(client))
    assert header_length(header + extra) == len(header)
    mapped = client.ipv4_mapped if isinstance(client, ipaddress.IPv6Address) else None
    assert read_header(header) == Announced(str(mapped or client))


@given(st.binary(max_size=80) | st.binary(max_size=60).map(lambda tail: SIGNATURE + tail))
def test_whatever_comes_is_a_header_or_an_error(data: bytes):
    """Nothing else is raised, whatever is sent."""
    try:
        length = header_length(data)
        if length is not None:
            assert 0 < length <= len(data)
            read_header(data[:length])
    except BadHeaderError:
        pass
