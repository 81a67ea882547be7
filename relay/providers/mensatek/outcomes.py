"""From what Mensatek answered to one outcome for each recipient: the table of `Res`, then the lists."""

import re
from collections.abc import Mapping, Sequence

from relay.message import Recipient, mailbox_key
from relay.outcome import Accepted, Blame, Deferred, Outcome, Refused, Replies
from relay.providers.complaint import bare_words, is_about_somebody, named_in
from relay.providers.judge import TEMPORARY, Unsaid, clean, is_success
from relay.providers.mensatek.answers import Entry, MensatekAnswer

_RETRY_OTHERS_SECONDS = 1.0  # the call failed for one recipient alone: the others can go at once
_NAMED_RECIPIENT = re.compile(r"destinatarios\[(\d+)\]", re.IGNORECASE)  # wire: "DESTINATARIOS[0][NOMBRE] should ..."

Failure = Refused | Deferred

#: What a code below zero means where the whole call fails.
_FAULTS: Mapping[int, Failure] = {
    -1: Deferred("wrong API User or API Token", blame=Blame.ACCOUNT),  # vendor (v5) and client
    -2: Deferred("no credits left", blame=Blame.ACCOUNT),  # vendor (v5) and client
    -3: Refused("bad or missing data"),  # doc and wire
    -4: Refused(  # client
        "an attachment is not allowed",
        Replies.CANNOT_CONVERT.saying("The email provider does not allow one of the attachments"),
    ),
    -5: Deferred("the sender is not validated, or no credits left", blame=Blame.ACCOUNT),  # wire; client
}


def is_known(res: int) -> bool:
    """Tell whether a `Res` has a meaning in the table, or leaves it to the lists."""
    return res >= 0 or res in _FAULTS


def decides(answer: MensatekAnswer, status: int) -> bool:
    """Tell whether `Res` outweighs the HTTP status: a code that nobody knows tells less than a 4xx."""
    return status not in TEMPORARY and (is_success(status) or is_known(answer.res))


def outcomes_of(answer: MensatekAnswer, recipients: Sequence[Recipient], unsaid: Unsaid) -> dict[str, Outcome]:
    """Tell the outcome of each recipient of a call, by `Recipient.key`."""
    said = clean(answer.error, unsaid)
    if answer.res >= 0:
        return _by_lists(answer, recipients, said)
    failures = _by_code(answer, recipients, said)
    if answer.tells_of_mails_sent:
        return {each.key: _beside_sent(answer, each, failures[each.key]) for each in recipients}
    return dict(failures)


def _by_code(answer: MensatekAnswer, recipients: Sequence[Recipient], said: str) -> dict[str, Failure]:
    """Judge by the table alone; -3 is the one code whose text may be about a recipient."""
    fault = _fault(answer.res, said)
    if answer.res == -3:  # noqa: PLR2004 - see above
        if named := _named(answer, recipients):
            return _only_named(named, recipients, said)
        if len(recipients) > 1 and is_about_somebody(bare_words(answer.error, recipients)):
            fault = Refused(fault.reason, somebody_in_call=True)
    return dict.fromkeys((each.key for each in recipients), fault)


def _named(answer: MensatekAnswer, recipients: Sequence[Recipient]) -> set[str]:
    """Find at whom a -3 points: by place, by address, or by a list of some, but not of all, as not sent."""
    places = {int(number) for number in _NAMED_RECIPIENT.findall(answer.error)}
    by_place = {each.key for place, each in enumerate(recipients) if place in places}
    if named := by_place | named_in(answer.error, recipients):
        return named
    not_sent = _Listed(answer.not_sent.entries or ())
    listed = {each.key for each in recipients if not_sent.find(each.address)}
    return listed if len(listed) < len(recipients) else set()


def _fault(res: int, said: str) -> Failure:
    words = f": {said}" if said else ""
    match _FAULTS.get(res):
        case Deferred() as known:
            return Deferred(f"Res {res}, {known.reason}{words}", blame=known.blame)
        case Refused() as known:
            return Refused(f"Res {res}, {known.reason}{words}", known.reply)
        case _:  # what nobody knows proves nothing, not even that nothing was taken
            return Deferred(f"Res {res}, which nobody foresaw; somebody should look{words}", maybe_accepted=True)


