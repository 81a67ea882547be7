"""What every store offers: durable keeping of messages, one transaction for each public method.

One row for each message, its body beside it, one row for each recipient with its state, attempts as append-only
history. Written for SQLite and PostgreSQL alike; several nodes may share a store, so everything that is claimed is
claimed under a lease in the name of an owner.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from relay.message import Message, MessageId, Recipient
from relay.mime.content import Note
from relay.outcome import Accepted, Outcome, Reply


class State(StrEnum):
    """Where one recipient of a message stands. The same words in SQL, log, page and command line."""

    QUEUED = "queued"  # waits for its next attempt
    SENDING = "sending"  # an attempt is journalled and has not ended
    UNCONFIRMED = "unconfirmed"  # the last attempt may have been accepted; waits for proof or for the account's rule
    HELD = "held"  # waits for a person
    ACCEPTED = "accepted"  # the API has it
    REFUSED = "refused"  # proven impossible
    EXPIRED = "expired"  # given up at max_age
    DROPPED = "dropped"  # a person removed it


class Action(StrEnum):
    """What a sender is to be told of a recipient that came to its end: words of RFC 3464 section 2.3.3."""

    FAILED = "failed"  # given up, or proven impossible
    RELAYED = "relayed"  # the API has it, and the sender asked to hear of it


#: States in which nothing more will be tried.
FINAL_STATES = frozenset({State.ACCEPTED, State.REFUSED, State.EXPIRED, State.DROPPED})
#: States in which somebody but a person has something to do.
WAITING_STATES = frozenset(State) - FINAL_STATES - {State.HELD}


@dataclass(frozen=True, slots=True)
class RecipientEntry:
    """One recipient as kept."""

    position: int  # 0-based place in the envelope; identifies the recipient within its message
    recipient: Recipient
    state: State = State.QUEUED
    attempts: int = 0  # attempts that were begun
    provider_message_id: str = ""
    provider_batch_id: str = ""
    reason: str = ""  # of the last outcome; empty: none yet
    changed_at: float = 0.0  # when it came to this state; the store fills it in
    due_at: float | None = None  # when its next attempt may begin, or its rule be applied; None: as soon as the message
    status: str = ""  # RFC 3463 status of the last outcome, if that was a refusal
    owed: Action | None = None  # what its sender is still to be told; the store fills it in


@dataclass(frozen=True, slots=True)
class NewMessage:
    """A message on its way into the store."""

    message: Message
    entries: tuple[RecipientEntry, ...]
    mode: str  # the delivery mode it came by: "queue", "direct", "auto"
    due_at: float  # when its next attempt may begin; seconds since the epoch
    expires_at: float  # when it is given up
    notes: tuple[Note, ...] = ()
    leased_by: str = ""  # begins its life claimed by this owner; SENDING entries are journalled as begun
    lease_seconds: float = 0.0
    notice_at: float | None = None  # when its sender is told that it still waits; None: never


@dataclass(frozen=True, slots=True)
class Claim:
    """A message that its owner alone may work on until the lease ends."""

    message: Message
    entries: tuple[RecipientEntry, ...]  # all of them, also those that are done
    expires_at: float
    owner: str
    batch_id: str = ""  # the batch of an earlier accepted call; empty: none
    lease: int = 0  # which lease of the message this is; 0: the one that `put` began it with


@dataclass(frozen=True, slots=True)
class Result:
    """What one attempt brought for one recipient, and where that leaves it."""

    position: int
    outcome: Outcome
    state: State
    due_at: float | None = None  # when the recipient is due again; None: at once, or never in a final state


@dataclass(frozen=True, slots=True)
class Counts:
    """What `stats` tells: the queue at a glance."""

    by_state: Mapping[State, int]  # recipients
    messages_open: int  # messages with a recipient in no final state
    oldest_received_at: float | None  # of the open messages; None: there is none
    bytes_kept: int = 0  # of the open messages' bodies


@dataclass(frozen=True, slots=True)
class Pause:
    """An account that is not tried for a while."""

    account: str
    until: float  # seconds since the epoch: when it may be probed
    reason: str
    failures: int  # in a row; 0: a person paused it, and its time holds whatever calls bring


@dataclass(frozen=True, slots=True)
class Volume:
    """How much was taken from an account."""

    messages: int
    recipients: int
    first_at: float | None  # when the first of these messages came; None: there is none


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known of who logs in, under one key: a client, a login, or one client at one login."""

    failures: int  # failed logins since `since`
    since: float  # when the first of these was
    changed_at: float
    until: float  # when it may be forgotten
    blocks: int = 0  # in a row
    blocked_until: float = 0.0  # 0: it never was
    proven_until: float = 0.0  # how long it counts that it was right before; 0: it never was


