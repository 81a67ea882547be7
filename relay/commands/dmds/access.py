"""Whose credentials a command uses at DMDS: an account of the configuration, or the environment."""

import os
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr

from relay.commands.asking import asks
from relay.config import Settings, load
from relay.config.settings import DmdsSettings
from relay.errors import ConfigError
from relay.providers.contract import DmdsCredentials
from relay.providers.dmds import DmdsClient


@dataclass(frozen=True, slots=True)
class Access:
    """A customer's credentials and how the API is reached."""

    credentials: DmdsCredentials  # campaign 0: none is known
    settings: DmdsSettings


def dmds_access(config: Path | None, account: str) -> Access:
    """Find the credentials; those of an account go before those of the environment. Raises ConfigError."""
    settings = load(config, os.environ) if config else None
    own = _of_account(settings, account) if settings else None
    if own is None:
        if account:
            raise ConfigError("--account needs --config, which says what the account is")
        own = _of_environment()
    reached = settings.provider.dmds if settings else DmdsSettings()
    if url := os.environ.get("RELAY_DMDS_URL", ""):
        reached = reached.model_copy(update={"url": url})
    return Access(own, reached)


def open_dmds(config: Path | None, account: str) -> DmdsClient:
    """Make the client. Raises ConfigError."""
    access = dmds_access(config, account)
    return DmdsClient(access.credentials.dmdsid, access.credentials.apikey, access.settings)


#: Makes a command of an async function of a `DmdsClient`.
asks_dmds = asks(open_dmds)


def _of_account(settings: Settings, name: str) -> DmdsCredentials | None:
    known = {each: own for each, own in settings.account.items() if own.provider == "dmds"}
    if name and name not in known:
        raise ConfigError(f"there is no DMDS account {name!r}; known: {', '.join(known) or 'none'}")
    if not name and len(known) > 1:
        raise ConfigError(f"--account is needed, for there are several: {', '.join(known)}")
    own = known.get(name) or next(iter(known.values()), None)
    return DmdsCredentials(own.dmdsid.lower(), own.campaign, own.apikey) if own else None


def _of_environment() -> DmdsCredentials:
    dmdsid, apikey = os.environ.get("RELAY_DMDS_ID", ""), os.environ.get("RELAY_DMDS_APIKEY", "")
    if not dmdsid or not apikey:
        raise ConfigError("no credentials: give --config (and --account), or set RELAY_DMDS_ID and RELAY_DMDS_APIKEY")
    own, hyphen, campaign = dmdsid.rpartition("-")
    if hyphen and campaign.isascii() and campaign.isdigit():  # as in an SMTP login, `<dmdsid>-<campaign>`
        return DmdsCredentials(own.lower(), int(campaign), SecretStr(apikey))
    return DmdsCredentials(dmdsid.lower(), 0, SecretStr(apikey))
