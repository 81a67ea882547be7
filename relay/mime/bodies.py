"""Which parts are the body, which are files: the walk over the tree (RFC 2046, 2387, 1847, 6522)."""

import re

from relay.mime import markup, tnef
from relay.mime.b64 import footer_start
from relay.mime.charset import decode
from relay.mime.embedded import extracted
from relay.mime.enriched import enriched_to_html
from relay.mime.header import Header
from relay.mime.labels import codec_of, is_ascii_label
from relay.mime.notes import Code
from relay.mime.plaintext import page, text_to_html, unflow
from relay.mime.structure import Part
from relay.mime.transfer import Encoding

_HTML = frozenset({"text/html", "application/xhtml+xml"})
_ENRICHED = frozenset({"text/enriched", "text/richtext"})
_PLAIN = frozenset({"text/plain", "text/markdown", "text/x-markdown", "text", "application/pgp"})
_BODY = _HTML | _ENRICHED | _PLAIN
_MOST_GUESSES = 20  # texts of one message whose charset a detector may look at: it is slow
_AMP = "text/x-amp-html"
_CALENDAR = "text/calendar"
_CALENDARS = frozenset({_CALENDAR, "application/ics"})
_DATA = frozenset({_CALENDAR, _AMP, "text/vcard", "text/x-vcard", "text/directory", "text/rtf"})
#: What programs tell programs, in lines that people can read.
_REPORTS = frozenset({
    "message/delivery-status", "message/global-delivery-status", "message/disposition-notification",
    "message/global-disposition-notification", "message/feedback-report",
})  # fmt: skip
#: Armour of a text (RFC 4880 §6.2, §7) at the beginning of a line, in HTML also behind a tag; not in a quotation.
_PGP = re.compile(rb"(?:\A|[\r\n]|\w>)-----BEGIN PGP (SIGNED )?MESSAGE-----[ \t]*(?:[\r\n<]|\Z)")
_OPAQUE = frozenset({"application/pkcs7-mime", "application/x-pkcs7-mime"})
_TNEF = frozenset({"application/ms-tnef", "application/vnd.ms-tnef"})
_TNEF_NAME = "winmail.dat"
_ELSEWHERE = frozenset({"message/partial", "message/external-body"})


class Bodies:
    """What the walk found, in the order of the message; grows while it walks."""

    __slots__ = ("around", "calendars", "codes", "encrypted", "files", "pieces")

    def __init__(self) -> None:
        self.pieces: list[Part] = []  # texts to be shown, one below the other
        self.files: list[Part] = []  # everything else
        self.around: list[Header] = []  # of the multipart/related, outer first
        self.encrypted: set[int] = set()  # ids of the files that belong to a multipart/encrypted
        self.calendars: set[int] = set()  # ids of the files that were alternatives of a text
        self.codes: dict[Code, str] = {}  # notes, each once, in order; with what they are about

    def remark(self, code: Code, detail: str = "") -> None:
        """Note something, once."""
        self.codes.setdefault(code, detail)


def find_bodies(root: Part, *, most_tnef_files: int = 0) -> Bodies:
    """Walk the tree and tell what is to be shown and what is to be attached.

    Args:
        root: The message.
        most_tnef_files: A winmail.dat that holds no more is opened; 0: none is.
    """
    found = Bodies()
    if not root.children and _is_lone_text(root):
        _remark_part(root, found)
        found.pieces.append(root)
    else:
        _walk(root, found)
    if not found.pieces:
        # A report without words is to be read itself.
        found.pieces = [part for part in found.files if part.media_type in _REPORTS]
        found.files = [part for part in found.files if part.media_type not in _REPORTS]
    _drop_repeated_calendars(found)
    _settle_tnef(found, most_tnef_files)
    return found


def compose(found: Bodies) -> str:
    """Make one HTML document of the texts, in order."""
    decoded = ((part, _decoded(part, found, guess=n < _MOST_GUESSES)) for n, part in enumerate(found.pieces))
    rendered = [(part, text) for part, text in decoded if text and not text.isspace()]
    if len(rendered) == 1 and rendered[0][0].media_type in _HTML:
        return markup.tidy(rendered[0][1])
    documents = {
        index: markup.document(markup.tidy(text))
        for index, (part, text) in enumerate(rendered)
        if part.media_type in _HTML
    }
    if not documents:
        return page("".join(_fragment(part, text) for part, text in rendered))
    frame = documents[min(documents)]
    shown: list[str] = []
    for index, (part, text) in enumerate(rendered):
        inner = documents.get(index)
        if inner is None:
            shown.append(_fragment(part, text))
        elif inner is frame:
            shown.append(f"{inner.inner}\n")
        else:
            shown.append(f"{inner.styles}<div>{inner.inner}</div>\n")
    return f"{frame.before}{''.join(shown)}{frame.after}"


