"""Clients' addresses: an IPv4 address is the same when it comes by an IPv6 socket (RFC 4291 §2.5.5.2)."""

from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address

_REMEMBERED = 4096  # most clients come again and again


def client_address(peer: tuple[object, ...] | None) -> str:
    """Return the client's address as the socket tells it, without port."""
    return str(peer[0]).removeprefix("::ffff:") if peer else "unknown"


@lru_cache(maxsize=_REMEMBERED)
def parsed(client: str) -> IPv4Address | IPv6Address | None:
    """Read a client's address; None: it is none."""
    try:
        return unmapped(ip_address(client))
    except ValueError:
        return None


def unmapped(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """Return IPv4 in its IPv6 form as IPv4."""
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
