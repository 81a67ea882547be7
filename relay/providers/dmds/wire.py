"""Every name of DMDS API REST 1.5 that goes over the wire, with what it rests on."""

from dataclasses import dataclass

from relay.providers.wire import Mark, wire


@dataclass(frozen=True, slots=True)
class DmdsWire:
    """Wire names by the key that `[provider.dmds.wire]` knows them by."""

    path_send: str = wire("envio/send_many_inline/", Mark.ASSUMED, "where mail is sent; from send_one_inline (client)")
    path_campaigns: str = wire("campania/", Mark.DOC, "where campaigns are listed; checks a credential")
    path_version: str = wire("version/", Mark.DOC, "where the version is told; checks a credential")
    campaign: str = wire("campana_id", Mark.CLIENT, "short number of the campaign; spelt without the i")
    email_flag: str = wire("email", Mark.CLIENT, "true, or nothing is sent")
    contacts: str = wire("contactos", Mark.DOC, "list of contacts; each gets a mail of its own")
    contact_email: str = wire("email", Mark.CLIENT, "address of a contact")
    contact_name: str = wire("nombre", Mark.CLIENT, "name of a contact; the display name goes here whole")
    contact_variables: str = wire("tags", Mark.ASSUMED, "variables of a contact (older API)", optional=True)
    html: str = wire("html", Mark.CLIENT, "HTML body in UTF-8")
    subject: str = wire("asunto", Mark.ASSUMED, "subject (older API); empty: the campaign's is used", optional=True)
    sender_email: str = wire(
        "remitente", Mark.ASSUMED, "address of the sender (older API); empty: the campaign's is used", optional=True
    )
    sender_name: str = wire("remitenteNombre", Mark.ASSUMED, "name of the sender (older API)", optional=True)
    reply_to: str = wire("reply-to", Mark.DOC, "one address, without a name")
    copies: str = wire("copia", Mark.DOC, "list of visible copies")
    copy_email: str = wire("cc_email", Mark.DOC, "address of a visible copy")
    copy_name: str = wire("cc_nombre", Mark.DOC, "name of a visible copy")
    blind_copies: str = wire("copia_oculta", Mark.DOC, "list of blind copies")
    blind_copy_email: str = wire("bcc_email", Mark.DOC, "address of a blind copy")
    attachments: str = wire("adjuntos", Mark.UNKNOWN, "attachments; empty: they cannot be sent", optional=True)
    attachments_shape: str = wire(
        "list", Mark.UNKNOWN, "list: objects with name and content; map: one object, content by name"
    )
    attachment_name: str = wire("nombre", Mark.UNKNOWN, "name of an attachment")
    attachment_content: str = wire("contenido", Mark.UNKNOWN, "base64 of an attachment")
    attachment_type: str = wire("", Mark.UNKNOWN, "media type of an attachment; empty: not sent", optional=True)
    archive: str = wire("archive", Mark.DOC, "true: keep a copy of what was sent; needs a licence")
    reuse_batch: str = wire("reuse_eeid", Mark.DOC, "true: append to the batch that eeid names")
    batch: str = wire("eeid", Mark.DOC, "id of a batch, in requests and answers")
    campaign_type: str = wire("tipo", Mark.DOC, "filter of the list of campaigns")
    campaign_number: str = wire("numid", Mark.DOC, "filter of the list of campaigns")
