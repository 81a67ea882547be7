"""The rules of the house as functions: each takes a module and names what breaks it.

The trees are read with `ast`: import-linter knows arrows, but neither doors for single names of a library (aiohttp's
client and its server side are one distribution), nor budgets, nor what a made-up module would break.
"""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatch
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Module:
    """One module of the gateway, read."""

    name: str  # dotted, as imported
    source: str
    is_package: bool = False

    @property
    def tree(self) -> ast.Module:
        return _parsed(self.source)


@dataclass(frozen=True, slots=True)
class Floor:
    """Rooms that stand side by side."""

    rooms: tuple[str, ...]  # a module, or a package with all that is in it
    neighbours: bool  # whether these rooms may import each other (in one direction)


#: From the ground up: a room imports from floors below its own. The longest name that fits decides.
FLOORS = (
    # The words that everybody speaks: `mime.content` is what a message says, `config` what an operator says.
    Floor(
        tuple(
            f"relay.{name}"
            for name in (
                "message",
                "addresses",
                "outcome",
                "errors",
                "powers",
                "seal",
                "budget",
                "plain",
                "clients",
                "offloop",
                "descriptors",
                "config",
                "mime.content",
                "log",
                "events",
            )
        ),
        neighbours=True,
    ),
    # The contracts: who offers what. Values and Protocols, so that rooms know each other by promise only.
    Floor(
        (
            "relay.accounts.account",
            "relay.providers.contract",
            "relay.queue.contract",
            "relay.queue.control",
            "relay.queue.reporting",
            "relay.smtp.contract",
        ),
        neighbours=True,
    ),
    Floor(("relay.mime",), neighbours=False),  # pure: what it makes of bytes, the translations make calls of
    Floor(("relay.accounts", "relay.retry", "relay.providers", "relay.pauses", "relay.evidence"), neighbours=False),
    Floor(("relay.preparation", "relay.delivery", "relay.settlement", "relay.queue", "relay.proof"), neighbours=False),
    Floor(("relay.keeping", "relay.entries", "relay.doubts"), neighbours=False),
    Floor(("relay.active", "relay.unheard", "relay.vacancy"), neighbours=False),
    Floor(("relay.intake", "relay.tracking", "relay.bounce"), neighbours=False),
    # Reads, checks, and chooses the intake; and what goes back to the sender, by the intake too.
    Floor(("relay.reception", "relay.reports"), neighbours=False),
    Floor(
        ("relay.smtp", "relay.worker", "relay.housekeeping", "relay.audit", "relay.web", "relay.sandbox"),
        neighbours=False,
    ),
    Floor(("relay.shift",), neighbours=False),  # all parts that work by one configuration
    Floor(
        ("relay.app", "relay.supervisor", "relay.cli", "relay.demo", "relay.commands", "relay.__main__"),
        neighbours=True,
    ),
)

#: Library, or a name in it, and the rooms that may open that door. The longest name that fits decides.
DOORS: Mapping[str, tuple[str, ...]] = {
    "aiosmtpd": ("relay.smtp",),
    "aiohttp": ("relay.providers", "relay.sandbox.reports", "relay.sandbox.dmds.pages"),
    "aiohttp.web": ("relay.web", "relay.sandbox"),
    "aiohttp.http_exceptions": ("relay.web.forms",),
    "sqlite3": ("relay.queue.sqlite*",),
    "asyncpg": ("relay.queue.postgres",),
    "aiosmtplib": ("relay.reports.routes.smtp",),
    "standardwebhooks": ("relay.reports.routes.webhook",),
    "structlog": ("relay.log",),
    "logging": ("relay.log",),
    "argon2": ("relay.accounts",),
    "cryptography": ("relay.seal", "relay.smtp"),
    "pydantic": ("relay.config", "relay.web.api.shapes"),
    "pydantic_core": ("relay.config",),
    "annotated_types": ("relay.config",),
    "pydantic.SecretStr": ("relay",),  # a type that hides what it holds, wherever a secret travels
    "click": ("relay.cli", "relay.commands"),
    "jinja2": ("relay.web.rendering", "relay.sandbox.page"),
    "nh3": ("relay.web.inert",),
    "babel": ("relay.web",),
    "itsdangerous": ("relay.web.visitor",),
    "rich": ("relay.commands.tables",),
    "pybase64": ("relay.mime",),
}


