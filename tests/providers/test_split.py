"""Calls that were refused for somebody in them, divided: everybody once, and nobody sees more than before."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from provider_cases import DMDS, MENSATEK, attachment, brief, content, people

from relay.config.settings import DmdsSettings, MensatekSettings
from relay.powers import Powers
from relay.providers.contract import Call
from relay.providers.dmds import DmdsProvider
from relay.providers.encode import plain
from relay.providers.http import HttpClient
from relay.providers.mensatek import MensatekProvider

_CREDENTIALS = {"mensatek": MENSATEK, "dmds": DMDS}
_LISTS = {"Destinatarios": "Email", "contactos": "email", "copia": "cc_email", "copia_oculta": "bcc_email"}


@pytest.fixture(scope="module")
def providers():
    http = HttpClient(1)
    return {"mensatek": MensatekProvider(MensatekSettings(), http), "dmds": DmdsProvider(DmdsSettings(), http)}


def _call(provider, to=0, cc=0, bcc=0, **options):
    (call,) = provider.plan(content(), brief(people(to, cc, bcc), _CREDENTIALS[provider.name], **options)).calls
    return call


def _places(call: Call):
    """Who stands in which list of the document; it must be whom the call says it serves, in that order."""
    document = plain(call.document)
    places = {name: [each[key] for each in document[name]] for name, key in _LISTS.items() if name in document}
    assert [each.address for each in call.recipients] == [each for place in places.values() for each in place]
    return places


def _shared(call: Call):
    return {key: value for key, value in plain(call.document).items() if key not in _LISTS}


def _seen(call: Call):
    """Whom each recipient sees besides itself."""
    places = _places(call)
    has_copies = "copia" in places or "copia_oculta" in places
    shown = {*places.get("contactos", ()), *places.get("copia", ())} if has_copies else set()
    return {each.address: shown - {each.address} for each in call.recipients}


def _variables(call: Call):
    """What each recipient's mail is filled in with: a copy gets its contact's mail."""
    document = plain(call.document)
    entries = document.get("contactos") or document["Destinatarios"]
    own = [entry.get("tags") or entry.get("Variables") for entry in entries]
    return {each.address: own[place] if place < len(own) else own[0] for place, each in enumerate(call.recipients)}


@pytest.mark.parametrize("kind", _CREDENTIALS)
def test_recipients_alone_are_halved_in_order(providers, kind):
    provider, name = providers[kind], {"mensatek": "Destinatarios", "dmds": "contactos"}[kind]
    call = _call(provider, bcc=5)
    first, second = provider.split(call)
    assert {name: [f"bcc{number}@example.com" for number in (1, 2, 3)]} == _places(first)
    assert {name: [f"bcc{number}@example.com" for number in (4, 5)]} == _places(second)
    assert _shared(call) == _shared(first) == _shared(second)


def test_blind_copies_leave_first_and_the_visible_still_see_each_other(providers):
    first, second = providers["dmds"].split(_call(providers["dmds"], 2, 1, 2))
    assert {"contactos": ["to1@example.com"], "copia": ["to2@example.com", "cc1@example.com"]} == _places(first)
    assert {"contactos": ["bcc1@example.com", "bcc2@example.com"]} == _places(second)


def test_then_visible_copies_become_contacts_who_keep_their_names(providers):
    first, second = providers["dmds"].split(_call(providers["dmds"], 1, 2))
    assert {"contactos": ["to1@example.com"]} == _places(first)
    assert [
        {"email": "cc1@example.com", "nombre": "Cc 1"},
        {"email": "cc2@example.com", "nombre": "Cc 2"},
    ] == plain(second.document)["contactos"]


def test_a_batch_that_the_mail_asked_for_stays_in_all_parts(providers):
    for part in providers["dmds"].split(_call(providers["dmds"], 1, 1, powers=Powers(batch="own"))):
        assert (True, "own") == (part.document["reuse_eeid"], part.document["eeid"])


@pytest.mark.parametrize("kind", _CREDENTIALS)
def test_one_alone_stays_as_it_is(providers, kind):
    call = _call(providers[kind], 1)
    assert (call,) == providers[kind].split(call)


@pytest.mark.parametrize("kind", _CREDENTIALS)
def test_a_call_of_somebody_else_is_not_split(providers, kind):
    call = replace(_call(providers[kind], 2), recipients=people(5))
    with pytest.raises(ValueError, match="no call of this translation"):
        providers[kind].split(call)


_POWERS = st.builds(
    Powers,
    variables=st.dictionaries(
        st.sampled_from(["", "to1@example.com", "cc1@example.com", "bcc1@example.com"]),
        st.just({"mes": "julio"}) | st.just({"mes": "mayo"}),
    ),
    batch=st.sampled_from(["", "own"]),
)


@pytest.mark.parametrize("kind", _CREDENTIALS)
@given(
    counts=st.tuples(st.integers(0, 6), st.integers(0, 6), st.integers(0, 6)).filter(any),
    limit=st.integers(1, 20),
    mode=st.sampled_from(["together", "individual"]),
    powers=_POWERS,
)
def test_divided_down_to_the_last_everybody_stands_once_and_sees_no_more(providers, kind, counts, limit, mode, powers):
    provider = providers[kind]
    mail = content(attachments=(attachment("a.pdf"),))
    asked = brief(people(*counts), _CREDENTIALS[kind], powers=powers, recipients=mode, recipients_per_call=limit)
    waiting = list(provider.plan(mail, asked).calls)
    while waiting:
        call = waiting.pop()
        parts = provider.split(call)
        assert call.recipients == tuple(each for part in parts for each in part.recipients)
        if len(call.recipients) == 1:
            assert (call,) == parts
            continue
        assert len(parts) >= 2
        before, filled = _seen(call), _variables(call)
        for part in parts:
            assert (call.function, _shared(call)) == (part.function, _shared(part))
            for address, seen in _seen(part).items():
                assert seen <= before[address]
                assert filled[address] == _variables(part)[address]
        waiting += parts
