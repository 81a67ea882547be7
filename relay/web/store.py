"""What the pages look into."""

from typing import Protocol

from relay.queue.contract import Queue, QueueView


class Store(Queue, QueueView, Protocol):
    """The mail that is kept, to look at and to act upon."""
