"""The store against a model: whatever is done in whatever order, both say the same."""

import asyncio
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, multiple, rule
from queue_parts import NOON, SetClock, new

from relay.config.settings import StoreSettings
from relay.errors import QueueError
from relay.outcome import Accepted, Deferred, Refused
from relay.queue.contract import FINAL_STATES, Pause, Result, State
from relay.queue.sqlite import SqliteQueue

ACCOUNTS = ("acme", "bolt", "cora")
OWNERS = ("a", "b")
OUTCOMES = (
    (Accepted("m", "b"), State.ACCEPTED),
    (Refused("no"), State.REFUSED),
    (Deferred("later"), State.QUEUED),
    (Deferred("much later"), State.QUEUED, NOON + 20),
    (Deferred("cut off", maybe_accepted=True), State.UNCONFIRMED),
    (Deferred("ask"), State.HELD),
    (Deferred("too old"), State.EXPIRED),
)
WAITING = frozenset(State) - FINAL_STATES - {State.HELD}


@dataclass
class Kept:
    """What the model knows of a message."""

    order: int
    message: object
    due_at: float | None
    states: list[State]
    attempts: list[int]
    dues: list[float | None]
    owner: str = ""
    lease: int = 0
    lease_until: float = 0.0
    finished_at: float | None = None

    @property
    def is_finished(self) -> bool:
        return FINAL_STATES.issuperset(self.states)

    def interrupt(self) -> None:
        for position, state in enumerate(self.states):
            if state is State.SENDING:
                self.states[position], self.dues[position] = State.UNCONFIRMED, None

    def close(self, now: float) -> None:
        self.due_at, self.owner = None, ""
        self.finished_at = now if self.finished_at is None else self.finished_at


@dataclass
class Model:
    """The contract in lists and dictionaries."""

    kept: dict[str, Kept] = field(default_factory=dict)
    pauses: dict[str, float] = field(default_factory=dict)
    count: int = 0

    def put(self, made, now):
        self.count += 1
        one = Kept(
            self.count,
            made.message,
            made.due_at,
            [entry.state for entry in made.entries],
            [0] * len(made.entries),
            [entry.due_at for entry in made.entries],
        )
        if not WAITING.intersection(one.states):
            one.due_at = None
        if one.is_finished:
            one.close(now)
        elif made.leased_by:
            one.owner, one.lease_until = made.leased_by, now + made.lease_seconds
        self.kept[made.message.id] = one

    def claimable(self, now, without):
        excluded = set(without) | {account for account, until in self.pauses.items() if until > now}
        found = [
            one
            for one in self.kept.values()
            if one.due_at is not None
            and one.due_at <= now
            and one.message.account not in excluded
            and (not one.owner or one.lease_until <= now)
        ]
        return sorted(found, key=lambda one: (one.due_at, one.order))

    def claim(self, owner, limit, seconds, without, now):
        claimed = []
        for one in self.claimable(now, without)[:limit]:
            one.interrupt()
            one.lease += 1
            if one.is_finished:
                one.close(now)
                continue
            one.owner, one.lease_until = owner, now + seconds
            claimed.append(one)
        return claimed

    def confirm(self, message_id, results, now):
        one = self.kept.get(message_id)
        doubted = {State.UNCONFIRMED, State.HELD}
        settled = [result for result in results if one and one.states[result.position] in doubted]
        for result in settled:
            one.states[result.position], one.dues[result.position] = result.state, result.due_at
        if settled and one.is_finished:
            one.finished_at = now
            if not one.owner:
                one.close(now)
        elif settled and not one.owner:
            times = [now if result.due_at is None else result.due_at for result in settled if result.state in WAITING]
            known = [] if one.due_at is None else [one.due_at]
            one.due_at = min([*known, *times]) if WAITING.intersection(one.states) else None
        return len(settled)

    def holder(self, claim):
        one = self.kept.get(claim.message.id)
        return one if one and one.owner == claim.owner and one.lease == claim.lease else None

    def next_due(self, now):
        times = [
            max(one.due_at, self.pauses.get(one.message.account, 0) if self._is_paused(one, now) else one.due_at)
            for one in self.kept.values()
            if one.due_at is not None and (not one.owner or one.lease_until <= now)
        ]
        return min(times, default=None)

    def _is_paused(self, one, now):
        return self.pauses.get(one.message.account, 0) > now


