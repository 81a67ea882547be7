"""What a check of the configuration finds, and the forms that several of them look at."""

from collections.abc import Iterator
from dataclasses import dataclass
from email.utils import parseaddr
from ipaddress import ip_address
from pathlib import Path

from relay.config.shape import KeyPath

#: How one sender is written.
SENDERS = '"Name <a@example.org>" or "a@example.org"'


@dataclass(frozen=True, slots=True)
class Finding:
    """One mistake, before it is known where the value came from."""

    path: KeyPath
    wrong: str
    right: str = ""
    value: object = None  # None: not to be shown


def is_mailbox(text: str) -> bool:
    """Tell whether a text is one mailbox, with or without a name."""
    _, address = parseaddr(text)
    local, _, domain = address.rpartition("@")
    whole = text.strip() == address or (text.strip().endswith(f"<{address}>") and text.count("<") == 1)
    return bool(local and domain) and text.isprintable() and " " not in address and whole


# --- store ---


def is_loopback(host: str) -> bool:
    """Tell whether a host is this machine itself; names other than localhost are not looked up."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def readable(path: KeyPath, file: Path | None) -> Iterator[Finding]:
    """Tell of a file that cannot be read."""
    if file is None:
        return
    try:
        with file.open("rb"):
            pass
    except OSError as error:
        yield Finding(path, f"cannot be read: {error.strerror}", "", file)
    except ValueError:  # a NUL character
        yield Finding(path, "is not a path", "", file)
