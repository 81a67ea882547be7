"""A campaign that the mail chose is the mail's fault; the login's own is the account's."""

import json

import pytest
from provider_cases import DMDS, brief, content, people

from relay.config.settings import DmdsSettings
from relay.outcome import Blame, Deferred, Refused
from relay.powers import Powers
from relay.providers.dmds import DmdsProvider


@pytest.fixture
def dmds(api, http):
    return DmdsProvider(DmdsSettings(url=f"{api.url}/{{dmdsid}}/v1"), http)


async def _send(provider, subject, campaign=None):
    made = brief(people(2), DMDS, powers=Powers(campaign=campaign))
    call = provider.plan(content(subject=subject), made).calls[0]
    first, second = (await provider.send(call, DMDS)).values()
    assert first == second
    return first


def _error(text):
    return json.dumps({"status": "err", "on": text})


_REFUSED, _MAIL, _ACCOUNT = (Refused, Blame.MESSAGE), (Deferred, Blame.MESSAGE), (Deferred, Blame.ACCOUNT)


@pytest.mark.parametrize(
    ("status", "body", "chosen", "own"),
    [
        (400, _error("invalid campana_id"), _REFUSED, _ACCOUNT),
        (422, _error("La campaña 1234 está cerrada"), _REFUSED, _ACCOUNT),
        (200, _error("campaign not found"), _REFUSED, _ACCOUNT),
        (200, _error("campaign is closed"), _MAIL, _ACCOUNT),
        (400, _error("campaña temporalmente no disponible"), _MAIL, _ACCOUNT),
        (400, _error("invalid APIKEY"), _MAIL, _ACCOUNT),
        (401, "", _MAIL, _ACCOUNT),
        (403, "<html>", _MAIL, _ACCOUNT),
        (403, _error("campaign 1234 is not yours"), _MAIL, _ACCOUNT),
        (404, "", _MAIL, _ACCOUNT),
        (402, "", _ACCOUNT, _ACCOUNT),
        (400, _error("sin crédito"), _ACCOUNT, _ACCOUNT),
        (400, _error("remitente no permitido"), _MAIL, _ACCOUNT),
        (400, _error("quota of campaign@example.net exceeded"), _ACCOUNT, _ACCOUNT),
    ],
)
async def test_an_ordinary_subject_does_not_pause_the_login(dmds, api, status, body, chosen, own):
    """`[1234] Ticket opened` was taken for campaign 1234, and the answer paused the login for all other mail."""
    for subject, campaign, expected in (("[1234] Ticket", None, chosen), ("Hola", 1234, chosen), ("Hola", None, own)):
        api.will_answer(body, status=status)
        outcome = await _send(dmds, subject, campaign)
        assert expected == (type(outcome), outcome.blame)
        if expected is not _ACCOUNT:
            assert outcome.reason.endswith("; the mail chose campaign 1234")
        if expected is _REFUSED:
            assert (554, "5.6.0") == (outcome.reply.code, outcome.reply.enhanced)
            assert "campaign 1234" in outcome.reply.text


async def test_the_logins_own_campaign_in_the_subject_is_the_accounts(dmds, api):
    api.will_answer(_error("invalid campana_id"), status=400)
    assert _ACCOUNT == (type(outcome := await _send(dmds, "[14] Ticket")), outcome.blame)


async def test_a_doubted_answer_about_a_chosen_campaign_refuses_nobody(dmds, api):
    api.will_answer(json.dumps({"status": "err", "on": "invalid campana_id", "sent": 1}), status=400)
    outcome = await _send(dmds, "[1234] Ticket")
    assert (*_MAIL, True) == (type(outcome), outcome.blame, outcome.maybe_accepted)
