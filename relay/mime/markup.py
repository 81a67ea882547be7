"""HTML as it came: one document out of several bodies, its charset told right."""

import re
from dataclasses import dataclass

from relay.mime.plaintext import blocks

_END_TAG_CHARS = len("</style>")
_HEAD_CHARS = 16384  # charsets are declared near the top (browsers look at 1024); the rest is not searched
_FOOT_CHARS = 65536  # the document ends in them
_META = re.compile(r"<meta\b[^<>]*+>", re.IGNORECASE)
_CHARSET = re.compile(r"(charset\s*+=\s*+(?:[\"']\s*+)?)[\w.:()+-]+", re.IGNORECASE)
_META_NAME = re.compile(r"\s(?:name|property|itemprop)\s*=", re.IGNORECASE)
_XML_ENCODING = re.compile(r"(\s*+<\?xml\b[^<>]*?\bencoding\s*=\s*[\"'])[\w.:-]+", re.IGNORECASE)
_SNIFFED = re.compile(
    rb"(?:<meta\b[^<>]*?charset|\A\s*<\?xml\b[^<>]*?\bencoding)\s*+=\s*+(?:[\"']\s*+)?([\w.:-]{1,40})", re.IGNORECASE
)
_BODY_OPEN = re.compile(r"(?P<comment><!--)|<body\b[^<>]*+>", re.IGNORECASE)
_HEAD_CLOSE = re.compile(r"(?P<comment><!--)|</head\s*>", re.IGNORECASE)
_HTML_OPEN = re.compile(r"(?:\s*<!doctype\b[^<>]*+>)?\s*<html\b[^<>]*+>", re.IGNORECASE)
_CLOSE = re.compile(r"(?P<comment><!--)|</(?:body|html)\s*>", re.IGNORECASE)
_STYLE = re.compile(r"<style\b[^<>]*+>.*?</style\s*>", re.IGNORECASE | re.DOTALL)
_INVISIBLE = re.compile(
    r"<!--.*?-->|<(style|script|title|head)\b.*?</\1\s*>|<[^<>]*+>|&nbsp;|&#160;|\s", re.IGNORECASE | re.DOTALL
)
_SHOWN = re.compile(r"<(?:img|svg|video|object|iframe|embed|input|hr|table)\b|background|cid:", re.IGNORECASE)
_WORD_SHOWN = re.compile(r">\s*[^\s<&]")
_HIDING = re.compile(r"<(?:style|script|title|head|!--)", re.IGNORECASE)
# Tags as browsers read them (WHATWG HTML section 13.2.5).
_TAG = re.compile(r"</?([A-Za-z][^\t\n\f\r />]*)")
_ATTRIBUTE = re.compile(
    r"[\t\n\f\r /]*(?:>|[^\t\n\f\r />][^\t\n\f\r />=]*(?:[\t\n\f\r ]*=[\t\n\f\r ]*(?:([\"'])|[^\t\n\f\r >]*))?)"
)
HIDDEN_BYTES = 4096  #: longer documents show something


@dataclass(frozen=True, slots=True)
class Document:
    """An HTML document, cut so that something can be put before or behind what it shows."""

    before: str  # up to and with <body>
    inner: str
    after: str

    @property
    def styles(self) -> str:
        """Return the style sheets of the part before the body."""
        # Nothing behind the last end tag can be one: looking there from every start tag would take quadratic time.
        last = max(self.before.rfind("</style"), self.before.rfind("</STYLE"))
        return "".join(_STYLE.findall(self.before, 0, last + _END_TAG_CHARS)) if last >= 0 else ""


def tidy(html: str) -> str:
    """Tell the charset right, for what leaves is UTF-8; make line ends LF; remove NUL and a byte order mark."""
    if "\r" in html:
        html = "".join([block.replace("\r\n", "\n").replace("\r", "\n") for block in blocks(html)])
    if "\x00" in html:
        html = html.replace("\x00", "")
    html = html.removeprefix("\ufeff")
    told = top = html[:_HEAD_CHARS]
    if _META.search(top):
        told = _META.sub(_told_right, top)
    xml = _XML_ENCODING.match(told)
    if xml:
        told = f"{xml[1]}utf-8{told[xml.end() :]}"
    return html if told == top else told + html[_HEAD_CHARS:]


def _told_right(meta: re.Match[str]) -> str:
    # A description may speak of charsets, too.
    is_other = _META_NAME.search(meta[0]) and "http-equiv" not in meta[0].lower()
    return meta[0] if is_other else _CHARSET.sub(r"\g<1>utf-8", meta[0])


def declared_charset(html: bytes) -> str:
    """Return the charset that a document declares in itself; empty: none."""
    found = _SNIFFED.search(html, 0, _HEAD_CHARS)
    return found[1].decode("ascii", "replace") if found else ""


def shows_nothing(html: str) -> bool:
    """Tell whether a document has neither words nor pictures; some programs send such beside the real text."""
    if len(html) >= HIDDEN_BYTES:
        return False
    body = _outside_comments(_BODY_OPEN, html) if "<head" in html.lower() else None
    if _WORD_SHOWN.search(html, body.end() - 1 if body else 0) and (body or not _HIDING.search(html)):
        return False
    return not _SHOWN.search(html) and not _INVISIBLE.sub("", html)


def document(html: str) -> Document:
    """Cut a document around what it shows."""
    opened = _outside_comments(_BODY_OPEN, html) or _outside_comments(_HEAD_CLOSE, html) or _HTML_OPEN.match(html)
    begin = opened.end() if opened else 0
    closed = _outside_comments(_CLOSE, html, max(begin, len(html) - _FOOT_CHARS))
    end = closed.start() if closed else len(html)
    return Document(html[:begin], html[begin:end], html[end:])


def last_tag(html: str, start: int, end: int) -> tuple[str, int] | None:
    """Find the last tag that begins in a stretch of a document: the element's name in lower case, and the tag's end."""
    while (end := html.rfind("<", start, end)) >= 0:
        if tag := _TAG.match(html, end):
            return tag[1].lower(), tag_end(html, tag.end(), len(html))
    return None


def tag_end(html: str, position: int, limit: int) -> int:
    """Find the end of a tag behind its name, stepping over quoted values."""
    while attribute := _ATTRIBUTE.match(html, position, limit):
        position = attribute.end()
        if attribute[1]:
            position = (html.find(attribute[1], position, limit) + 1) or limit
        elif attribute[0].endswith(">"):
            return position
    return limit


def _outside_comments(tag: re.Pattern[str], html: str, start: int = 0) -> re.Match[str] | None:
    """Find a tag that is no part of a comment, as Outlook's conditional ones are; a comment without end is none."""
    shown_from = start
    endless = False
    for found in tag.finditer(html, start):
        if found.start() < shown_from:
            continue
        if not found["comment"]:
            return found
        if not endless:
            end = html.find("-->", found.start() + len("<!"))
            endless = end < 0
            shown_from = shown_from if endless else end + len("-->")
    return None
