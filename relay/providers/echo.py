"""Find what an answer quotes of the request: the mail's own words are for nobody who reads a log.

An API may quote a field as it got it, as JSON or HTML spells it, in other case or spacing. All these are found; words
that it rewrites in some other way are not.
"""

import html
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import groupby

from relay.providers.contract import Base64Text, Document, JsonValue

#: So many characters in a row that are the mail's too are no chance.
RUN = 8
HIDDEN = "[...]"

#: A mail with more text than this is not looked through for the sake of one error.
_MAX_LETTERS = 1024 * 1024
# What makes bodies big; a quoted run of it is hidden by its looks.
_DATA_URI = re.compile(r"(;base64,)[A-Za-z0-9+/=]{64,}")
_TAG = re.compile(r"<[^<>]*>")
_SIGMA = "\N{GREEK SMALL LETTER SIGMA}"
_JSON_LETTERS = re.compile(r"(?:\\u[0-9a-fA-F]{4})+")
_JSON_ESCAPE = re.compile(r"\\([\"\\/bfnrt])")


def decoded(text: str) -> str:
    """Take off the spelling of JSON and HTML, in which an answer may quote the request."""
    text = _JSON_LETTERS.sub(_json_letters, text)
    return html.unescape(_JSON_ESCAPE.sub(lambda found: found[1] if found[1] in '"\\/' else " ", text))


def line_of(text: str) -> str:
    """Put a text on one printable line, with single spaces."""
    text = " ".join(text.split())
    if text.isprintable():
        return text
    for letter in set(text):
        if not letter.isprintable():
            text = text.replace(letter, " ")
    return " ".join(text.split())


def without_echo(line: str, document: Document, public: Collection[str] = ()) -> str:
    """Hide every run of a line that stands in the document, too.

    Values that are `public` as a whole do not count, nor do files: what is quoted of them looks like base64.
    `line` comes from `line_of` and is short: each of its letters costs one look through the document's text.
    """
    if len(line) < RUN - 2:
        return line
    texts = [_DATA_URI.sub(r"\1", text) for text in _texts(document) if text not in public]
    if sum(map(len, texts)) > _MAX_LETTERS:
        return HIDDEN
    shown = "\n".join(dict.fromkeys(view for text in texts for view in _views(text)))
    hidden = _echoes(line, shown)
    if not any(hidden):
        return line
    rest = "".join(_spans(line, hidden)).strip()
    return HIDDEN if any(_echoes(rest, shown)) else rest  # what is left may have become a quotation by closing up


def _texts(value: JsonValue) -> Iterator[str]:
    """Walk through all that a document says. Its keys are the API's, but where a file's name is one."""
    match value:
        case str():
            yield value
        case Mapping():
            if all(isinstance(inner, Base64Text) for inner in value.values()):
                yield from value
            for inner in value.values():
                yield from _texts(inner)
        case Sequence():
            for inner in value:
                yield from _texts(inner)


def _views(text: str) -> Iterator[str]:
    """Give a text as it is sent and as it is read, made comparable."""
    for view in (text, decoded(text), decoded(_TAG.sub(" ", text)), decoded(_TAG.sub("", text))):
        yield _folded(f" {line_of(view)} ")


def _echoes(line: str, shown: str) -> list[bool]:
    """Mark the letters that belong to a run that was shown; a line's ends count as spaces."""
    folded = _folded(f" {line} ")
    marks = [False] * len(folded)
    for start in range(len(folded) - RUN + 1):
        if folded[start : start + RUN] in shown:
            marks[start : start + RUN] = [True] * RUN
    return marks[1:-1]


def _spans(line: str, hidden: Sequence[bool]) -> Iterator[str]:
    """Give what is shown, and the sign for each stretch that is not, with the spaces at its ends."""
    start = 0
    for is_hidden, marks in groupby(hidden):
        end = start + sum(1 for _ in marks)
        span = line[start:end]
        yield f"{' ' * span.startswith(' ')}{HIDDEN}{' ' * span.endswith(' ')}" if is_hidden else span
        start = end


def _folded(text: str) -> str:
    """Forget case letter by letter, so that the length stays: lower() lengthens İ, and knows two forms of sigma."""
    return text.replace("İ", "i").lower().replace("ς", _SIGMA)


def _json_letters(found: re.Match[str]) -> str:
    units = bytes.fromhex(found[0].replace("\\u", ""))
    return units.decode("utf-16-be", "replace")
