"""Each rule of the house sees a violation that is planted for it, and lets its lawful twin pass."""

import house
import manners
import pytest
from house import Module

DOC = '"""What it is for."""\n'


def made_up(name, source, *, is_package=False):
    return Module(name, DOC + source, is_package)


ARROWS = [
    # (module, import, lawful)
    ("relay.mime.reader", "from relay.queue.sqlite import Store", False),  # upward
    ("relay.mime.reader", "import relay.app", False),
    ("relay.mime.reader", "from ..worker import Worker", False),
    ("relay.mime.reader", "from relay import worker", False),
    ("relay.web.health", "from relay.smtp.server import Server", False),  # sideways
    ("relay.retry", "from relay.providers import dmds", False),
    ("relay.providers.contract", "from relay.providers.http import Client", False),  # a contract knows no maker
    ("relay.outcome", "from relay.retry import again", False),
    ("relay.unheard_of", "import relay.outcome", False),  # no floor
    ("relay.app", "import relay.unheard_of", False),
    ("relay.mime.reader", "from relay.message import Mailbox", True),
    ("relay.mime.reader", "from relay.mime.words import decode", True),
    ("relay.mime.reader", "from .words import decode", True),
    ("relay.worker", "from relay.queue.contract import Queue", True),
    ("relay.accounts.account", "from relay.providers.contract import Credentials", True),
    ("relay.web.health", "from relay import __version__", True),
    ("relay.app", "from relay.smtp.server import Server\nimport relay.cli", True),
]


@pytest.mark.parametrize(("name", "source", "lawful"), ARROWS)
def test_arrows_point_downward(name, source, lawful):
    assert lawful == (not list(house.broken_arrows(made_up(name, source))))


DOORS = [
    ("relay.web.health", "import aiosmtpd.smtp", False),
    ("relay.web.health", "from aiohttp import ClientSession", False),
    ("relay.web.health", "import aiohttp", False),
    ("relay.providers.http", "from aiohttp import web", False),
    ("relay.providers.http", "import aiohttp.web", False),
    ("relay.worker", "import sqlite3", False),
    ("relay.queue.contract", "from sqlite3 import Row", False),
    ("relay.worker", "import structlog", False),
    ("relay.worker", "from logging import getLogger", False),
    ("relay.smtp.auth", "import argon2", False),
    ("relay.mime.reader", "from cryptography import x509", False),
    ("relay.queue.sqlite", "from pydantic import BaseModel", False),
    ("relay.smtp.server", "from aiosmtpd.smtp import SMTP", True),
    ("relay.web.health", "from aiohttp import web\nfrom aiohttp.web import Request", True),
    ("relay.providers.http", "import aiohttp", True),
    ("relay.sandbox.reports", "from aiohttp import ClientSession", True),
    ("relay.queue.sqlite", "import sqlite3", True),
    ("relay.queue.sqlite_writer", "import sqlite3", True),
    ("relay.accounts.passwords", "import argon2", True),
    ("relay.providers.contract", "from pydantic import SecretStr", True),
]


@pytest.mark.parametrize(("name", "source", "lawful"), DOORS)
def test_each_library_has_one_door(name, source, lawful):
    assert lawful == (not list(house.broken_doors(made_up(name, source))))


@pytest.mark.parametrize(
    ("source", "lawful"),
    [
        ("from relay.message import Mailbox", False),
        ("from relay.sandbox.mailboxes import Mailboxes", True),
        ("from relay import __version__", True),
        ("import asyncio", True),
    ],
)
def test_the_sandbox_knows_nothing_of_the_gateway(source, lawful):
    assert lawful == (not list(house.broken_seclusion(made_up("relay.sandbox.server", source))))


def test_circles_are_found():
    ring = [
        made_up("relay.a", "import relay.b"),
        made_up("relay.b", "import relay.c"),
        made_up("relay.c", "import relay.a"),
    ]

    assert ["relay.a -> relay.b -> relay.c -> relay.a"] == list(house.circles(ring))
    assert [] == list(house.circles(ring[:2]))


def body(lines):
    return "".join(f"    step{number} = {number}\n" for number in range(lines))


