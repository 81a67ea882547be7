"""The one way to Mensatek: a function of the wire table becomes a POST with the credentials of HTTP Basic."""

import re
from base64 import b64encode

from relay.config.settings import MensatekSettings
from relay.providers.contract import Document, MensatekCredentials
from relay.providers.encode import encode
from relay.providers.http import Answer, HttpClient, trust
from relay.providers.mensatek.wire import MensatekWire
from relay.providers.wire import corrected

_CONTROLS = re.compile(r"[\x00-\x1f\x7f]")


class MensatekLine:
    """Settings, wire names and the HTTP client together."""

    def __init__(self, settings: MensatekSettings, http: HttpClient) -> None:
        """Make the line; raises ConfigError for wire names or a ca_file that cannot be used."""
        self._settings = settings
        self._http = http
        self.wire = corrected(MensatekWire, settings.wire, "provider.mensatek.wire")
        self._trusted = trust(settings.ca_file)

    async def post(self, function: str, document: Document, credentials: MensatekCredentials) -> Answer:
        """Call a function, once.

        Args:
            function: A wire name such as `self.wire.send`.
            document: The JSON body.
            credentials: Without a `credentials_problem`.

        Raises:
            ProviderError: No answer came; `maybe_accepted` tells whether the call may have been done.
        """
        return await self._http.post(
            f"{self._settings.url.rstrip('/')}/{function}",
            headers={"Authorization": f"Basic {_basic(credentials)}"},
            pieces=encode(document),
            timeout_seconds=self._settings.timeout,
            trusted=self._trusted,
        )


def credentials_problem(credentials: MensatekCredentials) -> str | None:
    """Tell why credentials cannot be put into a request (RFC 7617 section 2); None: they can."""
    if ":" in credentials.user or _CONTROLS.search(credentials.user + credentials.token.get_secret_value()):
        return "an API User holds no colon and no control characters"
    return None


def secrets_of(credentials: MensatekCredentials) -> tuple[str, ...]:
    """What no text about a call may hold."""
    return (credentials.token.get_secret_value(), _basic(credentials))


def _basic(credentials: MensatekCredentials) -> str:
    pair = f"{credentials.user}:{credentials.token.get_secret_value()}"
    return b64encode(pair.encode("utf-8", "replace")).decode("ascii")