@dataclass(frozen=True, slots=True)
class Doubt:
    """What its client does not know of a message that was sent while it waited, in case it sends it again."""

    since: float
    until: float  # when it may be forgotten
    reply: Reply | None = None  # the whole of it was taken so, and nobody was there to hear it
    is_queued: bool = False  # with `reply`: whether the queue holds something of it to work on
    account: str = ""  # with `reply`: whose message it is
    accepted: Mapping[str, Accepted] = field(default_factory=dict)  # by mailbox: they have it
    maybe_accepted: frozenset[str] = frozenset()  # mailboxes that may have it


@dataclass(frozen=True, slots=True)
class Doubted:
    """A message with recipients that the API may have, and nobody knows: UNCONFIRMED, or HELD because of it."""

    message_id: MessageId
    account: str
    entries: tuple[RecipientEntry, ...]  # all of them
    #: By position of who is in doubt: when the first attempt began that the API may have taken, and when the last one.
    begun_at: Mapping[int, float]
    last_begun_at: Mapping[int, float]


@dataclass(frozen=True, slots=True)
class Suspects:
    """Who else may have caused what an API tells of mailboxes and batches."""

    begun_at: Mapping[str, Mapping[str, float]]  # by mailbox, by message: since when an attempt may have been taken
    batches: Mapping[str, frozenset[MessageId]]  # by batch: the messages that are known to be in it


class Verb(StrEnum):
    """What a person can do to recipients. The same words in SQL, log and command line."""

    RETRY = "retry"  # try at once, whatever it waits for
    HOLD = "hold"  # do not try until it is released
    RELEASE = "release"  # let what is held be tried at once
    DROP = "drop"  # give up, without a report to the sender


@dataclass(frozen=True, slots=True)
class Act:
    """What somebody did to messages of one account, in one transaction; see `relay.queue.control`."""

    at: float
    who: str
    verb: Verb
    account: str
    messages: int
    recipients: int
    noted: int  # of these messages, those that were leased: there it takes effect with the end of the lease
    doubtful: int  # recipients that may get a second copy by it


