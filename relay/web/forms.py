"""What a browser sends with a form."""

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError


class Form:
    """The fields of a form; files are none of them."""

    def __init__(self, fields: list[tuple[str, str]]) -> None:
        self._fields = fields

    def first(self, name: str) -> str:
        """Return a field's first value; empty: there is none."""
        return next((value for key, value in self._fields if key == name), "")

    def every(self, name: str) -> list[str]:
        """Return all values of a field."""
        return [value for key, value in self._fields if key == name]


async def form_of(request: web.Request) -> Form:
    """Read a form. Raises HTTPBadRequest for what is none, whatever it calls itself."""
    try:
        fields = await request.post()
    except (ValueError, LookupError, AssertionError, HttpProcessingError):  # its charset, its boundary, its bytes
        raise web.HTTPBadRequest(text="this is no form that can be read") from None
    return Form([(name, value) for name, value in fields.items() if isinstance(value, str)])
