"""The functions that ask: events, contacts, campaigns, version."""

from datetime import datetime

from relay.sandbox.dmds.book import Campaign, Event
from relay.sandbox.dmds.fields import Fields, RefusedError, ok
from relay.sandbox.dmds.wire import EVENT_KEYS, LEAST_PAGE, VERSION
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
        {"id": other.number, "numid": other.number, "nombre": f"Campaign {other.number}", "tipo": "api"}
        for other in world.book.campaigns(campaign.dmdsid)
        if numid in (None, other.number) and kind in ("", "api")
    ]
    return ok(campanias=found)  # assumed: the list's key


def contact(world: World, ask: Ask, campaign: Campaign, _fault: Fault | None) -> Answer:
    """GET contacto/<email> (vendor): what is known of an address (doc)."""
    email = _tail(ask)
    known = world.book.contact(email)
    if known is None:
        raise RefusedError("contact not found", 404)  # assumed
    events = [event for event in world.book.events(campaign.dmdsid) if event.email.casefold() == email.casefold()]
    return ok(
        contacto={
            "numid": known.numid,
            "email": known.email,
            "nombre": known.nombre,
            "apellido": known.apellido,
            "edad": None,
            "sexo": None,
            "operacion": "Modificacion",
            "invalido": known.invalid,
            "eventos": [_item(event) for event in events],
        }
    )


def events_of_batch(world: World, ask: Ask, campaign: Campaign, _fault: Fault | None) -> Answer:
    """GET eventos/<eeid>: the events of one batch (exists in doc; path and members beyond two are assumed)."""
    eeid = _tail(ask)
    if not world.book.has_batch(campaign.dmdsid, eeid):
        raise RefusedError("invalid eeid", 404)  # assumed
    events = [event for event in world.book.events(campaign.dmdsid) if event.eeid == eeid]
    return ok(eeid=eeid, eventos=[_full_item(event) for event in events])


def events_between(world: World, ask: Ask, campaign: Campaign, _fault: Fault | None) -> Answer:
    """GET ver_eventos/: one page of the events between two date-times (doc; names of the dates assumed)."""
    fields = Fields(ask.document)
    for key in ask.document:
        mark = EVENT_KEYS.get(key, "unknown")
        if mark != "doc":
            ask.remark(f"{mark} key: {key}")
    since, until = _moment(fields, "desde"), _moment(fields, "hasta")
    page = fields.number("pagina", least=1)  # assumed: pages begin at 1
    size = fields.number("cantidad", least=LEAST_PAGE)
    found = [event for event in world.book.events(campaign.dmdsid) if since <= event.at <= until]
    items = [_full_item(event) for event in found[(page - 1) * size : page * size]]
    return ok(pagina=page, cantidad=size, total=len(found), eventos=items)


def _tail(ask: Ask) -> str:
    """The last step of the path, which may end in a slash."""
    return [step for step in ask.request.path if step][-1]


def _moment(fields: Fields, name: str) -> datetime:
    """A date-time without zone, in the vendor's time."""
    text = fields.text(name, required=True)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is not None:
        raise RefusedError(f"{name} must be a date and time like 2020-10-15T08:25:11")
    return moment


def _item(event: Event) -> dict[str, str]:
    return {"evento": event.happening.value, "timestamp": event.at.isoformat(timespec="seconds")}  # doc


def _full_item(event: Event) -> dict[str, str]:
    return {**_item(event), "email": event.email, "eeid": event.eeid}
