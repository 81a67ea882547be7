"""What the program does with itself: its processes, doors, settings and certificates."""

from collections.abc import Sequence

from relay.events.telling import Telling
from relay.log import Logger


class ProgramEvents(Telling):
    """Told by what builds and runs the rest."""

    def __init__(self, log: Logger) -> None:
        super().__init__(log)
        self._unexpected = self._counter("relay_unexpected_errors", "Errors nobody foresaw", "where")
        self._workers_lost = self._total("relay_workers_lost", "Workers that ended without being asked to")

    def started(self, version: str, settings: dict[str, object]) -> None:
        """The program runs with these settings, secrets masked."""
        self._log.info("started", version=version, settings=settings)

    def stopped(self, unfinished: int) -> None:
        """The program ends; so many calls were still under way."""
        self._log.info("stopped", unfinished_calls=unfinished)

    def descriptors_short(self, reason: str) -> None:
        """The system allows fewer descriptors than the settings may ask for."""
        self._log.warning("descriptors_short", reason=reason)

    def listener_opened(self, listener: str, address: str, tls: str) -> None:
        """A door is open."""
        self._log.info("listener_opened", listener=listener, address=address, tls=tls)

    def worker_began(self, number: int) -> None:
        """A worker serves."""
        self._log.info("worker_began", worker=number)

    def worker_failed(self, number: int, reason: str) -> None:
        """A worker could not begin; it is tried again."""
        self._log.error("worker_failed", worker=number, reason=reason)

    def worker_ended(self, number: int, code: int, *, was_asked: bool) -> None:
        """A worker is gone, by this exit code (negative: by that signal); one that was not asked to is replaced."""
        if was_asked:
            self._log.info("worker_ended", worker=number, code=code)
            return
        self._workers_lost.inc()
        self._log.error("worker_ended", worker=number, code=code)

    def listener_closed(self, listener: str) -> None:
        """A door is no longer configured, and takes nobody more."""
        self._log.info("listener_closed", listener=listener)

    def reloaded(self, needs_restart: Sequence[str]) -> None:
        """The configuration was read again and holds; but for these keys, whose change needs a restart."""
        log = self._log.warning if needs_restart else self._log.info
        log("reloaded", needs_restart=list(needs_restart))

    def reload_refused(self, reason: str) -> None:
        """The configuration was read again and is wrong; the one in use stays."""
        self._log.error("reload_refused", reason=reason)

    def certificate_renewed(self, listener: str) -> None:
        """A listener took the certificate that its files hold now."""
        self._log.info("certificate_renewed", listener=listener)

    def certificate_refused(self, listener: str, reason: str) -> None:
        """A listener's certificate files changed for the worse; the one in use stays."""
        self._log.error("certificate_refused", listener=listener, reason=reason)

    def unexpected(self, where: str, error: BaseException, **about: str) -> None:
        """Something nobody foresaw, with its traceback."""
        self._unexpected(where).inc()
        self._log.error("unexpected_error", where=where, exc_info=error, **about)
