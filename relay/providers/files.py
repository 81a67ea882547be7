"""Attachments and inline images as the APIs can carry them, within the configured limits."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from relay.config.settings import ProviderSettings
from relay.errors import MailRefused
from relay.mime import inline_as_attachments, inline_as_data
from relay.mime.content import Attachment, Content, Note
from relay.outcome import Replies
from relay.providers.contract import Call
from relay.providers.encode import weigh
from relay.providers.fields import one_line, shortened
from relay.providers.notes import note


@dataclass(frozen=True, slots=True)
class Carried:
    """A mail's HTML and files, ready for a document."""

    html: str
    attachments: tuple[Attachment, ...]
    notes: tuple[Note, ...] = ()


def carry(
    content: Content, *, inline_images: str, settings: ProviderSettings, spelled: Callable[[str], str] = one_line
) -> Carried:
    """Put inline images into the HTML or among the files, and make names fit.

    Args:
        content: The mail.
        inline_images: The account's choice, "data" or "attach".
        settings: The API's limits.
        spelled: Writes a name as the API must have it; what that adds counts for the limit.

    Raises:
        MailRefused: There are more attachments than the API takes.
    """
    html, files = content.html, list(content.attachments)
    notes: list[Note] = []
    if content.inline_images and inline_images == "attach":
        html, images = inline_as_attachments(html, content.inline_images)
        files += images
        count = len(content.inline_images)
        notes.append(note("inline_images_attached", f"{count} inline image(s) travel as attachments"))
    elif content.inline_images:
        html = inline_as_data(html, content.inline_images, max_bytes=settings.max_request_bytes)
    if len(files) > settings.max_attachments:
        raise MailRefused(
            Replies.CANNOT_CONVERT.saying(
                f"{len(files)} attachments are more than the {settings.max_attachments} that the email provider takes"
            )
        )
    named, renamed = _fitting(files, settings.attachment_name_limit, spelled)
    return Carried(html, named, (*notes, *renamed))


def refuse_oversize(calls: Iterable[Call], max_bytes: int) -> None:
    """Raise MailRefused (552) when a call would be larger than the API takes."""
    for call in calls:
        weight = weigh(call.document)
        if weight > max_bytes:
            raise MailRefused(
                Replies.TOO_BIG.saying(
                    f"The message makes a request of {weight} bytes; the email provider takes {max_bytes}"
                )
            )


def _fitting(
    files: Sequence[Attachment], limit: int, spelled: Callable[[str], str]
) -> tuple[tuple[Attachment, ...], list[Note]]:
    """Shorten names over the limit (0: none), keeping them distinct, also for who saves them without regard to case."""
    names = [spelled(file.name) for file in files]
    taken = {name.casefold() for name in names if not limit or len(name) <= limit}
    fitting: list[Attachment] = []
    notes: list[Note] = []
    for file, name in zip(files, names, strict=True):
        short = name
        if limit and len(name) > limit:
            short = _distinct(shortened(name, limit), taken, limit)
            taken.add(short.casefold())
            notes.append(note("attachment_renamed", f"an attachment is called {short}: at most {limit} characters"))
        fitting.append(replace(file, name=short))
    return tuple(fitting), notes


def _distinct(name: str, taken: set[str], limit: int) -> str:
    """Number a name that is taken, within the limit: "a.pdf", "a-2.pdf"."""
    stem, dot, extension = name.rpartition(".")
    number, candidate = 1, name
    while candidate.casefold() in taken:
        number += 1
        mark = f"-{number}"
        room = limit - len(mark) - len(dot + extension)
        if dot and stem and room > 0:
            candidate = f"{stem[:room]}{mark}.{extension}"
        else:  # the extension leaves no room
            candidate = name[: max(limit - len(mark), 0)] + mark
    return candidate
