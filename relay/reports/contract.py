"""A return route: one way of getting reports to their senders."""

from typing import Protocol

from relay.errors import RelayError
from relay.queue.reporting import Report


class RouteTrouble(RelayError):  # noqa: N818 - it names what is the case
    """A return route did not take a report; `is_permanent`: it never will."""

    def __init__(self, reason: str, *, is_permanent: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.is_permanent = is_permanent


class Route(Protocol):
    """One way of getting reports to their senders."""

    async def send(self, report: Report) -> None:
        """Hand a report over; after return it is out of our hands. Raises RouteTrouble.

        May be called again for a report that was handed over before, where nobody lived to write that down: routes that
        can tell do nothing then.
        """
