"""From bytes to `Content`: the main function of this room.

Pure: no I/O, no clock. Attachments are not decoded here; they stay where they are in the message.
"""

import re

from relay.config.settings import MimeSettings
from relay.errors import MailRefused
from relay.message import Mailbox
from relay.mime import words
from relay.mime.addresses import address_list
from relay.mime.bodies import Bodies, compose, find_bodies
from relay.mime.content import Attachment, Content, InlineImage
from relay.mime.eightbit import recoded, recoded_header
from relay.mime.header import Header, read_header
from relay.mime.images import references, sniffed_type, spellings
from relay.mime.locations import base_of, locations_of, relocated, told_base
from relay.mime.losses import is_auto_submitted, remark_header
from relay.mime.naming import Namer, calendar_method, type_of
from relay.mime.notes import Code, note
from relay.mime.parameters import structured
from relay.mime.structure import Part, read_structure
from relay.mime.transfer import Encoding, PartBody
from relay.outcome import Replies

_MESSAGE_ID = re.compile(r"<[^<>\s]+>")
_BRACKETED = re.compile(r"<[^<>]*+>")
_SHOWABLE = ("image/", "video/", "audio/", "font/")
_MESSAGES = ("message/rfc822", "message/global")
_SNIFFED_CHARS = 24
_MOST_LOCATIONS = 200  # each is looked for in the HTML
_MAX_INNER_HEADER_BYTES = 65536


def read(data: bytes, bounds: MimeSettings, *, open_tnef: bool = False) -> Content:
    """Read a message.

    Args:
        data: The message as received; it is kept alive by the bodies of the result.
        bounds: What a message may hold.
        open_tnef: Attach what a winmail.dat holds instead of itself.

    Raises:
        MailRefused: It exceeds the bounds (554 5.6.0), or has been round too often (554 5.4.6). Nothing else is
            refused: whatever is broken is read as far as it goes.
    """
    root, headers_guessed = recoded(read_structure(data, bounds))
    header = root.header
    received_count = len(header.every("received"))
    if received_count > bounds.max_received:
        raise MailRefused(Replies.LOOP)
    found = find_bodies(root, most_tnef_files=bounds.max_parts if open_tnef else 0)
    if headers_guessed:
        found.remark(Code.CHARSET_GUESSED)
    html = compose(found)
    html, inline_images, attachments = _files(html, found)
    sender = _sender(header, found)
    reply_to, more_reply_to = _reply_to(header, found)
    remark_header(header, found)
    to, cc = _shown_recipients(header, found)
    return Content(
        sender=sender,
        reply_to=reply_to,
        to=to,
        cc=cc,
        subject=words.unstructured(header.first("subject")),
        html=html,
        inline_images=inline_images,
        attachments=attachments,
        message_id=_message_id(header),
        list_unsubscribe=_list_value(header, "list-unsubscribe"),
        list_help=_list_value(header, "list-help"),
        powers=tuple((name, words.unstructured(raw)) for name, raw in header.fields if name.startswith("x-relay-")),
        received_count=received_count,
        auto_submitted=is_auto_submitted(header),
        notes=tuple(note(code, detail) for code, detail in found.codes.items()),
        more_reply_to=more_reply_to,
    )


def _files(html: str, found: Bodies) -> tuple[str, tuple[InlineImage, ...], tuple[Attachment, ...]]:
    """Tell the images that the HTML shows from the attachments; each file gets its name."""
    kinds = {id(part): _kind(part) for part in found.files}
    html, ids = _identified(html, found, kinds)
    held = dict.fromkeys((*ids, *filter(None, (part.content_id for part in found.files))))
    shown = {reference.content_id for reference in references(html, spellings(tuple(held)))}
    if "" in shown:
        found.remark(Code.IMAGE_MISSING)
    namer = Namer()
    images: list[InlineImage] = []
    attachments: list[Attachment] = []
    inline = {id(part): content_id for content_id, part in ids.items() if content_id in shown}
    for part in found.files:
        subject = _inner_subject(part) if part.media_type in _MESSAGES else ""
        name = namer.name(part, encrypted=id(part) in found.encrypted, subject=subject)
        kind = kinds[id(part)]
        if id(part) in inline:
            images.append(InlineImage(inline[id(part)], name, kind, part.body))
        else:
            attachments.append(Attachment(name, kind, part.body))
    return html, tuple(images), tuple(attachments)


def _identified(html: str, found: Bodies, kinds: dict[int, str]) -> tuple[str, dict[str, Part]]:
    """Find the parts that the HTML could show, by Content-ID; references by Content-Location are rewritten to such."""
    ids: dict[str, Part] = {}
    located: dict[str, Part] = {}
    for number, part in enumerate(found.files, start=1):
        if not kinds[id(part)].startswith(_SHOWABLE):
            continue
        has_location = bool(part.header.first("content-location"))
        # Some programs refer to a part by its name.
        content_id = part.content_id or (f"location-{number}" if has_location else part.name)
        if content_id and content_id not in ids:
            ids[content_id] = part
            if has_location and len(located) < _MOST_LOCATIONS:
                located[content_id] = part
    return _with_locations(html, found, located) if located else html, ids


