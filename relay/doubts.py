"""Messages whose client was told to come back although the API may have taken them."""

import hashlib
from collections import OrderedDict
from collections.abc import Mapping

from relay.events import Events
from relay.message import Clock
from relay.outcome import Deferred, Outcome
from relay.preparation import Prepared

#: How many are remembered; the oldest go first.
_MOST_DOUBTS = 10_000


class Doubts:
    """Remembers them.

    When the very same message comes back, it is not sent blindly again: it has to wait as long as any unconfirmed one,
    and a second attempt is counted.
    """

    def __init__(self, events: Events, clock: Clock) -> None:
        self._events = events
        self._clock = clock
        self._since: OrderedDict[bytes, float] = OrderedDict()

    def remember(self, prepared: Prepared, outcomes: Mapping[str, Outcome]) -> None:
        """Note a message that may have been accepted."""
        for recipient in prepared.recipients:
            outcome = outcomes[recipient.key]
            if isinstance(outcome, Deferred) and outcome.maybe_accepted:
                self._events.recipient_unconfirmed(
                    prepared.message.id,
                    provider=prepared.account.provider,
                    recipient=recipient.address,
                    reason=outcome.reason,
                )
                self._since[_fingerprint(prepared)] = self._clock()
        while len(self._since) > _MOST_DOUBTS:
            self._since.popitem(last=False)

    def hold_back(self, prepared: Prepared) -> bool:
        """Tell whether this message must still wait; a wait that is over is counted and forgotten."""
        mark = _fingerprint(prepared)
        since = self._since.get(mark)
        if since is None:
            return False
        policy = prepared.account.policy
        if policy.on_unconfirmed == "hold" or self._clock() < since + policy.unconfirmed_wait:
            return True
        del self._since[mark]
        for recipient in prepared.recipients:
            self._events.retried_unconfirmed(
                prepared.message.id, provider=prepared.account.provider, recipient=recipient.address
            )
        return False


def _fingerprint(prepared: Prepared) -> bytes:
    """Recognize a message that the same client sends again: envelope and body, without what transfer adds."""
    message = prepared.message
    parts = [message.account, message.envelope.mail_from, *sorted(r.key for r in prepared.recipients)]
    digest = hashlib.blake2b("\0".join(parts).encode("utf-8", "surrogateescape"), digest_size=16)
    digest.update(message.data)
    return digest.digest()
