"""aiosmtpd's protocol class without what it does anew for each connection.

It looks with dir() for the commands and mechanisms of every one, 0.3 ms long, and makes a stream that nobody reads.
What it makes is the same for all connections of a listener, so it is made once.
"""

import asyncio

from aiosmtpd.smtp import SMTP

from relay.smtp.lobby import Lobby


class _NoHandler:
    """What aiosmtpd calls a handler; ours are the gatekeeper and the reception."""

    def __dir__(self) -> tuple[str, ...]:
        return ()


class BareSMTP(SMTP):
    """The protocol class, as it is before anybody has connected."""

    def __init__(self, lobby: Lobby, loop: asyncio.AbstractEventLoop) -> None:
        if not lobby.alike:
            super().__init__(_NoHandler(), hostname=lobby.hostname, loop=loop)
            lobby.alike.update(self.__dict__)
        self.__dict__.update(lobby.alike)

    def __dir__(self) -> tuple[str, ...]:
        # aiosmtpd shall find no commands and mechanisms: ours are not its.
        return ()
