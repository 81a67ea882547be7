"""Every name of DMDS API REST 1.5 that goes over the wire, with what it rests on."""

from dataclasses import dataclass

from relay.providers.wire import Mark, calls, wire


@dataclass(frozen=True, slots=True)
class DmdsWire:
    """Wire names by the key that `[provider.dmds.wire]` knows them by."""

    # Calls: verb and path below the base address.
    call_version: str = calls("GET version/", Mark.DOC, "the API's version")
    call_contact: str = calls("GET contacto/{email}", Mark.VENDOR, "what is known of a contact")
    call_contact_save: str = calls("POST contacto/", Mark.DOC, "create or update a contact; its address is its key")
    call_contact_bases: str = calls("POST contacto/", Mark.ASSUMED, "put a contact into bases; that it can be is doc")
    call_contact_fields: str = calls("POST contacto/", Mark.ASSUMED, "set a contact's fields; that it can be is doc")
    call_invalid_contacts: str = calls("GET contactos/invalidos/", Mark.VENDOR, "contacts that get no mail")
    call_invalidate: str = calls("GET invalidar/{email}", Mark.ASSUMED, "make a contact invalid; a GET (doc)")
    call_revalidate: str = calls("GET revalidar/{email}", Mark.ASSUMED, "make a contact valid; a GET (doc)")
    call_whitelist: str = calls("GET whitelist/{email}", Mark.ASSUMED, "is it whitelisted; the verb is doc")
    call_whitelist_add: str = calls("POST whitelist/{email}", Mark.ASSUMED, "whitelist; POST or PUT are doc")
    call_whitelist_remove: str = calls("DELETE whitelist/{email}", Mark.ASSUMED, "whitelist no more; the verb is doc")
    call_campaigns: str = calls("GET campania/", Mark.DOC, "list campaigns; checks a credential")
    call_campaign_create: str = calls("POST campania/", Mark.ASSUMED, "create a campaign; the answer is doc")
    call_campaign_key: str = calls("GET campania_apikey/", Mark.ASSUMED, "a campaign's APIKEY; the verb is doc")
    call_campaign_key_set: str = calls("POST campania_apikey/", Mark.ASSUMED, "set an APIKEY; the verb is doc")
    call_group_create: str = calls("POST grupo/", Mark.ASSUMED, "create a group of contacts")
    call_filters: str = calls("GET filtros/", Mark.ASSUMED, "list filters")
    call_variables: str = calls("GET variables/", Mark.ASSUMED, "list global variables with their values")
    call_variable_create: str = calls("POST variables/", Mark.ASSUMED, "create a global variable")
    call_variable_delete: str = calls("DELETE variables/", Mark.ASSUMED, "delete a global variable")
    call_send_one: str = calls("POST envio/send_one/", Mark.ASSUMED, "send a page to one contact")
    call_send_many: str = calls("POST envio/send_many/", Mark.ASSUMED, "send a page to several contacts")
    call_send_one_inline: str = calls("POST envio/send_one_inline/", Mark.CLIENT, "send HTML to one contact")
    call_send_many_inline: str = calls(
        "POST envio/send_many_inline/", Mark.ASSUMED, "send HTML to several contacts; every mail of the gateway"
    )
    call_batch_events: str = calls("GET eventos/{eeid}", Mark.ASSUMED, "events of a send")
    call_batch_info: str = calls("GET eeid_info/{eeid}", Mark.ASSUMED, "what is known of a send, archive included")
    call_batch_eml: str = calls("GET eeid_eml/{eeid}/{email}", Mark.ASSUMED, "archived mail of one recipient")
    call_events_count: str = calls("GET cantidad_eventos/", Mark.ASSUMED, "number of events between two dates")
    call_events: str = calls("GET ver_eventos/", Mark.ASSUMED, "a page of the events between two date-times")

    # Keys of sends.
    campaign: str = wire("campana_id", Mark.CLIENT, "short number of the campaign; spelt without the i")
    email_flag: str = wire("email", Mark.CLIENT, "true, or nothing is sent")
    contact: str = wire("contacto", Mark.CLIENT, "the contact, in calls for one")
    contacts: str = wire("contactos", Mark.DOC, "list of contacts; each gets a mail of its own")
    contact_email: str = wire("email", Mark.CLIENT, "address of a contact")
    contact_name: str = wire("nombre", Mark.CLIENT, "name of a contact; the display name goes here whole")
    contact_surname: str = wire("apellido", Mark.CLIENT, "last name of a contact")
    contact_variables: str = wire("tags", Mark.ASSUMED, "variables of a contact (older API)", optional=True)
    html: str = wire("html", Mark.CLIENT, "HTML body in UTF-8")
    page_address: str = wire(
        "viaUrl", Mark.UNKNOWN, "address of the page that send_one and send_many fetch (older API)"
    )
    subject: str = wire("asunto", Mark.ASSUMED, "subject (older API); empty: the campaign's is used", optional=True)
    sender_email: str = wire(
        "remitente", Mark.ASSUMED, "address of the sender (older API); empty: the campaign's is used", optional=True
    )
    sender_name: str = wire("remitenteNombre", Mark.ASSUMED, "name of the sender (older API)", optional=True)
    reply_to: str = wire("reply-to", Mark.DOC, "one address, without a name")
    copies: str = wire("copia", Mark.DOC, "list of visible copies")
    copy_email: str = wire("cc_email", Mark.DOC, "address of a visible copy")
    copy_name: str = wire("cc_nombre", Mark.DOC, "name of a visible copy")
    copy_surname: str = wire("cc_apellido", Mark.DOC, "last name of a visible copy")
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

    # Keys of what else is asked for.
    campaign_type: str = wire("tipo", Mark.DOC, "filter of the list of campaigns")
    campaign_number: str = wire("numid", Mark.DOC, "filter of the list of campaigns")
    campaign_name: str = wire("nombre", Mark.ASSUMED, "name of a campaign that is created")
    campaign_key: str = wire("camp_apikey", Mark.DOC, "APIKEY of a campaign; doc for the answer that creates one")
    contact_bases: str = wire("bases", Mark.ASSUMED, "list of bases, also called groups, of a contact")
    contact_fields: str = wire("campos", Mark.ASSUMED, "field values of a contact by name")
    group_name: str = wire("nombre", Mark.ASSUMED, "name of a group")
    variable_name: str = wire("nombre", Mark.ASSUMED, "name of a global variable")
    variable_value: str = wire("valor", Mark.ASSUMED, "value of a global variable")
    events_from: str = wire("desde", Mark.ASSUMED, "begin of the time that events are asked for")
    events_until: str = wire("hasta", Mark.ASSUMED, "end of the time that events are asked for")
    events_page: str = wire("pagina", Mark.DOC, "number of a page of events; that the first is 1 is assumed")
    events_page_size: str = wire("cantidad", Mark.DOC, "events in a page; at least 10")
    events_zone: str = wire(
        "America/Argentina/Buenos_Aires", Mark.ASSUMED, "time zone of date-times, which come and go without one"
    )
