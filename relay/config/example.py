"""The example configuration, made from the models so that it cannot drift: `python -m relay.config.example`.

What is set is the default. What is optional is commented out with "#" right before it, so that it can be told from
prose, which has "# ": taking those "#" away leaves a configuration that loads.
"""

import json
import sys
import textwrap
from collections.abc import Mapping
from typing import Any

from pydantic.fields import FieldInfo

from relay.config.listeners import ListenerSettings
from relay.config.profiles import GOVERNED
from relay.config.reading import key_text
from relay.config.section import Section
from relay.config.settings import AccountPolicy, Settings
from relay.config.shape import KeyPath, of_field, shape_at
from relay.config.units import Bytes
from relay.powers import POWERS

_WIDTH = 100

_HEAD = """\
relay: an SMTP gateway in front of the Mensatek and Planisys DMDS email APIs.

Every option stands here with its default; an option that is left out has it too. Lines that begin with # and
no space are optional: take the # away and change the value.

Durations are written "30s", "5m", "2h" or "2d", sizes "25MB" or "35MiB". Any option can be set by the environment,
which wins: RELAY__STORE__PATH for path in [store], RELAY__ACCOUNT__ERP__TOKEN for token in [account.erp]; case does
not matter, nor does - or _. Lists are written there as in this file, or with commas.

Secrets (token, apikey, password_hash, secret_key) are best kept out of this file: in the environment, or in a file of
their own, named as "file:/run/secrets/erp-token". `relay check` tells every mistake at once.

Every relative path (path in [store], certificate, key, ca_file, and "file:..." of a secret) starts in this file's
folder, wherever `relay serve` is started; also one that the environment sets.
"""

#: What optional options might be.
_SAMPLES: Mapping[KeyPath, object] = {
    ("store", "url"): "postgresql://relay@db.example.org/relay?sslmode=verify-full",
    ("store", "password"): "file:/etc/relay/database.password",
    ("store", "secret_key"): "file:/etc/relay/secret.key",
    ("listener", "local", "certificate"): "/etc/relay/tls.pem",
    ("listener", "local", "key"): "/etc/relay/tls.key",
    ("defaults", "reports", "directory"): "/var/lib/relay/reports",
    ("defaults", "reports", "smtp", "address"): "mail.example.org:25",
    ("defaults", "reports", "smtp", "ca_file"): "/etc/relay/ca.pem",
    ("defaults", "reports", "webhook", "ca_file"): "/etc/relay/ca.pem",
    ("provider", "mensatek", "ca_file"): "/etc/relay/ca.pem",
    ("provider", "dmds", "ca_file"): "/etc/relay/ca.pem",
}

_HASH = "$argon2id$v=19$m=19456,t=2,p=1$oa1US6UrLPG52r4aFeKBuA$tw7yAMPFWf/tmv4t4cOPhGXjBssZeoAb7E9ar7WSrvA"

#: Optional tables, after the table that they stand below, with a line on each.
_TABLES: Mapping[str, tuple[tuple[KeyPath, str, Mapping[str, object]], ...]] = {
    "listener": (
        (("listener", "local", "trusted"), "", {"192.0.2.0/24": "erp"}),
        (
            ("listener", "printers"),
            "A door for devices that can do nothing else: no TLS, no login, whatever sender.",
            {
                "profile": "device",
                "address": "192.0.2.1:25",
                "auth": False,
                "sender": "Scanner <scan@billing.example.org>",
            },
        ),
        (("listener", "printers", "trusted"), "Whose networks they stand in.", {"198.51.100.0/24": "erp"}),
        (
            ("listener", "submission"),
            "A door for other machines: everything of [listener.local] may be set here.",
            {"address": "0.0.0.0:465", "tls": "implicit", "certificate": "/etc/relay/tls.pem"},
        ),
    ),
    "account": (
        (
            ("account", "erp"),
            "Accounts that the gateway keeps. Everything of [defaults] may be set here too.",
            {
                "provider": "mensatek",
                "user": "api-user",
                "token": "file:/etc/relay/erp.token",
                "senders": ["erp@example.org", "*@billing.example.org"],
            },
        ),
        (
            ("account", "newsletter"),
            "",
            {
                "provider": "dmds",
                "dmdsid": "acme",
                "campaign": 22,
                "apikey": "file:/etc/relay/newsletter.apikey",
                "recipients": "individual",
                "messages_per_minute": 600,
            },
        ),
    ),
    "login": (
        (
            ("login", "app@example.org"),
            "Logins that the gateway keeps, each bound to an account. The login is the table's name.",
            {"account": "erp", "password_hash": _HASH},
        ),
    ),
    "passthrough": (
        (("passthrough", "mensatek", "policy"), "", {"mode": "auto", "recipients_per_day": 5000}),
        (("passthrough", "dmds", "policy"), "", {"mode": "auto", "max_age": "1d"}),
    ),
    "provider": (
        (("provider", "mensatek", "wire"), "", {"recipient_reference": "Referencia"}),
        (("provider", "dmds", "wire"), "", {"subject": "asunto"}),
    ),
}


