"""The clients against the sandbox, which knows the vendors' documents and nothing of us."""

import itertools

import pytest
from provider_cases import attachment, brief, content, image, people
from pydantic import SecretStr

from relay.config.settings import DmdsSettings, MensatekSettings
from relay.message import Mailbox, Recipient, Role
from relay.outcome import Accepted, Blame, Deferred, Refused
from relay.powers import Powers
from relay.providers.contract import DmdsCredentials, MensatekCredentials, Verdict
from relay.providers.dmds import DmdsProvider
from relay.providers.mensatek import MensatekProvider
from relay.sandbox import Sandbox, SandboxOptions

_MENSATEK = MensatekCredentials("demo-user", SecretStr("demo-token"))
_DMDS = DmdsCredentials("demo", 12345, SecretStr("demo-apikey"))
_KINDS = {"mensatek": _MENSATEK, "dmds": _DMDS}


@pytest.fixture
async def sandbox():
    async with Sandbox(SandboxOptions(port=0)) as running:
        yield running


@pytest.fixture
def providers(sandbox, http):
    return {
        "mensatek": MensatekProvider(MensatekSettings(url=sandbox.mensatek_url), http),
        "dmds": DmdsProvider(DmdsSettings(url=sandbox.dmds_url), http),
    }


async def _deliver(provider, credentials, mail, who, **options):
    """Make all calls of a plan, sharing a batch as the delivery room does."""
    outcomes, batch = {}, ""
    for call in provider.plan(mail, brief(who, credentials, **options)).calls:
        said = await provider.send(call, credentials, batch_id=batch)
        outcomes |= said
        batch = batch or next((each.provider_batch_id for each in said.values() if isinstance(each, Accepted)), "")
    return outcomes


@pytest.mark.parametrize("kind", _KINDS)
@pytest.mark.parametrize("limit", [1, 2, 3, 100])
@pytest.mark.parametrize("mode", ["together", "individual"])
async def test_one_copy_each_to_each_and_bcc_is_blind_for_any_envelope(sandbox, providers, kind, limit, mode):
    for counts in itertools.product(range(3), range(3), range(3)):
        if not any(counts):
            continue
        before = len(sandbox.world.mails)
        who = people(*counts)
        outcomes = await _deliver(
            providers[kind], _KINDS[kind], content(), who, recipients=mode, recipients_per_call=limit
        )
        assert [Accepted] * len(who) == [type(outcomes[each.key]) for each in who]
        mails = sandbox.world.mails[before:]
        assert sorted(each.address for each in who) == sorted(mail.mailbox for mail in mails)
        for mail in mails:
            seen = {each.email for each in mail.to + mail.cc} - {mail.mailbox}
            assert not any(address.startswith("bcc") for address in seen)
            assert not (seen and (mode == "individual" or kind == "mensatek"))
        if kind == "dmds":
            assert 1 == len({mail.batch_id for mail in mails})


@pytest.mark.parametrize("kind", _KINDS)
async def test_content_arrives_whole(sandbox, providers, kind):
    mail = content(
        reply_to=Mailbox("help@example.org"),
        subject="Ñandú ### \N{SNOWMAN}",
        html='<p>###x### &amp; <img src="cid:logo"></p>',
        inline_images=(image("logo"),),
        attachments=(attachment("informe ñ.pdf", bytes(range(256)) * 5000),),
    )
    await _deliver(providers[kind], _KINDS[kind], mail, people(1))
    (seen,) = sandbox.world.mails
    assert ("ana@example.org", "Ana Ruiz", "help@example.org") == (seen.sender, seen.from_name, seen.reply_to)
    assert mail.subject == seen.subject.replace("\N{WORD JOINER}", "")
    assert '<img src="data:image/png;base64,iVBORw==">' in seen.html
    assert "x" in seen.html.replace("#&#35;#", "###")
    (file,) = seen.attachments
    assert ("informe ñ.pdf", 1_280_000) == (file.name, file.size)


