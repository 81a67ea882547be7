"""What every store offers a person: finding messages, looking into them, and acting on them while gateways work.

An act never pulls a message from under an attempt. Where a message is leased, the act is noted, and done by the store
in the transaction in which the lease is given back or found to have ended, on what is still open then; everywhere else
it is done at once. Every act is written down with who did it, and is told to the log by a gateway (`Queue.take_acts`).
Subjects are not kept apart from the body, so nobody sees them here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from relay.message import MessageId
from relay.mime.content import Note
from relay.queue.contract import FINAL_STATES, Act, Counts, Pause, RecipientEntry, State, Verb

#: States in which a recipient still waits for something.
OPEN_STATES = frozenset(State) - FINAL_STATES


#: The states that each verb concerns; recipients in others are left as they are. Nobody touches what is SENDING.
CONCERNS: Mapping[Verb, frozenset[State]] = {
    Verb.RETRY: frozenset({State.QUEUED, State.UNCONFIRMED, State.HELD}),
    Verb.HOLD: frozenset({State.QUEUED, State.UNCONFIRMED}),
    Verb.RELEASE: frozenset({State.HELD}),
    Verb.DROP: frozenset({State.QUEUED, State.UNCONFIRMED, State.HELD}),
}
#: Where each verb leaves a recipient. Those that go on are due at once.
LEADS_TO: Mapping[Verb, State] = {
    Verb.RETRY: State.QUEUED,
    Verb.HOLD: State.HELD,
    Verb.RELEASE: State.QUEUED,
    Verb.DROP: State.DROPPED,
}
#: What the reason of a recipient says after an act; the verbs that are missing leave it.
ACT_REASONS: Mapping[Verb, str] = {Verb.HOLD: "held by the operator", Verb.DROP: "dropped by the operator"}
#: A message that is too old for further attempts gets so much time where a person asks for one; seconds.
ONE_MORE_DAY_SECONDS = 86400.0
#: Messages of an act that are done in one transaction.
_STEP = 200


@dataclass(frozen=True, slots=True)
class Selection:
    """Which messages, and which of their recipients: those for which everything that is said here is so."""

    ids: tuple[MessageId, ...] = ()  # empty: any
    states: frozenset[State] = OPEN_STATES  # of the recipient
    account: str = ""  # empty: any
    sender: str = ""  # MAIL FROM, an address or "@domain", in any case; "<>": the null sender; empty: any
    recipient: str = ""  # an address or "@domain"; empty: any
    reason: str = ""  # a part of the recipient's last reason, in any case; empty: any
    received_since: float = 0.0  # seconds since the epoch
    received_before: float = 1e18


@dataclass(frozen=True, slots=True)
class Kept:
    """One message as kept."""

    id: MessageId
    account: str
    client: str
    mode: str
    mail_from: str
    size: int  # bytes as received
    received_at: float
    expires_at: float
    due_at: float | None  # None: nothing is left to be tried
    leased_by: str  # empty: nobody works on it
    lease_until: float | None
    finished_at: float | None  # None: open
    has_body: bool
    entries: tuple[RecipientEntry, ...]  # all of them, by position


@dataclass(frozen=True, slots=True)
class Page:
    """Some of the messages that were asked for."""

    messages: Sequence[Kept]
    after: str  # where the next page begins; empty: there is no more


@dataclass(frozen=True, slots=True)
class Tried:
    """One line of a recipient's history."""

    position: int
    number: int  # of the attempt; a finding without a call repeats the last
    owner: str
    begun_at: float
    ended_at: float
    seconds: float | None  # of the call; None: unknown
    call: str
    outcome: str  # "accepted", "refused", "deferred" or "interrupted"
    maybe_accepted: bool
    reason: str
    provider_message_id: str
    provider_batch_id: str


@dataclass(frozen=True, slots=True)
class Detail:
    """Everything that is known of one message but its content."""

    kept: Kept
    ret: str
    envid: str
    notes: tuple[Note, ...]
    tried: tuple[Tried, ...]  # by position, oldest first
    acts: tuple[Act, ...]  # oldest first; counts are those of the whole act
    noted: Mapping[int, Verb]  # what takes effect with the end of the lease, by position
    pause: Pause | None  # of its account


@dataclass(frozen=True, slots=True)
class Done:
    """What an act did, or would do."""

    messages: int = 0
    recipients: int = 0
    noted: int = 0  # see `Act`
    doubtful: int = 0  # see `Act`
    after: str = ""  # where the next step begins; empty: there is no more

    def __add__(self, other: "Done") -> "Done":
        return Done(
            self.messages + other.messages,
            self.recipients + other.recipients,
            self.noted + other.noted,
            self.doubtful + other.doubtful,
            other.after,
        )


@dataclass(frozen=True, slots=True)
class Backlog:
    """What waits of one account."""

    account: str
    messages: int  # that are not leased
    due_at: float  # of the first of them
    pause: Pause | None


class QueueControl(Protocol):
    """The operator's desk. Works beside running gateways, and without any; raises QueueError when the store fails."""

    async def stats(self) -> Counts:
        """Count what is there."""

    async def backlogs(self) -> Sequence[Backlog]:
        """Tell what waits of each account, the longest due first."""

    async def find(self, selection: Selection, *, limit: int, after: str = "", newest_first: bool = False) -> Page:
        """List messages in the order in which they were received; `after`: of the page before, in the same order.

        What came or went between two pages is in its place or not; no other message is shown twice or left out.
        """

    async def detail(self, message_id: MessageId) -> Detail | None:
        """Tell all of one message; None: no such message."""

    async def body(self, message_id: MessageId) -> bytes | None:
        """Return a message as it was received; None: no such message, or its body has gone since nobody needs it.

        Raises QueueError where it cannot be read.
        """

    async def weigh(self, verb: Verb, selection: Selection) -> Done:
        """Tell what an act would do, without doing it."""

    async def act(self, verb: Verb, selection: Selection, *, who: str, limit: int, after: str = "") -> Done:
        """Do it to the first `limit` messages that match, in the order of `find`: one transaction.

        Concerns the matching recipients that are in one of the states of `CONCERNS`, and nobody else. Of a leased
        message it is noted, in place of what was noted before: hold and drop take effect on whoever is open when the
        lease ends, retry and release on who was not tried since. A recipient that goes on is due at once, and its
        message is not given up within a day. One that may get a second copy by it is counted as doubtful:
        unconfirmed, or held since its last attempt may have been accepted. A message that is finished by it loses its
        body.
        """

    async def close(self) -> None:
        """Close."""


async def act_throughout(desk: QueueControl, verb: Verb, selection: Selection, *, who: str) -> Done:
    """Do it to everything that matches, in transactions that are few enough messages for mail not to wait."""
    done = await desk.act(verb, selection, who=who, limit=_STEP)
    while done.after:
        done += await desk.act(verb, selection, who=who, limit=_STEP, after=done.after)
    return done
