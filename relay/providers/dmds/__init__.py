"""Planisys DMDS API REST 1.5."""

from relay.providers.dmds.client import DmdsProvider
from relay.providers.dmds.wire import DmdsWire

__all__ = ["DmdsProvider", "DmdsWire"]
