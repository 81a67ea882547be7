"""From what DMDS answered to one outcome for each recipient.

A call succeeds or fails as a whole, as far as is known. Where an error counts mails as sent all the same, only who is
named stays refused, and of all others nobody knows.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from relay.message import Recipient
from relay.outcome import Accepted, Blame, Deferred, Outcome, Refused, Replies
from relay.providers.complaint import bare_words, is_about_somebody, named_in
from relay.providers.dmds.answers import DmdsAnswer, blame_of
from relay.providers.http import Answer
from relay.providers.judge import TEMPORARY, Unsaid, by_status, clean, described, is_success

_DATA_STATUSES = frozenset({400, 413, 422})  # doc: "4xx - errores de datos"
_RETRY_OTHERS_SECONDS = 1.0  # the call failed for one recipient alone: the others can go at once


def outcomes_of(
    answer: Answer,
    said: DmdsAnswer | None,
    recipients: Sequence[Recipient],
    unsaid: Unsaid,
    *,
    joined_batch: str = "",
) -> dict[str, Outcome]:
    """Tell the outcome of each recipient of a call, by `Recipient.key`.

    `joined_batch` is what the call asked to join: an error that only repeats it says nothing by that.
    A 2xx that cannot be read is not for here: it is nobody's outcome.
    """
    if said is None:
        return _all(recipients, by_status(answer, described(answer)))
    if said.is_ok and is_success(answer.status):
        return _all(recipients, _of_success(said, len(recipients)))
    outcomes = _of_failure(answer, said, recipients, unsaid)
    if said.sent or (said.sent is None and said.batch not in {"", joined_batch}):
        return _doubted(outcomes, answer, said, recipients)
    return outcomes


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


def _of_failure(
    answer: Answer, said: DmdsAnswer, recipients: Sequence[Recipient], unsaid: Unsaid
) -> dict[str, Outcome]:
    """Judge what was not done, as far as status and words tell."""
    words = clean(said.error, unsaid)
    if said.is_ok or answer.status in TEMPORARY:
        return _all(recipients, by_status(answer, words or described(answer)))
    return _of_error(answer, said, recipients, words)


def _of_error(answer: Answer, said: DmdsAnswer, recipients: Sequence[Recipient], words: str) -> dict[str, Outcome]:
    """Judge `status: err`: refused only where the words, or a 400, 413 or 422, prove that the mail is at fault."""
    blame = blame_of(bare_words(said.error, recipients))
    if answer.status in {401, 402, 403, 404} or (answer.status == 413):  # noqa: PLR2004 - their meaning is fixed
        return _all(recipients, by_status(answer, words))
    if blame is None and answer.status in _DATA_STATUSES:
        blame = Blame.MESSAGE
    reason = f"HTTP {answer.status}, status err: {words or 'no reason given'}"
    after = answer.retry_after_seconds
    match blame:
        case Blame.MESSAGE:
            return _of_bad_data(said.error, reason, recipients)
        case Blame.ACCOUNT:
            return _all(recipients, Deferred(reason, blame=blame, retry_after_seconds=after))
        case _:
            # A 2xx whose trouble is the API's own or nobody's may have come after the mail was taken.
            maybe = is_success(answer.status)
            if blame is None:
                reason = f"{reason}; nobody foresaw it, somebody should look"
            return _all(recipients, Deferred(reason, maybe_accepted=maybe, retry_after_seconds=after))


def _of_bad_data(error: str, reason: str, recipients: Sequence[Recipient]) -> dict[str, Outcome]:
    """Refuse those that the error names; nothing was accepted, and the others are tried without them."""
    named = named_in(error, recipients)
    if not named:
        is_somebody = len(recipients) > 1 and is_about_somebody(bare_words(error, recipients))
        return _all(recipients, Refused(reason, somebody_in_call=is_somebody))
    refused = Refused(reason, Replies.NO_SUCH_RECIPIENT)
    waiting = Deferred(f"{reason} (another recipient)", blame=Blame.MESSAGE, retry_after_seconds=_RETRY_OTHERS_SECONDS)
    return {each.key: refused if each.key in named else waiting for each in recipients}


def _doubted(
    outcomes: Mapping[str, Outcome], answer: Answer, said: DmdsAnswer, recipients: Sequence[Recipient]
) -> dict[str, Outcome]:
    """Take back what a failure that counts mails as sent does not prove; a count of all leaves nobody unsent."""
    count = "an unknown number" if said.sent is None else str(said.sent)
    told = f"although it tells of {count} of {len(recipients)} as sent"
    proven = named_in(said.error, recipients) if (said.sent or 0) < len(recipients) else set()
    doubted: dict[str, Outcome] = {}
    for key, outcome in outcomes.items():
        match outcome:
            case Deferred():
                reason = f"{outcome.reason}; {told}"
                doubted[key] = replace(
                    outcome, reason=reason, maybe_accepted=True, retry_after_seconds=answer.retry_after_seconds
                )
            case Refused() if key not in proven:
                doubted[key] = Deferred(
                    f"{outcome.reason}; {told}",
                    blame=outcome.blame,
                    maybe_accepted=True,
                    retry_after_seconds=answer.retry_after_seconds,
                )
            case _:
                doubted[key] = outcome
    return doubted
