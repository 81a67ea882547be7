"""From what DMDS answered to one outcome for each recipient.

A call succeeds or fails as a whole, as far as is known.
"""

from collections.abc import Iterable, Sequence

from relay.message import Recipient
from relay.outcome import Accepted, Blame, Deferred, Outcome, Refused, Replies
from relay.providers.dmds.answers import DmdsAnswer, blame_of
from relay.providers.fields import wire_address
from relay.providers.http import Answer
from relay.providers.judge import TEMPORARY, by_status, clean, is_success

_DATA_STATUSES = frozenset({400, 413, 422})  # doc: "4xx - errores de datos"
_RETRY_OTHERS_SECONDS = 1.0  # the call failed for one recipient alone: the others can go at once


def outcomes_of(
    answer: Answer, said: DmdsAnswer | None, recipients: Sequence[Recipient], secrets: Iterable[str]
) -> dict[str, Outcome]:
    """Tell the outcome of each recipient of a call, by `Recipient.key`.

    A 2xx that cannot be read is not for here: it is nobody's outcome.
    """
    secrets = tuple(secrets)
    if said is not None and said.is_ok and is_success(answer.status):
        return _all(recipients, _of_success(said, len(recipients)))
    if said is not None and not said.is_ok and answer.status not in TEMPORARY:
        return _of_error(answer, said, recipients, clean(said.error, secrets))
    words = clean(answer.body.decode("utf-8", "replace"), secrets)
    return _all(recipients, by_status(answer, words))


def _all(recipients: Sequence[Recipient], outcome: Outcome) -> dict[str, Outcome]:
    return dict.fromkeys((each.key for each in recipients), outcome)


def _of_success(said: DmdsAnswer, expected: int) -> Outcome:
    """Compare the count with the recipients; a difference is told, never smoothed over."""
    if said.sent == 0:
        # A contact that the customer's base holds invalid makes a Not-Sent event instead of a mail (doc).
        return Deferred(f"the provider counted 0 of {expected} as sent; a contact may be marked invalid there")
    if not said.batch:
        return Deferred("the provider said ok without an eeid", maybe_accepted=True)
    if said.sent is None:
        return Accepted(provider_batch_id=said.batch, remark="the provider did not count what it sent")
    if said.sent != expected:
        return Accepted(
            provider_batch_id=said.batch,
            remark=f"the provider counted {said.sent} of {expected}",
            sent_count=said.sent,
        )
    return Accepted(provider_batch_id=said.batch)


def _of_error(answer: Answer, said: DmdsAnswer, recipients: Sequence[Recipient], words: str) -> dict[str, Outcome]:
    """Judge `status: err`: refused only where the words, or a 400, 413 or 422, prove that the mail is at fault."""
    blame = blame_of(said.error)
    if answer.status in {401, 402, 403, 404} or (answer.status == 413):  # noqa: PLR2004 - their meaning is fixed
        return _all(recipients, by_status(answer, words))
    if blame is None and answer.status in _DATA_STATUSES:
        blame = Blame.MESSAGE
    reason = f"HTTP {answer.status}, status err: {words or 'no reason given'}"
    match blame:
        case Blame.MESSAGE:
            return _of_bad_data(said.error, reason, recipients)
        case Blame.ACCOUNT | Blame.PROVIDER:
            return _all(recipients, Deferred(reason, blame=blame, retry_after_seconds=answer.retry_after_seconds))
        case _:
            return _all(recipients, Deferred(f"{reason}; nobody foresaw it, somebody should look"))


def _of_bad_data(error: str, reason: str, recipients: Sequence[Recipient]) -> dict[str, Outcome]:
    """Refuse those that the error names; nothing was accepted, and the others are tried without them."""
    named = {each.key for each in recipients if _names(error, each)}
    if not named:
        return _all(recipients, Refused(reason))
    refused = Refused(reason, Replies.NO_SUCH_RECIPIENT)
    waiting = Deferred(f"{reason} (another recipient)", blame=Blame.MESSAGE, retry_after_seconds=_RETRY_OTHERS_SECONDS)
    return {each.key: refused if each.key in named else waiting for each in recipients}


def _names(error: str, recipient: Recipient) -> bool:
    """Tell whether an error holds a recipient's address, and not as part of a longer one."""
    text, address = error.casefold(), wire_address(recipient.address).casefold()
    start = text.find(address)
    while start != -1:
        before, after = text[start - 1 : start], text[start + len(address) : start + len(address) + 1]
        if not (before.isalnum() or before in set("._+-")) and not (after.isalnum() or after == "-"):
            return True
        start = text.find(address, start + 1)
    return False
