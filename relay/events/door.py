"""What happens at the SMTP door, up to the login."""

from prometheus_client import Gauge

from relay.events.telling import Telling, children
from relay.log import Logger
from relay.outcome import Reply


class DoorEvents(Telling):
    """Told by `smtp` and `accounts`."""

    def __init__(self, log: Logger) -> None:
        super().__init__(log)
        self._connections = children(
            Gauge("relay_connections", "SMTP connections open", ["listener"], registry=self.registry)
        )
        self._refused_connections = self._counter(
            "relay_connections_refused", "Connections turned away", "listener", "reason"
        )
        self._logins = self._counter(
            "relay_logins", "Logins by result: accepted, refused, unavailable, blocked", "result"
        )

    def connected(self, listener: str, client: str) -> None:
        """A client connected."""
        self._connections(listener).inc()
        self._log.debug("connected", listener=listener, client=client)

    def disconnected(self, listener: str, client: str) -> None:
        """A client is gone."""
        self._connections(listener).dec()
        self._log.debug("disconnected", listener=listener, client=client)

    def connection_refused(self, listener: str, client: str, reason: str) -> None:
        """A client was turned away at the door."""
        self._refused_connections(listener, reason).inc()
        self._log.warning("connection_refused", listener=listener, client=client, reason=reason)

    def command_refused(self, listener: str, client: str, verb: str, reply: Reply, *, is_last_told: bool) -> None:
        """A command other than DATA got a refusal; `is_last_told`: silence until a message is accepted."""
        self._log.info(
            "command_refused",
            listener=listener,
            client=client,
            verb=verb,
            code=reply.code,
            enhanced=reply.enhanced,
            text=reply.text,
            is_last_told=is_last_told,
        )

    def login_accepted(self, login: str, account: str, client: str) -> None:
        """A login was right."""
        self._logins("accepted").inc()
        self._log.debug("login_accepted", login=login, account=account, client=client)

    def login_refused(self, login: str, client: str, reason: str) -> None:
        """A login was wrong."""
        self._logins("refused").inc()
        self._log.warning("login_refused", login=login, client=client, reason=reason)

    def login_unavailable(self, login: str, client: str, reason: str) -> None:
        """A login could not be checked."""
        self._logins("unavailable").inc()
        self._log.warning("login_unavailable", login=login, client=client, reason=reason)

    def login_blocked(self, login: str, client: str) -> None:
        """A login was not even checked, after too many failures."""
        self._logins("blocked").inc()
        self._log.warning("login_blocked", login=login, client=client)
