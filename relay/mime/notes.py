"""Every fidelity note that reading a mail can give, with its meaning. The documentation is made from this table.

LOST is what nobody can find in the mail that arrives: strict accounts refuse it. CHANGED arrives in another form, or is
something that mail clients add to every other mail and nobody misses.
"""

from enum import StrEnum

from relay.mime.content import Fidelity, Note


class Code(StrEnum):
    """The stable words; metrics and tests know them."""

    TEXT_ALTERNATIVE_DROPPED = "text_alternative_dropped"  # text beside HTML
    AMP_DROPPED = "amp_dropped"  # text/x-amp-html beside HTML
    FILE_IN_TEXT = "file_in_text"  # uuencode or yEnc between the lines of a text
    IMAGE_MISSING = "image_missing"  # cid: of nothing that the mail holds
    CALENDAR_AS_ATTACHMENT = "calendar_as_attachment"  # an invitation that was an alternative
    TNEF_OPENED = "tnef_opened"  # winmail.dat, where the account asks for that
    TNEF_AS_ATTACHMENT = "tnef_as_attachment"  # winmail.dat
    SIGNATURE_BROKEN = "signature_broken"  # multipart/signed
    ENCRYPTED_AS_ATTACHMENT = "encrypted_as_attachment"  # PGP/MIME or S/MIME
    INLINE_SIGNATURE_BROKEN = "inline_signature_broken"  # BEGIN PGP SIGNED MESSAGE in a text
    INLINE_ENCRYPTED = "inline_encrypted"  # BEGIN PGP MESSAGE in a text
    PARTIAL_AS_ATTACHMENT = "partial_as_attachment"  # message/partial, message/external-body
    RECEIPT_REQUEST_LOST = "receipt_request_lost"  # Disposition-Notification-To and the like
    THREADING_LOST = "threading_lost"  # In-Reply-To, References
    PRIORITY_LOST = "priority_lost"  # Importance, X-Priority
    SENSITIVITY_LOST = "sensitivity_lost"  # Sensitivity
    REPLY_TO_FIRST_ONLY = "reply_to_first_only"  # several addresses in Reply-To
    FROM_FIRST_ONLY = "from_first_only"  # several addresses in From
    UNSUBSCRIBE_POST_LOST = "unsubscribe_post_lost"  # List-Unsubscribe-Post
    CHARSET_GUESSED = "charset_guessed"  # wrong or unknown charset
    ENCODING_UNKNOWN = "encoding_unknown"  # Content-Transfer-Encoding that nobody knows, or that is not true
    STRUCTURE_REPAIRED = "structure_repaired"  # a multipart without usable boundary
    TEXT_OUTSIDE_DROPPED = "text_outside_dropped"  # words behind the last part, or below base64
    RESOURCE_FORK_DROPPED = "resource_fork_dropped"  # application/applefile of a pair
    AUTOMATION_MARKS_LOST = "automation_marks_lost"  # Auto-Submitted, Precedence, X-Auto-Response-Suppress
    LIST_FIELDS_LOST = "list_fields_lost"  # List-Id, List-Post, List-Archive and the like
    HEADERS_NOT_CARRIED = "headers_not_carried"  # whatever else an author or program wrote; the note names them
    ADDRESSES_CUT = "addresses_cut"  # an address header longer than is read


