"""Both clients against a scripted API: what goes out, and what each answer means."""

import base64
import json

import pytest
from provider_cases import DMDS, MENSATEK, brief, content, people
from pydantic import SecretStr

from relay.config.settings import DmdsSettings, MensatekSettings
from relay.errors import ProviderError
from relay.outcome import Accepted, Blame, Deferred, Refused, Replies
from relay.providers.contract import DmdsCredentials, MensatekCredentials, Verdict
from relay.providers.dmds import DmdsProvider
from relay.providers.mensatek import MensatekProvider

_EEID = "3abc993d-8188-45e8-a6c9-e879378abba5"
_REFUSAL = '{"status":"err","on":"invalid email to1@example"}'


@pytest.fixture
def mensatek(api, http):
    return MensatekProvider(MensatekSettings(url=f"{api.url}/v7/"), http)


@pytest.fixture
def dmds(api, http):
    return DmdsProvider(DmdsSettings(url=f"{api.url}/{{dmdsid}}/v1"), http)


async def _send(provider, credentials, to=1, **kwargs):
    call = provider.plan(content(), brief(people(to), credentials)).calls[0]
    outcomes = await provider.send(call, credentials, **kwargs)
    assert {each.key for each in call.recipients} == set(outcomes)
    return list(outcomes.values())


# --- Mensatek ---


async def test_mensatek_is_called_as_documented(mensatek, api):
    api.will_answer(
        '[{"Res":"1","idEnvio":"9","Enviados":"[{\\"Email\\":\\"to1@example.com\\",\\"idMensaje\\":\\"5\\"}]"}]'
    )
    assert [Accepted("5", "9")] == await _send(mensatek, MENSATEK, batch_id="ignored")
    (heard,) = api.heard
    assert ("POST", "/v7/EnviarEMAIL") == (heard.method, heard.path)
    assert "Basic " + base64.b64encode(b"demo-user:demo-token").decode() == heard.headers["Authorization"]
    assert "application/json" == heard.headers["Content-Type"]
    assert {"Nombre": "To 1", "Email": "to1@example.com"} == json.loads(heard.body)["Destinatarios"][0]
    assert "ignored" not in heard.body.decode()


@pytest.mark.parametrize(
    ("status", "body", "kind", "blame", "maybe"),
    [
        (200, "-1", Deferred, Blame.ACCOUNT, False),
        (200, '[{"Res":"-2"}]', Deferred, Blame.ACCOUNT, False),
        (200, '{"Res":-3,"Error":"x"}', Refused, Blame.MESSAGE, False),
        (400, '{"Res":-3,"Error":"x"}', Refused, Blame.MESSAGE, False),
        (422, '{"Res":-3,"Error":"x"}', Refused, Blame.MESSAGE, False),
        (401, '{"Res":-1}', Deferred, Blame.ACCOUNT, False),
        (401, "", Deferred, Blame.ACCOUNT, False),
        (402, "", Deferred, Blame.ACCOUNT, False),
        (403, "<html>", Deferred, Blame.ACCOUNT, False),
        (404, "<html>", Deferred, Blame.ACCOUNT, False),
        (400, "<html>", Deferred, Blame.PROVIDER, False),
        (422, "", Deferred, Blame.PROVIDER, False),
        (413, "<html>", Refused, Blame.MESSAGE, False),
        (408, "", Deferred, Blame.PROVIDER, False),
        (425, "", Deferred, Blame.PROVIDER, False),
        (429, '{"Res":-3}', Deferred, Blame.PROVIDER, False),
        (429, '{"Res":1,"Enviados":2}', Deferred, Blame.PROVIDER, True),
        (200, '{"Res":-6}', Deferred, Blame.PROVIDER, True),
        (400, '{"Res":-6}', Deferred, Blame.PROVIDER, False),
        (401, '{"Res":-6}', Deferred, Blame.ACCOUNT, False),
        (503, '{"Res":-3}', Deferred, Blame.PROVIDER, False),
        (500, "", Deferred, Blame.PROVIDER, True),
        (502, "<html>", Deferred, Blame.PROVIDER, True),
        (504, "", Deferred, Blame.PROVIDER, True),
        (302, "", Deferred, Blame.PROVIDER, False),
    ],
)
async def test_each_answer_of_mensatek(mensatek, api, status, body, kind, blame, maybe):
    api.will_answer(body, status=status, Retry_After="30")
    for outcome in await _send(mensatek, MENSATEK, to=2):
        assert isinstance(outcome, kind)
        assert blame is outcome.blame
        assert maybe is getattr(outcome, "maybe_accepted", False)
        if status in {408, 425, 429, 503}:
            assert 30.0 == outcome.retry_after_seconds
        if status == 413:
            assert Replies.TOO_BIG == outcome.reply


