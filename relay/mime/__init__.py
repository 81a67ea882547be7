"""From bytes to `Content`: structure, headers, body, attachments, fidelity notes. Pure."""

from relay.mime.content import Attachment, Content, EncodedBody, Fidelity, InlineImage, Note
from relay.mime.glance import Glance, glance
from relay.mime.images import inline_as_attachments, inline_as_data
from relay.mime.notes import NOTES
from relay.mime.reading import read
from relay.mime.roles import settle_roles
from relay.mime.sentas import sent_as

__all__ = [
    "NOTES",
    "Attachment",
    "Content",
    "EncodedBody",
    "Fidelity",
    "Glance",
    "InlineImage",
    "Note",
    "glance",
    "inline_as_attachments",
    "inline_as_data",
    "read",
    "sent_as",
    "settle_roles",
]
