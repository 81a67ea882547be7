"""The door of the configuration: read it, check it, and tell every mistake at once."""

import copy
import difflib
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from relay.config.checks import findings
from relay.config.reading import Draft, Tree, key_text, read
from relay.config.settings import Settings
from relay.config.shape import KeyPath, Shape, shape_at
from relay.errors import ConfigError

_LONGEST_SHOWN = 80
_ROUNDS = 5  # a place that is taken out may leave its table incomplete, and so on up to the top


def load(path: Path | None, environ: Mapping[str, str]) -> Settings:
    """Read the configuration from a TOML file, with the environment over it.

    Args:
        path: the file; None: only the environment and the defaults.
        environ: variables; RELAY__ACCOUNT__ERP__TOKEN sets account.erp.token. Case does not matter, nor - or _.

    Raises:
        ConfigError: there are mistakes; its `problems` are all of them.
    """
    settings, mistakes = examine(path, environ)
    if settings is None or mistakes is not None:
        raise mistakes or ConfigError(())
    return settings


def examine(path: Path | None, environ: Mapping[str, str]) -> tuple[Settings | None, ConfigError | None]:
    """Read the configuration as `load` does, and return what can be made of it beside its mistakes.

    For looking further, not for running: what could not be read holds its default, or is gone with its table; what is
    wrong only beside something else (an account that does not exist, a file that is not there) stands as written.

    Returns:
        The settings, None where not even the file could be read; and the mistakes, None where there are none.
    """
    draft = read(path, environ)
    settings = None if draft.problems and not draft.tree else _checked(draft)
    return settings, ConfigError(draft.problems) if draft.problems or settings is None else None


def masked(settings: Settings) -> dict[str, object]:
    """Return the effective configuration as plain values, every secret as stars: for the log at the start."""
    return settings.model_dump(mode="json")


def _checked(draft: Draft) -> Settings | None:
    # What a model refuses is taken out and the rest read again, so that the checks between settings can still be made
    # and all mistakes come at once.
    tree = draft.tree
    for _ in range(_ROUNDS):
        try:
            settings = Settings.model_validate(tree)
        except ValidationError as error:
            tree = _without(tree, _note_refusals(draft, error))
        else:
            _note_findings(draft, settings)
            return settings
    return None


def _note_refusals(draft: Draft, error: ValidationError) -> list[KeyPath]:
    paths: list[KeyPath] = []
    for detail in error.errors(include_url=False):
        path, is_key = _place(detail["loc"])
        paths.append(path)
        if not _is_inherited(draft, path):
            _note_refusal(draft, path, detail, is_key=is_key)
    return paths


def _note_refusal(draft: Draft, path: KeyPath, detail: Mapping[str, Any], *, is_key: bool) -> None:
    shape = shape_at(path)
    value = _shown(detail["input"], shape)
    if is_key:
        draft.problem(path, "", "is not a usable name", 'one is of small letters, digits, "-" and "_", like "my-app"')
    elif detail["type"] == "extra_forbidden" or shape is None:
        draft.problem(path, "", "is not known here", _hint(path))
    elif detail["type"] == "missing":
        draft.problem(path, "", "is missing", f"it takes {shape.expected()}")
    elif detail["type"] == "value_error":
        draft.problem(path, value, "is not possible", str(detail["ctx"]["error"]))
    else:
        draft.problem(path, value, "is not possible", f"it takes {shape.expected()}")


def _note_findings(draft: Draft, settings: Settings) -> None:
    told = {problem.key for problem in draft.problems}
    for finding in findings(settings, _names(draft.tree, "account")):
        above = {key_text(finding.path[:length]) for length in range(1, len(finding.path) + 1)}
        if not _is_inherited(draft, finding.path) and not above & told:
            value = _shown(finding.value, shape_at(finding.path))
            draft.problem(finding.path, value, finding.wrong, finding.right)


def _place(location: Iterable[str | int]) -> tuple[KeyPath, bool]:
    """Turn pydantic's location, with its marks for unions and keys, into a place; tell whether a key is meant."""
    path: KeyPath = ()
    shape: Shape | None = Shape(Settings)
    for part in location:
        if part == "[key]":
            return path, True
        if shape is None or not (shape.is_table or shape.is_list):
            break
        path = (*path, f"[{part}]" if shape.is_list else str(part))
        shape = shape.child(str(part))
    return path, False


def _is_inherited(draft: Draft, path: KeyPath) -> bool:
    # [defaults] is checked itself, and its mistakes are told once.
    return any(path[:length] in draft.inherited for length in range(len(path) + 1))


def _without(tree: Tree, paths: Iterable[KeyPath]) -> Tree:
    rest = copy.deepcopy(tree)
    for path in paths:
        *tables, key = [part for part in path if not part.startswith("[")]
        table, above = rest, [rest]
        for name in tables:
            table = table.get(name, {})
            above.append(table)
        if key in table:
            del table[key]
        elif tables:  # something is missing here, so the table itself cannot stay
            above[-2].pop(tables[-1], None)
    return rest


def _hint(path: KeyPath) -> str:
    *above, key = path
    table = shape_at(tuple(above))
    known = table.keys if table else ()
    close = difflib.get_close_matches(key.lower().replace("-", "_"), known, n=1)
    if close:
        return f"did you mean {close[0]}?"
    homes = [home for home in _homes(key, Shape(Settings), "") if home]
    if homes:
        return f"it belongs to {' or '.join(homes[:3])}"
    return f"known are {', '.join(known)}"


def _homes(key: str, shape: Shape, name: str) -> Iterator[str]:
    if key in shape.keys:
        yield f"[{name}]" if name else "the top of the file"
    for inner in shape.keys or (("NAME",) if shape.is_mapping else ()):
        child = shape.child(inner)
        if child is not None and child.is_table:
            yield from _homes(key, child, f"{name}.{inner}".lstrip("."))


def _names(tree: Tree, table: str) -> frozenset[str]:
    names = tree.get(table)
    return frozenset(names) if isinstance(names, dict) else frozenset()


def _shown(value: object, shape: Shape | None) -> str:
    """Write a value for a message: shortened, stars for a secret, nothing for a table or in the place of one."""
    # What stands in the place of a table may well be a secret: [login] "app@example.org" = "password".
    if shape is None or shape.is_table or isinstance(value, dict | list | tuple) or value is None:
        return ""
    if shape.is_secret:
        return "***"
    text = json.dumps(value, default=str)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[: _LONGEST_SHOWN - 3]}..."