def _only_named(named: set[str], recipients: Sequence[Recipient], said: str) -> dict[str, Failure]:
    """Refuse those that the error points at; nothing was accepted, and the others are tried without them."""
    words = f": {said}" if said else ""
    refused = Refused(f"Res -3, bad data for this recipient{words}", Replies.NO_SUCH_RECIPIENT)
    waiting = Deferred(
        f"Res -3 because of another recipient{words}",
        blame=Blame.MESSAGE,
        retry_after_seconds=_RETRY_OTHERS_SECONDS,
    )
    return {each.key: refused if each.key in named else waiting for each in recipients}


def _beside_sent(answer: MensatekAnswer, recipient: Recipient, judged: Failure) -> Outcome:
    """Judge one recipient of a call that failed although mails were sent.

    An id proves that it was sent. Of those that the list leaves out the code is believed; where it speaks of somebody,
    or where there is only a count, nobody knows. Such a call is never to be split: some have it.
    """
    listed = _Listed(answer.listed_as_sent)
    entry = listed.find(recipient.address)
    if entry and entry.is_proof:
        return Accepted(entry.message_id, answer.send_id, remark=f"sent, although the call ended with Res {answer.res}")
    unknown = Deferred(f"{judged.reason}; yet mails were sent", judged.blame, maybe_accepted=True)
    if entry:
        return unknown
    match judged:
        case Refused(reply=reply) if reply == Replies.NO_SUCH_RECIPIENT:
            return judged
        case Refused(somebody_in_call=False) | Deferred(blame=Blame.ACCOUNT) if listed:
            return judged
        case _:
            return unknown


def _by_lists(answer: MensatekAnswer, recipients: Sequence[Recipient], said: str) -> dict[str, Outcome]:
    """Give each recipient what the lists say of it; the lists outweigh the number in `Res`."""
    sent = _Listed(answer.listed_as_sent)
    not_sent = _Listed(answer.not_sent.entries or ())
    missing = sum(not (sent.find(each.address) or not_sent.find(each.address)) for each in recipients)
    unlisted = _of_unlisted(answer, len(recipients), missing, said)
    outcomes: dict[str, Outcome] = {}
    for each in recipients:
        if entry := sent.find(each.address):
            outcomes[each.key] = Accepted(entry.message_id, answer.send_id)
        elif not_sent.find(each.address):
            outcomes[each.key] = Refused("the provider lists it in NoEnviados", Replies.NO_SUCH_RECIPIENT)
        else:
            outcomes[each.key] = unlisted
    return outcomes


def _of_unlisted(answer: MensatekAnswer, expected: int, missing: int, said: str) -> Outcome:
    """Judge the `missing` of `expected` recipients that no list names, by the counts."""
    sent, not_sent = answer.sent, answer.not_sent
    words = f": {said}" if said else ""
    if sent.entries is not None and not_sent.entries is None and not_sent.count == missing:
        return Refused("the provider counts it in NoEnviados", Replies.NO_SUCH_RECIPIENT)
    if sent.entries is None and sent.count is not None:
        # One mailbox in two spellings is counted once there, and the other spelling in Duplicados.
        if sent.count in {expected, expected - answer.duplicates} and answer.res > 0:
            return Accepted(provider_batch_id=answer.send_id)
        if sent.count == 0 and answer.res == 0 and not answer.send_id:
            return Deferred(f"Res {answer.res}, and the provider counts none as sent{words}")
    elif sent.entries is None and answer.res > 0 and answer.recipients.number in {None, expected}:
        return Accepted(provider_batch_id=answer.send_id, remark=f"Res {answer.res}, but the answer lists nobody")
    return Deferred(f"Res {answer.res}, but the answer does not tell of this recipient{words}", maybe_accepted=True)


class _Listed:
    """Entries by mailbox: as spelt, else without regard to case, for Mensatek takes such for duplicates."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        self._exact = {mailbox_key(entry.email): entry for entry in entries}
        self._folded = {key.casefold(): entry for key, entry in self._exact.items()}

    def __bool__(self) -> bool:
        return bool(self._exact)

    def find(self, address: str) -> Entry | None:
        key = mailbox_key(address)
        return self._exact.get(key) or self._folded.get(key.casefold())
