"""Nothing of a mail is dropped in silence: every part is shown, attached or noted."""

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pytest
from kinds import addresses, headers, meanings, structures, transfers
from kinds.kind import BOUNDS

from relay.mime import Content, read
from relay.mime.structure import Part, read_structure

GOLDEN = {path.stem: path.read_bytes() for path in (Path(__file__).parents[1] / "golden").glob("*.eml")}
FAMILIES = {
    **{module.__name__: {kind.name: kind.raw for kind in module.kinds()}
       for module in (addresses, headers, meanings, structures, transfers)},
    "golden": GOLDEN,
}  # fmt: skip
#: Notes that say of a part that it is not sent, or not as a part of its own.
SAID = {"text_alternative_dropped", "amp_dropped", "resource_fork_dropped", "text_outside_dropped", "file_in_text"}
#: Charsets that write other letters in ASCII.
STATEFUL = ("iso-2022-kr", "chinese-hz", "utf7")
_UNSEEN = re.compile(rb"<(style|script|head|title)\b.*?</\1\s*>|<!--.*?-->|<[^<>]*>|&\w+;", re.DOTALL)
_WORD = re.compile(rb"[A-Za-z]{3,}")


def _leaves(part: Part) -> Iterator[Part]:
    if not part.children:
        yield part
    for child in part.children:
        yield from _leaves(child)


def _lost_words(leaf: Part, found: Content) -> list[str]:
    """Find words of a part that are nowhere to be seen, unless it is attached as it came."""
    data = leaf.body.decoded()
    if any(data == each.body.decoded() for each in (*found.attachments, *found.inline_images)):
        return []
    seen = unescape(re.sub(r"<[^<>]*>", " ", found.html)) + found.html
    return [word for word in map(bytes.decode, _WORD.findall(_UNSEEN.sub(b" ", data))) if word not in seen]


@pytest.mark.parametrize("family", FAMILIES)
def test_every_part_is_shown_attached_or_noted(family):
    lost = {}
    for name, raw in FAMILIES[family].items():
        found = read(raw, BOUNDS)
        if len(raw) > 50_000 or any(word in name for word in STATEFUL) or SAID & {note.code for note in found.notes}:
            continue
        words = [word for leaf in _leaves(read_structure(raw, BOUNDS)) for word in _lost_words(leaf, found)]
        if words:
            lost[name] = words[:5]

    assert {} == lost
