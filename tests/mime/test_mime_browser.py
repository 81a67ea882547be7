"""A text that became HTML looks in a browser as it was written: every letter in its line, at its place."""

import random
import re
from pathlib import Path

from browser import Letter, as_written, places

from relay.mime.plaintext import lines_of, text_to_html

_WORDS = [
    "word",
    "a",
    "Señor",
    "привет",
    "会议",
    "x<y",
    "&amp;",
    "</div>",
    "<br>",
    "https://x.example/a?b=1&c=2",
    "(www.x.example),",
    "me@x.example",
    "--",
    "-- ",
    ">",
    "> >",
    "|",
    "+---+",
    "└──",
    "\t",
    "\t\t",
    "  ",
    "    ",
    " ",
    "\u00a0",
    "'quoted'",
    '"',
    "%s",
    "#",
    "###x###",
    "🙂",
    "a" * 30,
    "-" * 40,
    "1.",
    "•",
    "\f",
    "\v",
    "\x07",
]
#: More than two blanks between words.
_GAP = re.compile(r"\S[ \u00a0]*(?:\t|[ \u00a0]{3})[ \t\u00a0]*(?=\S)")
_LETTER = """\
Dear Ana,

  * one
  * two, which is a line that goes on for so long that it has to be wrapped somewhere by whoever shows it
    - indented

> On Monday you wrote:
>> and I before
>
> to it.

name      amount
a            1.00
bcd\t\t   10.50

--
Eva <eva@example.org>, https://example.org/a_(b)
"""


def _texts(count: int) -> list[str]:
    rng = random.Random(5322)
    lines = (" ".join(rng.choices(_WORDS, k=rng.randint(0, 9))) for _ in range(count * 4))
    return ["\n".join(next(lines) for _ in range(rng.randint(1, 4))) for _ in range(count)]


def _shown(text: str) -> str:
    """Return what of a text can be seen: no line ends behind it, no control characters."""
    return lines_of(text).rstrip("\n")


def _same(told: list[Letter], ours: list[Letter]) -> bool:
    """Tell whether the same letters stand at the same places, fractions of a pixel aside."""
    return len(told) == len(ours) and all(
        first[0] == second[0] and abs(first[1] - second[1]) <= 1 and abs(first[2] - second[2]) <= 2
        for first, second in zip(told, ours, strict=True)
    )


def _other_places(texts: list[str], made: list[str], folder: Path, width: int) -> dict[str, list[Letter]]:
    """Find the texts that do not look as they were written, with the first letters that stand elsewhere."""
    told = places([*map(as_written, texts), *made], folder, width=width)
    pairs = zip(texts, told[: len(texts)], told[len(texts) :], strict=True)
    return {
        text: [each for each in ours if each not in as_it_was][:3]
        for text, as_it_was, ours in pairs
        if not _same(as_it_was, ours)
    }


def test_every_letter_stands_where_it_was_written(tmp_path):
    """With room for every line, so that nothing is wrapped."""
    texts = [_LETTER, *_texts(300)]

    assert {} == _other_places([*map(_shown, texts)], [*map(text_to_html, texts)], tmp_path, 20_000)


def test_lines_are_wrapped_where_the_text_would_be(tmp_path):
    """But for wide gaps: whoever knows no `white-space: pre-wrap` must wrap within them."""
    texts = [text for text in (_LETTER.partition("name ")[0], *_texts(600)) if not _GAP.search(text)]

    assert len(texts) > 100
    assert {} == _other_places([*map(_shown, texts)], [*map(text_to_html, texts)], tmp_path, 400)
