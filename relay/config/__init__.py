"""TOML and environment in, frozen and checked settings out."""

from relay.config.cautions import warnings
from relay.config.loading import examine, load, masked
from relay.config.senders import SenderPattern
from relay.config.settings import (
    AccountPolicy,
    AccountSettings,
    ListenerSettings,
    LoginSettings,
    Settings,
    StoreSettings,
)

__all__ = [
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
    "warnings",
]
