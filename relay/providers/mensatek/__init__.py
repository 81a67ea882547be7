"""Mensatek `EnviarEMAIL` 7.0: what the gateway sends through, and `MensatekClient` for programs."""

from relay.providers.mensatek.api.client import MensatekClient
from relay.providers.mensatek.client import MensatekProvider
from relay.providers.mensatek.wire import MensatekWire

__all__ = ["MensatekClient", "MensatekProvider", "MensatekWire"]
