"""What DMDS tells of mails that it made, page by page."""

import json

import pytest
from provider_cases import brief, content, people
from pydantic import SecretStr

from relay.config.settings import DmdsSettings, MensatekSettings
from relay.errors import ProviderError
from relay.providers.contract import DmdsCredentials, MensatekCredentials, Trace
from relay.providers.dmds import DmdsProvider
from relay.providers.mensatek import MensatekProvider
from relay.sandbox import Sandbox, SandboxOptions
from relay.sandbox.faults import CutAfter

_DMDS = DmdsCredentials("demo", 12345, SecretStr("demo-apikey"))
#: 2020-10-15T08:25:11 in Buenos Aires (doc: the sample event).
_SAMPLE = 1602761111.0


def event(email="ana@example.net", kind="envio", eeid="e-1", at="2020-10-15T08:25:11"):
    return {"evento": kind, "timestamp": at, "email": email, "eeid": eeid}


@pytest.fixture
def provider(api, http):
    return DmdsProvider(DmdsSettings(url=f"{api.url}/v1"), http)


async def test_a_mail_that_was_made_although_its_answer_was_cut_off_is_told_of(http):
    async with Sandbox(SandboxOptions(port=0)) as sandbox:
        provider = DmdsProvider(DmdsSettings(url=sandbox.dmds_url), http)
        sandbox.world.faults.add(CutAfter(api="dmds"))
        who = people(1, 1, 1)
        (call,) = provider.plan(content(), brief(who, _DMDS)).calls
        with pytest.raises(ProviderError):
            await provider.send(call, _DMDS)
        now = sandbox.world.clock()
        told = await provider.traces(_DMDS, now - 60, now + 60)
        assert {each.key for each in who} == {trace.mailbox for trace in told}
        assert 1 == len({trace.batch_id for trace in told})
        assert all(abs(trace.at - now) < 10 for trace in told)
        assert [] == await provider.traces(_DMDS, now - 3600, now - 1800)


async def test_all_pages_are_read(http):
    async with Sandbox(SandboxOptions(port=0)) as sandbox:
        provider = DmdsProvider(DmdsSettings(url=sandbox.dmds_url), http)
        who = people(0, 0, 1203)
        for call in provider.plan(content(), brief(who, _DMDS, recipients_per_call=100)).calls:
            await provider.send(call, _DMDS)
        now = sandbox.world.clock()
        told = await provider.traces(_DMDS, now - 60, now + 60)
        assert sorted(each.key for each in who) == sorted(trace.mailbox for trace in told)


async def test_the_document_s_own_event_is_read_in_its_time_zone(api, provider):
    api.will_answer(json.dumps({"status": "ok", "eventos": [event()]}))
    assert [Trace("ana@example.net", "e-1", _SAMPLE)] == await provider.traces(_DMDS, _SAMPLE - 60, _SAMPLE + 60)


async def test_what_is_no_mail_that_was_made_or_not_told_whole_is_left_out(api, provider):
    odd = [
        event(kind="view"),
        event(kind="unknown"),
        event(email=None),
        event(eeid=None),
        event(at="yesterday"),
        "envio",
        3,
    ]
    api.will_answer(json.dumps({"status": "ok", "eventos": odd}))
    assert [Trace("ana@example.net", "", _SAMPLE)] == await provider.traces(_DMDS, _SAMPLE - 60, _SAMPLE + 60)


async def test_an_api_that_knows_no_pages_tells_nothing(api, provider):
    """It may have left out whom else a batch was made for."""
    for _ in range(2):
        api.will_answer(json.dumps({"status": "ok", "eventos": [event(eeid=f"e-{number}") for number in range(100)]}))
    with pytest.raises(ProviderError):
        await provider.traces(_DMDS, _SAMPLE - 60, _SAMPLE + 60)


@pytest.mark.parametrize(
    ("status", "answer"),
    [(403, {"status": "err", "on": "Forbidden"}), (500, {}), (200, {"status": "err", "on": "no"})],
)
async def test_an_answer_that_tells_no_events_is_an_error_and_not_an_empty_list(api, provider, status, answer):
    api.will_answer(json.dumps(answer), status)
    with pytest.raises(ProviderError):
        await provider.traces(_DMDS, _SAMPLE - 60, _SAMPLE + 60)


async def test_nobody_is_asked_with_credentials_that_cannot_be_sent(api, provider):
    assert None is await provider.traces(DmdsCredentials("demo", 1, SecretStr("")), 0.0, 1.0)
    assert [] == api.heard


async def test_mensatek_has_no_function_that_tells(http):
    provider = MensatekProvider(MensatekSettings(), http)
    assert None is await provider.traces(MensatekCredentials("user", SecretStr("token")), 0.0, 1.0)
