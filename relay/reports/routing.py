"""From settings to the return route that they choose."""

import ssl
from functools import lru_cache
from pathlib import Path

from relay.accounts.account import Gatekeeper
from relay.config.reports import ReportSettings
from relay.errors import ConfigError
from relay.intake import Intake
from relay.message import Clock
from relay.preparation import Preparation
from relay.providers import HttpClient, trust
from relay.queue.contract import QueueView
from relay.reports.contract import Route, RouteTrouble
from relay.reports.routes.api import ApiRoute
from relay.reports.routes.directory import DirectoryRoute
from relay.reports.routes.smtp import SmtpRoute
from relay.reports.routes.webhook import WebhookRoute


class Routing:
    """Makes routes of what all of them need."""

    def __init__(
        self,
        *,
        gatekeeper: Gatekeeper,
        preparation: Preparation,
        intake: Intake,
        view: QueueView,
        http: HttpClient,
        hostname: str,
        directory: Path,
        clock: Clock,
    ) -> None:
        """`intake`: one that keeps what it takes; `directory`: for reports where the settings name none."""
        self._gatekeeper = gatekeeper
        self._preparation = preparation
        self._intake = intake
        self._view = view
        self._http = http
        self._hostname = hostname
        self._directory = directory
        self._clock = clock

    def route_of(self, settings: ReportSettings) -> Route:
        """Return the chosen route. Raises RouteTrouble where there is none, or its settings are of no use any more."""
        match settings.chosen_route:
            case "smtp":
                return self._smtp(settings)
            case "api":
                return self._api(settings)
            case "webhook":
                return self._webhook(settings)
            case "directory":
                return DirectoryRoute(settings.directory or self._directory)
            case "none":
                raise RouteTrouble('route is "none"', is_permanent=True)

    def _smtp(self, settings: ReportSettings) -> Route:
        if settings.smtp.address is None:
            raise RouteTrouble("no mail server is configured")
        return SmtpRoute(settings.smtp.address, settings.smtp, self._hostname, _trusted(settings.smtp.ca_file))

    def _api(self, settings: ReportSettings) -> Route:
        return ApiRoute(
            settings.account,
            gatekeeper=self._gatekeeper,
            preparation=self._preparation,
            intake=self._intake,
            view=self._view,
            clock=self._clock,
        )

    def _webhook(self, settings: ReportSettings) -> Route:
        webhook = settings.webhook
        secret = webhook.secret.get_secret_value()
        return WebhookRoute(self._http, webhook.url, secret, _trusted(webhook.ca_file), self._clock)


@lru_cache(16)
def _context(ca_file: Path, _changed_at: int) -> ssl.SSLContext | None:
    return trust(ca_file)


def _trusted(ca_file: Path | None) -> ssl.SSLContext | None:
    """Read the authorities to trust; a file is read again when it has changed."""
    if ca_file is None:
        return None
    try:
        return _context(ca_file, ca_file.stat().st_mtime_ns)
    except (ConfigError, OSError) as error:
        raise RouteTrouble(str(error)) from error
