"""DMDS's functions by method and path; a further one is one more line in the table."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from relay.sandbox.dmds import asking, events, keeping, sending
from relay.sandbox.dmds.campaigns import Campaign
from relay.sandbox.dmds.fields import RefusedError, err
from relay.sandbox.dmds.pages import with_page
from relay.sandbox.document import JsonObject, UnreadableDocumentError, parsed, sealed
from relay.sandbox.exchange import Answer, Ask, Request
from relay.sandbox.faults import Err, Fault
from relay.sandbox.world import World


@dataclass(frozen=True, slots=True)
class Function:
    """One method of the API."""

    name: str
    path: tuple[str, ...]  # below v1; "*" is one step that varies
    methods: tuple[str, ...]
    perform: Callable[[World, Ask, Campaign, Fault | None], Answer]
    sends: bool = False
    fetches: bool = False  # a page, whose address the call names
    slash: bool = True  # the path ends in a slash (doc)


#: Marks of the paths are in docs/wire.md; those that only exist in the document are assumed.
FUNCTIONS = (
    Function("send_one_inline", ("envio", "send_one_inline"), ("POST",), sending.send_one, sends=True),
    Function("send_many_inline", ("envio", "send_many_inline"), ("POST",), sending.send_many, sends=True),
    Function("send_one", ("envio", "send_one"), ("POST",), sending.send_one, sends=True, fetches=True),
    Function("send_many", ("envio", "send_many"), ("POST",), sending.send_many, sends=True, fetches=True),
    Function("version", ("version",), ("GET",), asking.version),
    Function("contacto", ("contacto", "*"), ("GET",), asking.contact, slash=False),
    Function("contacto", ("contacto",), ("POST", "PUT"), keeping.save_contact),
    Function("invalidos", ("contactos", "invalidos"), ("GET",), asking.invalid_contacts),
    Function("invalidar", ("invalidar", "*"), ("GET",), keeping.invalidate, slash=False),
    Function("revalidar", ("revalidar", "*"), ("GET",), keeping.revalidate, slash=False),
    Function("whitelist", ("whitelist", "*"), ("GET", "POST", "PUT", "DELETE"), keeping.whitelist, slash=False),
    Function("campania", ("campania",), ("GET",), asking.campaigns),
    Function("campania", ("campania",), ("POST",), keeping.create_campaign),
    Function("campania_apikey", ("campania_apikey",), ("GET", "POST"), keeping.campaign_key),
    Function("grupo", ("grupo",), ("POST",), keeping.create_group),
    Function("filtros", ("filtros",), ("GET",), asking.filters),
    Function("variables", ("variables",), ("GET",), asking.variables),
    Function("variables", ("variables",), ("POST", "PUT"), keeping.create_variable),
    Function("variables", ("variables",), ("DELETE",), keeping.delete_variable),
    Function("eventos", ("eventos", "*"), ("GET",), events.events_of_batch, slash=False),
    Function("eeid_info", ("eeid_info", "*"), ("GET",), events.batch_info, slash=False),
    Function("eeid_eml", ("eeid_eml", "*", "*"), ("GET",), events.batch_eml, slash=False),
    Function("cantidad_eventos", ("cantidad_eventos",), ("GET", "POST"), events.events_count),
    Function("ver_eventos", ("ver_eventos",), ("GET", "POST"), events.events_between),
)


class Dmds:
    """`/<dmdsid>/v1/...`: each customer has a host of its own, here a step of the path."""

    name = "dmds"

    def __init__(self, world: World) -> None:
        self._world = world

    def understand(self, request: Request, call_id: int) -> Ask:
        """Read a request as far as it can be read."""
        function = _function(request)
        dmdsid = request.path[0]
        campaign = self._world.campaigns.of_key(dmdsid, request.authorization)
        document, problem = _document(request.body)
        named = request.path[3:5] if function and "*" in function.path else ()  # the address, or batch, in the path
        undocumented = request.body and request.content_type != "application/json"
        return Ask(
            call_id,
            function.name if function else "/".join(request.path[2:]),
            f"{dmdsid}-{campaign.number}" if campaign else dmdsid,
            document,
            request,
            recipients=(*sending.addresses(document), *filter(None, named)),
            sends=function is not None and function.sends,
            problem=problem,
            remarks=[f"undocumented Content-Type: {request.content_type}"] if undocumented else [],
        )

    async def perform(self, ask: Ask, fault: Fault | None) -> Answer:
        """Do what is asked, or refuse it with status err."""
        if isinstance(fault, Err):
            return err(RefusedError(fault.on, fault.status), "document")
        try:
            return await self._performed(ask, fault)
        except RefusedError as refused:
            return err(refused, self._world.shapes["dmds"])

    async def _performed(self, ask: Ask, fault: Fault | None) -> Answer:
        request = ask.request
        campaign = self._world.campaigns.of_key(request.path[0], request.authorization)
        if campaign is None:
            raise RefusedError("Forbidden", 403)  # doc: APIKEY incorrecta
        function = _function(request)
        if function is None:
            raise RefusedError("unknown method", 404)
        if request.method not in function.methods:
            raise RefusedError(f"only {' or '.join(_verbs(request.path))}", 405)
        if ask.problem:
            raise RefusedError(ask.problem)
        if function.fetches:
            ask = replace(ask, document=await with_page(ask.document))
        return function.perform(self._world, ask, campaign, fault)


def _function(request: Request) -> Function | None:
    """Find the function; where the path has some, but none for this verb, the first."""
    found = _functions(request.path)
    return next((each for each in found if request.method in each.methods), found[0] if found else None)


def _verbs(path: tuple[str, ...]) -> list[str]:
    return [verb for function in _functions(path) for verb in function.methods]


def _functions(path: tuple[str, ...]) -> list[Function]:
    """Those of a path; paths end in a slash (doc), those that name one thing may do without."""
    if path[1:2] != ("v1",):
        return []
    slash = path[-1] == ""
    steps = path[2:-1] if slash else path[2:]
    return [
        function
        for function in FUNCTIONS
        if (slash or not function.slash)
        and len(steps) == len(function.path)
        and all(want in ("*", step) and step for want, step in zip(function.path, steps, strict=True))
    ]


def _document(body: bytes) -> tuple[JsonObject, str]:
    """The document, and what is wrong with it; no body is an empty one."""
    try:
        value = sealed(parsed(body)) if body else {}
    except UnreadableDocumentError as error:
        return {}, str(error)
    return (value, "") if isinstance(value, dict) else ({}, "the body must be a JSON object")
