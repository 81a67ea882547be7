"""The words of the pages in the languages that they speak: English in the templates, the others in files here."""

import gettext
from functools import cache
from importlib import resources
from io import BytesIO

from babel import Locale
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from relay.config.web import Language

LANGUAGES: tuple[Language, ...] = ("en", "es")


@cache
def translations(language: Language) -> gettext.NullTranslations:
    """Return the catalogue of a language."""
    if language == "en":
        return gettext.NullTranslations()
    with resources.files(__name__).joinpath(f"{language}.po").open("rb") as file:
        catalogue = read_po(file, locale=language)
    compiled = BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


def language_of(accepted: str, otherwise: Language) -> Language:
    """Choose by a browser's Accept-Language (RFC 9110 section 12.5.4)."""
    wanted = []
    for position, part in enumerate(accepted.split(",")):
        tag, _, quality = part.strip().partition(";q=")
        try:
            wanted.append((-float(quality or 1), position, tag.lower()))
        except ValueError:
            continue
    for worth, _, tag in sorted(wanted):
        for language in LANGUAGES:
            if worth and tag.split("-")[0] == language:
                return language
    return otherwise


def locale(language: Language) -> Locale:
    """Return what numbers and dates are written by."""
    return Locale.parse("en_GB" if language == "en" else language)
