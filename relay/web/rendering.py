"""Templates into pages: escaped, in the visitor's language, with words for states, ages and sizes."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from aiohttp import web
from babel.dates import format_datetime, format_timedelta
from babel.numbers import format_decimal
from jinja2 import Environment, PackageLoader, StrictUndefined

from relay import __version__
from relay.config.web import Language
from relay.message import Clock
from relay.queue.contract import State, Verb
from relay.web.guard import VISITOR
from relay.web.static import static_url
from relay.web.texts import LANGUAGES, language_of, locale, translations
from relay.web.words import Words

_LANGUAGE_COOKIE = "relay_language"
_KIB = 1024
#: How a state looks.
_WEIGHTS = {
    State.QUEUED: "notice",
    State.SENDING: "notice",
    State.UNCONFIRMED: "urgent",
    State.HELD: "urgent",
    State.ACCEPTED: "good",
    State.REFUSED: "urgent",
    State.EXPIRED: "urgent",
    State.DROPPED: "notice",
}


class Renderer:
    """Makes pages."""

    def __init__(self, language: Language, clock: Clock) -> None:
        self._language = language
        self._clock = clock

    def page(self, request: web.Request, template: str, /, *, status: int = 200, **values: Any) -> web.Response:
        """Answer with a template, filled."""
        language = self.language(request)
        visitor = request.get(VISITOR)
        text = (
            _environment(language)
            .get_template(template)
            .render(
                values,
                visitor=visitor,
                now=self._clock(),
                path=request.path,
                path_qs=request.path_qs,
                language=language,
                version=__version__,
            )
        )
        return web.Response(text=text, content_type="text/html", charset="utf-8", status=status)

    def language(self, request: web.Request) -> Language:
        """Tell which language a visitor reads: as chosen on the page, else as the browser says."""
        chosen = request.cookies.get(_LANGUAGE_COOKIE, "")
        for language in LANGUAGES:
            if chosen == language:
                return language
        return language_of(request.headers.get("Accept-Language", ""), self._language)

    def choose(self, response: web.StreamResponse, language: str) -> None:
        """Remember a choice."""
        if language in LANGUAGES:
            response.set_cookie(_LANGUAGE_COOKIE, language, path="/", max_age=365 * 86400, samesite="Lax")


@cache
def _environment(language: Language) -> Environment:
    environment = Environment(
        loader=PackageLoader("relay.web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    catalogue = translations(language)
    environment.install_gettext_translations(catalogue, newstyle=True)  # type: ignore[attr-defined]
    environment.filters.update(_filters(language))
    environment.globals.update(
        static=static_url, words=Words(catalogue.gettext), verbs=list(Verb), weight=_WEIGHTS.__getitem__
    )
    return environment


def _filters(language: Language) -> Mapping[str, Any]:
    spoken = locale(language)

    def number(value: float) -> str:
        return str(format_decimal(value, locale=spoken, decimal_quantization=False))

    def moment(value: float) -> str:
        return f"{format_datetime(datetime.fromtimestamp(value, UTC), 'd MMM y HH:mm:ss', locale=spoken)} UTC"

    def machine(value: float) -> str:
        return datetime.fromtimestamp(value, UTC).isoformat(timespec="seconds")

    def age(seconds: float) -> str:
        return str(format_timedelta(timedelta(seconds=seconds), locale=spoken, threshold=1.2, format="short"))

    def size(value: float) -> str:
        for unit in ("B", "KiB", "MiB"):
            if value < _KIB:
                return f"{number(round(value, 1))} {unit}"
            value /= _KIB
        return f"{number(round(value, 1))} GiB"

    return {"number": number, "moment": moment, "machine": machine, "age": age, "bytes": size}
