"""Content and recipients into calls of EnviarEMAIL. Pure.

Each entry of `Destinatarios` becomes a mail of its own, so nobody is seen by anybody, Bcc needs no care, and Cc is a
fidelity note.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from relay.config.settings import MensatekSettings
from relay.errors import MailRefused
from relay.message import MessageId, Recipient, Role
from relay.mime.content import Attachment, Content, Note
from relay.outcome import Replies
from relay.powers import Powers
from relay.providers.contract import Base64Text, Brief, Call, Document, JsonValue, Plan
from relay.providers.fields import is_blank, one_line, subject_or
from relay.providers.files import Carried, carry, refuse_oversize
from relay.providers.mensatek.entries import SPAIN, quiet_entries, recipient_entry, spanish_time
from relay.providers.mensatek.markers import MARKER, neutral_html, neutral_text
from relay.providers.mensatek.wire import MensatekWire
from relay.providers.notes import merged, note
from relay.providers.personal import Personal, personal
from relay.providers.recipients import address_notes, entries_in, hidden_header_notes
from relay.providers.sender import Sender, choose_sender

#: Clocks differ and mail waits on its way here; what is later than this was not meant to be sent now.
_LATE_AT_MOST = timedelta(minutes=10)
_TO_BASE32 = str.maketrans("0123456789ABCDEFGHJKMNPQRSTVWXYZ", "0123456789abcdefghijklmnopqrstuv")


class MensatekTranslation:
    """The rules, with the wire names and limits of one configuration."""

    def __init__(self, settings: MensatekSettings, wire: MensatekWire) -> None:
        self._settings = settings
        self._wire = wire

    def plan(self, content: Content, brief: Brief) -> Plan:
        """Make calls for all recipients, so many in each as the account's limit allows."""
        sender = choose_sender(content, brief)
        # An empty table of variables asks for nothing.
        keeps_markers = brief.policy.variables or any(brief.powers.variables.values())
        spelled = one_line if keeps_markers else _neutral_line
        carried = carry(content, inline_images=brief.policy.inline_images, settings=self._settings, spelled=spelled)
        common = self._common(content, brief, sender, carried, keeps_markers=keeps_markers)
        own, limit = personal(brief.powers), brief.policy.recipients_per_call
        calls = tuple(
            self._call(common, brief.recipients[start : start + limit], own, keeps_markers=keeps_markers)
            for start in range(0, len(brief.recipients), limit)
        )
        refuse_oversize(calls, self._settings.max_request_bytes)
        notes = merged(
            content.notes,
            sender.notes,
            carried.notes,
            self._notes(content, brief, own, keeps_markers=keeps_markers),
        )
        return Plan(calls, notes)

    def split(self, call: Call) -> tuple[Call, ...]:
        """Divide a call that `plan` or `split` made into halves, in order; one recipient alone stays as it is."""
        name = self._wire.recipients
        entries = entries_in(call.document, name)
        if len(entries) != len(call.recipients):
            raise ValueError("this is no call of this translation")
        if len(entries) == 1:
            return (call,)
        middle = (len(entries) + 1) // 2
        return (
            Call(call.function, call.recipients[:middle], {**call.document, name: entries[:middle]}),
            Call(call.function, call.recipients[middle:], {**call.document, name: entries[middle:]}),
        )

    def _common(
        self, content: Content, brief: Brief, sender: Sender, carried: Carried, *, keeps_markers: bool
    ) -> Document:
        """Everything but the recipients, in the order of the vendor's document."""
        wire, powers = self._wire, brief.powers
        text = one_line if keeps_markers else _neutral_line
        document: Document = {}
        if sender.mailbox.name:
            document[wire.sender_name] = text(sender.mailbox.name)
        document[wire.sender_email] = sender.mailbox.email
        if sender.reply_to:
            document[wire.reply_to] = sender.reply_to
        # Beside a template an empty subject stays: the template may have one of its own.
        document[wire.subject] = text(subject_or(self._settings.empty_subject, content.subject))
        if powers.template is None:
            document[wire.html] = carried.html if keeps_markers else neutral_html(carried.html)
        else:
            document[wire.template] = powers.template
        if carried.attachments:
            document[wire.attachments] = [self._attachment(file) for file in carried.attachments]
        self._add_powers(document, brief)
        if content.list_unsubscribe:
            document[wire.list_unsubscribe] = one_line(content.list_unsubscribe)
        if content.list_help:
            document[wire.list_help] = one_line(content.list_help)
        # Comes back in reports: the proof that is looked for when an answer was lost.
        document[wire.reference] = one_line(powers.reference or brief.message_id)
        document[wire.answer_format] = "JSON"
        return document

    def _add_powers(self, document: Document, brief: Brief) -> None:
        wire, powers = self._wire, brief.powers
        if powers.schedule is not None and _is_ahead(powers.schedule, brief.message_id):
            document[wire.schedule] = spanish_time(powers.schedule)
        if powers.quiet_hours:
            document[wire.quiet_hours] = quiet_entries(wire, powers.quiet_hours)
        for name, wanted in (
            (wire.track_opens, powers.track_opens),
            (wire.track_clicks, powers.track_clicks),
            (wire.report, powers.report),
        ):
            if wanted is not None:
                document[name] = int(wanted)

    def _attachment(self, file: Attachment) -> Mapping[str, JsonValue]:
        wire = self._wire
        return {wire.attachment_name: file.name, wire.attachment_content: Base64Text(file.body.base64())}

    def _call(self, common: Document, recipients: Sequence[Recipient], own: Personal, *, keeps_markers: bool) -> Call:
        entries = [self._recipient(recipient, own, keeps_markers=keeps_markers) for recipient in recipients]
        document: Document = {**common, self._wire.recipients: entries}
        return Call(self._wire.send, tuple(recipients), document)

    def _recipient(self, recipient: Recipient, own: Personal, *, keeps_markers: bool) -> Mapping[str, JsonValue]:
        name = self._fitting_name(recipient.name if keeps_markers else neutral_text(recipient.name))
        variables = own.variables_of(recipient)
        return recipient_entry(self._wire, recipient.address, name, variables, own.reference_of(recipient))

    def _fitting_name(self, name: str) -> str:
        limit = self._settings.recipient_name_limit
        return one_line(name)[: limit or None]

    def _notes(self, content: Content, brief: Brief, own: Personal, *, keeps_markers: bool) -> list[Note]:
        powers = brief.powers
        notes = [
            *_visibility_notes(content, brief),
            *address_notes(brief.recipients),
            *_power_notes(powers),
            *own.stranger_notes(content, brief.recipients),
        ]
        if is_blank(content.subject):
            notes.append(note("subject_missing", "the mail has no subject; a placeholder stands there"))
        if any(self._fitting_name(each.name) != one_line(each.name) for each in brief.recipients):
            limit = self._settings.recipient_name_limit
            notes.append(note("recipient_name_shortened", f"a recipient's name is cut to {limit} characters"))
        if not keeps_markers and any(MARKER in text for text in _texts(content, brief)):
            notes.append(note("markers_neutralised", "### in the subject, the body or a name stays text, no variable"))
        if not self._wire.recipient_reference and any(map(own.reference_of, brief.recipients)):
            text = "the configuration names no field of the API for a recipient's reference"
            notes.append(note("wire_name_empty", text))
        return notes