class Queue(Protocol):
    """Durable keeping, as intake and worker use it. Every method is one transaction, synced when it returns.

    All raise QueueError when the store fails, and then nothing was changed.
    """

    async def put(self, new: NewMessage) -> None:
        """Keep a message. After return it survives kill -9 and power loss. Raises QueueFull when there is no room.

        Messages whose entries are all final are kept as history; without their body, unless a report is owed and there
        is room for it. They are never too many.
        """

    async def claim(
        self, owner: str, limit: int, lease_seconds: float, *, without: Collection[str] = ()
    ) -> Sequence[Claim]:
        """Lease up to `limit` due messages to `owner`, oldest due first; never one that is leased or of an account
        that is paused or in `without`. Where far more are due (`candidates.SKIP_LIMIT`), the accounts take turns, from
        claim to claim, oldest first within each: nobody's first message waits behind another's hundred thousand.
        A message whose lease ended comes back too, its SENDING recipients as UNCONFIRMED. Callers retry UNCONFIRMED
        recipients only as the account's rule says.
        """

    async def begin(self, claim: Claim, positions: Sequence[int], lease_seconds: float) -> None:
        """Journal, before the call goes out, that these recipients are being attempted: state SENDING, attempts + 1;
        renew the lease. Raises LeaseLost, and QueueError when a recipient is final: then the call must not be
        made.
        """

    async def record(self, claim: Claim, results: Sequence[Result], *, seconds: float, call: str = "") -> None:
        """Write outcomes, states and history of one attempt; the lease stays. Safe to repeat with the same results.

        `call` names the function that was called; `seconds` how long it took. A SENDING recipient whose outcome says
        that it was not tried has its attempt taken back: the call that was journalled was not made. Who was proven to
        be ACCEPTED meanwhile (`confirm`) stays so.
        """

    async def conclude(
        self, claim: Claim, results: Sequence[Result], due_at: float | None, *, seconds: float, call: str = ""
    ) -> None:
        """`record` and `release` in one: what most messages need after their last call."""

    async def confirm(self, message_id: MessageId, results: Sequence[Result]) -> int:
        """Write down proof for recipients that are UNCONFIRMED or HELD, whoever holds the lease; others stay as they
        are.

        Returns how many recipients it settled. For outcomes that come to light later: an answer whose lease was lost, a
        report. A holder of the lease finds out when it begins an attempt.
        """

    async def doubted(self, account: str | None, limit: int, held_since: float = 0.0) -> Sequence[Doubted]:
        """List up to `limit` recipients in doubt, of one account or (None) of all, who is longest first, by message.

        Who was HELD before `held_since` is left out.
        """

    async def suspects(self, mailboxes: Collection[str], batches: Collection[str], since: float) -> Suspects:
        """Tell which messages may have been sent to mailboxes by attempts since a time, and who is known in batches.

        Counted is every attempt that the API may have taken, also where another followed it or a person ended it, and
        what is being sent now; what is in doubt outside the queue counts under a name of its own, from time 0 on.
        """

    async def release(self, claim: Claim, due_at: float | None) -> None:
        """Give the lease back. `due_at`: when the message is due again; None: nothing is left to be tried (all final or
        held), so the body goes unless a held recipient, or a report that is owed, needs it. A recipient that is still
        SENDING becomes UNCONFIRMED: its call was begun and nobody wrote down how it ended. Raises LeaseLost,
        and when None is said while a recipient still waits.
        """

    async def recover(self, owner: str) -> int:
        """Free, at start, every lease that an earlier life of this owner held: its SENDING recipients become
        UNCONFIRMED; what it was taking (`open_doubt`), and the reports it was sending, are nobody's. Returns how many
        messages.
        """

    async def wait(self, timeout_seconds: float) -> None:
        """Return when something may have become claimable, or after the time. A signal only; never the truth."""

    async def next_due_at(self) -> float | None:
        """Tell when the next unleased message is due; None: none waits. While an account is paused its messages are
        due when the pause ends.
        """

    async def pause(self, pause: Pause) -> None:
        """Keep claims away from an account until `pause.until`; replaces an earlier pause."""

    async def resume(self, account: str) -> bool:
        """End a pause at once. Returns whether there was one."""

    async def paused(self) -> Sequence[Pause]:
        """List the pauses, also those whose time has come and that no success has ended yet."""

    async def volume(self, account: str, since: float, before: float) -> Volume:
        """Count what was taken from an account from one time to just before another, by any process; its limits
        start from it. A message that is sent while its client waits counts once it has been taken.
        """

    async def save_credential(self, account: str, sealed: bytes) -> None:
        """Keep the sealed credential of a pass-through account; replaces the earlier one."""

    async def load_credential(self, account: str) -> bytes | None:
        """Return what `save_credential` kept."""

    async def standings(self, keys: Collection[str]) -> Mapping[str, Standing]:
        """Return what is known under these keys; those of which nothing is known are left out."""

    async def change_standing(self, key: str, change: Callable[[Standing | None], Standing | None]) -> Standing | None:
        """Replace what is known under a key by what `change` makes of it, and return that; None: nothing.

        Nobody else can change it between. `change` is pure: it may be called in another thread, and more than once.
        """

    async def open_doubt(
        self, mark: bytes, begun: Doubt, *, owner: str, token: bytes, lease_seconds: float
    ) -> Doubt | None:
        """Begin to take the message with this mark: it is its owner's, under this token, until the lease ends.

        Returns what is known of it; None: nothing, and then `begun` is what is known from now on. So a process that
        dies leaves behind that the message was begun. Raises BeingTaken while it is somebody else's.
        """

    async def write_doubt(self, mark: bytes, token: bytes, doubt: Doubt | None, *, lease_seconds: float = 0.0) -> None:
        """Replace what is known of the message with this mark; None: nothing is to be remembered.

        It stays this token's for so long; 0: it is nobody's. Raises LeaseLost when it has been given to somebody else.
        """

    async def unheard(self, since: float) -> Sequence[tuple[str, bytes, float]]:
        """List the doubts of a time and later that have a `reply`: account, mark, and until when they count."""

    async def take_acts(self) -> Sequence[Act]:
        """Return what operators have done and nobody has told the log yet, oldest first; each is returned once."""

    async def forget(self, most: int) -> int:
        """Delete standings and doubts whose time is over, and of each kind the oldest beyond `most`; how many."""

    async def prune(self, finished_before: float, limit: int) -> int:
        """Delete up to `limit` messages whose recipients were all final before a time; returns how many."""

    async def room(self) -> int:
        """Tell how many bytes of mail more there is room for, as far as that can be known before they come."""

    async def close(self) -> None:
        """Finish what is being written and close."""


class QueueView(Protocol):
    """Looking without touching, for metrics, commands and pages."""

    async def stats(self) -> Counts:
        """Count what is there."""

    async def entries(self, message_id: MessageId) -> Sequence[RecipientEntry] | None:
        """Return a message's recipients as they stand; None: no such message."""

    async def check(self) -> None:
        """Raise QueueError when the store cannot be written to."""


class Store(Queue, QueueView, Protocol):
    """Both in one, as every store offers them."""
