"""One API call, from the request to what became of its answer; the same for both APIs.

Read the request, meet a fault, let the API do its work, write the journal, answer. The order matters: what the API
took is in the journal before the answer leaves, so that an audit after a kill never misses it.
"""

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import unquote

from aiohttp import web

from relay.sandbox.document import JsonObject
from relay.sandbox.faults import (
    CutAfter,
    CutBefore,
    Empty,
    Fault,
    Garbage,
    Huge,
    Redirect,
    Slow,
    SlowAfter,
    Status,
    accepts,
)
from relay.sandbox.journal import Call, Delivery
from relay.sandbox.mail import Mail
from relay.sandbox.world import DueReport, World

_BLOCK = b"x" * 65536


@dataclass(frozen=True, slots=True)
class Request:
    """What came over the wire."""

    method: str
    path: tuple[str, ...]  # below the API's prefix, split at slashes, each step decoded
    query: str
    content_type: str  # without parameters, lower case
    authorization: str = field(repr=False)
    body: bytes = field(repr=False)
    too_large: bool = False  # the body was not read to its end
    cut: bool = False  # the caller went away before its end


@dataclass(frozen=True, slots=True)
class Ask:
    """One call as the API understands it."""

    call_id: int
    function: str  # in the vendor's spelling; as called where unknown
    user: str  # who calls, by what is not secret
    document: JsonObject
    request: Request
    recipients: tuple[str, ...] = ()  # every address that the call names
    sends: bool = False  # it is a function that sends mail
    problem: str = ""  # why the document could not be read; empty: it could
    remarks: list[str] = field(default_factory=list)

    def remark(self, text: str) -> None:
        """Note an oddity for the journal, once."""
        if text not in self.remarks:
            self.remarks.append(text)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the API says, and what it did."""

    status: int
    body: bytes
    content_type: str
    headers: Mapping[str, str] = field(default_factory=dict)
    error: str = ""  # the refusal; empty: it was done
    mails: tuple[Mail, ...] = ()
    due_reports: tuple[DueReport, ...] = ()


class Api(Protocol):
    """One of the two APIs."""

    name: str

    def understand(self, request: Request, call_id: int) -> Ask:
        """Read a request as far as it can be read; never fails."""

    async def perform(self, ask: Ask, fault: Fault | None) -> Answer:
        """Do what is asked, or refuse it in the API's own way; mails are in their mailboxes afterwards."""


async def serve(request: web.Request, world: World, api: Api) -> web.StreamResponse:
    """Take one call through all its stations."""
    ask = api.understand(await _received(request), world.next_call_id())
    if ask.request.too_large or ask.request.cut:
        return await _unread(world, api, ask)
    fault = world.meet_fault(api.name, ask.function, sends=ask.sends, recipients=ask.recipients)
    if isinstance(fault, Slow):
        await world.pause(fault.seconds)
    answer = Answer(0, b"", "")
    if accepts(fault):
        answer = await api.perform(ask, fault)
    answer = _bent(answer, fault)
    await world.record(_entry(world, api.name, ask, answer, fault), answer.mails)
    for due in answer.due_reports:
        world.due_reports.put_nowait(due)
    if isinstance(fault, SlowAfter):
        await world.pause(fault.seconds)
    response, delivery = await _sent(request, world, answer, fault)
    world.finish(ask.call_id, response.status if delivery is not Delivery.CUT else 0, delivery)
    return response


async def _received(request: web.Request) -> Request:
    body, too_large, cut = b"", False, False
    try:
        body = await request.read()
    except web.HTTPRequestEntityTooLarge:
        too_large = True
    except ConnectionError:
        cut = True
    return Request(
        method=request.method,
        path=tuple(unquote(step) for step in request.rel_url.raw_path.split("/")[2:]),
        query=request.query_string,
        content_type=request.content_type.lower(),
        authorization=request.headers.get("Authorization", ""),
        body=body,
        too_large=too_large,
        cut=cut,
    )


async def _unread(world: World, api: Api, ask: Ask) -> web.Response:
    """Note a call whose body did not arrive, and refuse it."""
    answer = Answer(0, b"", "", error="the request was cut")
    if ask.request.too_large:
        answer = Answer(413, b"", "text/plain", error="the request is too large")  # the real limits are unknown
    await world.record(_entry(world, api.name, ask, answer, None), ())
    world.finish(ask.call_id, answer.status, Delivery.LOST if ask.request.cut else Delivery.SENT)
    return web.Response(status=413)


def _bent(answer: Answer, fault: Fault | None) -> Answer:
    match fault:
        case Status():
            after = {} if fault.retry_after is None else {"Retry-After": str(fault.retry_after)}
            return _instead(answer, fault.status, fault.body.encode(), headers=after)
        case Garbage():
            return _instead(answer, 200, fault.body.encode())
        case Empty() | Huge():
            return _instead(answer, 200, b"")
        case Redirect():
            return _instead(answer, fault.status, b"", headers={"Location": fault.location})
    return answer


def _instead(answer: Answer, status: int, body: bytes, headers: Mapping[str, str] | None = None) -> Answer:
    return Answer(
        status, body, "text/html", headers or {}, answer.error, mails=answer.mails, due_reports=answer.due_reports
    )


def _entry(world: World, api: str, ask: Ask, answer: Answer, fault: Fault | None) -> Call:
    return Call(
        id=ask.call_id,
        time=world.clock(),
        api=api,
        function=ask.function,
        method=ask.request.method,
        path="/" + "/".join(ask.request.path),
        user=ask.user,
        status=0 if isinstance(fault, CutBefore | CutAfter) else answer.status,
        document=ask.document,
        remarks=tuple(ask.remarks),
        recipients=tuple(mail.mailbox for mail in answer.mails),
        error=answer.error,
        fault="" if fault is None else fault.kind,
    )


async def _sent(
    request: web.Request, world: World, answer: Answer, fault: Fault | None
) -> tuple[web.StreamResponse, Delivery]:
    if isinstance(fault, CutBefore | CutAfter):
        if request.transport is not None:
            request.transport.close()
        return web.Response(), Delivery.CUT
    try:
        if isinstance(fault, Huge):
            return await _endless(request, world, fault), Delivery.SENT
        response = web.Response(
            status=answer.status, body=answer.body, content_type=answer.content_type, headers=answer.headers
        )
        await response.prepare(request)
        await response.write_eof()
    except ConnectionError:
        return web.Response(status=answer.status), Delivery.LOST
    gone = request.transport is None or request.transport.is_closing()
    return response, Delivery.LOST if gone else Delivery.SENT


async def _endless(request: web.Request, world: World, fault: Huge) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    await response.prepare(request)
    left = fault.bytes
    await response.write(b'{"status":"ok","Res":"1","padding":"'[:left])
    left = left and left - 36
    while not world.closing.is_set() and (left is None or left > 0):
        await response.write(_BLOCK[:left])
        left = left and left - len(_BLOCK)
    with contextlib.suppress(ConnectionError):
        await response.write_eof()
    return response
