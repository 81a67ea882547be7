"""Plain text as HTML that looks the same, also where a client knows no `white-space: pre-wrap`, such as Outlook.

A log of 5 MB is a mail like any other: the text is taken in blocks of whole lines, so that other threads get their
turn between them, and each block by whole-string operations. Expressions look only where a mark of theirs stands.
"""

import re
from collections.abc import Iterator

#: Longest line of HTML source where the text allows it; RFC 5322 §2.1.1 allows 998 octets.
_LONGEST_ASCII = 850
_LONGEST_UTF8 = 220  # four octets a character at worst
#: So many characters at once, up to the end of their last line: few enough to hold up nobody, and to stay in the cache.
_BLOCK_CHARS = 65536
#: Columns that only a font of fixed width keeps in line: wide gaps, inner tabs, box drawing. Each begins with what is
#: rare, so that the search is fast.
_GAPS = re.compile(r"   (?<=\S   ) *+\S")
_TABS = re.compile(r"\t(?<=\S\t)[ \t]*+\S")
_BOXES = re.compile(r"[\u2500-\u257f]{2}")
#: The first octets of all box drawings in UTF-8: a search for two octets takes a fraction of one for a set of letters.
_BOXES_UTF8 = (b"\xe2\x94", b"\xe2\x95")
_CONTROL_BYTES = bytes([*range(0x09), 0x0B, *range(0x0E, 0x20), 0x7F])
_NO_CONTROLS = dict.fromkeys(_CONTROL_BYTES)
_UNSEEN_AT_END = "\r\n\f" + _CONTROL_BYTES.decode("ascii")
_REST = r"[^\s<>\"&\u00a0]+(?:(?:&amp;)+[^\s<>\"&\u00a0]+)*"
_URL = r"(?:https?|ftp)://" + _REST
_LINKS = re.compile(
    _URL + r"|(?<![\w./@-])www\." + _REST + r"|(?<![\w.+@/=-])[\w.+-]++@[\w-]++(?:\.[\w-]++)+",
    re.IGNORECASE,
)
_LONGEST_LINK = 2048
#: The end of a sentence is no part of an address.
_TRAILING = ".,;:!?'"
#: Marks of emphasis are none either where they also stand before it; elsewhere a token may end in one.
_EMPHASIS = "*_~"
_BRACKETS = (("(", ")"), ("[", "]"), ("{", "}"))
#: RFC 3676 §4: a line that ends in a blank flows into the next of the same quote depth, but not from or into "-- ".
#: Nor from or into an empty line, stuffed or not: many quote such as "> ", and nobody means an empty line to vanish.
_FLOWED = re.compile(
    r"^(>*+)((?:(?![ ]?(?:--[ ])?\n)[^\n]*[ ]\n(?=\1(?!>))\1(?![ ]?(?:--[ ]?)?(?:\n|\Z))[ ]?)+)",
    re.MULTILINE,
)


def text_to_html(text: str) -> str:
    """Write text as an HTML fragment: everything escaped, line breaks, blanks and tabs kept, addresses linked."""
    longest = _LONGEST_ASCII if text.isascii() else _LONGEST_UTF8
    aligned = False
    html: list[str] = []
    for block in map(lines_of, blocks(text.rstrip(_UNSEEN_AT_END))):
        aligned = aligned or _is_aligned(block)
        html.append(_block_to_html(block, longest))
    style = ' style="font-family:monospace"' if aligned else ""
    return f"<div{style}>{''.join(html)}</div>\n"


def unflow(text: str, *, delsp: bool) -> str:
    """Undo format=flowed (RFC 3676): join the lines of a paragraph, remove space-stuffing."""
    text = lines_of(text)
    if " \n" in text:
        gap = "" if delsp else " "
        text = _FLOWED.sub(lambda run: run[1] + _joined(run[2], run[1], gap), text)
    return text.removeprefix(" ").replace("\n ", "\n")


def _joined(lines: str, quote: str, gap: str) -> str:
    return lines.replace(f" \n{quote} ", gap).replace(f" \n{quote}", gap)