@pytest.mark.parametrize("body", ["", "OK", "<html>", b"\xff\xfe\x00", "[]", '{"hello":1}'])
async def test_a_success_of_mensatek_that_nobody_can_read_is_silence(mensatek, api, body):
    api.will_answer(body)
    with pytest.raises(ProviderError, match="nobody can read") as caught:
        await _send(mensatek, MENSATEK)
    assert caught.value.maybe_accepted


async def test_secrets_and_quoted_data_stay_out_of_reasons(mensatek, dmds, api):
    leak = f"token demo-token key {DMDS.apikey.get_secret_value()} data {'QUJD' * 40}"
    api.will_answer(json.dumps({"Res": -7, "Error": leak}))
    (told,) = await _send(mensatek, MENSATEK)
    assert "demo-token" not in told.reason
    assert "QUJDQUJD" not in told.reason
    api.will_answer(json.dumps({"status": "err", "on": leak}))
    (told,) = await _send(dmds, DMDS)
    assert "0123456789abcdef" not in told.reason
    assert "QUJDQUJD" not in told.reason


@pytest.mark.parametrize(
    ("status", "body", "verdict", "detail"),
    [
        (200, '{"Res":1,"Cred":"14970,00"}', Verdict.VALID, "credit: 14970,00"),
        (200, "Res:1;Cred:14970,00;", Verdict.VALID, "credit: 14970,00"),
        (200, '[{"Saldo":3}]', Verdict.VALID, "credit: 3"),
        (200, '{"Res":"0"}', Verdict.VALID, ""),
        (200, '{"Res":-1}', Verdict.INVALID, "Res -1, wrong API User or API Token"),
        (200, "-1", Verdict.INVALID, "Res -1, wrong API User or API Token"),
        (401, "", Verdict.INVALID, "HTTP 401"),
        (403, '{"Res":1}', Verdict.INVALID, "HTTP 403"),
        (200, '{"Res":-9,"Error":"demo-token?"}', Verdict.UNKNOWN, "Res -9 ***?"),
        (200, "<html>", Verdict.UNKNOWN, "HTTP 200 with an answer that says nothing"),
        (500, '{"Res":1}', Verdict.UNKNOWN, "HTTP 500 with an answer that says nothing"),
        (404, "", Verdict.UNKNOWN, "HTTP 404 with an answer that says nothing"),
    ],
)
async def test_mensatek_credentials_are_checked_by_asking_for_credits(mensatek, api, status, body, verdict, detail):
    api.will_answer(body, status=status)
    verification = await mensatek.verify(MENSATEK)
    assert (verdict, detail) == (verification.verdict, verification.detail)
    assert ("POST", "/v7/GetCreditos", {"Resp": "JSON"}) == (
        api.heard[0].method,
        api.heard[0].path,
        json.loads(api.heard[0].body),
    )


@pytest.mark.parametrize(("user", "token"), [("a:b", "t"), ("a", "t\r\nX: y"), ("a\x00", "t")])
async def test_mensatek_credentials_that_cannot_be_are_never_sent(mensatek, api, user, token):
    impossible = MensatekCredentials(user, SecretStr(token))
    assert Verdict.INVALID is (await mensatek.verify(impossible)).verdict
    (told,) = await _send(mensatek, impossible)
    assert Blame.ACCOUNT is told.blame
    assert [] == api.heard


# --- DMDS ---


async def test_dmds_is_called_as_documented(dmds, api):
    api.will_answer(json.dumps({"status": "ok", "sent": 1, "eeid": _EEID}))
    assert [Accepted("", _EEID)] == await _send(dmds, DMDS)
    (heard,) = api.heard
    assert ("POST", "/acme/v1/envio/send_many_inline/") == (heard.method, heard.path)
    assert "0123456789abcdef-key" == heard.headers["Authorization"]
    assert "application/json" == heard.headers["Accept"]
    assert 14 == json.loads(heard.body)["campana_id"]
    assert "eeid" not in json.loads(heard.body)


