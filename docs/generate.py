"""Write the tables under docs/, and that of the README, from the code: `python docs/generate.py`. A test compares."""

import ast
import json
from collections.abc import Iterable
from pathlib import Path

from relay.mime import NOTES as MIME_NOTES
from relay.powers import POWERS
from relay.providers.dmds.methods import METHODS as DMDS_METHODS
from relay.providers.dmds.wire import DmdsWire
from relay.providers.mensatek.methods import METHODS as MENSATEK_METHODS
from relay.providers.mensatek.wire import MensatekWire
from relay.providers.notes import NOTES as PROVIDER_NOTES
from relay.providers.wire import verb_and_path, wire_names

FOLDER = Path(__file__).parent
README = FOLDER.parent / "README.md"
_TESTS = FOLDER.parent / "tests" / "api"
#: Between these two lines of the README stands a table of ours.
_BEGIN, _END = "<!-- methods: made by docs/generate.py -->", "<!-- end of methods -->"
_MAILS = FOLDER.parent / "tests" / "golden"
_GENERATED = "Made from the code by `docs/generate.py`."


def pages() -> dict[str, str]:
    """Make every page: file name and text."""
    return {"headers.md": _headers(), "mails.md": _mails(), "notes.md": _notes(), "wire.md": _wire()}


def _headers() -> str:
    rows = (
        (f"`X-Relay-{power.name}`", power.provider, power.format, f"`{power.example}`", power.meaning)
        for power in POWERS
    )
    return _page(
        "The APIs' own powers, by header",
        "Each header is removed before sending. Each is also an account default: in `powers`, by its name without "
        "`X-Relay-` and in lower case, for example `powers = { track-opens = true }`. A bad value is refused (554 "
        "5.6.0) with its name; what the account's API does not offer becomes a fidelity note.",
        _table(("header", "API", "format", "example", "meaning"), rows),
    )


def _mails() -> str:
    rows = []
    for about in sorted(_MAILS.glob("*.txt")):
        writer, _, special = about.read_text("utf-8").strip().partition("\n")
        became = (_became(about.with_suffix(f".{provider}.json")) for provider in ("mensatek", "dmds"))
        rows.append((f"`{about.stem}`", writer, " ".join(special.split()), *became))
    return _page(
        "Mails that the translations are proven with",
        "Each stands in `tests/golden` as it comes (`.eml`), beside the exact calls that it becomes for each API "
        "(`.json`). Those that begin with `gw-`, there too, are made for the gateway's own rules. The last columns "
        "tell what each API carries whole, and what is noted ([notes.md](notes.md)); an account with `strict = true` "
        "refuses the mail for a note in **bold**.",
        _table(("mail", "who writes such", "what is special", "by Mensatek", "by DMDS"), rows),
    )


def _became(expected: Path) -> str:
    """Sum up what an API makes of a mail."""
    made = json.loads(expected.read_text("utf-8"))
    if "refused" in made:
        return f"refused: {made['refused']}"
    notes = dict.fromkeys(tuple(line.split(": ")[:2]) for line in made["notes"])
    return ", ".join(f"**`{code}`**" if weight == "lost" else f"`{code}`" for weight, code in notes) or "whole"


def _notes() -> str:
    known = {str(code): entry for code, entry in {**MIME_NOTES, **PROVIDER_NOTES}.items()}
    rows = ((f"`{code}`", weight.value, meaning) for code, (weight, meaning) in sorted(known.items()))
    return _page(
        "Fidelity notes",
        "*changed*: arrives in another form that looks or works the same. *lost*: does not arrive; an account with "
        "`strict = true` refuses the message with 554 5.6.3 instead.",
        _table(("note", "weight", "meaning"), rows),
    )


def _wire() -> str:
    sections = []
    for provider, table in (("mensatek", MensatekWire), ("dmds", DmdsWire)):
        rows = (
            (f"`{row.key}`", f"`{row.default}`" if row.default else "", row.mark.value, row.about)
            for row in wire_names(table)
        )
        sections.append(
            f"## `[provider.{provider}.wire]`\n\n" + _table(("key", "on the wire", "mark", "what it is"), rows)
        )
    return _page(
        "Wire names and what they rest on",
        "**doc** the vendor's document · **vendor** another page of the vendor · **client** source of a customer in "
        "production · **wire** a logged answer · **assumed** from a sibling or older API · **unknown** nobody knows. "
        "Each can be corrected in the configuration by its key.",
        "\n\n".join(sections),
    )


def readme(text: str) -> str:
    """Put the table of the APIs' methods into the README's text."""
    before, begin, rest = text.partition(_BEGIN)
    _, end, after = rest.partition(_END)
    if not (begin and end):
        raise ValueError(f"README.md has no place for the methods, between {_BEGIN} and {_END}")
    return f"{before}{begin}\n{_methods()}\n{end}{after}"


def _methods() -> str:
    tests = _test_files()
    rows = []
    for api, methods, table in (("DMDS", DMDS_METHODS, DmdsWire), ("Mensatek", MENSATEK_METHODS, MensatekWire)):
        wire = {row.key: row for row in wire_names(table)}
        for method in methods:
            row = wire[method.call]
            verb, path = verb_and_path(row.default) if row.is_call else ("POST", row.default)
            file = tests[method.test]  # no row without its test
            rows.append(
                (
                    f"{api}: {method.about}",
                    f"`{verb} {path}`",
                    row.mark.value,
                    f"`{method.client}`",
                    f"`relay {method.command}`",
                    f"[{method.test}](tests/api/{file})",
                )
            )
    return _table(("method", "verb and path", "mark", "client", "command", "test"), rows)


def _test_files() -> dict[str, str]:
    return {
        node.name: file.name
        for file in sorted(_TESTS.glob("test_*.py"))
        for node in ast.parse(file.read_text("utf-8")).body
        if isinstance(node, ast.AsyncFunctionDef | ast.FunctionDef)
    }


def _page(title: str, about: str, body: str) -> str:
    return f"# {title}\n\n{_GENERATED}\n\n{about}\n\n{body}\n"


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


if __name__ == "__main__":
    for name, text in pages().items():
        (FOLDER / name).write_text(text, encoding="utf-8")
    README.write_text(readme(README.read_text("utf-8")), encoding="utf-8")
