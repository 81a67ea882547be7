"""The rules of how we write, each as a function that names what breaks it; exceptions stand here with their reasons."""

import ast
import re
from collections.abc import Iterator, Mapping

from house import Module, is_in

FILE_LINES_TO_THINK = 300
FILE_LINES = 400
FUNCTION_LINES = 50

#: Files over the budget, and why they are one file.
LONG_FILES: Mapping[str, str] = {}

#: Where the unforeseen may be caught and end: the function, and why. To catch, tidy up and raise again is free.
CATCH_ALLS: Mapping[str, str] = {
    "relay.smtp.connection.Connection._guard": "one command: the client reads 451, never our error",
    "relay.reception.Reception.receive": "one message at the door: a bug in reading it leaves it with the client",
    "relay.intake.Auto._finish": "one message whose client has its answer: nobody waits for the task",
    "relay.delivery.Delivery._send": "one call: whatever went wrong, the API may have the mail, and that is an outcome",
    "relay.active.ActiveQueue._attempt": "one message of the queue: the others go on",
    "relay.web.server.Web._answer_whatever_happens": "one request",
    "relay.reports.reporter.Reporter._tell_or_omit": "one message: the senders of all others are told",
    "relay.reports.reporter.Reporter._hand_over": "one report: it is tried again, and so are all others",
    "relay.queue.sqlite.writer.Writer._commit": "a group: done again one by one, which shows whose fault it is",
    "relay.queue.sqlite.writer.Writer._attempt": "one operation in a group: raised again where it is awaited",
    "relay.queue.postgres.writer.Writer._do": "a group: raised again where its operations are awaited",
    "relay.queue.postgres.writer.Writer._commit": "a commit: what became of it is looked up",
    "relay.queue.postgres.writer.Writer._work": "a group: done again one by one, which shows whose fault it is",
    "relay.queue.postgres.writer.Writer._attempt": "one operation in a group: raised again where it is awaited",
}

#: Modules that work when imported: they are the program's beginning.
STARTERS: Mapping[str, str] = {
    "relay.__main__": "runs the command line",
    "relay.cli": "puts the commands into the command line's list",
}

#: Dataclasses that are not frozen or have no slots: the class, and why.
LOOSE_DATACLASSES: Mapping[str, str] = {}

#: Who may look at the clock or roll dice: the wiring hands both to everybody else.
CLOCK_OWNERS = ("relay.app", "relay.supervisor", "relay.cli", "relay.demo", "relay.commands")
#: A stopwatch (`time.monotonic`) may run by itself: it decides nothing.
_CLOCKS = re.compile(
    r"(time\.(time|time_ns|sleep)|(datetime\.)?datetime\.(now|utcnow|today)"
    r"|(datetime\.)?date\.today|random\.[a-z]\w*)"
)
#: A group that is repeated possessively: Debian 12's Python 3.11.2 matches it wrongly where a round of the repetition
#: begins and fails (python/cpython#106052; right from 3.11.5 on). `[^x]*+` and `(?>(...)*)` are right in both.
_POSSESSIVE_GROUP = re.compile(r"(?<!\\)\)([*+?]|\{\d*,?\d*\})\+")
#: Who speaks to a person on a terminal.
SPEAKERS = ("relay.cli", "relay.commands", "relay.demo", "relay.__main__")

Functions = ast.FunctionDef | ast.AsyncFunctionDef


def named(module: Module) -> Iterator[tuple[str, ast.AST]]:
    """Walk over a module; each node comes with the dotted name of the function or class it stands in or is."""

    def walk(node: ast.AST, name: str) -> Iterator[tuple[str, ast.AST]]:
        for child in ast.iter_child_nodes(node):
            inner = f"{name}.{child.name}" if isinstance(child, Functions | ast.ClassDef) else name
            yield inner, child
            yield from walk(child, inner)

    yield from walk(module.tree, module.name)


def long_file(module: Module) -> Iterator[str]:
    """Name a file over the budget."""
    lines = len(module.source.splitlines())
    if lines > FILE_LINES and module.name not in LONG_FILES:
        yield f"{module.name} has {lines} lines; {FILE_LINES} need a reason in LONG_FILES"


