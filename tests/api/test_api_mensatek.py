"""EnviarEMAIL by the client, on the sandbox: every parameter, every form and shape of answers."""

from datetime import UTC, datetime

import pytest
from pydantic import SecretStr

from relay.config.settings import MensatekSettings
from relay.errors import ApiRefused, ConfigError, ProviderError
from relay.powers import QuietHours
from relay.providers.mensatek import MensatekClient
from relay.providers.mensatek.answers import Entry
from relay.providers.mensatek.api.values import File, Order, Recipient
from relay.sandbox.faults import CutAfter, Partial, Res, Status
from relay.sandbox.mensatek.wire import PARAMETERS

ANA = Recipient("ana@example.net", "Ana", {"motivo": "Felicitarte"}, "A-1")
LUIS = Recipient("luis@example.net", "Luis", {"motivo": "Invitarte"})


@pytest.fixture
async def mensatek(sandbox):
    async with MensatekClient("demo-user", "demo-token", MensatekSettings(url=sandbox.mensatek_url)) as client:
        yield client


def order(*recipients, **more):
    return Order("app@example.org", recipients or (ANA,), "Hola", **{"html": "<p>Hola</p>", **more})


async def test_send(mensatek, world):
    sent = await mensatek.send(
        order(
            ANA,
            LUIS,
            sender_name="Ventas",
            reply_to="ventas@example.org",
            schedule=datetime(2030, 7, 1, 10, 0, tzinfo=UTC),
            quiet_hours=[QuietHours("22:00", "09:00")],
            attachments=[File("factura.pdf", b"%PDF-")],
            track_opens=False,
            track_clicks=True,
            list_unsubscribe="<mailto:off@example.org>",
            list_help="<https://example.org/help>",
            reference="campaign-1",
            report=False,
        )
    )
    ana, luis = world.mails
    assert [("ana@example.net", ana.message_id), ("luis@example.net", luis.message_id)] == [
        (each.email, each.message_id) for each in sent.sent
    ]
    assert (ana.batch_id, 2, (), 0) == (sent.send_id, sent.count, sent.not_sent, sent.duplicates)
    assert ("app@example.org", "Ventas", "ventas@example.org", "Hola", "<p>Hola</p>") == (
        ana.sender,
        ana.from_name,
        ana.reply_to,
        ana.subject,
        ana.html,
    )
    assert ("2030-07-01 12:00", "<mailto:off@example.org>", "<https://example.org/help>", "campaign-1", "A-1") == (
        ana.scheduled,
        ana.list_unsubscribe,
        ana.list_help,
        ana.reference,
        ana.recipient_reference,
    )
    assert [("factura.pdf", 5)] == [(file.name, file.size) for file in ana.attachments]
    document = world.calls[0].document
    assert (0, 1, 0) == tuple(document[name] for name in ("Seguimientoaperturas", "Seguimientoclicks", "Report"))
    assert [{"HoraInicio": "22:00", "HoraFin": "09:00", "Accion": "1"}] == document["Intervaloprohibido"]


async def test_every_documented_parameter_can_be_sent(mensatek, world):
    """What the sandbox knows as documented is what the client sends."""
    await mensatek.send(
        order(
            sender_name="x", reply_to="a@example.org", template=7, schedule=datetime.now(UTC),
            quiet_hours=[QuietHours("22:00", "09:00")], attachments=[File("a", b"")], track_opens=True,
            track_clicks=True, list_unsubscribe="x", list_help="x", reference="x", report=True,
        )
    )  # fmt: skip
    assert set(PARAMETERS) == set(world.calls[0].document)


async def test_what_is_not_said_is_not_sent(mensatek, world):
    await mensatek.send(order())
    assert {"Emailremitente", "Destinatarios", "Asunto", "Mensaje", "Resp"} == set(world.calls[0].document)


async def test_variables_are_filled_in_for_each(mensatek, world):
    await mensatek.send(Order("app@example.org", [ANA, LUIS], "###Nombre###", "<p>###Motivo###</p>"))
    assert [("Ana", "<p>Felicitarte</p>"), ("Luis", "<p>Invitarte</p>")] == [
        (mail.subject, mail.html) for mail in world.mails
    ]


async def test_a_template_needs_no_html(mensatek, world):
    await mensatek.send(order(ANA, html="", template=1234567))
    assert "1234567" == world.mails[0].template
    assert "Mensaje" not in world.calls[0].document


