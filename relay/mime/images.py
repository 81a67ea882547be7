"""Inline images: what the HTML shows by cid: (RFC 2392), and how it can travel."""

import binascii
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape, unescape
from itertools import islice
from urllib.parse import unquote

from relay.errors import MailRefused
from relay.mime import markup
from relay.mime.content import Attachment, InlineImage
from relay.outcome import Replies

_CID = re.compile(r"cid:", re.IGNORECASE)
_BARE = re.compile(r"[^\"'\s<>()]{1,998}")
_QUOTED = re.compile(r"[^\"'<>\n]{1,998}(?=[\"'])")
_BRACKETED = re.compile(r"<[^\"'\s<>()]{1,998}>")
_QUOTE_ENTITY = re.compile(r"&(?:quot|apos|#0*3[49]|#x0*2[27]);", re.IGNORECASE)
#: What stands before an address: the name of its attribute, or a style.
_BEFORE = re.compile(r"(?:(?P<name>[\w:-]+)\s*=\s*[\"']?|(?P<style>\burl\(\s*(?:[\"']|&#?\w+;)?))\s*\Z", re.IGNORECASE)
_BEFORE_CHARS = 64
_LINKS = ("a", "area")
_IMAGE_TAG = re.compile(r"<img\b[^<>]*+>", re.IGNORECASE)
_MOST_REFERENCES = 10_000  # no honest document has more
_DATA_LIMIT_BYTES = 64 * 1024**2


@dataclass(frozen=True, slots=True)
class Reference:
    """One place where the HTML names an image."""

    start: int
    end: int
    content_id: str  # empty: none of those that are looked for


def references(html: str, content_ids: Mapping[str, str]) -> Iterator[Reference]:
    """Find where the HTML shows something by cid:, one of these Content-IDs or another.

    Args:
        html: The document.
        content_ids: Every spelling that is looked for -> the Content-ID meant; see `spellings`.
    """
    if not content_ids and "cid:" not in html:
        return
    for start, end in _shown_marks(html):
        found = None
        for pattern in (_BARE, _QUOTED, _BRACKETED):
            written = pattern.match(html, end)
            found = _resolved(written[0], content_ids) if written else None
            if found:
                break
        content_id, length = found or ("", 0)
        yield Reference(start, end + length, content_id)


def spellings(content_ids: Sequence[str]) -> dict[str, str]:
    """Make the table for `references`: an exact match wins over one without case."""
    table: dict[str, str] = {}
    for spelling in (str, str.lower):
        for content_id in content_ids:
            table.setdefault(spelling(content_id), content_id)
    return table


def inline_as_data(html: str, images: Sequence[InlineImage], *, max_bytes: int = _DATA_LIMIT_BYTES) -> str:
    """Put the images into the HTML as data: addresses (RFC 2397).

    Raises:
        MailRefused: The HTML would become larger than `max_bytes`, as when one image is shown very often.
    """
    by_id = {image.content_id: image for image in images}
    made: dict[str, str] = {}
    pieces: list[str] = []
    position = size = 0
    for reference in _known(html, spellings(tuple(by_id))):
        address = made.get(reference.content_id)
        if address is None:
            image = by_id[reference.content_id]
            address = made[reference.content_id] = (
                f"data:{image.media_type};base64,{b''.join(image.body.base64()).decode('ascii')}"
            )
        pieces += (html[position : reference.start], address)
        position = reference.end
        size += len(address)
        if size > max_bytes:
            raise MailRefused(Replies.TOO_BIG.saying("The images shown in the text are larger than allowed"))
    return "".join([*pieces, html[position:]]) if pieces else html


def inline_as_attachments(html: str, images: Sequence[InlineImage]) -> tuple[str, tuple[Attachment, ...]]:
    """List the images as files, and put their names where the HTML would have shown them.

    Returns:
        The HTML and the attachments; their names are distinct from those of the message's attachments.
    """
    by_id = {image.content_id: image for image in images}
    table = spellings(tuple(by_id))

    def named(tag: re.Match[str]) -> str:
        shown = next(_known(tag[0], table), None)
        return tag[0] if shown is None else f"<span>[{escape(by_id[shown.content_id].name)}]</span>"

    html = _IMAGE_TAG.sub(named, html) if images else html
    pieces: list[str] = []
    position = 0
    for reference in _known(html, table):  # backgrounds and the like: nothing to be read there
        pieces.append(html[position : reference.start])
        position = reference.end
    html = "".join([*pieces, html[position:]])
    return html, tuple(Attachment(image.name, image.media_type, image.body) for image in images)


#: How pictures begin, for parts that do not tell their type.
_MAGIC = (
    (b"\x89PNG", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
    (b"BM", "image/bmp"),
)


def sniffed_type(encoded: bytes) -> str:
    """Tell an image's type from the beginning of its base64 text; empty: unknown."""
    try:
        head = binascii.a2b_base64(encoded)
    except binascii.Error:
        return ""
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return "image/webp"
    return next((kind for magic, kind in _MAGIC if head.startswith(magic)), "")


def _known(html: str, content_ids: Mapping[str, str]) -> Iterator[Reference]:
    return (reference for reference in references(html, content_ids) if reference.content_id)


def _shown_marks(html: str) -> Iterator[tuple[int, int]]:
    """Find each "cid:" that stands for a picture, start and end.

    In a text it is a word: mail programs write [cid:image001.png@01D] for a picture where they make text of HTML. And
    a link to a picture shows none.
    """
    seen = tag_end = 0
    element = ""
    for mark in islice(_CID.finditer(html), _MOST_REFERENCES):
        tag = markup.last_tag(html, max(seen, tag_end), mark.start())
        seen = mark.start()
        if tag:
            element, tag_end = tag
        before = _BEFORE.search(html[max(0, mark.start() - _BEFORE_CHARS) : mark.start()])
        is_link = element in _LINKS and before is not None and (before["name"] or "").lower() == "href"
        if (mark.start() < tag_end and not is_link) or (before and before["style"]):
            yield mark.span()


def _resolved(written: str, content_ids: Mapping[str, str]) -> tuple[str, int] | None:
    """Match what stands behind "cid:" with a Content-ID; returns it and how many characters it took."""
    for text in (written, written.rstrip(",;"), _QUOTE_ENTITY.split(written, 1)[0]):
        plain = unescape(text).strip()
        if plain.startswith("<") or plain.lower().startswith("%3c"):
            plain = unquote(plain).strip("<>")
        for spelling in (plain, unquote(plain), plain.lower(), unquote(plain).lower()):
            if spelling in content_ids:
                return content_ids[spelling], len(text)
    return None
