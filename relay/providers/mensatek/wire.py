"""Every name of EnviarEMAIL 7.0 and GetCreditos that goes over the wire, with what it rests on."""

from dataclasses import dataclass

from relay.providers.wire import Mark, wire


@dataclass(frozen=True, slots=True)
class MensatekWire:
    """Wire names by the key that `[provider.mensatek.wire]` knows them by."""

    send: str = wire(
        "EnviarEMAIL", Mark.ASSUMED, "function that sends; the path /v7/<Function> is that of its siblings"
    )
    credits: str = wire("GetCreditos", Mark.CLIENT, "function that checks a credential")
    sender_name: str = wire("Nombreremitente", Mark.DOC, "display name of the sender")
    sender_email: str = wire("Emailremitente", Mark.DOC, "address of the sender, in a validated domain")
    reply_to: str = wire("Replyto", Mark.DOC, "one address")
    recipients: str = wire("Destinatarios", Mark.DOC, "list of recipients; each gets a mail of its own")
    recipient_name: str = wire("Nombre", Mark.DOC, "name of a recipient")
    recipient_email: str = wire("Email", Mark.DOC, "address of a recipient")
    recipient_variables: str = wire("Variables", Mark.DOC, "list of variables of a recipient")
    variable_name: str = wire("Nombre", Mark.DOC, "name of a variable")
    variable_value: str = wire("Valor", Mark.DOC, "value of a variable")
    recipient_reference: str = wire(
        "Referencia", Mark.UNKNOWN, "reference of a recipient, RefMensaje in reports", optional=True
    )
    subject: str = wire("Asunto", Mark.DOC, "subject; may hold ###variables###")
    template: str = wire("Plantilla", Mark.DOC, "id of a template in the panel, in place of the body")
    html: str = wire("Mensaje", Mark.DOC, "HTML body; may hold ###variables###")
    schedule: str = wire("Fecha", Mark.DOC, "YYYY-MM-DD HH:MM, Spanish time")
    quiet_hours: str = wire("Intervaloprohibido", Mark.DOC, "list of spans without sending")
    quiet_start: str = wire("HoraInicio", Mark.DOC, "begin of a span")
    quiet_end: str = wire("HoraFin", Mark.DOC, "end of a span")
    quiet_action: str = wire("Accion", Mark.DOC, "what happens within the span; only 1 is known")
    attachments: str = wire("Adjuntos", Mark.DOC, "list of attachments")
    attachment_name: str = wire("Nombre", Mark.ASSUMED, "name of an attachment, as in EnviarEMAILCERTIFICADO")
    attachment_content: str = wire("Contenido", Mark.ASSUMED, "base64 of an attachment, as in EnviarEMAILCERTIFICADO")
    track_opens: str = wire("Seguimientoaperturas", Mark.DOC, "0 or 1; the API's default is 1")
    track_clicks: str = wire("Seguimientoclicks", Mark.DOC, "0 or 1; the API's default is 1")
    list_unsubscribe: str = wire("Listunsubscribe", Mark.DOC, "value of the header")
    list_help: str = wire("Listhelp", Mark.DOC, "value of the header")
    reference: str = wire("Referenciausuario", Mark.DOC, "reference of the send, RefCampaign in reports")
    report: str = wire("Report", Mark.DOC, "1: post reports to the customer's script")
    answer_format: str = wire("Resp", Mark.DOC, "always JSON")
