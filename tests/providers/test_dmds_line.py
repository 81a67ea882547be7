"""The way to DMDS: what of a call stands in the path, in the header, in the body."""

import pytest
from provider_cases import DMDS

from relay.config.settings import DmdsSettings
from relay.providers.dmds.line import DmdsLine


@pytest.fixture
def line(api, http):
    return DmdsLine(DmdsSettings(url=f"{api.url}/{{dmdsid}}/v1/"), http)


async def test_a_call_goes_to_the_customers_host_with_the_bare_key_and_its_body(line, api):
    api.will_answer("{}")
    await line.ask(line.wire.call_campaigns, DMDS, {"tipo": "api"})
    (heard,) = api.heard
    assert ("GET", "/acme/v1/campania/", b'{"tipo":"api"}') == (heard.method, heard.path, heard.body)
    assert DMDS.apikey.get_secret_value() == heard.headers["Authorization"]


async def test_a_call_without_key_and_body(line, api):
    api.will_answer("{}")
    await line.ask(line.wire.call_version, DMDS, with_key=False)
    (heard,) = api.heard
    assert ("/acme/v1/version/", b"") == (heard.path, heard.body)
    assert "Authorization" not in heard.headers


@pytest.mark.parametrize("email", ["ana+x@example.net", "a/../b?c#d@example.net", "a%2Fb@example.net", "ñ@example.net"])
async def test_an_address_stays_one_step_of_the_path(line, api, email):
    api.will_answer("{}")
    await line.ask(line.wire.call_contact, DMDS, steps={"email": email})
    (heard,) = api.heard
    assert f"/acme/v1/contacto/{email}" == heard.path


@pytest.mark.parametrize("step", ["", ".", ".."])
async def test_a_step_that_would_lead_elsewhere_is_not_taken(line, api, step):
    with pytest.raises(ValueError, match="cannot stand in a path"):
        await line.ask(line.wire.call_batch_events, DMDS, steps={"eeid": step})
    assert [] == api.heard
