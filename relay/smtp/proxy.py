"""The header by which a proxy tells whose connection it passes on: PROXY protocol, version 1 and 2. Pure.

Source: HAProxy's proxy-protocol.txt (2020/03/05). Who may send one is decided elsewhere; here is only what it says.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from struct import Struct

from relay.clients import unmapped

#: How version 2 begins; no SMTP client would.
SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
#: More than any header needs, certificates of clients in its TLVs included.
MAX_HEADER = 16_384

_V1_BEGINNING = b"PROXY "
_V1_MAX = 107  # section 2.1, line end included
_V1_FIELDS = 6
_V1_FAMILIES: dict[bytes, type[IPv4Address | IPv6Address]] = {b"TCP4": IPv4Address, b"TCP6": IPv6Address}
_PORT_MAX = 65_535
_PORT_DIGITS = 5

_V2_START = Struct("!12sBBH")  # signature, version and command, family and transport, length of what follows
_V2_LOCAL, _V2_PROXY = 0x20, 0x21
# Family and transport: length of both addresses with their ports, and what the first of them is (section 2.2).
_V2_FAMILIES: dict[int, tuple[int, type[IPv4Address | IPv6Address] | None]] = {
    0x00: (0, None),  # AF_UNSPEC
    0x11: (12, IPv4Address),
    0x21: (36, IPv6Address),
    0x31: (216, None),  # AF_UNIX
}
_ADDRESS_SIZES = {IPv4Address: 4, IPv6Address: 16}
_TLV_START = Struct("!BH")
_TLV_CRC32C = 0x03
_CRC_SIZE = 4
_CASTAGNOLI = 0x82F63B78  # RFC 3720 appendix B.4, reflected


class BadHeaderError(Exception):
    """It is no header, or one with a fault; says which in a few words."""


@dataclass(frozen=True, slots=True)
class Announced:
    """What the proxy says."""

    client: str = ""  # the client's address; empty: the proxy does not tell, so the connection's own counts
    is_local: bool = False  # the proxy speaks for itself: it looks whether we are alive


def header_length(data: bytes) -> int | None:
    """Tell how long the header is that some bytes begin with; None: there is more of it to come.

    While it is None all of the bytes belong to the header. Raises BadHeaderError.
    """
    if data.startswith(_V1_BEGINNING):
        end = data.find(b"\n", 0, _V1_MAX) + 1
        if not end and len(data) >= _V1_MAX:
            raise BadHeaderError("line too long")
        return end or None
    if data.startswith(SIGNATURE):
        if len(data) < _V2_START.size:
            return None
        length = _V2_START.size + int(_V2_START.unpack_from(data)[3])
        if length > MAX_HEADER:
            raise BadHeaderError("too long")
        return length if len(data) >= length else None
    if _V1_BEGINNING.startswith(data) or SIGNATURE.startswith(data):
        return None
    raise BadHeaderError("no PROXY header")


def read_header(header: bytes) -> Announced:
    """Read one whole header, neither more nor less. Raises BadHeaderError."""
    return _read_v1(header) if header.startswith(_V1_BEGINNING) else _read_v2(header)


def _read_v1(line: bytes) -> Announced:
    if not line.endswith(b"\r\n"):
        raise BadHeaderError("line end")
    fields = line[:-2].split(b" ")
    if fields[1] == b"UNKNOWN":
        return Announced()
    family = _V1_FAMILIES.get(fields[1])
    if family is None or len(fields) != _V1_FIELDS:
        raise BadHeaderError("unknown family or missing fields")
    client, _destination = (_parsed(family, field) for field in fields[2:4])
    if not all(port.isdigit() and len(port) <= _PORT_DIGITS and int(port) <= _PORT_MAX for port in fields[4:]):
        raise BadHeaderError("port")
    return Announced(client)


def _parsed(family: type[IPv4Address | IPv6Address], field: bytes) -> str:
    try:
        address = family(field.decode("ascii"))
    except ValueError as error:  # UnicodeDecodeError too
        raise BadHeaderError("address") from error
    if b"%" in field:
        raise BadHeaderError("address with a zone")
    return str(unmapped(address))


def _read_v2(header: bytes) -> Announced:
    _, command, kind, _ = _V2_START.unpack_from(header)
    if command == _V2_LOCAL:
        return Announced(is_local=True)  # section 2.2: whatever follows is to be thrown away
    if command != _V2_PROXY:
        raise BadHeaderError("unknown version or command")
    if kind not in _V2_FAMILIES:
        raise BadHeaderError("unknown family or transport")
    size, family = _V2_FAMILIES[kind]
    if len(header) < _V2_START.size + size:
        raise BadHeaderError("addresses cut off")
    for tlv, start, stop in _tlvs(header, _V2_START.size + size):
        if tlv == _TLV_CRC32C and not _is_intact(header, start, stop):
            raise BadHeaderError("checksum")
    if family is None:
        return Announced()
    start = _V2_START.size
    return Announced(str(unmapped(family(header[start : start + _ADDRESS_SIZES[family]]))))


def _tlvs(header: bytes, at: int) -> Iterator[tuple[int, int, int]]:
    # Type, and where the value begins and ends.
    while at < len(header):
        if at + _TLV_START.size > len(header):
            raise BadHeaderError("extension cut off")
        tlv, length = _TLV_START.unpack_from(header, at)
        start = at + _TLV_START.size
        at = start + length
        if at > len(header):
            raise BadHeaderError("extension cut off")
        yield tlv, start, at


def _is_intact(header: bytes, start: int, stop: int) -> bool:
    # Section 2.2.3: over the whole header, the checksum itself being zero.
    if stop - start != _CRC_SIZE:
        return False
    cleared = header[:start] + bytes(_CRC_SIZE) + header[stop:]
    return crc32c(cleared) == int.from_bytes(header[start:stop])


def crc32c(data: bytes) -> int:
    """Return the CRC-32C checksum (RFC 3720 appendix B.4); bit by bit, for a header is a hundred bytes."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ _CASTAGNOLI if crc & 1 else crc >> 1
    return crc ^ 0xFFFFFFFF
