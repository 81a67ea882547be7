"""Style sheets and scripts, as the package has them. They hold no secret, and the login page needs some of them."""

import hashlib
from functools import cache
from importlib import resources

from aiohttp import web

_KINDS = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
_LASTING = "public, max-age=31536000, immutable"


def static_routes() -> list[web.RouteDef]:
    """Say where."""
    return [web.get("/static/{mark}/{name}", _file)]


def static_url(name: str) -> str:
    """Return where a file is; another content is at another place, so browsers may keep it."""
    return f"/static/{_files()[name][0]}/{name}"


async def _file(request: web.Request) -> web.Response:
    name = request.match_info["name"]
    mark, content = _files().get(name, ("", b""))
    if not content or mark != request.match_info["mark"]:
        raise web.HTTPNotFound
    kind = _KINDS[name.rpartition(".")[2]]
    return web.Response(body=content, content_type=kind, charset="utf-8", headers={"Cache-Control": _LASTING})


@cache
def _files() -> dict[str, tuple[str, bytes]]:
    folder = resources.files("relay.web") / "static"
    found = {}
    for file in folder.iterdir():
        if file.is_file() and file.name.rpartition(".")[2] in _KINDS:
            content = file.read_bytes()
            found[file.name] = (hashlib.sha256(content).hexdigest()[:12], content)
    return found
