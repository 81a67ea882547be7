"""TOML and environment in, frozen and checked settings out."""

from relay.config.settings import AccountPolicy, AccountSettings, ListenerSettings, Settings

__all__ = ["AccountPolicy", "AccountSettings", "ListenerSettings", "Settings"]
