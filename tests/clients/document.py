"""The recipes of docs/clients.md, as they stand there: what is documented is what is tested.

A section's fenced blocks are its files and, in the language `sh` without a file name, its command. A file name behind
the language says where the block belongs; a plus sign says that it is added to what the main section has there. A
section `X, …` is `X` with its own blocks in the place of those of the same file.
"""

import re
from collections.abc import Mapping
from pathlib import Path

DOCUMENT = Path(__file__).parents[2] / "docs" / "clients.md"

#: The name that a section's command has among its files.
COMMAND = ""

_HEADING = re.compile(r"^#{2,3} (.+)$", re.MULTILINE)
_BLOCK = re.compile(r"^```(\w+) ?([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def sections() -> dict[str, list[tuple[str, str]]]:
    """List every section with its blocks: file name as written, and text."""
    parts = _HEADING.split(DOCUMENT.read_text(encoding="utf-8"))[1:]
    return {
        title: [(file, text) for language, file, text in _BLOCK.findall(body) if file or language == "sh"]
        for title, body in zip(parts[::2], parts[1::2], strict=True)
    }


def recipe(section: str, words: Mapping[str, str]) -> dict[str, str]:
    """Return the files of a section by where they belong, with the example's words replaced."""
    known, main = sections(), section.partition(", ")[0]
    files: dict[str, str] = {}
    for title in dict.fromkeys((main, section)):
        for file, text in known[title]:
            name = file.removesuffix(" +")
            files[name] = files.get(name, "") + text if name != file else text
    assert files, f"{DOCUMENT.name} has no blocks under {section!r}"
    return {name: replaced(text, words) for name, text in files.items()}


def replaced(text: str, words: Mapping[str, str]) -> str:
    """Replace whole words."""
    pattern = "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))
    return re.sub(rf"(?<!\w)({pattern})(?!\w)", lambda found: words[found[0]], text)
