"""What operators do by hand, told to the log and counted by the gateway: one line for each act, once.

What was done while no gateway ran is told by the next one.
"""

import asyncio

from relay.accounts.account import Gatekeeper
from relay.errors import QueueError
from relay.events import Events
from relay.queue.contract import Queue

#: How often it is looked, in seconds.
_EVERY = 1.0
#: What the metrics say of mail whose account, and so whose provider, is not known any more.
_NO_PROVIDER = "none"


class Audit:
    """Tells of acts."""

    def __init__(self, queue: Queue, gatekeeper: Gatekeeper, events: Events) -> None:
        self._queue = queue
        self._gatekeeper = gatekeeper
        self._events = events

    async def run(self) -> None:
        """Tell of them as they come, until cancelled."""
        while True:
            try:
                await self.tell()
            except QueueError as error:
                self._events.store_failed("take acts", str(error))
            await asyncio.sleep(_EVERY)

    async def tell(self) -> None:
        """Tell of those that nobody has told."""
        for act in await self._queue.take_acts():
            self._events.operator_acted(
                act.who,
                verb=act.verb.value,
                account=act.account,
                provider=await self._provider_of(act.account),
                messages=act.messages,
                recipients=act.recipients,
                noted=act.noted,
                doubtful=act.doubtful,
            )

    async def _provider_of(self, name: str) -> str:
        try:
            account = await self._gatekeeper.resolve(name)
        except QueueError:
            return _NO_PROVIDER  # the act is told all the same
        return account.provider if account else _NO_PROVIDER
