"""Attachments and inline images as the APIs can carry them, within the configured limits."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from relay.config.settings import ProviderSettings
from relay.errors import MailRefused
from relay.mime import inline_as_data
from relay.mime.content import Attachment, Content, InlineImage, Note
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


def carry(content: Content, *, inline_images: str, settings: ProviderSettings) -> Carried:
    """Put inline images into the HTML or among the files, and make names fit.

    Raises MailRefused when there are more attachments than the API takes.
    """
    html, files = content.html, list(content.attachments)
    notes: list[Note] = []
    if content.inline_images and inline_images == "attach":
        files += _as_files(content.inline_images, files)
        count = len(content.inline_images)
        notes.append(note("inline_images_attached", f"{count} inline image(s) travel as attachments"))
    elif content.inline_images:
        html = inline_as_data(html, content.inline_images)
    if len(files) > settings.max_attachments:
        raise MailRefused(
            Replies.CANNOT_CONVERT.saying(
                f"{len(files)} attachments are more than the {settings.max_attachments} that the email provider takes"
            )
        )
    named, renamed = _fitting(files, settings.attachment_name_limit)
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


def _as_files(images: Sequence[InlineImage], files: Sequence[Attachment]) -> list[Attachment]:
    taken = {file.name for file in files}
    attached = []
    for image in images:
        name = _distinct(image.name, taken)
        taken.add(name)
        attached.append(Attachment(name, image.media_type, image.body))
    return attached


def _fitting(files: Sequence[Attachment], limit: int) -> tuple[tuple[Attachment, ...], list[Note]]:
    """Shorten names over the limit (0: none), keeping them distinct."""
    taken: set[str] = set()
    fitting: list[Attachment] = []
    notes: list[Note] = []
    for file in files:
        name = one_line(file.name)
        if limit and len(name) > limit:
            name = _distinct(shortened(name, limit), taken, limit)
            notes.append(note("attachment_renamed", f"an attachment is called {name}: at most {limit} characters"))
        taken.add(name)
        fitting.append(replace(file, name=name))
    return tuple(fitting), notes


def _distinct(name: str, taken: set[str], limit: int = 0) -> str:
    """Number a name that is taken: "a.pdf", "a-2.pdf"."""
    number, candidate = 1, name
    while candidate in taken:
        number += 1
        stem, dot, extension = name.rpartition(".")
        stem, extension = (stem, dot + extension) if dot and stem else (name, "")
        mark = f"-{number}"
        if limit:
            stem = stem[: max(limit - len(extension) - len(mark), 0)]
        candidate = f"{stem}{mark}{extension}"
    return candidate
