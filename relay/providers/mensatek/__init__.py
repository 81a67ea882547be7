"""Mensatek `EnviarEMAIL` 7.0."""

from relay.providers.mensatek.client import MensatekProvider
from relay.providers.mensatek.wire import MensatekWire

__all__ = ["MensatekProvider", "MensatekWire"]
