"""Mensatek's functions by name; a further one is one more line in the table."""

import hmac
from collections.abc import Callable, Mapping
from types import MappingProxyType

from relay.sandbox.document import JsonValue
from relay.sandbox.exchange import Answer, Ask, Request
from relay.sandbox.faults import Fault
from relay.sandbox.faults import Res as ResFault
from relay.sandbox.mensatek.answers import credit_balance, refusal
from relay.sandbox.mensatek.fields import Fields, RefusedError
from relay.sandbox.mensatek.reading import credentials, read_parameters
from relay.sandbox.mensatek.sending import send
from relay.sandbox.mensatek.wire import Res
from relay.sandbox.world import World


def _balance(world: World, ask: Ask, _fault: Fault | None) -> Answer:
    return credit_balance(ask, world.shapes["mensatek"], world.ledger.credits_of(ask.user))


_FUNCTIONS: Mapping[str, Callable[[World, Ask, Fault | None], Answer]] = MappingProxyType(
    {"EnviarEMAIL": send, "GetCreditos": _balance}
)
_SENDING = frozenset({"EnviarEMAIL"})
_SPELLING = {name.casefold(): name for name in _FUNCTIONS}


class Mensatek:
    """`POST /v7/<Function>`."""

    name = "mensatek"

    def __init__(self, world: World) -> None:
        self._world = world

    def understand(self, request: Request, call_id: int) -> Ask:
        """Read a request as far as it can be read."""
        called = "/".join(request.path[1:])
        function = _SPELLING.get(called.casefold(), called)
        user, _ = credentials(request)
        reading = read_parameters(request)
        return Ask(
            call_id,
            function,
            user,
            reading.document,
            request,
            recipients=tuple(_addresses(Fields(reading.document).raw("Destinatarios"))),
            sends=function in _SENDING,
            problem=reading.problem,
            remarks=reading.remarks,
        )

    async def perform(self, ask: Ask, fault: Fault | None) -> Answer:
        """Do what is asked, or refuse it with a Res."""
        function = _FUNCTIONS.get(ask.function)
        if function is None or ask.request.path[0] != "v7":
            return Answer(404, b"Not Found", "text/plain", error="no such function")
        if ask.request.method != "POST":  # doc: requests must be made via POST
            return Answer(405, b"Method Not Allowed", "text/plain", {"Allow": "POST"}, error="only POST")
        shape = self._world.shapes["mensatek"]
        if isinstance(fault, ResFault):
            return refusal(ask, shape, fault.res, fault.error)
        try:
            self._check(ask)
            return function(self._world, ask, fault)
        except RefusedError as refused:
            return refusal(ask, shape, refused.res, refused.error)

    def _check(self, ask: Ask) -> None:
        user, token = credentials(ask.request)
        expected = self._world.options.mensatek_users.get(user)
        if expected is None or not hmac.compare_digest(token.encode(), expected.encode()):
            raise RefusedError(Res.CREDENTIALS)
        if ask.problem:
            raise RefusedError(Res.DATA, ask.problem)


def _addresses(entries: JsonValue) -> list[str]:
    found = []
    for entry in entries if isinstance(entries, list) else []:
        email = Fields(entry).raw("Email") if isinstance(entry, dict) else None
        if isinstance(email, str):
            found.append(email)
    return found
