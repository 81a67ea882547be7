"""Who may come to which page: every route but the open ones goes through here."""

import hmac
from collections.abc import Awaitable, Callable
from urllib.parse import quote, urlsplit

from aiohttp import web

from relay.config.web import Role, WebSettings
from relay.web.entry import Entry
from relay.web.forms import form_of
from relay.web.problem import problem
from relay.web.visitor import Sessions, Visitor, program

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

VISITOR = web.RequestKey("visitor", Visitor)
_COOKIE = "relay_session"
_CSRF_HEADER, _CSRF_FIELD = "X-CSRF-Token", "csrf"
_BEARER = "bearer "
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


class Guard:
    """Wraps handlers so that they only see visitors who may come."""

    def __init__(self, settings: WebSettings, sessions: Sessions, entry: Entry) -> None:
        self._settings = settings
        self._sessions = sessions
        self._entry = entry

    def page(self, handler: Handler, role: Role = "read", *, renews: bool = True) -> Handler:
        """Let only people in; who is nobody yet is sent to the login and comes back.

        `renews`: the session goes on by it. Not so what a page asks for by itself, or a tab left open would never end.
        """

        async def guarded(request: web.Request) -> web.StreamResponse:
            visitor = self.person(request)
            if visitor is None and request.headers.get("HX-Request"):
                return web.Response(headers={"HX-Redirect": "/login"})  # the whole page goes there, not a part of it
            if visitor is None:
                raise web.HTTPSeeOther(f"/login?next={quote(request.path_qs, safe='')}")
            await self._check(request, visitor, role)
            answer = await handler(request)
            return self._renewed(visitor, answer) if renews else answer

        return guarded

    def api(self, handler: Handler, role: Role = "read") -> Handler:
        """Let programs in by their token, and people by their session."""

        async def guarded(request: web.Request) -> web.StreamResponse:
            try:
                visitor = await self._caller(request)
                await self._check(request, visitor, role)
            except web.HTTPUnauthorized as refused:
                return problem(refused.status, refused.text or "", {"WWW-Authenticate": 'Bearer realm="relay"'})
            except web.HTTPForbidden as refused:
                return problem(refused.status, refused.text or "")
            return self._renewed(visitor, await handler(request))

        return guarded

    def person(self, request: web.Request) -> Visitor | None:
        """Return whose session a request belongs to; None: nobody's."""
        return self._sessions.read(request.cookies.get(_COOKIE, ""))

    def begin(self, response: web.StreamResponse, name: str) -> None:
        """Begin a session."""
        self._set(response, self._sessions.begin(name))

    def end(self, response: web.StreamResponse) -> None:
        """End a session."""
        response.del_cookie(_COOKIE, path="/")

    async def _caller(self, request: web.Request) -> Visitor:
        visitor = await self._program(request) or self.person(request)
        if visitor is None:
            raise web.HTTPUnauthorized(text="a token is needed: Authorization: Bearer …")
        return visitor

    async def _program(self, request: web.Request) -> Visitor | None:
        authorization = request.headers.get("Authorization", "")
        if not authorization.lower().startswith(_BEARER):
            return None
        visitor = program(self._settings, authorization[len(_BEARER) :].strip())
        if visitor is None:
            await self._entry.token_was_wrong(request.remote or "")
            raise web.HTTPUnauthorized(text="nobody has this token")
        return visitor

    async def _check(self, request: web.Request, visitor: Visitor, role: Role) -> None:
        if not visitor.may(role):
            raise web.HTTPForbidden(text=f'"{visitor.name}" may look, and not act')
        if request.method not in _SAFE and visitor.csrf:
            refuse_foreign(request)
            sent = request.headers.get(_CSRF_HEADER) or (await form_of(request)).first(_CSRF_FIELD)
            if not hmac.compare_digest(sent.encode(), visitor.csrf.encode()):
                raise web.HTTPForbidden(text="this form is not from your session; load the page again")
        request[VISITOR] = visitor

    def _renewed(self, visitor: Visitor, response: web.StreamResponse) -> web.StreamResponse:
        if visitor.is_stale and not response.prepared:
            self._set(response, self._sessions.renew(visitor))
        return response

    def _set(self, response: web.StreamResponse, cookie: str) -> None:
        response.set_cookie(
            _COOKIE,
            cookie,
            path="/",
            max_age=int(self._settings.session),
            httponly=True,
            samesite="Lax",
            secure=self._settings.https,
        )


def refuse_foreign(request: web.Request) -> None:
    """Refuse what a page from elsewhere makes a browser send. Raises HTTPForbidden.

    What the browser says of the site decides; a proxy in front may have given the request another Host.
    """
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin", "")
    is_ours = site in {"same-origin", "none"} if site else not origin or urlsplit(origin).netloc == request.host
    if not is_ours:
        raise web.HTTPForbidden(text="this came from another site")