def long_functions(module: Module) -> Iterator[str]:
    """Name functions over the budget, docstring not counted."""
    for name, node in named(module):
        if isinstance(node, Functions) and node.end_lineno:
            first = node.body[1] if ast.get_docstring(node) and len(node.body) > 1 else node.body[0]
            lines = node.end_lineno - first.lineno + 1
            if lines > FUNCTION_LINES:
                yield f"{name}:{node.lineno} has {lines} lines; {FUNCTION_LINES} are the budget"


def caught_alls(module: Module) -> Iterator[str]:
    """Name handlers that catch whatever comes."""
    for name, node in named(module):
        caught = set(_caught(node)) & {"everything", "Exception", "BaseException"}
        if caught and name not in CATCH_ALLS:
            yield f"{name}:{node.lineno} catches {', '.join(caught)}"


def _caught(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.ExceptHandler):
        last = node.body[-1]
        if isinstance(last, ast.Raise) and last.exc is None:
            return
        kinds = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
        yield from (ast.unparse(kind).removeprefix("builtins.") if kind else "everything" for kind in kinds)
    elif isinstance(node, ast.Call) and ast.unparse(node.func) in {"suppress", "contextlib.suppress"}:
        yield from (ast.unparse(kind) for kind in node.args)


def untold(module: Module) -> Iterator[str]:
    """Name public modules, classes and functions without a docstring."""
    if not ast.get_docstring(module.tree):
        yield f"{module.name} has no docstring"
    for name, node in named(module):
        if isinstance(node, Functions | ast.ClassDef) and not ast.get_docstring(node):
            inside = name.removeprefix(f"{module.name}.").split(".")
            if not any(part.startswith("_") for part in inside) and not _is_local(module, inside):
                yield f"{name}:{node.lineno} has no docstring"


def _is_local(module: Module, path: list[str]) -> bool:
    # A function within a function is nobody's public name.
    node: ast.AST = module.tree
    for part in path[:-1]:
        node = next(child for child in ast.walk(node) if getattr(child, "name", "") == part)
        if isinstance(node, Functions):
            return True
    return False


def leftovers(module: Module) -> Iterator[str]:
    """Name notes to self."""
    for number, line in enumerate(module.source.splitlines(), 1):
        if re.search(r"\b(TODO|FIXME|XXX|HACK)\b", line):
            yield f"{module.name}:{number} has a note to self"


def prints(module: Module) -> Iterator[str]:
    """Name prints outside the commands: the gateway speaks through its events."""
    if any(is_in(module.name, room) for room in SPEAKERS):
        return
    for name, node in named(module):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in {"print", "pprint", "breakpoint"}:
            yield f"{name}:{node.lineno} prints"


def read_clocks(module: Module) -> Iterator[str]:
    """Name calls that look at the clock or roll dice themselves, where both should be passed in."""
    if any(is_in(module.name, room) for room in CLOCK_OWNERS):
        return
    for name, node in named(module):
        if isinstance(node, ast.Call) and _CLOCKS.fullmatch(called := ast.unparse(node.func)):
            yield f"{name}:{node.lineno} calls {called}: time and randomness are passed in"


def misread_patterns(module: Module) -> Iterator[str]:
    """Name regular expressions that Debian 12's Python reads differently from newer ones."""
    for name, node in named(module):
        if isinstance(node, ast.Constant) and isinstance(node.value, str | bytes):
            text = node.value if isinstance(node.value, str) else node.value.decode("latin-1")
            if _POSSESSIVE_GROUP.search(text):
                yield f"{name}:{node.lineno} repeats a group possessively: Python 3.11.2 matches it wrongly"


def loose_dataclasses(module: Module) -> Iterator[str]:
    """Name dataclasses that are not frozen and slotted."""
    for name, node in named(module):
        for decorator in node.decorator_list if isinstance(node, ast.ClassDef) else ():
            text = ast.unparse(decorator)
            is_tight = "frozen=True" in text and "slots=True" in text
            if text.split("(")[0].endswith("dataclass") and not is_tight and name not in LOOSE_DATACLASSES:
                yield f"{name}:{node.lineno} is not frozen and slotted"


def global_state(module: Module) -> Iterator[str]:
    """Name work at import and globals that change."""
    for node in module.tree.body:
        is_docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        works = isinstance(node, ast.Expr | ast.For | ast.While | ast.With | ast.Try) and not is_docstring
        if works and module.name not in STARTERS:
            yield f"{module.name}:{node.lineno} works at import"
    for name, node in named(module):
        if isinstance(node, ast.Global):
            yield f"{name}:{node.lineno} changes a global"