async def test_a_dmds_call_joins_the_batch_of_an_earlier_one(dmds, api):
    api.will_answer(json.dumps({"status": "ok", "sent": 1, "eeid": _EEID}))
    await _send(dmds, DMDS, batch_id=_EEID)
    document = json.loads(api.heard[0].body)
    assert (True, _EEID) == (document["reuse_eeid"], document["eeid"])


async def test_a_batch_in_the_document_is_left_alone(dmds, api):
    api.will_answer(json.dumps({"status": "ok", "sent": 1, "eeid": "own"}))
    call = dmds.plan(content(), brief(people(1), DMDS, batch_id="own")).calls[0]
    await dmds.send(call, DMDS, batch_id="other")
    assert "own" == json.loads(api.heard[0].body)["eeid"]


async def test_an_error_that_repeats_the_batch_we_asked_for_tells_of_no_mail(dmds, api):
    for eeid, kind in ((_EEID, Refused), ("another", Deferred)):
        api.will_answer(json.dumps({"status": "err", "on": "falta html", "eeid": eeid}))
        (outcome,) = await _send(dmds, DMDS, batch_id=_EEID)
        assert isinstance(outcome, kind)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"status": "ok", "sent": 2, "eeid": _EEID}, Accepted("", _EEID)),
        ({"status": "OK", "sent": "2", "EEID": _EEID}, Accepted("", _EEID)),
        ({"status": "ok", "sent": 1, "eeid": _EEID}, Accepted("", _EEID, "the provider counted 1 of 2", 1)),
        ({"status": "ok", "sent": 4, "eeid": _EEID}, Accepted("", _EEID, "the provider counted 4 of 2", 4)),
        ({"status": "ok", "eeid": _EEID}, Accepted("", _EEID, "the provider did not count what it sent")),
        ({"status": "ok", "sent": -1, "eeid": _EEID}, Accepted("", _EEID, "the provider did not count what it sent")),
        ({"status": "ok", "sent": True, "eeid": _EEID}, Accepted("", _EEID, "the provider did not count what it sent")),
        ({"status": "ok", "sent": 2}, Deferred("the provider said ok without an eeid", maybe_accepted=True)),
        (
            {"status": "ok", "sent": 2, "eeid": None},
            Deferred("the provider said ok without an eeid", maybe_accepted=True),
        ),
        (
            {"status": "ok", "sent": 0, "eeid": _EEID},
            Deferred("the provider counted 0 of 2 as sent; a contact may be marked invalid there"),
        ),
    ],
)
async def test_the_count_of_a_success_is_compared(dmds, api, answer, expected):
    api.will_answer(json.dumps(answer))
    assert [expected] * 2 == await _send(dmds, DMDS, to=2)


