"""Planisys DMDS API REST 1.5: what the gateway sends through, and `DmdsClient` for all other methods."""

from relay.providers.dmds.api.client import DmdsClient
from relay.providers.dmds.client import DmdsProvider
from relay.providers.dmds.wire import DmdsWire

__all__ = ["DmdsClient", "DmdsProvider", "DmdsWire"]