class QueueMachine(RuleBasedStateMachine):
    """Hypothesis chooses what is done; after each step both are compared."""

    claims = Bundle("claims")

    @initialize()
    def open(self):
        self.folder = tempfile.TemporaryDirectory()
        self.settings = StoreSettings(path=Path(self.folder.name) / "relay.db", min_free_bytes=0)
        self.clock = SetClock()
        self.model = Model()
        self.loop = asyncio.new_event_loop()
        self.queue = self.run(SqliteQueue.open(self.settings, clock=self.clock))

    def run(self, work):
        return self.loop.run_until_complete(work)

    def attempt(self, work) -> bool:
        """Tell whether it was done rather than refused."""
        try:
            self.run(work)
        except QueueError:
            return False
        return True

    @rule(
        states=st.lists(
            st.sampled_from([State.QUEUED, State.QUEUED, State.HELD, State.ACCEPTED]), min_size=1, max_size=3
        ),
        due_in=st.integers(-20, 20),
        account=st.sampled_from(ACCOUNTS),
        owner=st.sampled_from(("", "", "a")),
        size=st.sampled_from((3, 200_000)),
        entries_due_at=st.none() | st.just(NOON + 9),
    )
    def put(self, states, due_in, account, owner, size, entries_due_at):
        addresses = [f"user{number}@example.org" for number in range(len(states))]
        made = new(
            *addresses,
            states=states,
            entries_due_at=entries_due_at,
            due_at=self.clock.now + due_in,
            account=account,
            leased_by=owner,
            lease_seconds=15.0,
            data=bytes(size),
        )
        self.run(self.queue.put(made))
        self.model.put(made, self.clock.now)

    @rule(
        target=claims,
        owner=st.sampled_from(OWNERS),
        limit=st.integers(1, 3),
        without=st.sets(st.sampled_from(ACCOUNTS), max_size=1),
    )
    def claim(self, owner, limit, without):
        expected = self.model.claim(owner, limit, 10.0, without, self.clock.now)
        found = self.run(self.queue.claim(owner, limit, 10.0, without=without))
        assert [one.message for one in expected] == [claim.message for claim in found]
        assert [one.states for one in expected] == [[entry.state for entry in claim.entries] for claim in found]
        assert [one.dues for one in expected] == [[entry.due_at for entry in claim.entries] for claim in found]
        return multiple(*found)

    @rule(claim=claims, which=st.integers(1, 7))
    def begin(self, claim, which):
        positions = [entry.position for entry in claim.entries if which & 1 << entry.position]
        one = self.model.holder(claim)
        allowed = one is not None and not any(one.states[position] in FINAL_STATES for position in positions)
        assert allowed == self.attempt(self.queue.begin(claim, positions, 12.0))
        if allowed:
            if any(one.states[position] is State.SENDING for position in positions):
                one.interrupt()
            one.lease_until = self.clock.now + 12.0
            for position in positions:
                one.states[position] = State.SENDING
                one.attempts[position] += 1

    @rule(claim=claims, outcomes=st.lists(st.sampled_from(OUTCOMES), min_size=3, max_size=3), times=st.integers(1, 2))
    def record(self, claim, outcomes, times):
        results = [Result(entry.position, *outcomes[entry.position]) for entry in claim.entries]
        one = self.model.holder(claim)
        for _ in range(times):
            assert (one is not None) == self.attempt(self.queue.record(claim, results, seconds=1.0, call="send"))
        if one is not None:
            for result in results:
                if one.states[result.position] is not State.ACCEPTED or result.state is State.ACCEPTED:
                    one.states[result.position], one.dues[result.position] = result.state, result.due_at
            now = self.clock.now if one.finished_at is None else one.finished_at
            one.finished_at = now if one.is_finished else None

    @rule(claim=claims, outcomes=st.lists(st.sampled_from(OUTCOMES), min_size=3, max_size=3))
    def confirm(self, claim, outcomes):
        results = [Result(entry.position, *outcomes[entry.position]) for entry in claim.entries]
        settled = self.model.confirm(claim.message.id, results, self.clock.now)
        assert settled == self.run(self.queue.confirm(claim.message.id, results))

    @rule(claim=consumes(claims), due_in=st.none() | st.integers(-5, 20))
    def release(self, claim, due_in):
        one = self.model.holder(claim)
        due_at = None if due_in is None else self.clock.now + due_in
        if one is not None:
            after = [State.UNCONFIRMED if state is State.SENDING else state for state in one.states]
            if due_at is None and WAITING.intersection(after):
                assert not self.attempt(self.queue.release(claim, due_at))
                return
        assert (one is not None) == self.attempt(self.queue.release(claim, due_at))
        if one is not None:
            one.interrupt()
            one.owner, one.due_at = "", due_at
            if one.is_finished:
                one.close(self.clock.now)

    @rule(owner=st.sampled_from(OWNERS))
    def recover(self, owner):
        mine = [one for one in self.model.kept.values() if one.owner == owner]
        assert len(mine) == self.run(self.queue.recover(owner))
        for one in mine:
            one.interrupt()
            one.owner = ""

    @rule(account=st.sampled_from(ACCOUNTS), seconds=st.integers(-5, 15))
    def pause(self, account, seconds):
        self.run(self.queue.pause(Pause(account, self.clock.now + seconds, "why", 1)))
        self.model.pauses[account] = self.clock.now + seconds

    @rule(account=st.sampled_from(ACCOUNTS))
    def resume(self, account):
        assert (self.model.pauses.pop(account, None) is not None) == self.run(self.queue.resume(account))

    @rule(seconds=st.integers(1, 25))
    def pass_time(self, seconds):
        self.clock.advance(seconds)

    @rule(age=st.integers(0, 30), limit=st.integers(1, 3))
    def prune(self, age, limit):
        before = self.clock.now - age
        old = [
            one
            for one in self.model.kept.values()
            if one.finished_at is not None and one.finished_at < before and not one.owner
        ]
        assert min(len(old), limit) == self.run(self.queue.prune(before, limit))
        gone = {one.message.id for one in old if self.run(self.queue.entries(one.message.id)) is None}
        assert min(len(old), limit) == len(gone)
        for message_id in gone:
            del self.model.kept[message_id]

    @rule()
    def restart(self):
        self.run(self.queue.close())
        self.queue = self.run(SqliteQueue.open(self.settings, clock=self.clock))

    @invariant()
    def both_say_the_same(self):
        if not hasattr(self, "queue"):
            return
        counts = self.run(self.queue.stats())
        kept = list(self.model.kept.values())
        by_state = dict.fromkeys(State, 0)
        for one in kept:
            for state in one.states:
                by_state[state] += 1
        still_open = [one for one in kept if not one.is_finished]
        assert by_state == dict(counts.by_state)
        assert len(still_open) == counts.messages_open
        assert (NOON if still_open else None) == counts.oldest_received_at
        assert self.model.next_due(self.clock.now) == self.run(self.queue.next_due_at())
        for one in kept[-3:]:
            entries = self.run(self.queue.entries(one.message.id))
            assert one.states == [entry.state for entry in entries]
            assert one.attempts == [entry.attempts for entry in entries]
            assert one.dues == [entry.due_at for entry in entries]

    def teardown(self):
        if hasattr(self, "queue"):
            self.run(self._whole())
            self.run(self.queue.close())
            self.run(self.loop.shutdown_default_executor())
            self.loop.close()
            self.folder.cleanup()

    async def _whole(self):
        kept = await self.queue._reader.ask(lambda c: c.execute(_KEPT_BYTES).fetchone())
        assert kept[0] == kept[1]
        assert ["ok"] == await self.queue._reader.ask(lambda c: [row[0] for row in c.execute("PRAGMA integrity_check")])


_KEPT_BYTES = """
SELECT (SELECT value FROM tally WHERE name = 'bytes_kept'), coalesce(sum(kept_bytes), 0) FROM message
"""

TestQueueAgainstModel = QueueMachine.TestCase
TestQueueAgainstModel.settings = settings(
    max_examples=25,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
