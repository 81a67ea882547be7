"""The words of the pages: every one in every language."""

import pytest
from catalogue import kept, wanted
from visiting import PASSWORDS, Visit

from relay.web.texts import language_of


def test_every_text_has_its_spanish():
    known = kept("es")
    missing = []
    for message in wanted():
        found = known.get(message.id) if message.id else None
        if message.id and not (found and all(found.string if isinstance(found.string, tuple) else [found.string])):
            missing.append(message.id)
    assert not missing, "run tests/web/catalogue.py and translate what is empty"


def test_placeholders_are_the_same_in_every_language():
    wrong = [(message.id, error) for message in kept("es") if message.id for error in message.check()]
    assert not wrong


def test_nothing_is_translated_that_nobody_says():
    asked = {message.id for message in wanted()}
    assert not [message.id for message in kept("es") if message.id not in asked]


@pytest.mark.parametrize(
    ("accepted", "expected"),
    [
        ("es-AR,es;q=0.9,en;q=0.8", "es"),
        ("en-GB", "en"),
        ("fr,de;q=0.9", "en"),
        ("es;q=0,en", "en"),
        ("en;q=0.5, es", "es"),
        ("", "en"),
        (";;q=,,q=x;q=1", "en"),
    ],
)
def test_the_browsers_language_is_spoken(accepted, expected):
    assert expected == language_of(accepted, "en")


def test_a_choice_on_the_page_wins(visit):
    assert "Entrar" in visit.ask("GET", "/login", headers={"Accept-Language": "es"})[1]
    visit.ask("POST", "/language", {"language": "es", "next": "/login"})
    assert "Entrar" in visit.ask("GET", "/login", headers={"Accept-Language": "en"})[1]


def test_numbers_are_written_as_the_language_does(web_gateway):
    visit = Visit(web_gateway)
    visit.log_in("leo", PASSWORDS["leo"])
    page = visit.ask("GET", "/", headers={"Accept-Language": "es"})[1]
    assert '<html lang="es">' in page
    assert "Lo que requiere su atención" in page
