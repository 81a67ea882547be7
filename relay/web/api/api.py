"""What each operation of the HTTP API does."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from relay.config import Settings
from relay.errors import BadCursor, QueueError
from relay.events import Events
from relay.message import Clock, MessageId
from relay.plain import as_data, with_moments
from relay.queue.contract import Counts, Pause
from relay.queue.control import Backlog, Detail, Done, Page, QueueControl, act_throughout
from relay.web.accounts import AccountState, account_states, provider_of
from relay.web.api.operations import PREFIX, Operation, document
from relay.web.api.shapes import ActBody, PauseBody, read
from relay.web.asking import MisaskedError, asked, every_state_of, message_ids
from relay.web.guard import VISITOR, Guard
from relay.web.problem import problem
from relay.web.store import Store

_MOST = 500
_MESSAGE, _ACCOUNT = "/messages/{id}", "/accounts/{name}"
_NOT_FOUND, _UNPROCESSABLE, _UNAVAILABLE = 404, 422, 503

_FILTERS = {
    "ids": "message ids, with blanks between",
    "state": 'a state; "open" (otherwise), "any"',
    "account": "the account's name",
    "sender": 'MAIL FROM, an address or "@domain"; "<>": the null sender',
    "recipient": 'an address or "@domain"',
    "reason": "a part of the last reason",
    "within": 'received within, like "2h"',
    "order": '"newest" (otherwise) or "oldest" first',
    "limit": f"how many, 1 to {_MOST}; otherwise 50",
    "after": "of the page before",
}


class Api:
    """Answers programs."""

    def __init__(
        self, settings: Settings, *, store: Store, desk: QueueControl, guard: Guard, events: Events, clock: Clock
    ) -> None:
        self._settings = settings
        self._store = store
        self._desk = desk
        self._guard = guard
        self._events = events
        self._clock = clock

    def routes(self) -> list[web.RouteDef]:
        """Say where; the description itself needs no token."""
        operations = self.operations()
        described = json.dumps(document(operations))
        return [
            web.get(f"{PREFIX}/openapi.json", lambda _request: _described(described)),
            *(operation.route(self._guard) for operation in operations),
        ]

    def operations(self) -> list[Operation]:
        """List everything that can be asked for."""
        return [
            Operation("stats", "GET", "/stats", "The queue at a glance", self._told(self._stats), Counts),
            Operation(
                "backlogs", "GET", "/backlogs", "What waits of each account", self._told(self._backlogs), list[Backlog]
            ),
            Operation("find", "GET", "/messages", "Find messages", self._told(self._find), Page, query=_FILTERS),
            Operation("show", "GET", _MESSAGE, "All of one message but its content", self._told(self._show), Detail),
            Operation(
                "source", "GET", f"{_MESSAGE}/source", "One message as received", self._told(self._source), bytes
            ),
            Operation(
                "act", "POST", "/acts", "Retry, hold, release or drop", self._told(self._act), Done, "act", body=ActBody
            ),
            Operation("accounts", "GET", "/accounts", "The accounts", self._told(self._accounts), list[AccountState]),
            Operation(
                "pause",
                "POST",
                f"{_ACCOUNT}/pause",
                "Leave one alone",
                self._told(self._pause),
                Pause,
                "act",
                body=PauseBody,
            ),
            Operation(
                "resume",
                "POST",
                f"{_ACCOUNT}/resume",
                "Try one again",
                self._told(self._resume),
                dict[str, bool],
                "act",
            ),
        ]

    def _told(self, work: Callable[[web.Request], Awaitable[Any]]) -> Callable[[web.Request], Awaitable[web.Response]]:
        """Make an answer of what is found, and of what goes wrong."""

        async def handle(request: web.Request) -> web.Response:
            try:
                found = await work(request)
            except (MisaskedError, BadCursor, ValueError) as error:
                return problem(_UNPROCESSABLE, str(error))
            except LookupError as error:
                return problem(_NOT_FOUND, str(error.args[0]))
            except QueueError as error:
                self._events.store_failed("api", str(error))
                return problem(_UNAVAILABLE, "the store does not answer")
            return found if isinstance(found, web.Response) else web.json_response(with_moments(as_data(found)))

        return handle

    async def _stats(self, _request: web.Request) -> Counts:
        return await self._desk.stats()

    async def _backlogs(self, _request: web.Request) -> list[Backlog]:
        return list(await self._desk.backlogs())

    async def _find(self, request: web.Request) -> Page:
        unknown = sorted(request.query.keys() - _FILTERS.keys())
        if unknown:
            raise ValueError(f"{unknown[0]}: there is no such filter; there are {', '.join(_FILTERS)}")
        wanted = asked(request.query, self._clock())
        limit, order = request.query.get("limit") or "50", request.query.get("order") or "newest"
        if not (limit.isascii() and limit.isdigit() and 1 <= int(limit) <= _MOST):
            raise ValueError(f"limit: a whole number from 1 to {_MOST}")
        if order not in {"newest", "oldest"}:
            raise ValueError("order: newest or oldest")
        after = request.query.get("after", "")
        return await self._desk.find(wanted.selection, limit=int(limit), after=after, newest_first=order == "newest")

    async def _show(self, request: web.Request) -> Detail:
        detail = await self._desk.detail(_id(request))
        if detail is None:
            raise LookupError("no such message")
        return detail

    async def _source(self, request: web.Request) -> web.Response:
        data = await self._desk.body(_id(request))
        if data is None:
            raise LookupError("no such message, or its content is no longer kept")
        return web.Response(body=data, content_type="message/rfc822")

    async def _act(self, request: web.Request) -> Done:
        body = read(ActBody, await request.read())
        ids = message_ids(" ".join(body.ids))
        if not ids:  # none at all would select every message
            raise ValueError("ids: there is none in it")
        if body.dry_run:
            return await self._desk.weigh(body.verb, every_state_of(ids))
        return await act_throughout(self._desk, body.verb, every_state_of(ids), who=f"api/{request[VISITOR].name}")

    async def _accounts(self, _request: web.Request) -> list[AccountState]:
        return await account_states(self._settings, self._store, await self._store.paused(), self._clock())

    async def _pause(self, request: web.Request) -> Pause:
        name = self._account(request)
        body = read(PauseBody, await request.read())
        pause = Pause(name, until=self._clock() + body.seconds, reason=body.reason, failures=0)
        await self._store.pause(pause)
        self._events.account_paused(
            name, provider=provider_of(self._settings, name), reason=body.reason, seconds=body.seconds
        )
        return pause

    async def _resume(self, request: web.Request) -> dict[str, bool]:
        name = request.match_info["name"]  # a pass-through account can be paused, too, and stands nowhere else
        was_paused = await self._store.resume(name)
        if not was_paused:
            name = self._account(request)
        else:
            self._events.account_resumed(name, provider=provider_of(self._settings, name))
        return {"was_paused": was_paused}

    def _account(self, request: web.Request) -> str:
        name = request.match_info["name"]
        if name not in self._settings.account:
            raise LookupError("no such account is configured")
        return name


async def _described(text: str) -> web.Response:
    return web.Response(text=text, content_type="application/json")


def _id(request: web.Request) -> MessageId:
    ids = message_ids(request.match_info["id"])
    return ids[0] if ids else MessageId("")