@pytest.mark.parametrize("shape", ["document", "object", "counts", "xml"])
async def test_answers_of_every_shape_are_read(mensatek, world, shape):
    world.choose_shape("mensatek", shape)
    sent = await mensatek.send(order(ANA, LUIS))
    assert [mail.message_id for mail in world.mails] == [each.message_id for each in sent.sent]
    assert (2, world.mails[0].batch_id) == (sent.count, sent.send_id)


@pytest.mark.parametrize(
    ("form", "count", "ids", "credit"), [("JSON", 1, 1, ""), ("XML", 1, 1, ""), ("TXT", None, 0, "14969,00")]
)
async def test_answers_in_every_form_are_read(mensatek, world, form, count, ids, credit):
    sent = await mensatek.send(order(), form=form)
    assert (1, count, ids, credit) == (sent.res, sent.count, len(sent.sent), sent.credit)
    assert form == world.calls[0].document["Resp"]


async def test_who_was_not_sent_to_and_who_stood_in_it_twice_is_told(mensatek, world):
    world.faults.add(Partial(api="mensatek", not_sent=("luis@example.net",)))
    sent = await mensatek.send(order(ANA, LUIS, ANA))
    assert (["ana@example.net"], (Entry("luis@example.net"),), 1) == (
        [each.email for each in sent.sent],
        sent.not_sent,
        sent.duplicates,
    )


async def test_credits(mensatek, world):
    assert "14970,00" == await mensatek.credits()
    for shape in ("object", "counts", "xml", "txt"):
        world.choose_shape("mensatek", shape)
        assert (await mensatek.credits()).startswith("14970")


@pytest.mark.parametrize(
    ("fault", "told", "is_login"),
    [
        (Res(api="mensatek", res=-1), "the credentials are refused (-1): the API gives no reason", True),
        (Res(api="mensatek", res=-3, error="ASUNTO is bad"), "refused (-3): ASUNTO is bad", False),
        (Res(api="mensatek", res=-99), "refused (-99): the API gives no reason", False),
        (Status(api="mensatek", status=403), "the credentials are refused (403): the API gives no reason", True),
        (Status(api="mensatek", status=404), "refused (404): the API gives no reason", False),
    ],
)
async def test_refusals(mensatek, world, fault, told, is_login):
    world.faults.add(fault)
    with pytest.raises(ApiRefused) as caught:
        await mensatek.send(order())
    assert (told, is_login) == (str(caught.value), caught.value.is_login)
    assert () == world.mails


@pytest.mark.parametrize(
    ("fault", "maybe"),
    [
        (CutAfter(api="mensatek"), True),
        (Status(api="mensatek", status=500), True),
        (Status(api="mensatek", status=503), False),
        (Status(api="mensatek", status=200, body="<html>", accept=True), True),
    ],
)
async def test_trouble_tells_whether_it_may_be_sent(mensatek, world, fault, maybe):
    world.faults.add(fault)
    with pytest.raises(ProviderError) as caught:
        await mensatek.send(order())
    assert maybe == caught.value.maybe_accepted


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"recipients": ()}, "needs a recipient"),
        ({"html": ""}, "needs HTML or a template"),
        ({"schedule": datetime(2030, 1, 1)}, "needs a time zone"),  # noqa: DTZ001 - that is what is wrong with it
    ],
)
async def test_what_cannot_be_sent_is_not_tried(mensatek, world, changes, why):
    whole = {"sender_email": "app@example.org", "recipients": [ANA], "subject": "x", "html": "x", **changes}
    with pytest.raises(ValueError, match=why):
        await mensatek.send(Order(**whole))
    assert () == world.calls


async def test_a_wrong_token_is_told_as_such_and_never_shown(sandbox):
    settings = MensatekSettings(url=sandbox.mensatek_url)
    async with MensatekClient("demo-user", SecretStr("wrong-token"), settings) as client:
        with pytest.raises(ApiRefused, match="the credentials are refused") as caught:
            await client.credits()
    assert "wrong-token" not in str(caught.value)


@pytest.mark.parametrize(("user", "token"), [("a:b", "t"), ("a", "t\r\nX: y")])
def test_credentials_that_no_request_can_hold_are_not_taken(user, token):
    with pytest.raises(ConfigError):
        MensatekClient(user, token)
