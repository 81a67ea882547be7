"""From the file and the environment to one tree of raw values, remembering where each value came from."""

import json
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from relay.config.settings import AccountPolicy, Settings
from relay.config.shape import KeyPath, Shape
from relay.errors import Problem

#: What a variable of ours begins with; the rest is the key path, joined by two underscores.
PREFIX = "RELAY__"
#: How a secret says that it stands in a file.
FILE = "file:"

_LARGEST_SECRET = 64 * 1024
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_ITEM = re.compile(r"\[[0-9]+\]")

Tree = dict[str, Any]  # what TOML can hold; typed by the models afterwards


class Draft:
    """A configuration that is read and not yet checked."""

    def __init__(self, path: Path | None) -> None:
        self.folder = path.parent if path else Path()  # what relative paths start from
        self.tree: Tree = {}
        self.variables: dict[KeyPath, str] = {}  # which variable set a value
        self.inherited: set[KeyPath] = set()  # values taken from [defaults]
        self.problems: list[Problem] = []
        self._file = str(path) if path else "configuration"

    def problem(self, path: KeyPath, value: str, wrong: str, right: str = "") -> None:
        """Note a mistake; one for each place, the first."""
        key = key_text(path)
        if not any(problem.key == key for problem in self.problems):
            self.problems.append(Problem(self.source(path), key, value, wrong, right))

    def source(self, path: KeyPath) -> str:
        """Tell where a value was written."""
        for length in range(len(path), 0, -1):
            if path[:length] in self.variables:
                return f"environment {self.variables[path[:length]]}"
        return self._file


def read(path: Path | None, environ: Mapping[str, str]) -> Draft:
    """Read the file, lay the environment over it, [defaults] under every policy, and resolve what names files."""
    draft = Draft(path)
    if path is not None:
        _read_file(draft, path)
    if not draft.problems:
        _overlay(draft, environ)
        _spread_defaults(draft)
        _resolve_files(draft, draft.tree, Shape(Settings), ())
    return draft


def key_text(path: KeyPath) -> str:
    """Write a key path as TOML does: account.erp.token, login."a@example.org".account; "[0]" is an item of a list."""
    return "".join(
        key if _ITEM.fullmatch(key) else f".{key if _BARE_KEY.fullmatch(key) else json.dumps(key)}" for key in path
    ).removeprefix(".")


def same(key: str) -> str:
    """Reduce the spellings of a key to one: case, and - or _, do not matter in the environment."""
    return key.lower().replace("-", "_")


def _read_file(draft: Draft, path: Path) -> None:
    try:
        draft.tree = tomllib.loads(path.read_text("utf-8-sig"))
    except OSError as error:
        draft.problem((), "", f"cannot be read: {error.strerror}")
    except UnicodeDecodeError as error:
        draft.problem((), "", f"is not UTF-8 at byte {error.start}", "save it as UTF-8")
    except tomllib.TOMLDecodeError as error:
        draft.problem((), "", f"is not TOML: {error}", 'texts stand in "quotes", lists in [brackets]')


# --- the environment ---
#
# Not pydantic-settings: it stops at the first value that it cannot parse, ignores variables that it does not know
# (RELAY__ACOUNT__... would be silent), and does not find a table [account.my-app] by MY_APP.


def _overlay(draft: Draft, environ: Mapping[str, str]) -> None:
    for variable in sorted(environ):
        if variable.upper().startswith(PREFIX):
            _set(draft, variable, environ[variable])


def _set(draft: Draft, variable: str, text: str) -> None:
    table, shape, path = draft.tree, Shape(Settings), ()  # type: tuple[Tree, Shape, KeyPath]
    *tables, last = variable[len(PREFIX) :].split("__")
    for segment in tables:
        key = _key(segment, table, shape, path)
        inner = shape.child(key)
        below = table.setdefault(key, {})
        path = (*path, key)
        if inner is None or not inner.is_table or not isinstance(below, dict):
            break
        table, shape = below, inner
    else:
        key = _key(last, table, shape, path)
        path = (*path, key)
        if path in draft.variables:
            draft.problem(path, "", f"is set by {draft.variables[path]} and by {variable}", "set it once")
        table[key] = _value(draft, path, text, shape.child(key), variable)
    draft.variables[path] = variable


def _key(segment: str, table: Tree, shape: Shape, path: KeyPath) -> str:
    known = [*shape.keys, *table]
    fallback = segment.lower().replace("_", "-") if path and path[-1] == "powers" else segment.lower()
    return next((key for key in known if same(key) == same(segment)), fallback)


