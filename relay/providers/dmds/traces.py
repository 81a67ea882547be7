"""What DMDS tells of the mails that it made, for whoever seeks proof of one.

Documented are an event's kind and time; that it names its address and its batch is assumed. Where it does not, nothing
is told, and nothing can be proven by it.
"""

from datetime import UTC, datetime

from relay.errors import ApiRefused, ProviderError
from relay.message import mailbox_key
from relay.providers.contract import DmdsCredentials, Trace
from relay.providers.dmds.api.events import Events
from relay.providers.dmds.api.talk import Talk
from relay.providers.dmds.line import DmdsLine

_SENT = "envio"  # doc
#: Events of one look; where there are more, the answer would come too late, and cost the API too much.
_MOST_EVENTS = 20_000


async def traces(line: DmdsLine, credentials: DmdsCredentials, since: float, until: float) -> list[Trace]:
    """List the mails that were made between two times. Raises ProviderError, also where the API refuses to tell."""
    found: list[Trace] = []
    count = 0
    try:
        async for event in Events(Talk(line, credentials)).between(_moment(since), _moment(until + 1)):
            count += 1
            if count > _MOST_EVENTS:
                raise ProviderError("there are too many events in that time", maybe_accepted=False)
            if event.kind == _SENT and event.at is not None and event.email:
                found.append(Trace(mailbox_key(event.email), event.batch, event.at.timestamp()))
    except ApiRefused as error:
        raise ProviderError(str(error), maybe_accepted=False) from error
    return found


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(int(seconds), UTC)
