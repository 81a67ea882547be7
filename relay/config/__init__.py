"""TOML and environment in, frozen and checked settings out."""

from relay.config.cautions import warnings
from relay.config.listeners import ListenerSettings
from relay.config.loading import examine, load, masked
from relay.config.reloading import reloadable
from relay.config.senders import SenderPattern
from relay.config.settings import (
    MOST_WORKERS,
    AccountPolicy,
    AccountSettings,
    LoginSettings,
    Settings,
    StoreSettings,
)

__all__ = [
    "MOST_WORKERS",
    "AccountPolicy",
    "AccountSettings",
    "ListenerSettings",
    "LoginSettings",
    "SenderPattern",
    "Settings",
    "StoreSettings",
    "examine",
    "load",
    "masked",
    "reloadable",
    "warnings",
]
