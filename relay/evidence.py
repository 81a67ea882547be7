"""What proves that an API took a mail whose answer nobody heard. Pure.

An API tells addresses, times and batches, never which message a mail was. So a trace proves a recipient only where
nothing else explains it:

1. It is to that recipient, and made after the first attempt that may have been taken, and not long
   after the last one.
2. Everybody whom its batch was made for is a recipient of the message: a mailing of somebody else is another batch.
3. No other message is known to be in the batch.
4. No other message to the same mailbox was being sent then without a clear answer, whatever came of it later: two equal
   alerts in one outage cannot be told apart, and a wrong proof would lose one.

What remains is another program that sends to exactly the same people through the same customer in the same hour.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from relay.message import MessageId
from relay.outcome import Accepted
from relay.providers.contract import Trace
from relay.queue.contract import Doubted, Suspects

#: So far an API's clock may differ from ours, in seconds.
SKEW_SECONDS = 30.0
#: So long after an attempt began a mail may be made of it, in seconds.
LATE_SECONDS = 3600.0

_REMARK = "proven by the provider's events"

Found = Mapping[MessageId, Mapping[int, Accepted]]  # by message, by position


def spans(doubted: Iterable[Doubted], now: float) -> list[tuple[float, float]]:
    """Tell in which times traces may be found; those that touch are one."""
    merged: list[tuple[float, float]] = []
    for first, last in sorted(
        (first, each.last_begun_at[position]) for each in doubted for position, first in each.begun_at.items()
    ):
        since, until = first - SKEW_SECONDS, min(last + LATE_SECONDS, max(now, last)) + SKEW_SECONDS
        if merged and since <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(until, merged[-1][1]))
        else:
            merged.append((since, until))
    return merged


def relevant(doubted: Iterable[Doubted], traces: Iterable[Trace]) -> list[Trace]:
    """Keep the traces that are to somebody in doubt: of these the store must tell who else they may be of."""
    wanted = {each.entries[position].recipient.key for each in doubted for position in each.begun_at}
    return [trace for trace in traces if trace.batch_id and trace.mailbox in wanted]


def proven(doubted: Iterable[Doubted], traces: Sequence[Trace], suspects: Suspects) -> Found:
    """Tell who is proven to have been accepted. `traces` are all that were told, not only the relevant ones."""
    batches: defaultdict[str, list[Trace]] = defaultdict(list)
    for trace in traces:
        if trace.batch_id:
            batches[trace.batch_id].append(trace)
    found: dict[MessageId, dict[int, Accepted]] = {}
    for each in doubted:
        proofs = _proven(each, batches, suspects)
        if proofs:
            found[each.message_id] = proofs
    return found


def _proven(each: Doubted, batches: Mapping[str, Sequence[Trace]], suspects: Suspects) -> dict[int, Accepted]:
    company = {entry.recipient.key for entry in each.entries}
    proofs: dict[int, Accepted] = {}
    for batch_id, members in batches.items():
        if suspects.batches.get(batch_id, frozenset()) - {each.message_id}:
            continue
        if any(trace.mailbox not in company for trace in members):
            continue
        for position in each.begun_at:
            mailbox = each.entries[position].recipient.key
            if any(_explains(each, position, trace.at, suspects) for trace in members if trace.mailbox == mailbox):
                proofs[position] = Accepted(provider_batch_id=batch_id, remark=_REMARK)
    return proofs


def _explains(each: Doubted, position: int, at: float, suspects: Suspects) -> bool:
    if not each.begun_at[position] - SKEW_SECONDS <= at <= each.last_begun_at[position] + LATE_SECONDS:
        return False
    others = suspects.begun_at.get(each.entries[position].recipient.key, {})
    return not any(since - SKEW_SECONDS <= at for other, since in others.items() if other != each.message_id)