@pytest.mark.parametrize("shape", ["document", "object", "counts", "xml", "txt"])
async def test_every_shape_of_mensateks_answers_is_understood(sandbox, providers, shape):
    sandbox.world.choose_shape("mensatek", shape)
    outcomes = await _deliver(providers["mensatek"], _MENSATEK, content(), people(2, 1))
    assert [Accepted] * 3 == [type(outcome) for outcome in outcomes.values()]
    assert 3 == len(sandbox.world.mails)
    assert Verdict.VALID is (await providers["mensatek"].verify(_MENSATEK)).verdict


async def test_mensatek_gets_its_powers(sandbox, providers):
    powers = Powers(
        reference="R7", recipient_references={"": "P1"}, variables={"": {"mes": "julio"}}, track_opens=False
    )
    await _deliver(providers["mensatek"], _MENSATEK, content(subject="En ###mes###"), people(1), powers=powers)
    (seen,) = sandbox.world.mails
    assert ("En julio", "R7", "P1") == (seen.subject, seen.reference, seen.recipient_reference)


async def test_the_sandbox_doubts_exactly_what_our_tables_mark_as_unproven(sandbox, providers):
    mail = content(reply_to=Mailbox("help@example.org"), attachments=(attachment("a.pdf"),))
    powers = Powers(variables={"": {"a": "b"}}, archive=True, recipient_references={"": "r"})
    for kind, credentials in _KINDS.items():
        await _deliver(providers[kind], credentials, mail, people(1, 1, 1), powers=powers)
    doubted = {call.api: {remark for remark in call.remarks if "key" in remark} for call in sandbox.world.calls}
    assert {
        "mensatek": {
            "assumed key: Adjuntos[].Nombre",
            "assumed key: Adjuntos[].Contenido",
            "unknown key: Destinatarios[].Referencia",
        },
        "dmds": {
            "assumed key: asunto",
            "assumed key: remitente",
            "assumed key: remitenteNombre",
            "assumed key: contactos[].tags",
            "unknown key: adjuntos",
            "unknown key: adjuntos[].nombre",
            "unknown key: adjuntos[].contenido",
        },
    } == doubted


@pytest.mark.parametrize(
    ("kind", "wrong"),
    [
        ("mensatek", MensatekCredentials("demo-user", SecretStr("wrong"))),
        ("mensatek", MensatekCredentials("nobody", SecretStr("demo-token"))),
        ("dmds", DmdsCredentials("demo", 12345, SecretStr("wrong"))),
    ],
)
async def test_wrong_credentials_are_seen_as_such(sandbox, providers, kind, wrong):
    assert Verdict.INVALID is (await providers[kind].verify(wrong)).verdict
    (outcome,) = (await _deliver(providers[kind], wrong, content(), people(1))).values()
    assert isinstance(outcome, Deferred)
    assert (Blame.ACCOUNT, False) == (outcome.blame, outcome.maybe_accepted)
    assert () == sandbox.world.mails


async def test_a_right_key_does_not_open_a_campaign_that_is_not_there(providers):
    verification = await providers["dmds"].verify(DmdsCredentials("demo", 99999, SecretStr("demo-apikey")))
    assert (Verdict.INVALID, "the APIKEY is right but knows no campaign 99999") == (
        verification.verdict,
        verification.detail,
    )


async def test_right_credentials_are_seen_as_such(providers):
    for kind, credentials in _KINDS.items():
        assert Verdict.VALID is (await providers[kind].verify(credentials)).verdict


@pytest.mark.parametrize("kind", _KINDS)
async def test_a_bad_address_does_not_take_the_mail_from_the_others(sandbox, providers, kind):
    good, bad = people(1)[0], Recipient("not an address", Role.CC)
    outcomes = await _deliver(providers[kind], _KINDS[kind], content(), (good, bad))
    assert isinstance(outcomes[bad.key], Refused)
    if isinstance(outcomes[good.key], Deferred):
        assert not outcomes[good.key].maybe_accepted
        outcomes = await _deliver(providers[kind], _KINDS[kind], content(), (good,))
    assert isinstance(outcomes[good.key], Accepted)
    assert [good.address] == [mail.mailbox for mail in sandbox.world.mails]
