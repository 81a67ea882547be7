"""Who looks at the pages, and what they did there."""

from relay.events.telling import Telling
from relay.log import Logger


class WebEvents(Telling):
    """Told by `web`."""

    def __init__(self, log: Logger) -> None:
        super().__init__(log)
        self._visitors = self._counter("relay_web_logins", "Logins to the pages: accepted, refused", "result")

    def web_opened(self, address: str) -> None:
        """The pages are up."""
        self._log.info("web_opened", address=address)

    def visitor_entered(self, name: str, client: str) -> None:
        """A person logged in."""
        self._visitors("accepted").inc()
        self._log.info("visitor_entered", user=name, client=client)

    def visitor_refused(self, name: str, client: str) -> None:
        """A password or token was wrong. `name`: of a known person; empty: of nobody, and may be a password itself."""
        self._visitors("refused").inc()
        self._log.warning("visitor_refused", user=name or "unknown", client=client)
