"""DMDS over HTTP: one call, and what it said of each recipient."""

import re
from collections.abc import Mapping, Sequence

import orjson

from relay.config.settings import DmdsSettings
from relay.errors import ProviderError
from relay.mime.content import Content
from relay.outcome import Blame, Deferred, Outcome
from relay.providers.contract import (
    Brief,
    Call,
    Credentials,
    DmdsCredentials,
    Document,
    Plan,
    Trace,
    Verdict,
    Verification,
)
from relay.providers.dmds.answers import read_answer
from relay.providers.dmds.campaign import blaming_the_mail
from relay.providers.dmds.entries import joining
from relay.providers.dmds.line import DmdsLine, credentials_problem
from relay.providers.dmds.listing import holds_campaign
from relay.providers.dmds.outcomes import outcomes_of
from relay.providers.dmds.traces import traces
from relay.providers.dmds.translate import DmdsTranslation
from relay.providers.http import Answer, HttpClient
from relay.providers.judge import Unsaid, clean, is_success, unreadable, unsaid_of

_NO_SUCH_METHOD = frozenset({404, 405})
_CAMPAIGN = re.compile(r"campa|numid", re.IGNORECASE)


class DmdsProvider:
    """Planisys DMDS API REST 1.5."""

    name = "dmds"

    def __init__(self, settings: DmdsSettings, http: HttpClient) -> None:
        """Make the provider; raises ConfigError for wire names or a ca_file that cannot be used."""
        self._line = DmdsLine(settings, http)
        self._wire = self._line.wire
        self._translation = DmdsTranslation(settings, self._wire)

    def plan(self, content: Content, brief: Brief) -> Plan:
        """Turn a message into calls; see `Provider.plan`."""
        return self._translation.plan(content, brief, _own(brief.credentials))

    async def send(self, call: Call, credentials: Credentials, *, batch_id: str = "") -> Mapping[str, Outcome]:
        """Make one call, once; see `Provider.send`. A batch that the mail asked for itself goes before `batch_id`."""
        known = _own(credentials)
        if problem := credentials_problem(known):
            fault = Deferred(problem, blame=Blame.ACCOUNT)
            return {recipient.key: fault for recipient in call.recipients}
        document = call.document
        if batch_id and self._wire.batch not in document:
            document = {**document, **joining(batch_id, self._wire)}
        answer = await self._line.ask(self._wire.call_send_many_inline, known, document)
        said = read_answer(answer.body, self._wire.batch)
        if said is None and is_success(answer.status):
            raise unreadable(answer)
        joined = str(document.get(self._wire.batch, ""))
        unsaid = unsaid_of(call, _secrets(known), self._wire.sender_email, self._wire.reply_to)
        outcomes = outcomes_of(answer, said, call.recipients, unsaid, joined_batch=joined)
        campaign = document.get(self._wire.campaign)
        if campaign == known.campaign:
            return outcomes
        return blaming_the_mail(outcomes, answer, said, call.recipients, campaign)

    def split(self, call: Call) -> tuple[Call, ...]:
        """Divide a call; see `Provider.split`. Copies become contacts, who see only themselves."""
        return self._translation.split(call)

    async def verify(self, credentials: Credentials) -> Verification:
        """Ask for the campaign; see `Provider.verify`."""
        known = _own(credentials)
        if problem := credentials_problem(known):
            return Verification(Verdict.INVALID, problem)
        wanted: Document = {self._wire.campaign_type: "api", self._wire.campaign_number: known.campaign}
        try:
            answer = await self._line.ask(self._wire.call_campaigns, known, wanted)
            if answer.status in _NO_SUCH_METHOD and not _speaks_of_campaign(answer):
                return await self._verify_by_version(known)
        except ProviderError as error:
            return Verification(Verdict.UNKNOWN, error.reason)
        verification = _verdict(answer, _secrets(known))
        if verification.verdict is Verdict.VALID:
            return self._judged_by_list(answer, known.campaign)
        return verification

    async def traces(self, credentials: Credentials, since: float, until: float) -> Sequence[Trace] | None:
        """Ask for the events; see `Provider.traces`."""
        known = _own(credentials)
        return None if credentials_problem(known) else await traces(self._line, known, since, until)

    def _judged_by_list(self, answer: Answer, campaign: int) -> Verification:
        """Judge an answer to a right key: a campaign that does not exist would let mail in that can never go out."""
        if holds_campaign(answer.body, campaign, self._wire.campaign_number) is False:
            return Verification(Verdict.INVALID, f"the APIKEY is right but knows no campaign {campaign}")
        return Verification(Verdict.VALID)

    async def _verify_by_version(self, credentials: DmdsCredentials) -> Verification:
        """Ask for the version with the key and, if that is told, without: only a guarded answer proves the key."""
        answer = await self._line.ask(self._wire.call_version, credentials)
        verification = _verdict(answer, _secrets(credentials))
        if verification.verdict is not Verdict.VALID:
            return verification
        unguarded = await self._line.ask(self._wire.call_version, credentials, with_key=False)
        if unguarded.status in {401, 403}:
            return verification
        return Verification(Verdict.UNKNOWN, "campaigns cannot be listed, and the version is told to anybody")


def _verdict(answer: Answer, secrets: tuple[str, ...]) -> Verification:
    if answer.status in {401, 403}:  # doc: 403, the APIKEY is wrong
        return Verification(Verdict.INVALID, f"HTTP {answer.status}, the APIKEY is refused")
    if is_success(answer.status) and _is_no_error(answer.body):
        return Verification(Verdict.VALID)
    said = read_answer(answer.body)
    words = clean(said.error, Unsaid(secrets)) if said else ""
    return Verification(Verdict.UNKNOWN, f"HTTP {answer.status} {words}".rstrip())


def _speaks_of_campaign(answer: Answer) -> bool:
    """Tell whether the API complains of the campaign, and not a web server of the path."""
    said = read_answer(answer.body)
    return said is not None and bool(_CAMPAIGN.search(said.error))


def _is_no_error(body: bytes) -> bool:
    """Tell whether a body is JSON other than an error."""
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        return False
    return not isinstance(value, Mapping) or str(value.get("status", "ok")).casefold() == "ok"


def _own(credentials: Credentials) -> DmdsCredentials:
    if not isinstance(credentials, DmdsCredentials):
        raise TypeError("these are no credentials of DMDS")
    return credentials


def _secrets(credentials: DmdsCredentials) -> tuple[str, ...]:
    return (credentials.apikey.get_secret_value(),)
