"""Pieces of a send: people, attachments, the batch that is joined. Pure."""

from collections.abc import Mapping, Sequence

from relay.providers.contract import Base64Text, Document, JsonValue
from relay.providers.dmds.wire import DmdsWire
from relay.providers.fields import one_line, wire_address


def person(keys: tuple[str, str, str], email: str, name: str = "", surname: str = "") -> Mapping[str, JsonValue]:
    """Write a contact or a visible copy by the keys of its address, first and last name; no empty names."""
    email_key, name_key, surname_key = keys
    names = {name_key: one_line(name), surname_key: one_line(surname)}
    return {email_key: wire_address(email)} | {key: value for key, value in names.items() if value}


def attachment_entries(wire: DmdsWire, files: Sequence[tuple[str, str, Base64Text]]) -> JsonValue:
    """Write attachments, each given by name, media type and content, in the shape of the wire table."""
    if wire.attachments_shape == "map":
        return {name: content for name, _, content in files}
    return [
        {
            wire.attachment_name: name,
            **({wire.attachment_type: media_type} if wire.attachment_type else {}),
            wire.attachment_content: content,
        }
        for name, media_type, content in files
    ]


def joining(batch: str, wire: DmdsWire) -> Document:
    """Make the members that append a call to an earlier batch."""
    return {wire.reuse_batch: True, wire.batch: batch}