@pytest.mark.parametrize(
    ("status", "body", "kind", "blame", "maybe"),
    [
        (200, _REFUSAL, Refused, Blame.MESSAGE, False),
        (400, _REFUSAL, Refused, Blame.MESSAGE, False),
        (422, _REFUSAL, Refused, Blame.MESSAGE, False),
        (400, '{"status":"err","on":"algo raro"}', Refused, Blame.MESSAGE, False),
        (400, '{"status":"err","on":"apikey incorrecta"}', Deferred, Blame.ACCOUNT, False),
        (400, '{"status":"err","on":"campaña inexistente"}', Deferred, Blame.ACCOUNT, False),
        (400, '{"status":"err","on":"error interno"}', Deferred, Blame.PROVIDER, False),
        (400, "<html>", Deferred, Blame.PROVIDER, False),
        (409, '{"status":"err","on":"falta html"}', Refused, Blame.MESSAGE, False),
        (409, '{"status":"err","on":"algo raro"}', Deferred, Blame.PROVIDER, False),
        (200, '{"status":"err","on":"algo raro"}', Deferred, Blame.PROVIDER, True),
        (200, '{"status":"err"}', Deferred, Blame.PROVIDER, True),
        (200, '{"status":"err","on":"internal error, timeout"}', Deferred, Blame.PROVIDER, True),
        (200, '{"status":"err","on":"no se pudo enviar el email"}', Deferred, Blame.PROVIDER, True),
        (200, '{"status":"err","on":"falta html"}', Refused, Blame.MESSAGE, False),
        (200, '{"status":"err","on":"sin credito"}', Deferred, Blame.ACCOUNT, False),
        (400, '{"status":"err","on":"no se pudo enviar el email"}', Refused, Blame.MESSAGE, False),
        (200, '{"status":"error","msg":"licencia de archiving"}', Deferred, Blame.ACCOUNT, False),
        (401, "", Deferred, Blame.ACCOUNT, False),
        (402, "", Deferred, Blame.ACCOUNT, False),
        (403, '{"status":"err","on":"invalid email"}', Deferred, Blame.ACCOUNT, False),
        (404, _REFUSAL, Deferred, Blame.ACCOUNT, False),
        (413, "<html>", Refused, Blame.MESSAGE, False),
        (413, _REFUSAL, Refused, Blame.MESSAGE, False),
        (408, "", Deferred, Blame.PROVIDER, False),
        (425, "", Deferred, Blame.PROVIDER, False),
        (429, _REFUSAL, Deferred, Blame.PROVIDER, False),
        (503, _REFUSAL, Deferred, Blame.PROVIDER, False),
        (500, _REFUSAL, Deferred, Blame.PROVIDER, True),
        (502, '{"status":"ok","sent":1,"eeid":"x"}', Deferred, Blame.PROVIDER, True),
        (504, "", Deferred, Blame.PROVIDER, True),
        (307, "", Deferred, Blame.PROVIDER, False),
    ],
)
async def test_each_refusal_of_dmds(dmds, api, status, body, kind, blame, maybe):
    api.will_answer(body, status=status, Retry_After="30")
    for outcome in await _send(dmds, DMDS, to=2):
        assert isinstance(outcome, kind), outcome
        assert blame is outcome.blame
        assert maybe is getattr(outcome, "maybe_accepted", False)
        if status in {408, 425, 429, 503}:
            assert 30.0 == outcome.retry_after_seconds


@pytest.mark.parametrize(
    "words", ["invalid email to2@example.com", "El contacto TO2@example.com, no es un email", "<to2@example.com>"]
)
async def test_bad_data_that_names_one_recipient_refuses_only_that_one(dmds, api, words):
    """One bad address must not take the mail away from all others."""
    api.will_answer(json.dumps({"status": "err", "on": words}), status=400)
    first, second, third = await _send(dmds, DMDS, to=3)
    for waiting in (first, third):
        assert isinstance(waiting, Deferred)
        assert (False, 1.0, Blame.MESSAGE) == (waiting.maybe_accepted, waiting.retry_after_seconds, waiting.blame)
    assert isinstance(second, Refused)
    assert Replies.NO_SUCH_RECIPIENT == second.reply


@pytest.mark.parametrize(
    "words",
    ["invalid email xto1@example.com", "invalid email to1@example.com-x", "invalid email to1@example.com.example"],
)
async def test_an_address_within_a_longer_one_is_not_named(dmds, api, words):
    api.will_answer(json.dumps({"status": "err", "on": words}), status=400)
    assert [True, True] == [outcome.somebody_in_call for outcome in await _send(dmds, DMDS, to=2)]


@pytest.mark.parametrize("body", ["", "ok", "<html>", "[]", "{}", '{"status":"maybe"}', '{"status":1}'])
async def test_a_success_of_dmds_that_nobody_can_read_is_silence(dmds, api, body):
    api.will_answer(body)
    with pytest.raises(ProviderError, match="nobody can read") as caught:
        await _send(dmds, DMDS)
    assert caught.value.maybe_accepted


