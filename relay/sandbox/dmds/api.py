"""DMDS's functions by method and path; a further one is one more line in the table."""

from collections.abc import Callable
from dataclasses import dataclass

from relay.sandbox.dmds import asking, sending
from relay.sandbox.dmds.book import Campaign
from relay.sandbox.dmds.fields import RefusedError, err
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
    slash: bool = True  # the path ends in a slash (doc)


_FUNCTIONS = (
    Function("send_one_inline", ("envio", "send_one_inline"), ("POST",), sending.send_one_inline, sends=True),
    # assumed from the line above
    Function("send_many_inline", ("envio", "send_many_inline"), ("POST",), sending.send_many_inline, sends=True),
    Function("campania", ("campania",), ("GET",), asking.campaigns),
    Function("version", ("version",), ("GET",), asking.version),
    Function("ver_eventos", ("ver_eventos",), ("GET", "POST"), asking.events_between),  # path and method assumed
    Function("eventos", ("eventos", "*"), ("GET",), asking.events_of_batch, slash=False),
    Function("contacto", ("contacto", "*"), ("GET",), asking.contact, slash=False),
)


class Dmds:
    """`/<dmdsid>/v1/...`: each customer has a host of its own, here a step of the path."""

    name = "dmds"

    def __init__(self, world: World) -> None:
        self._world = world

    def understand(self, request: Request, call_id: int) -> Ask:
        """Read a request as far as it can be read."""
        function = _function(request.path)
        dmdsid = request.path[0]
        campaign = self._world.book.campaign_of(dmdsid, request.authorization)
        document, problem = _document(request.body)
        named = request.path[3:4] if function and "*" in function.path else ()  # the address, or batch, in the path
        undocumented = request.body and request.content_type != "application/json"
        return Ask(
            call_id,
            function.name if function else "/".join(request.path[2:]),
            f"{dmdsid}-{campaign.number}" if campaign else dmdsid,
            document,
            request,
            recipients=(*sending.addresses(document), *named),
            sends=function is not None and function.sends,
            problem=problem,
            remarks=[f"undocumented Content-Type: {request.content_type}"] if undocumented else [],
        )

    def perform(self, ask: Ask, fault: Fault | None) -> Answer:
        """Do what is asked, or refuse it with status err."""
        if isinstance(fault, Err):
            return err(RefusedError(fault.on, fault.status), "document")
        try:
            return self._performed(ask, fault)
        except RefusedError as refused:
            return err(refused, self._world.shapes["dmds"])

    def _performed(self, ask: Ask, fault: Fault | None) -> Answer:
        request = ask.request
        campaign = self._world.book.campaign_of(request.path[0], request.authorization)
        if campaign is None:
            raise RefusedError("Forbidden", 403)  # doc: APIKEY incorrecta
        function = _function(request.path)
        if function is None:
            raise RefusedError("unknown method", 404)
        if request.method not in function.methods:
            raise RefusedError(f"only {' or '.join(function.methods)}", 405)
        if ask.problem:
            raise RefusedError(ask.problem)
        return function.perform(self._world, ask, campaign, fault)


def _function(path: tuple[str, ...]) -> Function | None:
    """Find the function; paths end in a slash (doc), those that name one thing may do without."""
    if path[1:2] != ("v1",):
        return None
    slash = path[-1] == ""
    steps = path[2:-1] if slash else path[2:]
    for function in _FUNCTIONS:
        fits = len(steps) == len(function.path) and all(
            want in ("*", step) and step for want, step in zip(function.path, steps, strict=True)
        )
        if fits and (slash or not function.slash):
            return function
    return None


def _document(body: bytes) -> tuple[JsonObject, str]:
    """The document, and what is wrong with it; no body is an empty one."""
    try:
        value = sealed(parsed(body)) if body else {}
    except UnreadableDocumentError as error:
        return {}, str(error)
    return (value, "") if isinstance(value, dict) else ({}, "the body must be a JSON object")
