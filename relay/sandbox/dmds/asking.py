"""The functions that ask: version, campaigns, contacts, filters, variables."""

from relay.sandbox.dmds.book import Contact
from relay.sandbox.dmds.campaigns import Campaign
from relay.sandbox.dmds.events import item
from relay.sandbox.dmds.fields import Fields, RefusedError, ok
from relay.sandbox.dmds.wire import VERSION
from relay.sandbox.exchange import Answer, Ask
from relay.sandbox.faults import Fault
from relay.sandbox.world import World


def version(_world: World, _ask: Ask, _campaign: Campaign, _fault: Fault | None) -> Answer:
    """GET version/: the API's version (doc; the shape of the answer is assumed)."""
    return ok(version=VERSION)


def campaigns(world: World, ask: Ask, campaign: Campaign, _fault: Fault | None) -> Answer:
    """GET campania/ with an optional body {"tipo", "numid"} (doc); no APIKEYs in it (doc)."""
    fields = Fields(ask.document)
    numid = fields.number("numid", least=0) if fields.raw("numid") is not None else None
    kind = fields.text("tipo")
    found = [
        {"id": other.id, "numid": other.number, "nombre": other.name, "tipo": other.kind}
        for other in world.campaigns.all(campaign.dmdsid)
        if numid in (None, other.number) and kind in ("", other.kind)
    ]
    return ok(campanias=found)  # assumed: the list's key


def contact(world: World, ask: Ask, campaign: Campaign, _fault: Fault | None) -> Answer:
    """GET contacto/<email> (vendor): what is known of an address (doc)."""
    known = world.book.contact(tail(ask))
    if known is None:
        raise RefusedError("contact not found", 404)  # assumed
    return ok(contacto=contact_view(world, campaign, known))


def invalid_contacts(world: World, _ask: Ask, campaign: Campaign, _fault: Fault | None) -> Answer:
    """GET contactos/invalidos/ (vendor): who gets no mail; the list's key is assumed."""
    return ok(contactos=[contact_view(world, campaign, each) for each in world.book.contacts() if each.invalid])


def filters(world: World, _ask: Ask, _campaign: Campaign, _fault: Fault | None) -> Answer:
    """GET filtros/ (exists in doc)."""
    return ok(filtros=[{"numid": number, "nombre": name} for number, name in enumerate(world.panel.filters, 1)])


def variables(world: World, _ask: Ask, campaign: Campaign, _fault: Fault | None) -> Answer:
    """GET variables/: names and values (exists in doc)."""
    known = world.panel.variables(campaign.dmdsid)
    return ok(variables=[{"nombre": name, "valor": value} for name, value in known.items()])


def tail(ask: Ask) -> str:
    """The last step of the path, which may end in a slash."""
    return [step for step in ask.request.path if step][-1]


def contact_view(world: World, campaign: Campaign, known: Contact) -> dict[str, object]:
    """A contact as the document shows it, with its bases and fields, whose keys are assumed."""
    events = [event for event in world.book.events(campaign.dmdsid) if event.email.casefold() == known.email.casefold()]
    return {
        "numid": known.numid,
        "email": known.email,
        "nombre": known.nombre,
        "apellido": known.apellido,
        "edad": None,
        "sexo": None,
        "operacion": known.operacion,
        "invalido": known.invalid,
        "eventos": [item(event) for event in events],
        "bases": list(known.bases),
        "campos": dict(known.campos),
    }