def example() -> str:
    """Return the example configuration."""
    writer = _Writer()
    writer.prose(_HEAD)
    writer.lines.append("")
    writer.options((), Settings())
    for name, info in Settings.model_fields.items():
        if of_field(info).is_table:
            writer.chapter(name, info)
    return "\n".join(writer.lines).strip() + "\n"


class _Writer:
    """Writes tables, and describes each option the first time that it comes."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._described: set[str] = set()

    def chapter(self, name: str, info: FieldInfo) -> None:
        """Write one table of the top, with the tables below it and its optional ones."""
        self.lines += ["", "", f"# {name.upper()} ".ljust(_WIDTH, "-")]
        shape, default = of_field(info), getattr(Settings(), name)
        if shape.section is None:
            if info.description:
                self.prose(info.description)
            for key, value in default.items():
                self.table((name, key), value)
        else:
            self.table((name,), default)
        for path, about, values in _TABLES.get(name, ()):
            self.optional_table(path, about, values)

    def table(self, path: KeyPath, section: Section) -> None:
        """Write a table with its options, then the tables below it."""
        own = [name for name, info in type(section).model_fields.items() if not of_field(info).is_table]
        if own:
            self.lines.append("")
            self.prose(type(section).__doc__ or "")
            self.lines.append(f"[{key_text(path)}]")
        self.options(path, section)
        for name in type(section).model_fields:
            value = getattr(section, name)
            if name == "powers" and path == ("defaults",):
                self.powers(path, value)
            elif isinstance(value, Section) and not isinstance(value, AccountPolicy):
                self.table((*path, name), value)

    def options(self, path: KeyPath, section: Section) -> None:
        """Write the options of a table that are no tables themselves."""
        plain = section.model_dump(mode="json")
        for name, info in type(section).model_fields.items():
            if of_field(info).is_table:
                continue
            self.describe(info)
            value = getattr(section, name)
            # What a profile has a say in must not be set here: taking another profile would change nothing.
            mark = "#" if isinstance(section, ListenerSettings) and name in GOVERNED else ""
            if value is None:
                self.lines.append(f"#{name} = {_toml(_SAMPLES[*path, name])}")
            else:
                self.lines.append(f"{mark}{name} = {_size(value) if isinstance(value, Bytes) else _toml(plain[name])}")

    def powers(self, path: KeyPath, defaults: Mapping[str, Any]) -> None:
        """Write the defaults of the X-Relay-* headers, each power with its format."""
        self.lines.append("")
        self.prose(AccountPolicy.model_fields["powers"].description or "")
        self.lines.append(f"[{key_text((*path, 'powers'))}]")
        for power in POWERS:
            self.gap()
            self.prose(f"{power.meaning[:-1]}: {power.format}.")
            value = defaults.get(power.key)
            sample = {"yes": True, "no": False}.get(power.example, power.example)
            self.lines.append(f"#{power.key} = {_toml(sample)}" if value is None else f"{power.key} = {_toml(value)}")

    def optional_table(self, path: KeyPath, about: str, values: Mapping[str, object]) -> None:
        """Write a table commented out."""
        self.lines.append("")
        shape = shape_at(path)
        model = shape.section if shape else None
        above = shape_at(path[:-1])
        info = above.section.model_fields[path[-1]] if above and above.section else None
        self.prose(about or (info.description if info else "") or "")
        self.lines.append(f"#[{key_text(path)}]")
        for key, value in values.items():
            if model is not None:
                self.describe(model.model_fields[key])
            self.lines.append(f"#{key_text((key,)) if _is_bare(key) else json.dumps(key)} = {_toml(value)}")

    def describe(self, info: FieldInfo) -> None:
        """Write what an option means, once."""
        if info.description and info.description not in self._described:
            self._described.add(info.description)
            self.gap()
            self.prose(info.description)

    def gap(self) -> None:
        """Part one option from the next; the first follows its table's name at once."""
        if self.lines and self.lines[-1] and not self.lines[-1].lstrip("#").startswith("["):
            self.lines.append("")

    def prose(self, text: str) -> None:
        """Write a comment, wrapped; empty lines part paragraphs."""
        for paragraph in text.strip().split("\n\n"):
            if self.lines and self.lines[-1].startswith("# ") and paragraph != text.strip():
                self.lines.append("#")
            flat = " ".join(paragraph.split())
            self.lines += [f"# {line}" for line in textwrap.wrap(flat, _WIDTH - 2, break_on_hyphens=False)]


def _toml(value: Any) -> str:
    # JSON's texts, numbers, truth values and lists of them are TOML's too.
    return json.dumps(value, ensure_ascii=False)


def _size(value: Bytes) -> str:
    return json.dumps(value.human_readable().replace(".0", ""))


def _is_bare(key: str) -> bool:
    return key.replace("_", "").replace("-", "").isalnum() and key.isascii()


if __name__ == "__main__":
    sys.stdout.write(example())
