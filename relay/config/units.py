"""Durations, sizes and addresses as people write them in a configuration."""

import math
import re
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BeforeValidator, ByteSize, PlainSerializer
from pydantic_core import core_schema

_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_PORTS = 65536
_DURATION = re.compile(r"^([0-9]{1,12}(?:\.[0-9]+)?)\s*([smhd]?)$")


def seconds(value: object) -> float:
    """Read "30s", "5m", "2h" or "2d" (a bare number is seconds)."""
    if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and value >= 0:
        return float(value)
    match = _DURATION.match(value.strip().lower()) if isinstance(value, str) else None
    if match is None:
        msg = 'a duration is a number with s, m, h or d, for example "30s", "5m", "2h", "2d"'
        raise ValueError(msg)
    return float(match[1]) * _UNITS[match[2] or "s"]


def duration_text(value: float) -> str:
    """Write seconds the way `seconds` reads them, in the largest unit that fits evenly."""
    for unit in ("d", "h", "m"):
        if value and value % _UNITS[unit] == 0:
            return f"{value / _UNITS[unit]:.15g}{unit}"
    return f"{value:.15g}s"


#: A duration in seconds.
Seconds = Annotated[float, BeforeValidator(seconds), PlainSerializer(duration_text)]
#: A size in bytes, written as "35MiB", "25MB" or a number.
Bytes = ByteSize


@dataclass(frozen=True, slots=True)
class HostPort:
    """A TCP address to listen on."""

    host: str  # an IP address or a host name, IPv6 without brackets
    port: int  # 0: any free one

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @classmethod
    def parse(cls, value: object) -> "HostPort":
        """Read "127.0.0.1:2525", "[::1]:25", "localhost:25"."""
        if isinstance(value, HostPort):
            return value
        host, colon, port = str(value).rpartition(":")
        named = colon and host.strip("[]") and (":" in host) == host.startswith("[") == host.endswith("]")
        if not (named and port.isascii() and port.isdigit() and int(port) < _PORTS):
            msg = 'an address is "host:port", for example "127.0.0.1:2525" or "[::1]:2525"'
            raise ValueError(msg)
        return cls(host.strip("[]"), int(port))

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: Any, _handler: Any) -> core_schema.CoreSchema:
        return core_schema.no_info_plain_validator_function(
            cls.parse, serialization=core_schema.plain_serializer_function_ser_schema(str)
        )
