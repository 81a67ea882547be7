"""EnviarEMAIL: check the parameters, then one separate mail to each entry of Destinatarios."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from relay.sandbox.document import Blob, is_address
from relay.sandbox.exchange import Answer, Ask
from relay.sandbox.faults import Fault, Partial
from relay.sandbox.mail import Attachment, Mail, Shown
from relay.sandbox.mensatek.answers import Result, result
from relay.sandbox.mensatek.fields import Fields, RefusedError
from relay.sandbox.mensatek.reading import remark_keys
from relay.sandbox.mensatek.wire import RESPONSES, SERVICE, Res
from relay.sandbox.options import SandboxOptions
from relay.sandbox.world import DueReport, World

#: ###Name###, as harsh as a server could be: whatever stands between two triples, over lines too (assumed).
_MARKER = re.compile(r"###([^#]+)###")
_DATE = "%Y-%m-%d %H:%M"  # doc
_HEADERS = ("Nombreremitente", "Emailremitente", "Replyto", "Asunto", "Listunsubscribe", "Listhelp")
_ESTADO_OPENED = frozenset({10, 12, 13, 14, 15, *range(101, 121)})


@dataclass(frozen=True, slots=True)
class Recipient:
    """One entry of Destinatarios."""

    email: str
    name: str
    reference: str  # comes back as RefMensaje
    variables: tuple[tuple[str, str], ...]  # name folded, value


@dataclass(frozen=True, slots=True)
class Sorted:
    """The recipients by what becomes of them."""

    mailed: tuple[Recipient, ...]  # a mail goes out
    silent: frozenset[str]  # addresses that the answer does not mention
    not_sent: tuple[Recipient, ...]
    duplicates: int


def send(world: World, ask: Ask, fault: Fault | None) -> Answer:
    """Perform EnviarEMAIL.

    Raises:
        RefusedError: with the Res that the API would answer.
    """
    remark_keys(ask)
    fields = Fields(ask.document)
    recipients = _recipients(fields, world.options)
    model = _model(fields, ask, world)
    _check_options(fields)
    by_fate = _sort(recipients, fault if isinstance(fault, Partial) else Partial(api="mensatek"))
    if len(by_fate.mailed) > world.ledger.credits_of(ask.user):
        raise RefusedError(Res.CREDITS)
    world.ledger.spend(ask.user, len(by_fate.mailed))
    batch = world.ledger.next_id()
    mails = tuple(_deliver(world, model, batch, recipient) for recipient in by_fate.mailed)
    shape = world.shapes["mensatek"]
    outcome = Result(
        batch_id=batch,
        sent=tuple((mail.mailbox, mail.message_id) for mail in mails if mail.mailbox.casefold() not in by_fate.silent),
        not_sent=tuple((recipient.name, recipient.email) for recipient in by_fate.not_sent),
        recipients=len(recipients),
        duplicates=by_fate.duplicates,
    )
    answer = result(ask, shape, outcome, world.ledger.credits_of(ask.user))
    due = tuple(_due(world, mail) for mail in mails) if _reports(fields, world.options) else ()
    return replace(answer, mails=mails, due_reports=due)


def _recipients(fields: Fields, options: SandboxOptions) -> list[Recipient]:
    entries = fields.entries("Destinatarios", required=True)
    for entry in entries:
        entry.limited("Nombre", options.recipient_name_limit)
    return [
        Recipient(
            email=entry.text("Email", required=True),
            name=entry.text("Nombre"),
            reference=entry.text("Referencia"),
            variables=tuple(
                (pair.text("Nombre").casefold(), pair.text("Valor")) for pair in entry.entries("Variables")
            ),
        )
        for entry in entries
    ]


def _model(fields: Fields, ask: Ask, world: World) -> Mail:
    """Everything that the mails of one call have in common."""
    subject = fields.text("Asunto", required=True)
    template = fields.number("Plantilla")
    html = fields.text("Mensaje", required=template is None)
    for name in fields.controls(_HEADERS):
        ask.remark(f"line break or control character in {name}")
    return Mail(
        api="mensatek",
        sender=_sender(fields, world.options),
        from_name=fields.text("Nombreremitente"),
        reply_to=fields.address("Replyto"),
        subject=subject,
        html=html or f"<p>Plantilla {template}</p>",
        attachments=_attachments(fields, world.options),
        list_unsubscribe=fields.text("Listunsubscribe"),
        list_help=fields.text("Listhelp"),
        scheduled=_date(fields),
        template="" if template is None else str(template),
        reference=fields.text("Referenciausuario"),
        call=ask.call_id,
    )


def _sender(fields: Fields, options: SandboxOptions) -> str:
    sender = fields.address("Emailremitente", required=True)
    if options.validated_domains and sender.rpartition("@")[2].casefold() not in options.validated_domains:
        raise RefusedError(Res.SENDER, "EMAILREMITENTE should have a validated domain")
    return sender


def _attachments(fields: Fields, options: SandboxOptions) -> tuple[Attachment, ...]:
    files = []
    for entry in fields.entries("Adjuntos"):
        name = entry.text("Nombre", required=True)
        entry.limited("Nombre", options.attachment_name_limit)
        content = entry.raw("Contenido")
        if content is None:
            entry.text("Contenido", required=True)
        if not isinstance(content, Blob):
            raise RefusedError(Res.DATA, f"{entry.named('Contenido')} should be encoded in base64")
        if name.casefold().endswith(tuple(options.refused_extensions)):
            raise RefusedError(Res.ATTACHMENT, f"{entry.named('Nombre')} is not allowed")
        files.append(Attachment(name, content.size, content.sha256))
    return tuple(files)


def _date(fields: Fields) -> str:
    text = fields.text("Fecha")
    try:
        if text:
            datetime.strptime(text, _DATE)  # noqa: DTZ007 - only its form is looked at
    except ValueError:
        raise RefusedError(Res.DATA, "FECHA should have the format YYYY-MM-DD HH:MM") from None
    return text


def _check_options(fields: Fields) -> None:
    for name in ("Seguimientoaperturas", "Seguimientoclicks", "Report"):
        if fields.number(name) not in (None, 0, 1):
            raise RefusedError(Res.DATA, f"{name.upper()} should be 0 or 1")
    for interval in fields.entries("Intervaloprohibido"):
        for name in ("HoraInicio", "HoraFin", "Accion"):
            interval.text(name, required=True)
    response = fields.text("Resp")
    if response and response.upper() not in RESPONSES:
        raise RefusedError(Res.DATA, f"RESP should be one of {', '.join(RESPONSES)}")


def _sort(recipients: list[Recipient], partial: Partial) -> Sorted:
    refused = {address.casefold() for address in partial.not_sent}
    missing = {address.casefold() for address in partial.missing}
    seen: set[str] = set()
    mailed, not_sent = [], []
    duplicates = 0
    for recipient in recipients:
        key = recipient.email.casefold()
        if key in seen:
            duplicates += 1
        elif key in refused or not is_address(recipient.email):
            not_sent.append(recipient)
        elif key not in missing or partial.accept_missing:
            mailed.append(recipient)
        seen.add(key)
    return Sorted(tuple(mailed), frozenset(missing), tuple(not_sent), duplicates)


def _deliver(world: World, model: Mail, batch: str, recipient: Recipient) -> Mail:
    values = {"nombre": recipient.name, "email": recipient.email, **dict(recipient.variables)}
    fill: Callable[[re.Match[str]], str] = lambda marker: values.get(marker[1].casefold(), "")  # noqa: E731
    return world.deliver(
        replace(
            model,
            mailbox=recipient.email,
            to=(Shown(recipient.email, recipient.name),),
            subject=_MARKER.sub(fill, model.subject),
            html=_MARKER.sub(fill, model.html or ""),
            batch_id=batch,
            message_id=world.ledger.next_id(),
            recipient_reference=recipient.reference,
        )
    )


def _reports(fields: Fields, options: SandboxOptions) -> bool:
    return bool(options.report_url) and fields.number("Report") == 1


def _due(world: World, mail: Mail) -> DueReport:
    bounced = world.bounce_state(mail.mailbox)
    states = (bounced,) if bounced else world.options.report_states
    now = datetime.fromtimestamp(world.clock(), UTC).astimezone(ZoneInfo("Europe/Madrid"))  # Spanish time (assumed)
    opened = any(state in _ESTADO_OPENED for state in states)
    fields = {
        "Servicio": SERVICE,
        "Remitente": mail.sender,
        "Destinatario": mail.mailbox,
        "RefCampaign": mail.reference,
        "RefMensaje": mail.recipient_reference,
        "Fecha": f"{now:%Y-%m-%d %H:%M:%S}",
        "idCampaign": mail.batch_id,
        "idMensaje": mail.message_id,
        "Aperturas": "1" if opened else "0",
        "IP": "10.10.20.200" if opened else "",
        "Dispositivo": "2" if opened else "0",
        "SistOperativo": "3" if opened else "0",
    }
    return DueReport(mail.id, fields, states)