def _with_locations(html: str, found: Bodies, located: dict[str, Part]) -> str:
    base = base_of(html, map(told_base, (*(piece.header for piece in found.pieces), *found.around)))
    locations: dict[str, str] = {}
    for content_id, part in located.items():
        for spelling in locations_of(part.header, base):
            locations.setdefault(spelling, content_id)
    return relocated(html, locations, base)


def _kind(part: Part) -> str:
    """Return a file's media type; where a part with a Content-ID does not tell it, by its name or its first bytes."""
    told = part.media_type
    if part.content_id and told in ("application/octet-stream", "text/plain", "image/*", "image/unknown"):
        return type_of(part.name) or _sniffed(part) or told
    method = calendar_method(part)
    return f"{told}; method={method}" if method else told


def _sniffed(part: Part) -> str:
    start = part.body.start
    return sniffed_type(part.body.data[start : min(part.body.end, start + _SNIFFED_CHARS)])


def _inner_subject(part: Part) -> str:
    body = part.body
    if body.encoding is not Encoding.IDENTITY:
        # RFC 2046 §5.2.1 forbids an encoding here; some write it and mean it.
        decoded = body.decoded()
        body = PartBody(decoded, 0, len(decoded))
    try:
        header, _ = read_header(body.data, body.start, body.end, _MAX_INNER_HEADER_BYTES)
    except MailRefused:
        return ""
    label = structured(header.first("content-type")).token("charset")
    return words.unstructured(recoded_header(header, label).first("subject"))


def _usable(mailbox: Mailbox) -> bool:
    return "@" in mailbox.email


def _listed(values: list[bytes], found: Bodies) -> tuple[Mailbox, ...]:
    if not values:
        return ()
    listed = address_list(values)
    if listed.cut:
        found.remark(Code.ADDRESSES_CUT)
    return listed.mailboxes


def _sender(header: Header, found: Bodies) -> Mailbox | None:
    """Return From; where it holds several, Sender (RFC 5322 §3.6.2)."""
    authors = list(filter(_usable, _listed(header.every("from"), found)))
    if len(authors) == 1 or len({author.email.lower() for author in authors}) == 1:
        return authors[0]
    if authors:
        found.remark(Code.FROM_FIRST_ONLY)
    agents = filter(_usable, _listed(header.every("sender"), found))
    return next(agents, authors[0] if authors else None)


def _reply_to(header: Header, found: Bodies) -> tuple[Mailbox | None, tuple[Mailbox, ...]]:
    """Return the first address with a domain, and all others: which of them an API takes is not known here."""
    listed = _listed(header.every("reply-to"), found)
    if not listed:
        return None, ()
    wanted = list(filter(_usable, listed))
    if len({mailbox.email.lower() for mailbox in wanted}) > 1:
        found.remark(Code.REPLY_TO_FIRST_ONLY)
    first = wanted[0] if wanted else None
    return first, tuple(mailbox for mailbox in listed if mailbox is not first)


def _shown_recipients(header: Header, found: Bodies) -> tuple[tuple[Mailbox, ...], tuple[Mailbox, ...]]:
    """Return To and Cc; those of the first Resent block stand first and decide (RFC 5322 §3.6.6)."""
    resent = _first_resent_block(header)
    resent_to, resent_cc = (_listed(resent.get(name, []), found) for name in ("resent-to", "resent-cc"))
    to, cc = _listed(header.every("to"), found), _listed(header.every("cc"), found)
    if resent_to or resent_cc:
        decided_to, decided_cc = ({box.email.lower() for box in boxes} for boxes in (resent_to, resent_cc))
        to = (*resent_to, *(box for box in to if box.email.lower() not in decided_cc - decided_to))
        cc = (*resent_cc, *(box for box in cc if box.email.lower() not in decided_to))
    return to, cc


def _first_resent_block(header: Header) -> dict[str, list[bytes]]:
    """Collect the topmost block of Resent fields; a trace field or a name that repeats begins another."""
    block: dict[str, list[bytes]] = {}
    for name, raw in header.fields:
        if name.startswith("resent-") and name not in block:
            block[name] = [raw]
        elif block:
            break
    return block


def _message_id(header: Header) -> str:
    text = words.clean(words.text_of(header.first("message-id")))
    bracketed = _MESSAGE_ID.search(text)
    if bracketed:
        return bracketed[0]
    bare = text.strip("<> ")
    return f"<{bare}>" if bare and " " not in bare else ""


def _list_value(header: Header, name: str) -> str:
    """Join the values of a list field; blanks inside the brackets come from folding (RFC 2369 §2)."""
    values = header.every(name)
    if not values:
        return ""
    text = ", ".join(filter(None, map(words.unstructured, values)))
    return _BRACKETED.sub(lambda found: "".join(found[0].split()), text)
