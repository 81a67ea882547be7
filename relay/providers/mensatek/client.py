"""Mensatek over HTTP: one call, and what it said of each recipient."""

import re
from base64 import b64encode
from collections.abc import Mapping, Sequence

from relay.config.settings import MensatekSettings
from relay.errors import ProviderError
from relay.mime.content import Content
from relay.outcome import Blame, Deferred, Outcome
from relay.providers.contract import (
    Brief,
    Call,
    Credentials,
    Document,
    MensatekCredentials,
    Plan,
    Trace,
    Verdict,
    Verification,
)
from relay.providers.encode import encode
from relay.providers.http import Answer, HttpClient, trust
from relay.providers.judge import TEMPORARY, Unsaid, by_status, clean, described, is_success, unreadable, unsaid_of
from relay.providers.mensatek.answers import MensatekAnswer, read_answer
from relay.providers.mensatek.outcomes import is_known, outcomes_of
from relay.providers.mensatek.translate import MensatekTranslation
from relay.providers.mensatek.wire import MensatekWire
from relay.providers.wire import corrected

_CONTROLS = re.compile(r"[\x00-\x1f\x7f]")


class MensatekProvider:
    """Mensatek `EnviarEMAIL` 7.0."""

    name = "mensatek"

    def __init__(self, settings: MensatekSettings, http: HttpClient) -> None:
        """Make the provider; raises ConfigError for wire names or a ca_file that cannot be used."""
        self._settings = settings
        self._http = http
        self._wire = corrected(MensatekWire, settings.wire, "provider.mensatek.wire")
        self._translation = MensatekTranslation(settings, self._wire)
        self._trusted = trust(settings.ca_file)

    def plan(self, content: Content, brief: Brief) -> Plan:
        """Turn a message into calls; see `Provider.plan`."""
        return self._translation.plan(content, brief)

    async def send(self, call: Call, credentials: Credentials, *, batch_id: str = "") -> Mapping[str, Outcome]:
        """Make one call, once; see `Provider.send`. Mensatek has no batches to join."""
        del batch_id
        known = _own(credentials)
        if _unusable(known):
            fault = Deferred("the API User or the API Token cannot be written in a header", blame=Blame.ACCOUNT)
            return {recipient.key: fault for recipient in call.recipients}
        answer = await self._post(call.function, call.document, known)
        said = read_answer(answer.body)
        unsaid = unsaid_of(call, _secrets(known), self._wire.sender_email, self._wire.reply_to)
        # Decided by Res, never by the status alone: wrong credentials come with 200 (client).
        if said is not None and _decides(said, answer.status):
            return outcomes_of(said, call.recipients, unsaid)
        if is_success(answer.status):
            raise unreadable(answer)
        words = f"Res {said.res} {clean(said.error, unsaid)}".rstrip() if said is not None else described(answer)
        outcome = by_status(answer, words)
        if said is not None and said.tells_of_mails_sent:
            outcome = Deferred(
                outcome.reason,
                blame=outcome.blame,
                maybe_accepted=True,
                retry_after_seconds=answer.retry_after_seconds,
            )
        return {recipient.key: outcome for recipient in call.recipients}

    def split(self, call: Call) -> tuple[Call, ...]:
        """Divide a call; see `Provider.split`."""
        return self._translation.split(call)

    async def verify(self, credentials: Credentials) -> Verification:
        """Ask for the credits; see `Provider.verify`. Never repeated quickly: the vendor takes that for spam."""
        known = _own(credentials)
        if _unusable(known):
            return Verification(Verdict.INVALID, "an API User holds no colon and no control characters")
        try:
            answer = await self._post(self._wire.credits, {self._wire.answer_format: "JSON"}, known)
        except ProviderError as error:
            return Verification(Verdict.UNKNOWN, error.reason)
        return _verdict(answer, read_answer(answer.body), _secrets(known))

    async def traces(self, credentials: Credentials, since: float, until: float) -> Sequence[Trace] | None:
        """Tell nothing: no function of this API lists what it sent; see `Provider.traces`."""
        del credentials, since, until
        return None

    async def _post(self, function: str, document: Document, credentials: MensatekCredentials) -> Answer:
        return await self._http.post(
            f"{self._settings.url.rstrip('/')}/{function}",
            headers={"Authorization": f"Basic {_basic(credentials)}"},
            pieces=encode(document),
            timeout_seconds=self._settings.timeout,
            trusted=self._trusted,
        )


def _decides(said: MensatekAnswer, status: int) -> bool:
    """Tell whether `Res` outweighs the status: a code that nobody knows tells less than a 4xx."""
    return status not in TEMPORARY and (is_success(status) or is_known(said.res))


def _verdict(answer: Answer, said: MensatekAnswer | None, secrets: tuple[str, ...]) -> Verification:
    if answer.status in {401, 403}:
        return Verification(Verdict.INVALID, f"HTTP {answer.status}")
    if said is None or not is_success(answer.status):
        return Verification(Verdict.UNKNOWN, f"HTTP {answer.status} with an answer that says nothing")
    if said.res == -1:
        return Verification(Verdict.INVALID, "Res -1, wrong API User or API Token")
    if said.credit or said.res >= 0:
        return Verification(Verdict.VALID, clean(f"credit: {said.credit}", Unsaid(secrets)) if said.credit else "")
    return Verification(Verdict.UNKNOWN, clean(f"Res {said.res} {said.error}", Unsaid(secrets)))


def _own(credentials: Credentials) -> MensatekCredentials:
    if not isinstance(credentials, MensatekCredentials):
        raise TypeError("these are no credentials of Mensatek")
    return credentials


def _unusable(credentials: MensatekCredentials) -> bool:
    """RFC 7617 section 2: no colon in the user, no control characters in either."""
    both = credentials.user + credentials.token.get_secret_value()
    return ":" in credentials.user or bool(_CONTROLS.search(both))


def _basic(credentials: MensatekCredentials) -> str:
    pair = f"{credentials.user}:{credentials.token.get_secret_value()}"
    return b64encode(pair.encode("utf-8", "replace")).decode("ascii")


def _secrets(credentials: MensatekCredentials) -> tuple[str, ...]:
    return (credentials.token.get_secret_value(), _basic(credentials))
