"""The email APIs: one contract, one HTTP client, one package for each API."""

from relay.config.settings import ProvidersSettings
from relay.providers.contract import Providers
from relay.providers.dmds import DmdsProvider
from relay.providers.http import HttpClient, trust
from relay.providers.mensatek import MensatekProvider

__all__ = ["HttpClient", "build_providers", "trust"]


def build_providers(settings: ProvidersSettings, http: HttpClient) -> Providers:
    """Make the table of APIs. Raises ConfigError for wire names or ca_files that cannot be used."""
    mensatek, dmds = MensatekProvider(settings.mensatek, http), DmdsProvider(settings.dmds, http)
    return Providers({mensatek.name: mensatek, dmds.name: dmds})
