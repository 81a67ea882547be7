"""Seeking proof for recipients that an API may have, before anybody is sent a second copy.

Asked is a few times with growing pauses, for all recipients of an account in one question, and once more before the
account's rule is applied. An account that is paused, or whose provider does not answer such questions, is left alone.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from relay.accounts.account import Account, Gatekeeper
from relay.config import AccountPolicy
from relay.errors import ProviderError, QueueError
from relay.events import Events
from relay.evidence import LATE_SECONDS, SKEW_SECONDS, Found, proven, relevant, spans
from relay.message import Clock, MessageId
from relay.outcome import Accepted
from relay.pauses import Pauses
from relay.providers.contract import Providers, Trace
from relay.queue.contract import Doubted, Queue, RecipientEntry, Result, State

#: Recipients in doubt that one look is made for, those who are longest first.
_MOST = 1000
#: Time between two looks at who is in doubt, in seconds; it asks the store, not the API.
_EVERY = 5.0
#: When the API is asked for who is unconfirmed: after these shares of `unconfirmed_wait`, and once more at its end.
_SHARES = (1 / 16, 1 / 8, 1 / 4, 1 / 2)
#: When it is asked for who is held, in seconds after that.
_HELD_AFTER = (600.0, 3600.0, 6 * 3600.0)
#: Rest after a question that failed, in seconds; doubles with each further one.
_FIRST_REST, _LONGEST_REST = 60.0, 3600.0
#: Who is held for longer is not asked for any more, and must not stand before those who are; in seconds.
_HELD_LONG = _HELD_AFTER[-1] + _LONGEST_REST

_Key = tuple[MessageId, int, float]  # message, position, since when it is in that state


@dataclass(frozen=True, slots=True)
class _Look:
    """What one look at an account brought, if the API answered."""

    begun_at: float
    seen: frozenset[MessageId]
    found: Found


class Proof:
    """Seeks it."""

    def __init__(
        self, providers: Providers, queue: Queue, gatekeeper: Gatekeeper, pauses: Pauses, events: Events, clock: Clock
    ) -> None:
        self._providers = providers
        self._queue = queue
        self._gatekeeper = gatekeeper
        self._pauses = pauses
        self._events = events
        self._clock = clock
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._last: dict[str, _Look] = {}  # by account
        self._rests: dict[str, tuple[float, int]] = {}  # by account: until when, after how many failures in a row
        self._looked: dict[_Key, int] = {}  # how many of their times have passed
        self._claimed: set[MessageId] = set()  # whose holder waits for what is found

    async def run(self) -> None:
        """Look around from time to time, until cancelled."""
        while True:
            try:
                await self.look_around()
            except QueueError as error:
                self._events.store_failed("proof", str(error))
            await asyncio.sleep(_EVERY)

    async def look_around(self) -> None:
        """Seek proof for those whose time has come, and write down what is found."""
        by_account: defaultdict[str, list[Doubted]] = defaultdict(list)
        for each in await self._doubted(None):
            by_account[each.account].append(each)
        looked: dict[_Key, int] = {}
        for name, doubted in by_account.items():
            account = await self._gatekeeper.resolve(name)
            if account is None:
                continue
            passed = _passed(doubted, account.policy, self._clock())
            if any(count > self._looked.get(key, 0) for key, count in passed.items()) and not self._is_to_wait(account):
                async with self._locks[name]:
                    await self._look(account)
                looked |= passed
            else:
                looked |= {key: self._looked.get(key, 0) for key in passed}
        self._looked = looked

    async def sought(self, account: Account, message_id: MessageId, since: float) -> Mapping[int, Accepted]:
        """Seek proof for a message that is held under lease; returns, by position, who is proven.

        Nothing of it is written down: its holder does. A look that was made since a time will do.
        """
        self._claimed.add(message_id)
        try:
            async with self._locks[account.name]:
                # After a pause this question is the one careful call: nobody else of the account has a turn meanwhile.
                if self._is_left_alone(account):
                    return {}
                last = self._last.get(account.name)
                if last is None or last.begun_at < since or message_id not in last.seen:
                    return (await self._look(account)).get(message_id, {})
                return last.found.get(message_id, {})
        except QueueError as error:
            self._events.store_failed("proof", str(error))
            return {}
        finally:
            self._claimed.discard(message_id)

    def _is_to_wait(self, account: Account) -> bool:
        return self._pauses.in_probation(account.name) or self._is_left_alone(account)

    def _is_left_alone(self, account: Account) -> bool:
        rests_until, _ = self._rests.get(account.name, (0.0, 0))
        is_paused = self._pauses.seconds_left(account.name) > 0
        return not account.policy.seek_proof or is_paused or rests_until > self._clock()

    async def _doubted(self, account: str | None) -> Sequence[Doubted]:
        return await self._queue.doubted(account, _MOST, self._clock() - _HELD_LONG)

    async def _look(self, account: Account) -> Found:
        begun_at = self._clock()
        doubted = await self._doubted(account.name)
        try:
            found = await self._found(account, doubted)
        except ProviderError as error:  # what was not answered was not asked
            self._rest(account, error.reason)
            return {}
        self._last[account.name] = _Look(begun_at, frozenset(each.message_id for each in doubted), found)
        for each in doubted:
            proofs = found.get(each.message_id, {})
            for position in proofs:
                address = each.entries[position].recipient.address
                self._events.proof_found(each.message_id, provider=account.provider, recipient=address)
            if proofs and each.message_id not in self._claimed:
                await self._confirm(account, each, proofs)
        return found

    async def _found(self, account: Account, doubted: Sequence[Doubted]) -> Found:
        if not doubted:
            return {}
        traces = await self._traces(account, doubted)
        self._rests.pop(account.name, None)
        if traces is None:
            return {}
        self._events.proof_sought(account.name, provider=account.provider, messages=len(doubted), traces=len(traces))
        candidates = relevant(doubted, traces)
        if not candidates:
            return {}
        # After the API was asked: whatever it may have told of is known by now, or still being sent.
        suspects = await self._queue.suspects(
            {trace.mailbox for trace in candidates},
            {trace.batch_id for trace in candidates},
            min(trace.at for trace in candidates) - LATE_SECONDS - SKEW_SECONDS,
        )
        return proven(doubted, traces, suspects)

    async def _traces(self, account: Account, doubted: Sequence[Doubted]) -> list[Trace] | None:
        provider = self._providers[account.provider]
        traces: list[Trace] = []
        for since, until in spans(doubted, self._clock()):
            told = await provider.traces(account.credentials, since, until)
            if told is None:
                return None
            traces += told
        return traces

    async def _confirm(self, account: Account, each: Doubted, proofs: Mapping[int, Accepted]) -> None:
        results = [Result(position, said, State.ACCEPTED) for position, said in proofs.items()]
        if not await self._queue.confirm(each.message_id, results):
            return
        for position, said in proofs.items():
            self._events.recipient_finished(
                each.message_id,
                provider=account.provider,
                recipient=each.entries[position].recipient.address,
                state=State.ACCEPTED.value,
                reason=said.remark,
            )

    def _rest(self, account: Account, reason: str) -> None:
        failures = self._rests.get(account.name, (0.0, 0))[1] + 1
        seconds = min(_FIRST_REST * 2 ** min(failures - 1, 10), _LONGEST_REST)
        self._rests[account.name] = (self._clock() + seconds, failures)
        self._events.proof_unavailable(account.name, provider=account.provider, reason=reason, seconds=seconds)


def _passed(doubted: Iterable[Doubted], policy: AccountPolicy, now: float) -> dict[_Key, int]:
    """Count how many of the times to look have passed for each recipient in doubt."""
    passed: dict[_Key, int] = {}
    for each in doubted:
        for position in each.begun_at:
            entry = each.entries[position]
            age = now - entry.changed_at
            passed[each.message_id, position, entry.changed_at] = sum(age >= due for due in _times(entry, policy))
    return passed


def _times(entry: RecipientEntry, policy: AccountPolicy) -> Iterable[float]:
    if entry.state is State.HELD:
        return _HELD_AFTER
    return (share * policy.unconfirmed_wait for share in _SHARES)
