"""Mensatek over HTTP: one call, and what it said of each recipient."""

from collections.abc import Mapping, Sequence

from relay.config.settings import MensatekSettings
from relay.errors import ProviderError
from relay.mime.content import Content
from relay.outcome import Blame, Deferred, Outcome
from relay.providers.contract import (
    Brief,
    Call,
    Credentials,
    MensatekCredentials,
    Plan,
    Trace,
    Verdict,
    Verification,
)
from relay.providers.http import Answer, HttpClient
from relay.providers.judge import Unsaid, by_status, clean, described, is_success, unreadable, unsaid_of
from relay.providers.mensatek.answers import MensatekAnswer, read_answer
from relay.providers.mensatek.line import MensatekLine, credentials_problem, secrets_of
from relay.providers.mensatek.outcomes import decides, outcomes_of
from relay.providers.mensatek.translate import MensatekTranslation


class MensatekProvider:
    """Mensatek `EnviarEMAIL` 7.0."""

    name = "mensatek"

    def __init__(self, settings: MensatekSettings, http: HttpClient) -> None:
        """Make the provider; raises ConfigError for wire names or a ca_file that cannot be used."""
        self._line = MensatekLine(settings, http)
        self._wire = self._line.wire
        self._translation = MensatekTranslation(settings, self._wire)

    def plan(self, content: Content, brief: Brief) -> Plan:
        """Turn a message into calls; see `Provider.plan`."""
        return self._translation.plan(content, brief)

    async def send(self, call: Call, credentials: Credentials, *, batch_id: str = "") -> Mapping[str, Outcome]:
        """Make one call, once; see `Provider.send`. Mensatek has no batches to join."""
        del batch_id
        known = _own(credentials)
        if problem := credentials_problem(known):
            fault = Deferred(problem, blame=Blame.ACCOUNT)
            return {recipient.key: fault for recipient in call.recipients}
        answer = await self._line.post(call.function, call.document, known)
        said = read_answer(answer.body)
        unsaid = unsaid_of(call, secrets_of(known), self._wire.sender_email, self._wire.reply_to)
        # Decided by Res, never by the status alone: wrong credentials come with 200 (client).
        if said is not None and decides(said, answer.status):
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
        if problem := credentials_problem(known):
            return Verification(Verdict.INVALID, problem)
        try:
            answer = await self._line.post(self._wire.credits, {self._wire.answer_format: "JSON"}, known)
        except ProviderError as error:
            return Verification(Verdict.UNKNOWN, error.reason)
        return _verdict(answer, read_answer(answer.body), secrets_of(known))

    async def traces(self, credentials: Credentials, since: float, until: float) -> Sequence[Trace] | None:
        """Tell nothing: no function of this API lists what it sent; see `Provider.traces`."""
        del credentials, since, until
        return None


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
