"""The one way to DMDS: a call of the wire table becomes a request to the customer's own host."""

import re
from collections.abc import Mapping
from urllib.parse import quote

from relay.config.settings import DmdsSettings
from relay.providers.contract import DmdsCredentials, Document
from relay.providers.dmds.wire import DmdsWire
from relay.providers.encode import encode
from relay.providers.http import Answer, HttpClient, trust
from relay.providers.wire import corrected, verb_and_path

#: The dmdsid becomes part of a host name: one label's characters and nothing that could lead elsewhere.
_DMDSID = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_HEADER_VALUE = re.compile(r"[\x21-\x7e]+")  # RFC 9110 section 5.5, visible ASCII: keys are that
_ELSEWHERE = frozenset({"", ".", ".."})  # steps of a path that name something else (RFC 3986 section 5.2.4)


class DmdsLine:
    """Settings, wire names and the HTTP client together."""

    def __init__(self, settings: DmdsSettings, http: HttpClient) -> None:
        """Make the line; raises ConfigError for wire names or a ca_file that cannot be used."""
        self._settings = settings
        self._http = http
        self.wire = corrected(DmdsWire, settings.wire, "provider.dmds.wire")
        self._trusted = trust(settings.ca_file)

    async def ask(
        self,
        call: str,
        credentials: DmdsCredentials,
        document: Document | None = None,
        *,
        steps: Mapping[str, str] | None = None,
        with_key: bool = True,
    ) -> Answer:
        """Make one call, once.

        Args:
            call: A wire name such as `self.wire.call_version`.
            credentials: Without a `credentials_problem`.
            document: The JSON body, in a GET too (doc); None: no body.
            steps: What stands in the path where the call has braces.
            with_key: Send the APIKEY.

        Raises:
            ProviderError: No answer came; `maybe_accepted` tells whether the call may have been done.
            ValueError: A step cannot stand in a path.
        """
        verb, path = verb_and_path(call)
        for name, step in (steps or {}).items():
            path = path.replace(f"{{{name}}}", _quoted(name, step))
        base = self._settings.url.replace("{dmdsid}", credentials.dmdsid).rstrip("/")
        return await self._http.request(
            verb,
            f"{base}/{path.lstrip('/')}",
            headers={"Authorization": credentials.apikey.get_secret_value()} if with_key else {},
            pieces=() if document is None else encode(document),
            timeout_seconds=self._settings.timeout,
            trusted=self._trusted,
        )


def credentials_problem(credentials: DmdsCredentials) -> str | None:
    """Tell why credentials cannot be put into a request; None: they can."""
    if not _DMDSID.fullmatch(credentials.dmdsid):
        return "the dmdsid cannot be part of a host name"
    if not _HEADER_VALUE.fullmatch(credentials.apikey.get_secret_value()):
        return "the APIKEY is empty or holds characters that no key has"
    return None


def _quoted(name: str, step: str) -> str:
    if step in _ELSEWHERE:
        raise ValueError(f"{name}: {step!r} cannot stand in a path")
    return quote(step, safe="@")