def _texts(content: Content, brief: Brief) -> Iterator[str]:
    """Go through everything that the API might look for variables in."""
    yield content.subject
    yield content.sender.name if content.sender else ""
    yield from (file.name for file in content.attachments)
    yield from (image.name for image in content.inline_images)
    yield from (each.name for each in brief.recipients)
    if brief.powers.template is None:
        yield content.html


def _neutral_line(text: str) -> str:
    return neutral_text(one_line(text))


def _is_ahead(moment: datetime, message_id: MessageId) -> bool:
    """Tell whether a mail is to wait; what is only just past goes at once.

    Measured from the mail's arrival, so that a mail that came in time is not refused at a later attempt.

    Raises:
        MailRefused: The time is long past: to send at once is not what was asked for.
    """
    late = _arrival(message_id) - moment
    if late > _LATE_AT_MOST:
        minutes = int(_LATE_AT_MOST.total_seconds() // 60)
        raise MailRefused(
            Replies.BAD_POWER.saying(f"X-Relay-Schedule: the time is past by more than {minutes} minutes")
        )
    return late < timedelta(0)


def _arrival(message_id: MessageId) -> datetime:
    """Read when a message came: its id begins with that, in milliseconds (see `new_message_id`)."""
    return datetime.fromtimestamp(int(message_id[:10].translate(_TO_BASE32), 32) / 1000, UTC)


def _visibility_notes(content: Content, brief: Brief) -> list[Note]:
    notes = hidden_header_notes(content, brief.recipients)
    if brief.policy.recipients == "individual":
        return notes  # nobody shall see anybody: nothing is lost
    shown = [each for each in brief.recipients if each.role is not Role.BCC]
    if any(each.role is Role.CC for each in shown):
        notes.append(note("cc_not_visible", "Mensatek shows no Cc: each recipient sees only itself"))
    elif len(shown) > 1:
        notes.append(note("others_not_visible", "Mensatek sends each recipient a mail of its own"))
    return notes


def _power_notes(powers: Powers) -> list[Note]:
    asked = {"campaign": powers.campaign is not None, "archive": powers.archive, "batch": powers.batch}
    notes = [
        note("power_not_available", f"Mensatek has no such thing as X-Relay-{power.title()}")
        for power, wanted in asked.items()
        if wanted
    ]
    if powers.template is not None:
        notes.append(note("body_replaced_by_template", f"template {powers.template} takes the place of the body"))
    if powers.schedule is not None and _is_ambiguous(powers.schedule):
        notes.append(note("schedule_ambiguous", "the time occurs twice that night in Spain"))
    return notes


def _is_ambiguous(moment: datetime) -> bool:
    local = moment.astimezone(SPAIN)
    return local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()