#: Code -> (weight, meaning).
NOTES: dict[str, tuple[Fidelity, str]] = {
    Code.TEXT_ALTERNATIVE_DROPPED: (Fidelity.CHANGED, "The HTML is sent; the plain-text alternative is not"),
    Code.AMP_DROPPED: (Fidelity.CHANGED, "The AMP alternative is not sent; what stands beside it is"),
    Code.FILE_IN_TEXT: (Fidelity.CHANGED, "A file that is written into the text (uuencode, yEnc) travels attached"),
    Code.IMAGE_MISSING: (
        Fidelity.CHANGED,
        "The HTML shows an image by cid: that the mail does not hold; the HTML is sent as it is",
    ),
    Code.CALENDAR_AS_ATTACHMENT: (Fidelity.CHANGED, "The invitation travels as an attached file"),
    Code.TNEF_OPENED: (Fidelity.CHANGED, "The files of a winmail.dat travel attached; its formatting is not sent"),
    Code.TNEF_AS_ATTACHMENT: (Fidelity.CHANGED, "The TNEF part travels as winmail.dat, which only Outlook opens"),
    Code.SIGNATURE_BROKEN: (
        Fidelity.LOST,
        "The API builds the mail anew, so its signature cannot be verified; it is attached",
    ),
    Code.ENCRYPTED_AS_ATTACHMENT: (
        Fidelity.LOST,
        "Encrypted or opaquely signed content travels as attached files, which mail clients do not open by themselves",
    ),
    Code.INLINE_SIGNATURE_BROKEN: (
        Fidelity.LOST,
        "A text is signed within itself (inline PGP); it is sent as HTML, so its signature cannot be verified",
    ),
    Code.INLINE_ENCRYPTED: (
        Fidelity.LOST,
        "A text is encrypted within itself (inline PGP); it is sent as HTML, which mail clients do not decrypt",
    ),
    Code.PARTIAL_AS_ATTACHMENT: (Fidelity.CHANGED, "A partial or external message travels as an attached file"),
    Code.RECEIPT_REQUEST_LOST: (Fidelity.LOST, "The request for a read receipt cannot be carried"),
    Code.THREADING_LOST: (Fidelity.CHANGED, "In-Reply-To and References cannot be carried"),
    Code.PRIORITY_LOST: (Fidelity.CHANGED, "The priority cannot be carried"),
    Code.SENSITIVITY_LOST: (Fidelity.LOST, "The mark of confidentiality cannot be carried"),
    Code.REPLY_TO_FIRST_ONLY: (Fidelity.LOST, "Only the first Reply-To address is carried"),
    Code.FROM_FIRST_ONLY: (Fidelity.LOST, "From holds several addresses; only one sender is carried"),
    Code.UNSUBSCRIBE_POST_LOST: (Fidelity.CHANGED, "List-Unsubscribe-Post cannot be carried"),
    Code.CHARSET_GUESSED: (Fidelity.CHANGED, "A text's charset is missing, wrong or unknown and was guessed"),
    Code.ENCODING_UNKNOWN: (
        Fidelity.CHANGED,
        "A part's transfer encoding is unknown or not as told; its bytes are sent as they came",
    ),
    Code.STRUCTURE_REPAIRED: (Fidelity.CHANGED, "A multipart has no usable boundary; its parts were guessed"),
    Code.TEXT_OUTSIDE_DROPPED: (
        Fidelity.CHANGED,
        "Words behind the last part or below a base64 text, which no mail client shows, are not sent",
    ),
    Code.RESOURCE_FORK_DROPPED: (Fidelity.CHANGED, "A Macintosh resource fork is not sent; its file is"),
    Code.AUTOMATION_MARKS_LOST: (
        Fidelity.CHANGED,
        "The marks of automatic mail cannot be carried: absence notices may come back",
    ),
    Code.LIST_FIELDS_LOST: (Fidelity.CHANGED, "List-Id and other headers of mailing lists cannot be carried"),
    Code.HEADERS_NOT_CARRIED: (Fidelity.CHANGED, "No API has a field for some of the headers"),
    Code.ADDRESSES_CUT: (
        Fidelity.LOST,
        "An address header is longer than is read; recipients whom only its end names are sent blind copies",
    ),
}


def note(code: Code, detail: str = "") -> Note:
    """Make the note of a code; `detail` names what it is about, where the meaning alone does not tell."""
    weight, meaning = NOTES[code]
    return Note(code.value, f"{meaning}: {detail}" if detail else meaning, weight)
