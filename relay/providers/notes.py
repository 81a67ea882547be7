"""The fidelity notes that translations make, with what each means; the mail's own are made in `relay.mime`."""

from collections.abc import Iterable, Mapping

from relay.mime.content import Fidelity, Note

_LOST, _CHANGED = Fidelity.LOST, Fidelity.CHANGED

#: Code, weight and meaning, for documentation and metrics. What the account's owner asked for is never LOST.
NOTES: Mapping[str, tuple[Fidelity, str]] = {
    "cc_not_visible": (_LOST, "the API sends each recipient a mail of its own: nobody sees who else was copied"),
    "copies_not_visible": (_LOST, "recipients beyond the account's limit per call are not shown to the others"),
    "others_not_visible": (_CHANGED, "each recipient gets a mail of its own and sees only itself in To"),
    "to_shown_as_cc": (_CHANGED, "the API shows one recipient in To; the others of To stand in Cc"),
    "header_recipients_not_shown": (_CHANGED, "To or Cc names addresses that this transaction does not send to"),
    "sender_replaced": (
        _CHANGED,
        "the account, or the listener, sends everything as a fixed sender; replies go to the original one",
    ),
    "sender_from_envelope": (_CHANGED, "the mail names no usable sender; MAIL FROM is shown"),
    "reply_to_unusable": (_LOST, "Reply-To names no address that mail can be sent to; the field is left out"),
    "subject_missing": (_CHANGED, "the mail has no subject, which the API refuses; a placeholder stands there"),
    "address_as_ascii": (_CHANGED, "an internationalised domain is written in its ASCII form"),
    "attachment_renamed": (_CHANGED, "an attachment's name was longer than the API takes and is shortened"),
    "inline_images_attached": (_CHANGED, "inline images travel as attachments, as the account asks"),
    "recipient_name_shortened": (_CHANGED, "a recipient's name was longer than the API takes"),
    "markers_neutralised": (_CHANGED, "### would be taken for a variable; it looks the same and is not"),
    "body_replaced_by_template": (_CHANGED, "the API's template takes the place of the body, as asked"),
    "schedule_ambiguous": (_CHANGED, "the time asked for occurs twice in the night when summer time ends"),
    "subject_campaign": (_CHANGED, "the campaign number was taken out of the subject"),
    "power_not_available": (_LOST, "the mail or the account asks for what this API does not offer"),
    "recipient_not_here": (_LOST, "a header gives something to an address that is no recipient of this transaction"),
    "list_header_lost": (_LOST, "the API has no List-Unsubscribe or List-Help"),
    "wire_name_empty": (_LOST, "the configuration says that the API has no field for it"),
}


def note(code: str, text: str) -> Note:
    """Make a note of the table; `text` is one sentence that names what it is about."""
    return Note(code, text, NOTES[code][0])


def merged(*groups: Iterable[Note]) -> tuple[Note, ...]:
    """Put notes together in order, each once."""
    return tuple(dict.fromkeys(each for group in groups for each in group))
