"""One customer's Mensatek."""

from base64 import b64encode
from types import TracebackType
from typing import Literal, Self

from pydantic import SecretStr

from relay.config.settings import MensatekSettings
from relay.errors import ApiRefused, ConfigError, ProviderError
from relay.providers.contract import Base64Text, Document, JsonValue, MensatekCredentials
from relay.providers.fields import one_line
from relay.providers.http import Answer, HttpClient
from relay.providers.judge import TEMPORARY, Unsaid, clean, is_success, ruling, unreadable
from relay.providers.mensatek.answers import MensatekAnswer, read_answer
from relay.providers.mensatek.api.values import Order, Sent
from relay.providers.mensatek.entries import quiet_entries, recipient_entry, spanish_time
from relay.providers.mensatek.line import MensatekLine, credentials_problem, secrets_of
from relay.providers.mensatek.outcomes import decides

_CALLS_AT_ONCE = 10
_WRONG_CREDENTIALS = -1  # vendor (v5), client

Form = Literal["JSON", "XML", "TXT"]


class MensatekClient:
    """EnviarEMAIL with every parameter, and the balance. Nothing is ever asked twice by itself.

    The vendor takes quick empty or failing connections for spam: use one client for many sends, and do not poll.

        async with MensatekClient(user, token) as mensatek:
            sent = await mensatek.send(Order("app@example.org", [Recipient("ana@example.net")], "Hello", "<p>Hi</p>"))
    """

    def __init__(self, user: str, token: str | SecretStr, settings: MensatekSettings | None = None) -> None:
        """Make the client.

        Args:
            user: The API User.
            token: The API Token.
            settings: Base address, deadline, authorities, corrected wire names.

        Raises:
            ConfigError: One of these cannot be used.
        """
        self._credentials = MensatekCredentials(user, token if isinstance(token, SecretStr) else SecretStr(token))
        if problem := credentials_problem(self._credentials):
            raise ConfigError(problem)
        self._unsaid = Unsaid(secrets_of(self._credentials))
        self._http = HttpClient(_CALLS_AT_ONCE)
        self._line = MensatekLine(settings or MensatekSettings(), self._http)

    async def send(self, order: Order, *, form: Form = "JSON") -> Sent:
        """Send an order: each recipient gets a mail of its own. Not safe to repeat.

        Args:
            order: What is sent. `###name###` in it is a variable; nothing is escaped.
            form: In which form the API answers; TXT tells neither ids nor who was not sent to.

        Raises:
            ApiRefused: Nothing was sent; `code` is `Res`, or the HTTP status.
            ProviderError: No answer, or none that can be understood; `maybe_accepted` tells whether it may be sent.
            ValueError: No recipient, no content, or a schedule without time zone.
        """
        document = self._document(order) | {self._line.wire.answer_format: form}
        said = self._read(await self._line.post(self._line.wire.send, document, self._credentials))
        return Sent(
            res=said.res,
            send_id=said.send_id,
            sent=tuple(said.listed_as_sent),
            not_sent=said.not_sent.entries or (),
            count=said.sent.number,
            duplicates=said.duplicates,
            credit=said.credit,
        )

    async def credits(self) -> str:
        """Tell what is left, as the API writes it, for example "14970,00" (`GetCreditos`, client). Ask rarely."""
        wire = self._line.wire
        answer = await self._line.post(wire.credits, {wire.answer_format: "JSON"}, self._credentials)
        said = self._read(answer)
        if not said.credit:
            raise unreadable(answer)
        return said.credit

    async def __aenter__(self) -> Self:
        await self._http.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.__aexit__(kind, error, trace)

    def _read(self, answer: Answer) -> MensatekAnswer:
        """Decide by Res, and by the status where there is none that counts."""
        said = read_answer(answer.body)
        if said is None and is_success(answer.status):
            raise unreadable(answer)
        words = clean(said.error, self._unsaid) if said else ""
        if said is not None and decides(said, answer.status):
            if said.res >= 0:
                return said
            if said.tells_of_mails_sent:
                raise ProviderError(f"Res {said.res}, although it tells of mails sent: {words}", maybe_accepted=True)
            raise ApiRefused(said.res, words, is_login=said.res == _WRONG_CREDENTIALS)
        rule = ruling(answer.status)
        told = f"HTTP {answer.status}, {rule.means}" + (f": {words}" if words else "")
        if answer.status in TEMPORARY or (said is not None and said.tells_of_mails_sent):
            maybe = rule.maybe_accepted or bool(said and said.tells_of_mails_sent)
            raise ProviderError(told, maybe_accepted=maybe)
        raise ApiRefused(answer.status, words, is_login=answer.status in {401, 403})

    def _document(self, order: Order) -> Document:
        if not order.recipients:
            raise ValueError("a send needs a recipient")
        if not order.html and order.template is None:
            raise ValueError("a send needs HTML or a template")
        if order.schedule is not None and order.schedule.tzinfo is None:
            raise ValueError("a schedule needs a time zone, for example datetime.now(UTC)")
        wire = self._line.wire
        wanted: tuple[tuple[str, JsonValue], ...] = (
            (wire.sender_name, one_line(order.sender_name)),
            (wire.sender_email, order.sender_email),
            (wire.reply_to, order.reply_to),
            (wire.recipients, [
                recipient_entry(wire, each.email, one_line(each.name), each.variables, each.reference)
                for each in order.recipients
            ]),
            (wire.subject, one_line(order.subject)),
            (wire.template, order.template),
            (wire.html, order.html),
            (wire.schedule, spanish_time(order.schedule) if order.schedule else None),
            (wire.quiet_hours, quiet_entries(wire, order.quiet_hours)),
            (wire.attachments, [
                {wire.attachment_name: file.name, wire.attachment_content: Base64Text((b64encode(file.data),))}
                for file in order.attachments
            ]),
            (wire.track_opens, _flag(order.track_opens)),
            (wire.track_clicks, _flag(order.track_clicks)),
            (wire.list_unsubscribe, one_line(order.list_unsubscribe)),
            (wire.list_help, one_line(order.list_help)),
            (wire.reference, one_line(order.reference)),
            (wire.report, _flag(order.report)),
        )  # fmt: skip
        return {key: value for key, value in wanted if value not in (None, "", [])}


def _flag(wanted: bool | None) -> int | None:  # noqa: FBT001 - a value, not a switch
    return None if wanted is None else int(wanted)
