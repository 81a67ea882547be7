"""Content and recipients into calls of send_many_inline. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from relay.config.settings import DmdsSettings
from relay.message import Recipient, Role
from relay.mime.content import Attachment, Content, Note
from relay.powers import Powers
from relay.providers.contract import Base64Text, Brief, Call, DmdsCredentials, Document, JsonValue, Plan
from relay.providers.dmds.campaign import Campaign, choose_campaign
from relay.providers.dmds.entries import attachment_entries, joining, person
from relay.providers.dmds.fanout import Group, divide, fan_out
from relay.providers.dmds.wire import DmdsWire
from relay.providers.fields import is_blank, subject_or, wire_address
from relay.providers.files import Carried, carry, refuse_oversize
from relay.providers.notes import merged, note
from relay.providers.personal import Personal, personal
from relay.providers.recipients import address_notes, entries_in, hidden_header_notes
from relay.providers.sender import Sender, choose_sender

#: The vendor's name of the one function that sends; its path is a wire name.
FUNCTION = "send_many_inline"


@dataclass(frozen=True, slots=True)
class _Parts:
    """What was settled of a mail before calls are made of it."""

    sender: Sender
    campaign: Campaign
    carried: Carried
    given: Personal


class DmdsTranslation:
    """The rules, with the wire names and limits of one configuration."""

    def __init__(self, settings: DmdsSettings, wire: DmdsWire) -> None:
        self._settings = settings
        self._wire = wire

    def plan(self, content: Content, brief: Brief, credentials: DmdsCredentials) -> Plan:
        """Make calls for all recipients: copies in the first, contacts alone in all further ones."""
        parts = _Parts(
            choose_sender(content, brief, is_sent=bool(self._wire.sender_email)),
            choose_campaign(content, brief, credentials),
            carry(content, inline_images=brief.policy.inline_images, settings=self._settings),
            personal(brief.powers),
        )
        groups = self._groups(brief, parts.given)
        common = self._common(brief, parts)
        calls = tuple(self._call(common, group, self._contacts(group, parts.given)) for group in groups)
        refuse_oversize(calls, self._settings.max_request_bytes)
        own = self._notes(content, brief, parts, groups)
        return Plan(calls, merged(content.notes, parts.sender.notes, parts.carried.notes, own))

    def split(self, call: Call) -> tuple[Call, ...]:
        """Divide a call that `plan` or `split` made; a batch that it joins stays in all parts."""
        wire = self._wire
        entries = entries_in(call.document, wire.contacts)
        copies, blind = (len(entries_in(call.document, name)) for name in (wire.copies, wire.blind_copies))
        people, shown = call.recipients, len(entries) + copies
        if len(people) != shown + blind or not entries:
            raise ValueError("this is no call of this translation")
        group = Group(people[: len(entries)], people[len(entries) : shown], people[shown:])
        known = dict(zip((each.key for each in group.contacts), entries, strict=True))
        # Who was a copy got the contact's mail, so its variables are theirs, too.
        shared = entries[0].get(wire.contact_variables) if wire.contact_variables else None
        common: Document = {
            key: value
            for key, value in call.document.items()
            if key not in {wire.contacts, wire.copies, wire.blind_copies}
        }
        return tuple(
            self._call(common, part, [known.get(each.key) or self._contact(each, shared) for each in part.contacts])
            for part in divide(group)
        )

    def _groups(self, brief: Brief, given: Personal) -> tuple[Group, ...]:
        # The first call of a message shows the copies. Where it was accepted before, the rest are further calls.
        individual = brief.policy.recipients == "individual" or bool(brief.batch_id) or _is_personal(brief, given)
        return fan_out(brief.recipients, brief.policy.recipients_per_call, individual=individual)

    def _common(self, brief: Brief, parts: _Parts) -> Document:
        """Everything but the recipients."""
        wire, sender, carried = self._wire, parts.sender, parts.carried
        document: Document = {wire.campaign: parts.campaign.number, wire.email_flag: True}
        if wire.subject:
            document[wire.subject] = subject_or(self._settings.empty_subject, parts.campaign.subject)
        if wire.sender_email:
            document[wire.sender_email] = sender.mailbox.email
        if wire.sender_name and sender.mailbox.name:
            document[wire.sender_name] = sender.mailbox.name
        if sender.reply_to:
            document[wire.reply_to] = sender.reply_to
        document[wire.html] = carried.html
        if wire.attachments and carried.attachments:
            document[wire.attachments] = _attachments(wire, carried.attachments)
        if brief.powers.archive:
            document[wire.archive] = True
        if batch := brief.powers.batch or brief.batch_id:
            document |= joining(batch, wire)
        return document

    def _call(self, common: Document, group: Group, contacts: JsonValue) -> Call:
        wire = self._wire
        document: Document = {**common, wire.contacts: contacts}
        if group.copies:
            document[wire.copies] = [
                person((wire.copy_email, wire.copy_name, wire.copy_surname), each.address, each.name)
                for each in group.copies
            ]
        if group.blind_copies:  # the address alone: a name has no place where somebody might see it
            document[wire.blind_copies] = [
                {wire.blind_copy_email: wire_address(each.address)} for each in group.blind_copies
            ]
        return Call(FUNCTION, group.recipients, document)

    def _contacts(self, group: Group, given: Personal) -> JsonValue:
        return [self._contact(each, given.variables_of(each)) for each in group.contacts]

    def _contact(self, recipient: Recipient, variables: JsonValue) -> Mapping[str, JsonValue]:
        wire = self._wire
        # The whole display name in `nombre`: where it would be cut into first and last name, nobody can know.
        keys = (wire.contact_email, wire.contact_name, wire.contact_surname)
        entry = dict(person(keys, recipient.address, recipient.name))
        if variables and wire.contact_variables:
            entry[wire.contact_variables] = variables
        return entry

    def _notes(self, content: Content, brief: Brief, parts: _Parts, groups: Sequence[Group]) -> list[Note]:
        notes = [
            *hidden_header_notes(content, brief.recipients),
            *address_notes(brief.recipients),
            *_visibility_notes(brief, parts.given, groups),
            *_power_notes(brief.powers),
            *self._missing_field_notes(parts, brief.powers),
            *parts.given.stranger_notes(content, brief.recipients),
        ]
        if self._wire.subject and is_blank(parts.campaign.subject):
            notes.append(note("subject_missing", "the mail has no subject; a placeholder stands there"))
        if parts.campaign.was_in_subject:
            notes.append(note("subject_campaign", f"[{parts.campaign.number}] was taken out of the subject"))
        for header, value in (("List-Unsubscribe", content.list_unsubscribe), ("List-Help", content.list_help)):
            if value:
                notes.append(note("list_header_lost", f"DMDS has no field for {header}"))
        return notes

    def _missing_field_notes(self, parts: _Parts, powers: Powers) -> list[Note]:
        """Name what a field would be needed for that the configuration says does not exist."""
        wire = self._wire
        missing = {
            "subject": not wire.subject and bool(parts.campaign.subject),
            "sender's address": not wire.sender_email,
            "sender's name": not wire.sender_name and bool(parts.sender.mailbox.name),
            "attachments": not wire.attachments and bool(parts.carried.attachments),
            "variables": not wire.contact_variables and any(powers.variables.values()),
        }
        return [
            note("wire_name_empty", f"the configuration names no field of the API for the {what}")
            for what, is_lost in missing.items()
            if is_lost
        ]


def _attachments(wire: DmdsWire, files: Sequence[Attachment]) -> JsonValue:
    return attachment_entries(wire, [(file.name, file.media_type, Base64Text(file.body.base64())) for file in files])


def _is_personal(brief: Brief, given: Personal) -> bool:
    """Tell whether recipients have variables of their own: a copy would show them those of the call's contact."""
    return len(brief.recipients) > 1 and any(map(given.variables.find, brief.recipients))


