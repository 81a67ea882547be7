"""What an HTTP status says of a delivery, as one table for both APIs; and provider text made fit to be kept.

The rule behind the table: unknown is temporary, permanent needs proof.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from relay.outcome import Blame, Deferred, Refused, Replies
from relay.providers.http import Answer

_MAX_TEXT = 200
_BASE64_RUN = re.compile(r"[A-Za-z0-9+/_=-]{48,}")


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


def clean(text: str, secrets: Iterable[str] = ()) -> str:
    """Make a provider's text fit for log and history: one printable line of at most 200 characters.

    Secrets are starred, and so is what looks like base64 (a key, or a piece of an attachment that the API quotes).
    """
    for secret in sorted((secret for secret in secrets if secret), key=len, reverse=True):
        text = text.replace(secret, "***")
    text = "".join(letter if letter.isprintable() else " " for letter in text[: 20 * _MAX_TEXT])
    text = _BASE64_RUN.sub("[...]", " ".join(text.split()))
    return text if len(text) <= _MAX_TEXT else text[: _MAX_TEXT - 3].rstrip() + "..."
