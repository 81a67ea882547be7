"""Ask a method, and read its answer as far as all methods have in common."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import orjson

from relay.errors import ApiRefused, ConfigError, ProviderError
from relay.providers.contract import DmdsCredentials, Document
from relay.providers.dmds.answers import read_answer
from relay.providers.dmds.line import DmdsLine
from relay.providers.dmds.wire import DmdsWire
from relay.providers.http import Answer
from relay.providers.judge import TEMPORARY, Unsaid, clean, is_success, ruling, unreadable


class Talk:
    """One customer's credentials on the line."""

    def __init__(self, line: DmdsLine, credentials: DmdsCredentials) -> None:
        """Raises ConfigError where the time zone of the wire table does not exist."""
        self._line = line
        self._credentials = credentials
        self._unsaid = Unsaid((credentials.apikey.get_secret_value(),))
        try:
            self.zone = ZoneInfo(self.wire.events_zone)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise ConfigError(
                f"provider.dmds.wire.events_zone: there is no time zone {self.wire.events_zone!r}"
            ) from error

    @property
    def wire(self) -> DmdsWire:
        """The wire names in use."""
        return self._line.wire

    async def ask(self, call: str, document: Document | None = None, **steps: str) -> Any:
        """Make a call and return its JSON: an object, or a list.

        Raises:
            ApiRefused: The API said no.
            ProviderError: It said nothing that can be understood.
            ValueError: A step cannot stand in a path.
        """
        answer = await self.answer(call, document, **steps)
        try:
            value = orjson.loads(answer.body)
        except orjson.JSONDecodeError:
            value = None
        if not isinstance(value, Mapping | list):
            raise unreadable(answer)
        return value

    async def answer(self, call: str, document: Document | None = None, **steps: str) -> Answer:
        """Make a call and return its answer, which is no refusal. Raises as `ask` does."""
        answer = await self._line.ask(call, self._credentials, document, steps=steps)
        said = read_answer(answer.body, self.wire.batch)
        # doc: check `status` even on 200.
        if is_success(answer.status) and (said is None or said.is_ok):
            return answer
        words = clean(said.error, self._unsaid) if said else ""
        if answer.status in TEMPORARY or (said is not None and said.sent):
            rule = ruling(answer.status)
            told = f"HTTP {answer.status}, {rule.means}: {words}" if words else f"HTTP {answer.status}, {rule.means}"
            raise ProviderError(told, maybe_accepted=rule.maybe_accepted or bool(said and said.sent))
        raise ApiRefused(answer.status, words, is_login=answer.status in {401, 403})

    def moment(self, at: datetime) -> str:
        """Write a moment as the API takes it. Raises ValueError where it bears no time zone."""
        if at.tzinfo is None:
            raise ValueError("a moment needs a time zone, for example datetime.now(UTC)")
        return at.astimezone(self.zone).strftime("%Y-%m-%dT%H:%M:%S")

    def read_moment(self, text: str) -> datetime | None:
        """Read a moment of an answer; None: it is none."""
        try:
            at = datetime.fromisoformat(text)
        except ValueError:
            return None
        return (at if at.tzinfo else at.replace(tzinfo=self.zone)).astimezone(UTC)