MANNERS = [
    (manners.long_file, "\n" * 400, "\n" * 300),
    (manners.long_functions, f"def walk():\n{body(51)}", f'def walk():\n    """Walk.\n\n    Far.\n    """\n{body(50)}'),
    (manners.long_functions, f"class Walker:\n  async def walk():\n{body(51)}", f"async def walk():\n{body(50)}"),
    (manners.caught_alls, "try: f()\nexcept: pass", "try: f()\nexcept ValueError: pass"),
    (manners.caught_alls, "try: f()\nexcept Exception as error: g(error)", "try: f()\nfinally: g()"),
    (manners.caught_alls, "try: f()\nexcept (ValueError, BaseException): pass", "try: f()\nexcept (A, B): pass"),
    (
        manners.caught_alls,
        "try: f()\nexcept BaseException: return",
        "try: f()\nexcept BaseException:\n    g()\n    raise",
    ),
    (manners.caught_alls, "with contextlib.suppress(Exception): f()", "with contextlib.suppress(OSError): f()"),
    (manners.untold, "def accept(): pass", "def accept():\n    '''Accept.'''"),
    (manners.untold, "class Store: pass", "class _Store:\n    def put(self): pass"),
    (manners.untold, "class Store:\n    '''S.'''\n    def put(self): pass", "def _f():\n    def g(): pass"),
    (
        manners.untold,
        "class Store:\n    '''S.'''\n    async def put(self): pass",
        "class Store:\n    '''S.'''\n    def __len__(self): pass",
    ),
    (manners.leftovers, "# TODO: mend", "# what is to do is done"),
    (manners.leftovers, "# FIXME", "XXXIV = 34"),
    (manners.prints, "print(1)", "imprint(1)"),
    (manners.prints, "def f():\n    breakpoint()", "def f():\n    self.print(1)"),
    (manners.read_clocks, "now = time.time()", "def f(clock=time.time): return clock()"),
    (manners.read_clocks, "def f():\n    time.sleep(1)", "import time"),
    (manners.read_clocks, "at = datetime.now(UTC)", "at = datetime.fromtimestamp(clock(), UTC)"),
    (manners.read_clocks, "wait = random.uniform(0, 1)", "wait = rng.uniform(0, 1)"),
    (manners.misread_patterns, r"A = re.compile(r'(?:a[bc]++)*+d')", r"A = re.compile(r'(?:a[bc]++)*d')"),
    (manners.misread_patterns, r"A = re.compile(rb'(a|b)++')", r"A = re.compile(rb'[ab]*+(?>a+)\)*+')"),
    (manners.loose_dataclasses, "@dataclass\nclass A: pass", "@dataclass(frozen=True, slots=True)\nclass A: pass"),
    (manners.loose_dataclasses, "@dataclasses.dataclass(frozen=True)\nclass A: pass", "class A: pass"),
    (manners.global_state, "serve()", "SIZE = len(NAMES)"),
    (manners.global_state, "for name in NAMES: register(name)", "if TYPE_CHECKING:\n    import asyncio"),
    (manners.global_state, "def f():\n    global count\n    count = 1", "def f():\n    count = 1"),
]


@pytest.mark.parametrize(("rule", "broken", "lawful"), MANNERS)
def test_a_planted_violation_is_seen_and_its_lawful_twin_is_not(rule, broken, lawful):
    assert list(rule(made_up("relay.mime.reader", broken)))
    assert [] == list(rule(made_up("relay.mime.reader", lawful)))


def test_the_commands_may_speak_and_look_at_the_clock():
    speaking = made_up("relay.cli", "def f():\n    print(time.time())")

    assert [] == [*manners.prints(speaking), *manners.read_clocks(speaking)]


def test_a_module_without_docstring_is_seen():
    assert ["relay.mime.reader has no docstring"] == list(manners.untold(Module("relay.mime.reader", "A = 1\n")))


def test_the_modules_of_the_gateway_are_found():
    """A rule that looks at nothing would always hold."""
    names = {module.name for module in house.modules()}

    assert {"relay", "relay.outcome", "relay.providers", "relay.providers.contract"} <= names