def lines_of(text: str) -> str:
    """Make every line end LF, and remove control characters that HTML forbids."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if "\f" in text:
        text = text.replace("\f", "\n")
    octets = _utf8(text)
    return text.translate(_NO_CONTROLS) if len(octets.translate(None, _CONTROL_BYTES)) < len(octets) else text


def blocks(text: str) -> Iterator[str]:
    """Cut a long text behind line feeds, so that no operation on a piece holds up other threads for long."""
    start = 0
    while len(text) - start > _BLOCK_CHARS:
        end = text.find("\n", start + _BLOCK_CHARS) + 1 or len(text)
        yield text[start:end]
        start = end
    yield text[start:]


def page(fragment: str) -> str:
    """Make a whole HTML document of a fragment."""
    return (
        '<!DOCTYPE html>\n<html><head><meta http-equiv="Content-Type" content="text/html; charset=utf-8"></head>\n'
        f"<body>\n{fragment}</body></html>\n"
    )


def _is_aligned(text: str) -> bool:
    if _GAPS.search(text) or ("\t" in text and _TABS.search(text)):
        return True
    if text.isascii():
        return False
    octets = _utf8(text)
    return any(box in octets for box in _BOXES_UTF8) and bool(_BOXES.search(text))


def _block_to_html(text: str, longest: int) -> str:
    if "\t" in text:
        text = text.expandtabs(8)
    html = _linked(_escaped(text))
    if html.startswith(" "):
        html = "&nbsp;" + html[1:]
    # Alternating keeps every blank of a run, and the last lets the line wrap: the next begins with a word. An odd run
    # takes a second turn.
    html = html.replace("\n ", "\n&nbsp;").replace("  ", "&nbsp; ").replace("  ", "&nbsp; ")
    html = _folded(html, longest).replace("\n", "<br>\n")
    return html.replace("\v", "\n") if "\v" in html else html


def _escaped(text: str) -> str:
    # To find that there is none takes a tenth of the time that `replace` takes to count them.
    for mark, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
        if mark in text:
            text = text.replace(mark, entity)
    return text


def _linked(html: str) -> str:
    """Link addresses. None reaches over a blank or a line end, so each word stands for itself; few are looked at."""
    has_www = b"www." in _utf8(html).lower()

    def may_hold(text: str) -> bool:
        return "@" in text or "://" in text or (has_www and "www." in text.lower())

    def linked(line: str) -> str:
        return " ".join([_LINKS.sub(_link, word) if may_hold(word) else word for word in line.split(" ")])

    if not may_hold(html):
        return html
    return "\n".join([linked(line) if may_hold(line) else line for line in html.split("\n")])


def _utf8(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _link(found: re.Match[str]) -> str:
    if len(found[0]) > _LONGEST_LINK:
        return found[0]
    end = _end_of_address(found[0], found.string[max(0, found.start() - 1) : found.start()])
    address, rest = found[0][:end], found[0][end:]
    lower = address.lower()
    if lower.endswith("://"):
        return found[0]
    if "://" in lower:
        target = address
    elif lower.startswith("www.") and "@" not in lower:
        target = "http://" + address
    else:
        target = "mailto:" + address
    return f'<a href="{target}">{address}</a>{rest}'


def _end_of_address(text: str, before: str) -> int:
    """Find where an address ends: before what ends the sentence, and before brackets that do not begin in it."""
    if text[-1].isalnum():
        return len(text)
    # Counted once: counting for each bracket takes quadratic time.
    surplus = {closing: text.count(closing) - text.count(opening) for opening, closing in _BRACKETS}
    end = len(text)
    while end:
        last = text[end - 1]
        if surplus.get(last, 0) > 0:
            surplus[last] -= 1
        elif last not in _TRAILING and not (last in _EMPHASIS and last == before):
            break
        end -= 1
    return end


def _folded(html: str, longest: int) -> str:
    """Break long source lines at blanks. A vertical tab, which no text here has, marks where, so that it is no <br>."""
    pieces: list[str] = []
    taken = position = 0
    while len(html) - position > longest:
        end = html.rfind("\n", position, position + longest + 1)
        if end < 0:
            end = html.find("\n", position + longest)
            end = len(html) if end < 0 else end
            pieces += (html[taken:position], _fold_line(html[position:end], longest))
            taken = end
        position = end + 1
    return "".join([*pieces, html[taken:]]) if pieces else html


def _fold_line(line: str, longest: int) -> str:
    pieces: list[str] = []
    position = 0
    while len(line) - position > longest:
        cut = line.rfind(" ", position, position + longest)
        if cut <= position:
            cut = line.find(" ", position + longest)
        if cut < 0:
            break
        pieces.append(line[position:cut])
        position = cut + 1
    pieces.append(line[position:])
    return "\v".join(pieces)