def _value(draft: Draft, path: KeyPath, text: str, shape: Shape | None, variable: str) -> object:
    if shape is None or not (shape.is_table or shape.is_list):
        return text  # the models read numbers, yes and no from text
    if shape.is_list and not text.lstrip().startswith("["):
        return [piece.strip() for piece in text.split(",") if piece.strip()]
    for parse in (_toml_value, json.loads):
        try:
            return parse(text)
        except (ValueError, RecursionError):
            continue
    draft.variables[path] = variable
    draft.problem(path, "", "cannot be read", f"{shape.expected()}, as TOML or JSON")
    return [] if shape.is_list else {}


def _toml_value(text: str) -> object:
    document = tomllib.loads(f"value = {text}")
    if len(document) != 1:
        raise ValueError("more than one value")
    return document["value"]


# --- [defaults] ---


def _spread_defaults(draft: Draft) -> None:
    # On the raw level, because a model cannot tell a value that was written from its own default.
    defaults = draft.tree.setdefault("defaults", {})
    if not isinstance(defaults, dict):
        return
    _canonical_powers(defaults)
    known = {key: value for key, value in defaults.items() if key in AccountPolicy.model_fields}
    _lay_under(defaults, {"powers": AccountPolicy().powers}, lambda *_: None)
    known["powers"] = defaults["powers"]
    for path, policy in _policies(draft.tree):
        _canonical_powers(policy)

        def inherit(below: KeyPath, path: KeyPath = path) -> None:
            draft.inherited.add((*path, *below))

        _lay_under(policy, known, inherit)


def _policies(tree: Tree) -> Iterator[tuple[KeyPath, Tree]]:
    accounts = tree.get("account")
    for name, account in accounts.items() if isinstance(accounts, dict) else ():
        if isinstance(account, dict):
            yield ("account", name), account
    passthrough = tree.setdefault("passthrough", {})
    for provider in ("mensatek", "dmds"):
        table = passthrough.setdefault(provider, {}) if isinstance(passthrough, dict) else None
        policy = table.setdefault("policy", {}) if isinstance(table, dict) else None
        if isinstance(policy, dict):
            yield ("passthrough", provider, "policy"), policy


def _canonical_powers(policy: Tree) -> None:
    powers = policy.get("powers")
    if isinstance(powers, dict):
        policy["powers"] = {key.replace("_", "-"): value for key, value in powers.items()}


def _lay_under(policy: Tree, defaults: Mapping[str, Any], inherit: Callable[[KeyPath], None]) -> None:
    for key, value in defaults.items():
        if isinstance(value, dict) and isinstance(policy.get(key, {}), dict):
            own = policy.get(key, {})
            policy[key] = {**own}

            def inherit_below(below: KeyPath, key: str = key) -> None:
                inherit((key, *below))

            _lay_under(policy[key], value, inherit_below)
        elif key not in policy:
            policy[key] = value
            inherit((key,))


# --- files ---
#
# Every relative path starts where the configuration file is: certificates and secrets lie beside it, and where a
# service is started from is no place that anybody thinks of.


def _resolve_files(draft: Draft, table: Tree, shape: Shape, path: KeyPath) -> None:
    for key, value in table.items():
        inner = shape.child(key)
        if inner is not None and inner.is_table and isinstance(value, dict):
            _resolve_files(draft, value, inner, (*path, key))
        elif inner is not None and isinstance(value, str) and inner.is_path:
            table[key] = _located(draft.folder, value)
        elif inner is not None and isinstance(value, str) and inner.is_secret and value.startswith(FILE):
            table[key] = _secret(draft, (*path, key), draft.folder / value.removeprefix(FILE))


def _located(folder: Path, value: str) -> str:
    # What no file can be called stays as it is written, and is told of so.
    return str(folder / value) if value and "\0" not in value else value


def _secret(draft: Draft, path: KeyPath, file: Path) -> str:
    try:
        text = file.read_bytes()[:_LARGEST_SECRET].decode().strip()
    except OSError as error:
        draft.problem(path, f'"{FILE}{file}"', f"the file cannot be read: {error.strerror}")
    except ValueError:
        draft.problem(path, f'"{FILE}{file}"', "the file does not hold UTF-8 text")
    else:
        if text:
            return text
        draft.problem(path, f'"{FILE}{file}"', "the file is empty")
    return ""
