"""What prevented an answer. What the other side *said* is a value: see `relay.outcome`.

RelayError
 ├─ ConfigError      the configuration holds mistakes, all of them listed
 ├─ QueueError       the store could not do what was asked; nothing was changed
 │   └─ QueueFull    there is no room for more mail
 ├─ ProviderError    the API said nothing that can be understood
 └─ MailRefused      this message can never be sent as it is; carries the Reply
"""

from relay.outcome import Reply


class RelayError(Exception):
    """Something the gateway expects to happen, and tells in words."""


class ConfigError(RelayError):
    """The configuration holds mistakes."""


class QueueError(RelayError):
    """The store could not do what was asked; nothing was changed."""


class QueueFull(QueueError):  # noqa: N818
    """There is no room for more mail."""


class ProviderError(RelayError):
    """The API said nothing that can be understood.

    `maybe_accepted` tells whether the request had gone out when it went wrong.
    """

    def __init__(self, reason: str, *, maybe_accepted: bool) -> None:
        super().__init__(reason)
        self.reason = reason
        self.maybe_accepted = maybe_accepted


class MailRefused(RelayError):  # noqa: N818
    """This message can never be sent as it is."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(str(reply))
        self.reply = reply
