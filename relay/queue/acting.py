"""What a person's act makes of recipients: what is to be written of whom. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from relay.queue.contract import State, Verb
from relay.queue.control import ACT_REASONS, CONCERNS, LEADS_TO, Done, Selection
from relay.queue.rows import Value

#: Verbs after which attempts go on.
GOING_ON = frozenset(verb for verb, state in LEADS_TO.items() if state is State.QUEUED)
#: What stores write of one recipient.
CHANGE_COLUMNS = "message, position, state, reason, due_at, now"
#: What stores write of one recipient of a leased message.
NOTED_COLUMNS = "message, position, verb, attempts"


@dataclass(frozen=True, slots=True)
class Concerned:
    """One recipient that an act concerns."""

    seq: int  # of its message
    account: str
    is_leased: bool
    position: int
    attempts: int
    is_doubtful: bool  # unconfirmed, or held since its last attempt may have been accepted


@dataclass(frozen=True, slots=True)
class Noted:
    """What was noted of one recipient whose message's lease ends."""

    seq: int
    position: int
    verb: Verb
    state: State
    is_untried: bool  # since it was noted


def concerning(verb: Verb, selection: Selection) -> Selection:
    """Return what an act concerns of what was selected."""
    return replace(selection, states=selection.states & CONCERNS[verb])


def change_rows(verb: Verb, whom: Iterable[tuple[int, int]], now: float) -> list[tuple[Value, ...]]:
    """Return what becomes of recipients (message, position), in the order of `CHANGE_COLUMNS`; no reason: it stays."""
    due_at = now if verb in GOING_ON else None
    said: tuple[Value, ...] = (LEADS_TO[verb].value, ACT_REASONS.get(verb), due_at, now)
    return [(seq, position, *said) for seq, position in whom]


def noted_rows(verb: Verb, concerned: Iterable[Concerned]) -> list[tuple[Value, ...]]:
    """Return what is noted of recipients, in the order of `NOTED_COLUMNS`."""
    return [(each.seq, each.position, verb.value, each.attempts) for each in concerned]


def in_force(noted: Iterable[Noted]) -> Mapping[Verb, Sequence[tuple[int, int]]]:
    """Tell to whom (message, position) is done what was noted: nobody is tried again who was tried since."""
    found: defaultdict[Verb, list[tuple[int, int]]] = defaultdict(list)
    for each in noted:
        if each.state in CONCERNS[each.verb] and (each.is_untried or each.verb not in GOING_ON):
            found[each.verb].append((each.seq, each.position))
    return found


def by_account(concerned: Iterable[Concerned]) -> Mapping[str, Sequence[Concerned]]:
    """Sort recipients by account: each gets an act of its own."""
    found: defaultdict[str, list[Concerned]] = defaultdict(list)
    for each in concerned:
        found[each.account].append(each)
    return found


def counted(verb: Verb, concerned: Sequence[Concerned], after: str = "") -> Done:
    """Count what an act does."""
    return Done(
        messages=len({each.seq for each in concerned}),
        recipients=len(concerned),
        noted=len({each.seq for each in concerned if each.is_leased}),
        doubtful=sum(each.is_doubtful for each in concerned) if verb in GOING_ON else 0,
        after=after,
    )
