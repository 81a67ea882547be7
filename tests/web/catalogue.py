"""The texts that templates and code ask a translation for. Run: writes what is missing into the .po files, empty."""

from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

WEB = Path(__file__).resolve().parents[2] / "relay" / "web"
_METHODS = [("**.html", "jinja2"), ("**.py", "python")]
_OPTIONS = {"**.html": {"extensions": "jinja2.ext.i18n", "trimmed": "true"}}


def wanted() -> Catalog:
    """Collect them."""
    catalogue = Catalog(charset="utf-8")
    for _, _, text, _, _ in extract_from_dir(WEB, method_map=_METHODS, options_map=_OPTIONS):
        catalogue.add(text)
    return catalogue


def kept(language: str) -> Catalog:
    """Read a language's file."""
    with (WEB / "texts" / f"{language}.po").open("rb") as file:
        return read_po(file, locale=language)


def renew(language: str) -> None:
    """Bring a language's file up to date: new texts come without a translation, old ones go."""
    known, catalogue = (
        kept(language),
        Catalog(locale=language, charset="utf-8"),
    )
    for message in wanted():
        if message.id:
            before = known.get(message.id)
            catalogue.add(message.id, before.string if before else None, flags=message.flags)
    with (WEB / "texts" / f"{language}.po").open("wb") as file:
        write_po(file, catalogue, width=120, omit_header=True, sort_output=True, no_location=True)


if __name__ == "__main__":
    renew("es")
