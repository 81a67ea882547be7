"""A configuration with every kind of login."""

from relay.accounts import hash_password

BASE = {
    "account": {
        "erp": {"provider": "mensatek", "user": "me", "token": "t0ken", "senders": ["*@example.org"]},
        "news": {"provider": "dmds", "dmdsid": "ACME", "campaign": 22, "apikey": "k3y"},
    },
    "login": {
        "app@example.org": {"account": "erp", "password_hash": hash_password("right")},
        "acme-22": {"account": "news", "password_hash": hash_password("own")},
    },
    "passthrough": {
        "dmds": {"enabled": True, "dmdsids": ["acme", "two-words"], "policy": {"mode": "auto"}},
        "mensatek": {"enabled": True, "users": ["customer", "odd-7"]},
    },
    "listener": {
        "local": {"trusted": {"192.0.2.0/24": "erp", "2001:db8::/64": "news"}},
        "other": {"address": "127.0.0.1:0", "trusted": {"198.51.100.7": "news"}},
    },
}
