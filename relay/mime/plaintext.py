"""Plain text as HTML that looks the same, also where a client knows no `white-space: pre-wrap`, such as Outlook.

Whole-string replacements only: a log of 5 MB is a mail like any other.
"""

import re

#: Longest line of HTML source where the text allows it; RFC 5322 §2.1.1 allows 998 octets.
_LONGEST_ASCII = 850
_LONGEST_UTF8 = 220  # four octets a character at worst
_LONG_LINE = re.compile(r"^[^\n]{220,}", re.MULTILINE)
#: Columns that only a font of fixed width keeps in line: wide gaps, inner tabs, box drawing. Each begins with what is
#: rare, so that the search is fast.
_GAPS = re.compile(r"   (?<=\S   ) *+\S")
_TABS = re.compile(r"\t(?<=\S\t)[ \t]*+\S")
_BOXES = re.compile(r"[\u2500-\u257f]{2}")
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f]")
_REST = r"[^\s<>\"&\u00a0]+(?:(?:&amp;)+[^\s<>\"&\u00a0]+)*"
_URL = r"(?:https?|ftp)://" + _REST
_URLS = re.compile(_URL, re.IGNORECASE)
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
_FLOWED = re.compile(
    r"^(>*+)((?:(?![ ]?--[ ]\n)[^\n]*[ ]\n(?=\1(?!>))\1(?![ ]?--[ ]?(?:\n|\Z))[ ]?)+)",
    re.MULTILINE,
)
_STUFFED = re.compile(r"^[ ]", re.MULTILINE)


def text_to_html(text: str) -> str:
    """Write text as an HTML fragment: everything escaped, line breaks, blanks and tabs kept, addresses linked."""
    text = lines_of(text)
    aligned = _GAPS.search(text) or _TABS.search(text) or (not text.isascii() and _BOXES.search(text))
    html = text.expandtabs(8).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    html = _linked(html)
    if html.startswith(" "):
        html = "&nbsp;" + html[1:]
    # Alternating keeps every blank of a run and still lets the line wrap.
    html = html.replace("\n ", "\n&nbsp;").replace("  ", " &nbsp;")
    html = _folded(html.rstrip("\n")).replace("\n", "<br>\n").replace("\v", "\n")
    style = ' style="font-family:monospace"' if aligned else ""
    return f"<div{style}>{html}</div>\n"


def unflow(text: str, *, delsp: bool) -> str:
    """Undo format=flowed (RFC 3676): join the lines of a paragraph, remove space-stuffing."""
    text = lines_of(text)
    if " \n" in text:
        gap = "" if delsp else " "
        text = _FLOWED.sub(lambda run: run[1] + _joined(run[2], run[1], gap), text)
    return _STUFFED.sub("", text)


def _joined(lines: str, quote: str, gap: str) -> str:
    return lines.replace(f" \n{quote} ", gap).replace(f" \n{quote}", gap)


def lines_of(text: str) -> str:
    """Make every line end LF, and remove control characters that HTML forbids."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\f", "\n")
    return _CONTROLS.sub("", text) if _CONTROLS.search(text) else text


def page(fragment: str) -> str:
    """Make a whole HTML document of a fragment."""
    return (
        '<!DOCTYPE html>\n<html><head><meta http-equiv="Content-Type" content="text/html; charset=utf-8"></head>\n'
        f"<body>\n{fragment}</body></html>\n"
    )


def _linked(html: str) -> str:
    if "@" in html or "www." in html.lower():
        return _LINKS.sub(_link, html)
    return _URLS.sub(_link, html) if "://" in html else html


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


def _folded(html: str) -> str:
    """Break long source lines at blanks. A vertical tab, which no text here has, marks where, so that it is no <br>."""
    longest = _LONGEST_ASCII if html.isascii() else _LONGEST_UTF8
    if max(map(len, html.split("\n"))) <= longest:
        return html
    return _LONG_LINE.sub(lambda line: _fold_line(line[0], longest), html)


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
