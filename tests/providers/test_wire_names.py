"""Wire names are data: documented, marked, and corrected by configuration."""

import pytest

from relay.config.settings import DmdsSettings, MensatekSettings, ProvidersSettings
from relay.errors import ConfigError
from relay.providers import build_providers
from relay.providers.dmds import DmdsProvider, DmdsWire
from relay.providers.mensatek import MensatekProvider, MensatekWire
from relay.providers.wire import Mark, corrected, wire_names


@pytest.mark.parametrize("table", [MensatekWire, DmdsWire])
def test_every_name_has_a_mark_and_a_meaning(table):
    for row in wire_names(table):
        assert isinstance(row.mark, Mark)
        assert row.about


def test_a_correction_replaces_one_name():
    assert "subject" == corrected(DmdsWire, {"subject": "subject"}, "x").subject
    assert "html" == corrected(DmdsWire, {"subject": "subject"}, "x").html


def test_optional_names_may_be_emptied_and_others_not():
    assert not corrected(DmdsWire, {"subject": ""}, "x").subject
    with pytest.raises(ConfigError, match=r"x\.html: must not be empty; the default is 'html'"):
        corrected(DmdsWire, {"html": " "}, "x")


def test_mistakes_are_told_all_at_once_with_what_would_be_right():
    with pytest.raises(ConfigError) as caught:
        corrected(DmdsWire, {"subjet": "asunto", "html": "", "tags": "a\nb", "reply_to": "a\nb"}, "provider.dmds.wire")
    said = str(caught.value)
    assert "provider.dmds.wire.subjet: not a wire name; did you mean subject? known are call_version, " in said
    assert "provider.dmds.wire.tags: not a wire name; known are " in said
    assert "provider.dmds.wire.html: must not be empty" in said
    assert "provider.dmds.wire.reply_to: holds control characters" in said


async def test_providers_are_built_by_name(http):
    providers = build_providers(ProvidersSettings(), http)
    assert isinstance(providers["mensatek"], MensatekProvider)
    assert isinstance(providers["dmds"], DmdsProvider)


@pytest.mark.parametrize(
    ("make", "settings"),
    [(MensatekProvider, MensatekSettings(wire={"x": "y"})), (DmdsProvider, DmdsSettings(wire={"x": "y"}))],
)
async def test_a_provider_is_not_made_with_wrong_corrections(make, settings, http):
    with pytest.raises(ConfigError, match=r"\.wire\.x: not a wire name"):
        make(settings, http)


@pytest.mark.parametrize("value", ["PUT contactos/{email}/", "POST x/{email}"])
def test_a_call_is_corrected_verb_and_path_in_one_line(value):
    assert value == corrected(DmdsWire, {"call_contact": value}, "x").call_contact


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("contacto/{email}", "must be a verb and a path, like 'GET contacto/{email}'"),
        ("get contacto/{email}", "must be a verb and a path"),
        ("GET contacto/{email}?a=b", "must be a verb and a path"),
        ("GET contacto/", "must hold the steps that vary, like 'GET contacto/{email}'"),
        ("GET contacto/{email}/{email}", "must hold the steps that vary"),
        ("GET contacto/{email}/{", "must hold the steps that vary"),
    ],
)
def test_a_call_that_could_not_be_made_is_no_correction(value, told):
    with pytest.raises(ConfigError, match=r"x\.call_contact: ") as caught:
        corrected(DmdsWire, {"call_contact": value}, "x")
    assert told in str(caught.value)