@pytest.mark.parametrize(
    ("status", "body", "verdict"),
    [
        (200, '{"status":"ok","campanias":[{"numid":14}]}', Verdict.VALID),
        (200, '[{"numid":14}]', Verdict.VALID),
        (200, '{"campania":{"numid":14}}', Verdict.VALID),
        (200, '{"status":"ok"}', Verdict.VALID),
        (200, '{"status":"ok","campanias":[]}', Verdict.INVALID),
        (200, '{"status":"ok","campanias":[{"numid":1},{"numid":22}]}', Verdict.INVALID),
        (200, '{"status":"err","campanias":[]}', Verdict.UNKNOWN),
        (404, '{"status":"err","on":"campaña inexistente"}', Verdict.UNKNOWN),
        (500, '{"status":"ok","campanias":[]}', Verdict.UNKNOWN),
        (200, '{"status":"err","on":"?"}', Verdict.UNKNOWN),
        (200, "<html>", Verdict.UNKNOWN),
        (200, "", Verdict.UNKNOWN),
        (401, "", Verdict.INVALID),
        (403, '{"status":"err","on":"apikey"}', Verdict.INVALID),
        (400, '{"status":"err","on":"numid"}', Verdict.UNKNOWN),
        (429, "", Verdict.UNKNOWN),
        (500, '{"status":"ok"}', Verdict.UNKNOWN),
    ],
)
async def test_dmds_credentials_are_checked_by_asking_for_the_campaign(dmds, api, status, body, verdict):
    api.will_answer(body, status=status)
    assert verdict is (await dmds.verify(DMDS)).verdict
    (heard,) = api.heard
    assert ("GET", "/acme/v1/campania/") == (heard.method, heard.path)
    assert {"tipo": "api", "numid": 14} == json.loads(heard.body)


async def test_a_right_key_with_a_campaign_that_does_not_exist_is_told_as_such(dmds, api):
    api.will_answer('{"status":"ok","campanias":[]}')
    assert "the APIKEY is right but knows no campaign 14" == (await dmds.verify(DMDS)).detail


@pytest.mark.parametrize("missing", [404, 405])
@pytest.mark.parametrize(
    ("answers", "verdict"),
    [
        ([(403, "")], Verdict.INVALID),
        ([(404, "")], Verdict.UNKNOWN),
        ([(200, '{"status":"ok","version":"1.5"}'), (403, "")], Verdict.VALID),
        ([(200, '"1.5"'), (401, "")], Verdict.VALID),
        ([(200, '{"status":"ok","version":"1.5"}'), (200, '{"status":"ok"}')], Verdict.UNKNOWN),
    ],
)
async def test_where_campaigns_cannot_be_listed_the_version_proves_a_key_only_if_guarded(
    dmds, api, missing, answers, verdict
):
    """A version that is told to anybody would make every login right."""
    api.will_answer("", status=missing)
    for status, body in answers:
        api.will_answer(body, status=status)
    assert verdict is (await dmds.verify(DMDS)).verdict
    assert "/acme/v1/version/" == api.heard[1].path
    if len(answers) == 2:
        assert "Authorization" not in api.heard[2].headers


async def test_an_api_that_does_not_answer_says_nothing_of_credentials(http, unused_tcp_port):
    url = f"http://127.0.0.1:{unused_tcp_port}"
    for provider, credentials in (
        (MensatekProvider(MensatekSettings(url=url), http), MENSATEK),
        (DmdsProvider(DmdsSettings(url=url), http), DMDS),
    ):
        verification = await provider.verify(credentials)
        assert Verdict.UNKNOWN is verification.verdict
        assert "could not connect" in verification.detail


@pytest.mark.parametrize(
    ("dmdsid", "apikey"),
    [
        ("acme.evil.example/", "k"),
        ("ACME", "k"),
        ("a@evil", "k"),
        ("-acme", "k"),
        ("", "k"),
        ("a" * 64, "k"),
        ("acme\n", "k"),
        ("acme", ""),
        ("acme", "k\r\nX: y"),
        ("acme", "kéy"),
    ],
)
async def test_dmds_credentials_that_cannot_be_are_never_sent(dmds, api, dmdsid, apikey):
    impossible = DmdsCredentials(dmdsid, 14, SecretStr(apikey))
    assert Verdict.INVALID is (await dmds.verify(impossible)).verdict
    (told,) = await _send(dmds, impossible)
    assert (Blame.ACCOUNT, False) == (told.blame, told.maybe_accepted)
    assert [] == api.heard


async def test_each_provider_wants_its_own_credentials(mensatek, dmds):
    with pytest.raises(TypeError):
        await mensatek.verify(DMDS)
    with pytest.raises(TypeError):
        await dmds.verify(MENSATEK)