@cache
def _parsed(source: str) -> ast.Module:
    return ast.parse(source)


def modules() -> Iterator[Module]:
    """Read every module of the gateway."""
    for path in sorted((ROOT / "relay").rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        is_package = parts[-1] == "__init__"
        yield Module(".".join(parts[:-1] if is_package else parts), path.read_text(encoding="utf-8"), is_package)


def imported(module: Module) -> Iterator[tuple[int, str]]:
    """Name what a module imports, each imported name by its full dotted name, with its line."""
    here = module.name.split(".")
    package = here if module.is_package else here[:-1]
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            origin = ".".join([*base, *([node.module] if node.module else [])])
            yield from ((node.lineno, f"{origin}.{alias.name}") for alias in node.names)


def _longest(name: str, among: Iterator[str]) -> str:
    return max((known for known in among if is_in(name, known)), key=len, default="")


def is_in(name: str, room: str) -> bool:
    """Tell whether a dotted name is a room or lies in it."""
    return name == room or name.startswith(f"{room}.")


def room_of(name: str) -> tuple[int, str]:
    """Return the floor and the room that a module or a name in it belongs to; -1 where it has none."""
    room = _longest(name, (room for floor in FLOORS for room in floor.rooms))
    floors = [index for index, floor in enumerate(FLOORS) if room in floor.rooms]
    return (floors[0], room) if floors else (-1, "")


def broken_arrows(module: Module) -> Iterator[str]:
    """Name imports that do not point downward."""
    if module.is_package and module.name == "relay":
        return
    floor, room = room_of(module.name)
    if floor < 0:
        yield f"{module.name} has no floor: give it one in tests/house/house.py"
        return
    for line, name in imported(module):
        target_floor, target = room_of(name)
        if not is_in(name, "relay") or name == "relay.__version__" or target == room:
            continue
        if target_floor < 0:
            yield f"{module.name}:{line} imports {name}, which has no floor"
        elif target_floor > floor or (target_floor == floor and not FLOORS[floor].neighbours):
            yield f"{module.name}:{line} imports {name}: {room} may not know {target}"


def broken_seclusion(module: Module) -> Iterator[str]:
    """Name imports by which the sandbox would know the gateway: it knows the wire, and nothing else."""
    if is_in(module.name, "relay.sandbox"):
        for line, name in imported(module):
            if is_in(name, "relay") and not is_in(name, "relay.sandbox") and name != "relay.__version__":
                yield f"{module.name}:{line} imports {name}: the sandbox knows nothing of the gateway"


def broken_doors(module: Module) -> Iterator[str]:
    """Name imports of a library outside the rooms that own it."""
    for line, name in imported(module):
        door = _longest(name, iter(DOORS))
        if door and not any(is_in(module.name, room) or fnmatch(module.name, room) for room in DOORS[door]):
            yield f"{module.name}:{line} imports {name}: {door} belongs to {', '.join(DOORS[door])}"


def circles(everything: list[Module]) -> Iterator[str]:
    """Name modules that import each other in a circle."""
    names = {module.name for module in everything}
    edges = {
        module.name: {
            known for _, name in imported(module) if (known := _longest(name, iter(names))) and known != module.name
        }
        for module in everything
    }
    done: set[str] = set()

    def walk(name: str, path: tuple[str, ...]) -> Iterator[str]:
        if name in path:
            yield " -> ".join([*path[path.index(name) :], name])
        elif name not in done:
            for target in sorted(edges[name]):
                yield from walk(target, (*path, name))
            done.add(name)

    for name in sorted(names):
        yield from walk(name, ())
