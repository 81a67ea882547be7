"""The functions about events, and about sends by their eeid."""

from datetime import datetime

from relay.sandbox.dmds.book import Event
from relay.sandbox.dmds.campaigns import Campaign
from relay.sandbox.dmds.eml import eml_of
from relay.sandbox.dmds.fields import Fields, RefusedError, ok
from relay.sandbox.dmds.wire import EVENT_KEYS, LEAST_PAGE
from relay.sandbox.document import mailbox_key
from relay.sandbox.exchange import Answer, Ask
from relay.sandbox.faults import Fault
from relay.sandbox.world import World


def events_of_batch(world: World, ask: Ask, campaign: Campaign, _fault: Fault | None) -> Answer:
    """GET eventos/<eeid>: the events of one batch (exists in doc; path and members beyond two are assumed)."""
    eeid = _batch(world, ask, campaign)
    return ok(eeid=eeid, eventos=[_full_item(event) for event in _events_of(world, campaign, eeid)])


def batch_info(world: World, ask: Ask, campaign: Campaign, _fault: Fault | None) -> Answer:
    """GET eeid_info/<eeid>: with an archive section where it was sent with `archive` (doc; its members assumed)."""
    eeid = _batch(world, ask, campaign)
    mails = [mail for mail in world.mails if mail.batch_id == eeid]
    archive = [{"email": mail.mailbox, "asunto": mail.subject} for mail in mails if mail.archived]
    events = [_full_item(event) for event in _events_of(world, campaign, eeid)]
    return ok(eeid=eeid, sent=len(mails), eventos=events, **({"archive": archive} if archive else {}))


def batch_eml(world: World, ask: Ask, campaign: Campaign, _fault: Fault | None) -> Answer:
    """GET eeid_eml/<eeid>/<email>: the mail that one recipient got (exists in doc; path and answer assumed)."""
    eeid, email = _batch(world, ask, campaign), _steps(ask)[1]
    for mail in world.of(email):
        if mail.batch_id == eeid and mail.archived and mail.html is not None:
            return ok(eeid=eeid, email=mailbox_key(mail.mailbox), eml=eml_of(mail))
    raise RefusedError("no archived mail", 404)  # assumed


def events_count(world: World, ask: Ask, campaign: Campaign, _fault: Fault | None) -> Answer:
    """GET cantidad_eventos/: how many events are between two dates (doc; names of the dates assumed)."""
    return ok(cantidad=len(_between(world, _fields(ask), campaign)))


def events_between(world: World, ask: Ask, campaign: Campaign, _fault: Fault | None) -> Answer:
    """GET ver_eventos/: one page of the events between two date-times (doc; names of the dates assumed)."""
    fields = _fields(ask)
    found = _between(world, fields, campaign)
    page = fields.number("pagina", least=1)  # assumed: pages begin at 1
    size = fields.number("cantidad", least=LEAST_PAGE)
    items = [_full_item(event) for event in found[(page - 1) * size : page * size]]
    return ok(pagina=page, cantidad=size, total=len(found), eventos=items)


def item(event: Event) -> dict[str, str]:
    """An event as the document shows it."""
    return {"evento": event.happening.value, "timestamp": event.at.isoformat(timespec="seconds")}


def _full_item(event: Event) -> dict[str, str]:
    return {**item(event), "email": event.email, "eeid": event.eeid}


def _steps(ask: Ask) -> list[str]:
    """The steps of the path behind the function's name."""
    return [step for step in ask.request.path[3:] if step]


def _batch(world: World, ask: Ask, campaign: Campaign) -> str:
    eeid = _steps(ask)[0]
    if not world.book.has_batch(campaign.dmdsid, eeid):
        raise RefusedError("invalid eeid", 404)  # assumed
    return eeid


def _events_of(world: World, campaign: Campaign, eeid: str) -> list[Event]:
    return [event for event in world.book.events(campaign.dmdsid) if event.eeid == eeid]


def _fields(ask: Ask) -> Fields:
    for key in ask.document:
        mark = EVENT_KEYS.get(key, "unknown")
        if mark != "doc":
            ask.remark(f"{mark} key: {key}")
    return Fields(ask.document)


def _between(world: World, fields: Fields, campaign: Campaign) -> list[Event]:
    since, until = _moment(fields, "desde"), _moment(fields, "hasta")
    return [event for event in world.book.events(campaign.dmdsid) if since <= event.at <= until]


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