def _walk(part: Part, found: Bodies) -> None:
    _remark_part(part, found)
    if not part.media_type.startswith("multipart/"):
        _leaf(part, found)
        return
    match part.media_type:
        case "multipart/alternative":
            _alternative(part, found)
        case "multipart/related":
            _related(part, found)
        case "multipart/encrypted":
            found.remark(Code.ENCRYPTED_AS_ATTACHMENT)
            leaves = list(_leaves(part))
            found.encrypted.update(id(leaf) for leaf in leaves)
            found.files.extend(leaves)
        case "multipart/signed":
            found.remark(Code.SIGNATURE_BROKEN)
            _each(part.children, found)
        case "multipart/appledouble" if len(part.children) > 1:
            found.remark(Code.RESOURCE_FORK_DROPPED)
            _each([child for child in part.children if child.media_type != "application/applefile"], found)
        case _:
            _each(part.children, found)


def _each(parts: list[Part] | tuple[Part, ...], found: Bodies) -> None:
    for part in parts:
        _walk(part, found)


def _leaf(part: Part, found: Bodies) -> None:
    kind = part.media_type
    # A text with a name is the body only where nothing stands before it.
    if kind in _BODY and not part.is_attachment and not (found.pieces and part.name):
        found.pieces.append(part)
        return
    if _is_encrypted(part):
        found.remark(Code.ENCRYPTED_AS_ATTACHMENT)
    elif kind in _ELSEWHERE:
        found.remark(Code.PARTIAL_AS_ATTACHMENT)
    found.files.append(part)


def _is_encrypted(part: Part) -> bool:
    """Tell whether mail clients would decrypt it, also where a gateway has forgotten the multipart or the type."""
    if part.media_type in _OPAQUE:
        return part.content_type.token("smime-type").lower() != "certs-only"
    is_envelope = part.media_type == "application/octet-stream" and part.name.lower().endswith(".p7m")
    return is_envelope or part.media_type == "application/pgp-encrypted"


def _alternative(part: Part, found: Bodies) -> None:
    chosen = _best(part.children)
    for child in part.children:
        if child is chosen:
            _walk(child, found)
        else:
            _left_over(child, found, shown=chosen is not None)


def _drop_repeated_calendars(found: Bodies) -> None:
    """List an invitation once that comes as an alternative and, the same, as a file; Google writes such."""
    if found.calendars:
        files = [part for part in found.files if id(part) not in found.calendars]
        listed = {_lines_of(part) for part in files if part.media_type in _CALENDARS}
        repeated = {id(part) for part in found.files if id(part) in found.calendars and _lines_of(part) in listed}
        found.files = [part for part in found.files if id(part) not in repeated]


def _settle_tnef(found: Bodies, most_files: int) -> None:
    """Put what a winmail.dat holds in its place; it stays where there is something else in it."""
    files: list[Part] = []
    for part in found.files:
        is_tnef = part.media_type in _TNEF or part.name.lower() == _TNEF_NAME
        inner = tnef.opened(part.body.decoded(), most_files) if is_tnef and most_files else None
        if inner is None:
            files.append(part)
            if is_tnef:
                found.remark(Code.TNEF_AS_ATTACHMENT)
            continue
        if inner.files or inner.text:
            found.remark(Code.TNEF_OPENED)
        files += inner.files
        if not found.pieces and inner.text:
            found.pieces.append(inner.text)
        if inner.has_more or not found.pieces:
            files.append(part)
            found.remark(Code.TNEF_AS_ATTACHMENT)
    found.files = files


def _lines_of(part: Part) -> bytes:
    # Line ends differ between a text and the same text as a file.
    return part.body.decoded().replace(b"\r\n", b"\n").strip()


def _best(children: tuple[Part, ...]) -> Part | None:
    """Choose the alternative to be shown: the last with HTML, else the last with text that we can show."""
    rich = [child for child in children if _holds(child, _HTML)]
    plain = [child for child in children if _holds(child, _PLAIN) and not _holds(child, _HTML)]
    if (
        rich
        and plain
        and rich[-1].media_type in _HTML
        and rich[-1].body.end - rich[-1].body.start < markup.HIDDEN_BYTES
    ):
        # Some programs send an empty HTML beside the real text.
        empty = markup.shows_nothing(_decoded(rich[-1], Bodies())) and _decoded(plain[-1], Bodies()).strip()
        rich = [] if empty and not plain[-1].children else rich
    others = [child for child in children if _holds(child, _ENRICHED)]
    best = rich or others or plain
    return best[-1] if best else None


