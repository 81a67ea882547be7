"""What the store found, lost or could not do."""

from relay.events.telling import Telling
from relay.log import Logger


class StoreEvents(Telling):
    """Told by who keeps messages."""

    def __init__(self, log: Logger) -> None:
        super().__init__(log)
        self._store_errors = self._total("relay_store_errors", "Failed operations on the store")

    def body_unreadable(self, message_id: str, reason: str, is_held: bool) -> None:  # noqa: FBT001 - the queue calls it
        """A kept message's body cannot be read: it waits for a person, or for the disk."""
        self._log.error("body_unreadable", message_id=message_id, reason=reason, is_held=is_held)

    def recovered(self, messages: int) -> None:
        """At start, so many messages were found in the middle of an attempt."""
        log = self._log.warning if messages else self._log.info
        log("recovered", messages=messages)

    def pruned(self, messages: int) -> None:
        """The history of so many finished messages was deleted, for its age."""
        self._log.info("pruned", messages=messages)

    def store_failed(self, what: str, error: str) -> None:
        """The store could not do something; nothing was changed."""
        self._store_errors.inc()
        self._log.error("store_failed", what=what, error=error)
