"""From what Mensatek answered to one outcome for each recipient: the table of `Res`, then the lists."""

import re
from collections.abc import Iterable, Mapping, Sequence

from relay.message import Recipient, mailbox_key
from relay.outcome import Accepted, Blame, Deferred, Outcome, Refused, Replies
from relay.providers.judge import clean
from relay.providers.mensatek.answers import Entry, MensatekAnswer

_RETRY_OTHERS_SECONDS = 1.0  # the call failed for one recipient alone: the others can go at once
_NAMED_RECIPIENT = re.compile(r"destinatarios\[(\d+)\]", re.IGNORECASE)  # wire: "DESTINATARIOS[0][NOMBRE] should ..."

#: What a code below zero means where the whole call fails.
_FAULTS: Mapping[int, Outcome] = {
    -1: Deferred("wrong API User or API Token", blame=Blame.ACCOUNT),  # vendor (v5) and client
    -2: Deferred("no credits left", blame=Blame.ACCOUNT),  # vendor (v5) and client
    -3: Refused("bad or missing data"),  # doc and wire
    -4: Refused(  # client
        "an attachment is not allowed",
        Replies.CANNOT_CONVERT.saying("The email provider does not allow one of the attachments"),
    ),
    -5: Deferred("the sender is not validated, or no credits left", blame=Blame.ACCOUNT),  # wire; client
}


def outcomes_of(
    answer: MensatekAnswer, recipients: Sequence[Recipient], secrets: Iterable[str] = ()
) -> dict[str, Outcome]:
    """Tell the outcome of each recipient of a call, by `Recipient.key`."""
    said = clean(answer.error, secrets)
    if answer.res >= 0:
        return _by_lists(answer, recipients, said)
    if answer.res == -3:  # noqa: PLR2004 - the one code whose text may name a recipient
        named = {int(number) for number in _NAMED_RECIPIENT.findall(said)} & set(range(len(recipients)))
        if named and len(recipients) > 1:
            return _only_named(named, recipients, said)
    return dict.fromkeys((each.key for each in recipients), _fault(answer.res, said))


def _fault(res: int, said: str) -> Outcome:
    words = f": {said}" if said else ""
    match _FAULTS.get(res):
        case Deferred() as known:
            return Deferred(f"Res {res}, {known.reason}{words}", blame=known.blame)
        case Refused() as known:
            return Refused(f"Res {res}, {known.reason}{words}", known.reply)
        case _:
            return Deferred(f"Res {res}, which nobody foresaw; somebody should look{words}")


def _only_named(named: set[int], recipients: Sequence[Recipient], said: str) -> dict[str, Outcome]:
    """Refuse those that the error points at; nothing was accepted, and the others are tried without them."""
    refused = Refused(f"Res -3, bad data for this recipient: {said}", Replies.NO_SUCH_RECIPIENT)
    waiting = Deferred(
        f"Res -3 because of another recipient: {said}",
        blame=Blame.MESSAGE,
        retry_after_seconds=_RETRY_OTHERS_SECONDS,
    )
    return {each.key: refused if place in named else waiting for place, each in enumerate(recipients)}


def _by_lists(answer: MensatekAnswer, recipients: Sequence[Recipient], said: str) -> dict[str, Outcome]:
    """Give each recipient what the lists say of it; the lists outweigh the number in `Res`."""
    sent = _Listed(_sent_entries(answer))
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


def _sent_entries(answer: MensatekAnswer) -> Sequence[Entry]:
    if answer.sent.entries is not None:
        return answer.sent.entries
    # Where Enviados is only a number, the list stands in Destinatarios (client); an id proves that it was taken.
    return [entry for entry in answer.recipients.entries or () if entry.message_id]


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
        if sent.count == 0 and not answer.send_id:
            return Deferred(f"Res {answer.res}, and the provider counts none as sent{words}")
    elif sent.entries is None and answer.res > 0 and answer.recipients.number in {None, expected}:
        return Accepted(provider_batch_id=answer.send_id, remark=f"Res {answer.res}, but the answer lists nobody")
    return Deferred(f"Res {answer.res}, but the answer does not tell of this recipient{words}", maybe_accepted=True)


class _Listed:
    """Entries by mailbox: as spelt, else without regard to case, for Mensatek takes such for duplicates."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        self._exact = {mailbox_key(entry.email): entry for entry in entries}
        self._folded = {key.casefold(): entry for key, entry in self._exact.items()}

    def find(self, address: str) -> Entry | None:
        key = mailbox_key(address)
        return self._exact.get(key) or self._folded.get(key.casefold())
