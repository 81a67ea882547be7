"""Every shape in which Mensatek was seen to answer, literally."""

import pytest
from sandbox_caller import basic, calling, email

DUPLICATED = email("ana@example.net", "bad", "ana@example.net")


async def raw(caller, document, function="EnviarEMAIL"):
    url = f"{caller.sandbox.mensatek_url}/{function}"
    _, body, headers = await caller.request("POST", url, json=document, headers=basic("demo-user:demo-token"))
    ids = [id_ for mail in caller.world.mails for id_ in (mail.batch_id, mail.message_id)]
    text = body.decode()
    for name, id_ in zip(("<batch>", "<id>"), ids, strict=False):
        text = text.replace(id_, name)
    return text, headers["Content-Type"]


CONTENT_TYPES = {"xml": "text/xml", "txt": "text/plain"}
SENT = {
    "document": (
        r'[{"Res":"1","idEnvio":"<batch>","Destinatarios":"3","Enviados":"[{\"Email\":\"ana@example.net\",\"idMensaje\":\"<id>\"}]",'
        r'"NoEnviados":"[{\"Nombre\":\"\",\"Email\":\"bad\"}]","Duplicados":"1"}]'
    ),
    "object": (
        '{"Res":1,"idEnvio":<batch>,"Destinatarios":3,"Enviados":[{"Email":"ana@example.net","idMensaje":"<id>"}],'
        '"NoEnviados":[{"Nombre":"","Email":"bad"}],"Duplicados":1}'
    ),
    "counts": (
        '{"Res":1,"idEnvio":<batch>,"Destinatarios":[{"Email":"ana@example.net","IdMensaje":"<id>"}],'
        '"Enviados":1,"NoEnviados":1,"Duplicados":1}'
    ),
    "xml": (
        "<result><Res>1</Res><idEnvio><batch></idEnvio><Destinatarios><item0><EMAIL>ana@example.net</EMAIL>"
        "<IDMENSAJE><id></IDMENSAJE></item0></Destinatarios><Enviados>1</Enviados><NoEnviados>1</NoEnviados>"
        "<Duplicados>1</Duplicados></result>"
    ),
    "txt": "Res:1;Cred:14969,00;",
}
REFUSED = {
    "document": '[{"Res":"-3","Error":"ASUNTO should be of type STRING"}]',
    "object": '{"Res":-3,"Error":"ASUNTO should be of type STRING"}',
    "counts": '{"Res":-3,"Error":"ASUNTO should be of type STRING"}',
    "xml": "<result><Res>-3</Res><Error>ASUNTO should be of type STRING</Error></result>",
    "txt": "Res:-3;Error:ASUNTO should be of type STRING;",
}
CREDITS = {
    "document": '[{"Res":"1","Cred":"14970,00"}]',
    "object": '{"Res":1,"Cred":14970.0}',
    "counts": '{"Saldo":"14970,00"}',
    "xml": "<result><Res>1</Res><Cred>14970,00</Cred></result>",
    "txt": "Res:1;Cred:14970,00;",
}


@pytest.mark.parametrize("shape", SENT)
async def test_a_send_in_every_shape(caller, shape):
    assert 200 == (await caller.control("POST", "sandbox/answers", {"api": "mensatek", "shape": shape}))[0]
    text, content_type = await raw(caller, DUPLICATED)
    assert SENT[shape] == text
    assert CONTENT_TYPES.get(shape, "application/json") == content_type


@pytest.mark.parametrize("shape", REFUSED)
async def test_a_refusal_in_every_shape(caller, shape):
    caller.world.choose_shape("mensatek", shape)
    assert REFUSED[shape] == (await raw(caller, email(Asunto=1)))[0]


@pytest.mark.parametrize("shape", CREDITS)
async def test_the_balance_in_every_shape(shape):
    async with calling(mensatek_shape=shape) as caller:
        assert CREDITS[shape] == (await raw(caller, {"Resp": "JSON"}, "GetCreditos"))[0]


@pytest.mark.parametrize(("asked", "expected"), [("XML", "xml"), ("TXT", "txt"), ("json", "counts")])
async def test_resp_chooses_the_format_and_the_sandbox_the_shape(caller, asked, expected):
    caller.world.choose_shape("mensatek", "counts")
    assert SENT[expected] == (await raw(caller, {**DUPLICATED, "Resp": asked}))[0]
