"""The listener profiles: what each stands for, in one place. The models, the example and `relay check` read it here."""

import json
from collections.abc import Mapping

#: By profile: the options that have another default there than with `submission`.
PROFILES: Mapping[str, Mapping[str, str | int]] = {
    "submission": {},
    # A mail server keeps its connections, gives long lists, and comes with everybody's mail from one address.
    "smarthost": {
        "max_connections_per_client": 1000,
        "max_recipients": 5000,
        "max_commands": 10_000,
        "command_timeout": "10m",
        "data_timeout": "5m",
        "message_within": "2h",
    },
    # A printer, a scanner, an alarm panel: nobody can teach it anything, and it may take minutes for a page.
    "device": {
        "auth_without_tls": "always",
        "tls_min": "1.0",
        "line_ends": "normalise",
        "max_connections_per_client": 20,
        "greeting_timeout": "5m",
        "command_timeout": "10m",
        "data_timeout": "10m",
        "data_least_rate": 50,
    },
}

#: The options that some profile has a default of its own for.
GOVERNED: frozenset[str] = frozenset(key for own in PROFILES.values() for key in own)


def profile_text(name: str) -> str:
    """Tell what a profile stands for, as it would be written in the configuration."""
    return ", ".join(f"{key} = {json.dumps(value)}" for key, value in PROFILES[name].items())
