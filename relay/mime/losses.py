"""What a header says that no API can carry: each such thing is noted once.

Message-ID, Date and the names of programs give no note: every API writes its own, and nobody misses the others. Trace
fields belong to the way that the mail came, which ends here.
"""

import re

from relay.mime import words
from relay.mime.bodies import Bodies
from relay.mime.header import Header
from relay.mime.notes import Code

_NORMAL_PRIORITY = re.compile(r"(?:(?:3|normal|medium|non-urgent)\b.*)?", re.IGNORECASE)
_NORMAL_SENSITIVITY = re.compile(r"\s*(?:normal|none|public)?\s*", re.IGNORECASE)

#: Fields of one meaning, with their note.
_RECEIPTS = frozenset({
    "disposition-notification-to", "disposition-notification-options", "return-receipt-to", "x-confirm-reading-to",
})  # fmt: skip
_THREADING = frozenset({"in-reply-to", "references"})
_PRIORITIES = ("importance", "x-priority", "priority", "x-msmail-priority")
_AUTOMATION = frozenset({"precedence", "x-auto-response-suppress", "x-autoreply", "x-autorespond"})
_LISTS = frozenset({
    "list-id", "list-post", "list-archive", "list-owner", "list-subscribe", "mailing-list", "x-mailing-list",
    "x-beenthere", "x-mailman-version",
})  # fmt: skip

#: Carried, read, or written anew by every API.
_CARRIED = frozenset({
    "from", "sender", "reply-to", "to", "cc", "bcc", "subject", "list-unsubscribe", "list-unsubscribe-post",
    "list-help", "mime-version", "date", "message-id", "sensitivity", "auto-submitted", *_PRIORITIES,
})  # fmt: skip
#: Programs and their own bookkeeping.
_PROGRAMS = frozenset({
    "user-agent", "x-mailer", "x-mimeole", "x-newsreader", "x-php-script", "x-php-originating-script", "x-keepsent",
    "x-cron-env", "thread-topic", "thread-index", "accept-language", "x-accept-language", "x-attachment-id",
    "x-universally-unique-identifier", "x-uniform-type-identifier", "x-account-key", "x-identity-key", "x-uidl",
    "x-draft-info", "x-tnef-correlator", "x-unsent", "status", "x-status", "x-keywords", "lines", "autocrypt",
    "x-evolution-source", "x-mb-message-type", "x-mb-message-source",
})  # fmt: skip
#: The way that the mail came (RFC 5321 §4.4), signatures of it, and verdicts of filters.
_TRACE = frozenset({
    "received", "return-path", "delivered-to", "x-delivered-to", "x-original-to", "envelope-to", "delivery-date",
    "dkim-signature", "domainkey-signature", "authentication-results", "dkim-filter", "x-received", "x-sender",
    "x-authenticated-sender", "x-authenticated-user", "x-authentication-warning", "x-sender-ip", "x-source",
    "x-source-args", "x-source-dir", "x-get-message-sender-via", "x-antiabuse",
})  # fmt: skip
_PREFIXES = (
    "content-", "resent-", "x-relay-", "arc-", "received-", "x-ms-", "x-microsoft-", "x-forefront-", "x-exchange-",
    "x-originat", "x-eopattributed", "x-crosstenant-", "x-spam", "x-virus", "x-google-", "x-gm-", "x-mozilla-",
    "x-apple-", "x-yahoo-", "x-ymail-", "x-me-", "x-proofpoint-", "x-ironport-", "x-envelope-", "x-forwarded-",
    "x-barracuda-", "x-mimecast-", "x-amavis-", "x-rspamd-", "x-dkim", "x-lotus-", "x-mimetrack", "x-pmx-",
)  # fmt: skip
_KNOWN = _RECEIPTS | _THREADING | _AUTOMATION | _LISTS | _CARRIED | _PROGRAMS | _TRACE
_MOST_NAMED = 12
_LONGEST_NAME = 60


def remark_header(header: Header, found: Bodies) -> None:
    """Note what the header asks for and no API can carry."""
    asked = header.by_name.keys()
    if not _RECEIPTS.isdisjoint(asked):
        found.remark(Code.RECEIPT_REQUEST_LOST)
    if not _THREADING.isdisjoint(asked):
        found.remark(Code.THREADING_LOST)
    if any(
        not _NORMAL_PRIORITY.fullmatch(words.unstructured(raw)) for name in _PRIORITIES for raw in header.every(name)
    ):
        found.remark(Code.PRIORITY_LOST)
    if not _NORMAL_SENSITIVITY.fullmatch(words.unstructured(header.first("sensitivity"))):
        found.remark(Code.SENSITIVITY_LOST)
    if "list-unsubscribe-post" in asked:
        found.remark(Code.UNSUBSCRIBE_POST_LOST)
    if not _AUTOMATION.isdisjoint(asked) or _automation(header) not in ("", "no"):
        found.remark(Code.AUTOMATION_MARKS_LOST)
    if not _LISTS.isdisjoint(asked):
        found.remark(Code.LIST_FIELDS_LOST)
    others = [name for name in asked if name not in _KNOWN and not name.startswith(_PREFIXES)]
    if others:
        found.remark(Code.HEADERS_NOT_CARRIED, _named(others))


def is_auto_submitted(header: Header) -> bool:
    """Tell whether a program wrote it (RFC 3834 §5), or its sender wants no reports (Microsoft's header)."""
    suppressed = words.unstructured(header.first("x-auto-response-suppress")).lower().replace(",", " ").split()
    return _automation(header) not in ("", "no") or bool({"all", "ndr"} & set(suppressed))


def _automation(header: Header) -> str:
    return words.unstructured(header.first("auto-submitted")).partition(";")[0].strip().lower()


def _named(names: list[str]) -> str:
    shown = ", ".join(name[:_LONGEST_NAME].title() for name in names[:_MOST_NAMED])
    more = len(names) - _MOST_NAMED
    return f"{shown} and {more} more" if more > 0 else shown