def _left_over(part: Part, found: Bodies, *, shown: bool) -> None:
    """Of an alternative that is not shown, drop the texts and keep the files."""
    for leaf in _leaves(part):
        if shown and leaf.media_type == _AMP:
            found.remark(Code.AMP_DROPPED)
        elif leaf.media_type == _CALENDAR:
            found.remark(Code.CALENDAR_AS_ATTACHMENT)
            found.files.append(leaf)
            found.calendars.add(id(leaf))
        elif shown and _is_bare_text(leaf, alternative=leaf is part):
            found.remark(Code.TEXT_ALTERNATIVE_DROPPED)
            _remark_pgp(leaf.body.decoded(), found)
        elif shown and leaf.media_type in _BODY:
            found.files.append(leaf)
        else:
            _leaf(leaf, found)


def _is_bare_text(leaf: Part, *, alternative: bool) -> bool:
    """Tell whether a text only says again what is shown: it has no name, and is no data beside a text."""
    is_text = leaf.media_type.startswith("text/") if alternative else leaf.media_type in _BODY
    return is_text and not leaf.is_attachment and not leaf.name


def _related(part: Part, found: Bodies) -> None:
    """Show the root; what else has a Content-ID or a location belongs to it (RFC 2387)."""
    found.around.append(part.header)
    start = part.content_type.text("start").strip("<> ")
    named = [child for child in part.children if start and child.content_id == start]
    root = next(iter([*named, *(child for child in part.children if _holds(child, _BODY)), *part.children]), None)
    if root is not None:
        _walk(root, found)
    for child in part.children:
        if child is root:
            continue
        if not child.children and (child.content_id or child.header.first("content-location")):
            _remark_part(child, found)
            found.files.append(child)
        else:
            _walk(child, found)


def _holds(part: Part, kinds: frozenset[str]) -> bool:
    if part.children:
        return any(_holds(child, kinds) for child in part.children)
    return part.media_type in kinds and not part.is_attachment


def _leaves(part: Part) -> list[Part]:
    return [leaf for child in part.children for leaf in _leaves(child)] if part.children else [part]


def _is_lone_text(root: Part) -> bool:
    """Tell whether a mail of one part is to be shown: any text that is not meant as a file."""
    kind = root.media_type
    shown = kind in _BODY or (kind.startswith("text/") and kind not in _DATA and not root.name)
    return (shown or kind.startswith("multipart/")) and not root.is_attachment


def _remark_part(part: Part, found: Bodies) -> None:
    if not part.encoding_known:
        found.remark(Code.ENCODING_UNKNOWN)
    if part.repaired:
        found.remark(Code.STRUCTURE_REPAIRED)
    if part.text_outside:
        found.remark(Code.TEXT_OUTSIDE_DROPPED)


def _decoded(part: Part, found: Bodies, *, guess: bool = True) -> str:
    data = part.body.decoded()
    if part.media_type in _PLAIN:
        data, files = extracted(part, data)
        if files:
            found.remark(Code.FILE_IN_TEXT)
            found.files.extend(files)
    _remark_pgp(data, found)
    label = part.content_type.token("charset")
    if part.media_type in _HTML and not data.isascii() and (not codec_of(label) or is_ascii_label(label)):
        label = markup.declared_charset(data) or label
    if part.body.encoding is Encoding.BASE64 and data:
        raw = part.body.data[part.body.start : part.body.end]
        if len(data) == len(raw):
            found.remark(Code.ENCODING_UNKNOWN)
        elif footer_start(raw) < len(raw):
            found.remark(Code.TEXT_OUTSIDE_DROPPED)
    text, as_declared = decode(data, label, guess=guess)
    if not as_declared and not data.isascii():
        found.remark(Code.CHARSET_GUESSED)
    return text


def _remark_pgp(data: bytes, found: Bodies) -> None:
    if b"-----BEGIN PGP " not in data:
        return
    for armour in _PGP.finditer(data):
        found.remark(Code.INLINE_SIGNATURE_BROKEN if armour[1] else Code.INLINE_ENCRYPTED)


def _fragment(part: Part, text: str) -> str:
    if part.media_type in _ENRICHED:
        return enriched_to_html(text)
    if part.content_type.token("format").lower() == "flowed":
        text = unflow(text, delsp=part.content_type.token("delsp").lower() == "yes")
    return text_to_html(text)
