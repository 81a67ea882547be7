"""What an HTTP status says of a delivery, as one table for both APIs; and provider text made fit to be kept.

The rule behind the table: unknown is temporary, permanent needs proof.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256

from relay.errors import ProviderError
from relay.message import Recipient
from relay.outcome import Blame, Deferred, Refused, Replies
from relay.providers.contract import Call, Document
from relay.providers.echo import HIDDEN, decoded, line_of, without_echo
from relay.providers.fields import wire_address
from relay.providers.http import Answer

_MAX_TEXT = 200
_KNOWN_TYPES = frozenset({"application/json", "application/xml", "text/html", "text/plain", "text/xml"})
_BASE64_RUN = re.compile(r"[A-Za-z0-9+/_=-]{48,}")


@dataclass(frozen=True, slots=True)
class Unsaid:
    """What no text that is kept may hold: the secrets of a call, and its mail."""

    secrets: tuple[str, ...] = field(default=(), repr=False)
    document: Document = field(default_factory=dict, repr=False)
    recipients: tuple[Recipient, ...] = field(default=(), repr=False)
    address_keys: tuple[str, ...] = ()  # of members of the document that are addresses

    @property
    def public(self) -> frozenset[str]:
        """Values of the document that may be told: an error that must not name an address is of no use."""
        addresses = {wire_address(each.address) for each in self.recipients}
        return frozenset(
            addresses | {value for key in self.address_keys if isinstance(value := self.document.get(key), str)}
        )

    def starred(self, text: str) -> str:
        """Put stars for the secrets in a text."""
        for secret in sorted(filter(None, self.secrets), key=len, reverse=True):
            text = text.replace(secret, "***")
        return text


@dataclass(frozen=True, slots=True)
class Ruling:
    """What one status means where the body says nothing better."""

    means: str  # for a person, in the outcome's reason
    blame: Blame = Blame.PROVIDER
    maybe_accepted: bool = False


_ACCOUNT = Blame.ACCOUNT

#: RFC 9110 section 15 read from the point of view of a mail that waits. 413 is not here: it is a proof.
RULINGS: Mapping[int, Ruling] = {
    401: Ruling("the credentials are refused", _ACCOUNT),
    402: Ruling("payment is required", _ACCOUNT),
    403: Ruling("access is forbidden", _ACCOUNT),
    404: Ruling("the API does not know the address or the campaign", _ACCOUNT),
    408: Ruling("the API waited too long for the request"),
    425: Ruling("the API does not want it yet"),
    429: Ruling("too many requests"),
    500: Ruling("the API failed", maybe_accepted=True),
    502: Ruling("a gateway got no answer from the API", maybe_accepted=True),
    503: Ruling("the API is not available"),
    504: Ruling("a gateway waited in vain for the API", maybe_accepted=True),
}

#: Statuses whose word outweighs that of the body.
TEMPORARY = frozenset({408, 425, 429, *range(500, 600)})


def is_success(status: int) -> bool:
    """Tell whether a status is one of the 2xx."""
    return status // 100 == 2  # noqa: PLR2004


def ruling(status: int) -> Ruling:
    """Look a status up: any other 5xx may have been accepted behind a gateway; anything else is unknown."""
    if found := RULINGS.get(status):
        return found
    if status >= 500:  # noqa: PLR2004
        return Ruling("the API failed", maybe_accepted=True)
    return Ruling("an answer that nobody foresaw; somebody should look")


def by_status(answer: Answer, said: str, *, proven_fault: bool = False) -> Refused | Deferred:
    """Tell the outcome of a call by its status.

    Args:
        answer: What came back; not a 2xx.
        said: The API's own words, cleaned; may be empty.
        proven_fault: The body proves that the mail is at fault (counts for 400 and 422).
    """
    status, words = answer.status, f": {said}" if said else ""
    if status == 413:  # noqa: PLR2004 - RFC 9110 section 15.5.14: the request itself is too large, a proof by itself
        return Refused(f"HTTP 413, the request is too large{words}", Replies.TOO_BIG)
    if status in {400, 422} and proven_fault:
        return Refused(f"HTTP {status}{words}")
    rule = ruling(status)
    return Deferred(
        f"HTTP {status}, {rule.means}{words}",
        blame=rule.blame,
        maybe_accepted=rule.maybe_accepted,
        retry_after_seconds=answer.retry_after_seconds,
    )


def unsaid_of(call: Call, secrets: tuple[str, ...], *address_keys: str) -> Unsaid:
    """Tell what no text about a call may hold: all of it but addresses."""
    return Unsaid(secrets, call.document, call.recipients, address_keys)


def clean(text: str, unsaid: Unsaid) -> str:
    """Make a provider's text fit for log and history: one printable line of at most 200 characters.

    Secrets are starred; what stands in the mail is hidden, and so is what looks like base64 (a key, or a piece of an
    attachment that the API quotes).
    """
    if not text:
        return ""
    text = unsaid.starred(decoded(unsaid.starred(text)[: 20 * _MAX_TEXT]))
    text = _BASE64_RUN.sub(HIDDEN, line_of(text))
    if len(text) > _MAX_TEXT:
        text = text[: _MAX_TEXT - 3].rstrip() + "..."
    return without_echo(text, unsaid.document, unsaid.public)


def described(answer: Answer) -> str:
    """Tell of an answer that cannot be read what is not its text: anything may stand there. Empty: it has no body."""
    if not answer.body:
        return ""
    of_type = f" of {answer.content_type}" if answer.content_type in _KNOWN_TYPES else ""
    return f"{len(answer.body)} bytes{of_type}, sha256 {sha256(answer.body).hexdigest()[:8]}"


def unreadable(answer: Answer) -> ProviderError:
    """Make the error for a success that says nothing: the mail may be on its way."""
    told = described(answer) or "it is empty"
    return ProviderError(f"HTTP {answer.status} with an answer that nobody can read: {told}", maybe_accepted=True)