def _visibility_notes(brief: Brief, given: Personal, groups: Sequence[Group]) -> list[Note]:
    if brief.policy.recipients == "individual":
        return []
    if _is_personal(brief, given):
        return [note("others_not_visible", "recipients have variables of their own: each gets a mail of its own")]
    notes = []
    if any(each.role is Role.TO for group in groups for each in group.copies):
        notes.append(note("to_shown_as_cc", "DMDS shows one recipient in To; the others of To stand in Cc"))
    hidden = sum(each.role is not Role.BCC for group in groups[1:] for each in group.recipients)
    if hidden:
        limit = brief.policy.recipients_per_call
        text = f"{hidden} recipient(s) beyond {limit} in a call are not shown to the others"
        notes.append(note("copies_not_visible", text))
    return notes


def _power_notes(powers: Powers) -> list[Note]:
    """Name what was asked for in vain. Tracking that is to stay off asks for nothing."""
    asked = {
        "Template": powers.template is not None,
        "Schedule": powers.schedule is not None,
        "Quiet-Hours": bool(powers.quiet_hours),
        "Track-Opens": powers.track_opens,
        "Track-Clicks": powers.track_clicks,
        "Reference": bool(powers.reference),
        "Recipient-Reference": bool(powers.recipient_references),
        "Report": powers.report,
    }
    return [
        note("power_not_available", f"DMDS has no such thing as X-Relay-{power}")
        for power, wanted in asked.items()
        if wanted
    ]
