"""What Mensatek refuses, and in which words."""

import pytest
from sandbox_caller import basic, calling, email, without

REFUSED = [
    (without(email(), "Emailremitente"), "You might include parameter EMAILREMITENTE (STRING type)"),
    (without(email(), "Asunto"), "You might include parameter ASUNTO (STRING type)"),
    (without(email(), "Mensaje"), "You might include parameter MENSAJE (STRING type)"),
    (without(email(), "Destinatarios"), "You might include parameter DESTINATARIOS (ARRAY type)"),
    (email(Asunto=""), "You might include parameter ASUNTO (STRING type)"),
    (email(Destinatarios=[]), "You might include parameter DESTINATARIOS (ARRAY type)"),
    (email(Destinatarios=""), "You might include parameter DESTINATARIOS (ARRAY type)"),
    (email(Destinatarios=[None]), "You might include parameter DESTINATARIOS (ARRAY type)"),
    (email(Destinatarios=[{}]), "You might include parameter DESTINATARIOS[0][EMAIL] (STRING type)"),
    (email(Destinatarios={"Email": "a@example.net"}), "DESTINATARIOS should be of type ARRAY"),
    (email(Destinatarios=["a@example.net"]), "DESTINATARIOS[0] should be of type ARRAY"),
    (email(Destinatarios="[{]"), "DESTINATARIOS should be of type ARRAY (not JSON, at 2)"),
    (email(Asunto=7), "ASUNTO should be of type STRING"),
    (email(Emailremitente="nobody"), "EMAILREMITENTE should be a valid email"),
    (email(Replyto="a@b@example.org"), "REPLYTO should be a valid email"),
    (email(Plantilla="abc"), "PLANTILLA should be of type INTEGER"),
    (email(Seguimientoclicks=True), "SEGUIMIENTOCLICKS should be of type INTEGER"),
    (email(Report=2), "REPORT should be 0 or 1"),
    (email(Fecha="2022-05-01T15:10"), "FECHA should have the format YYYY-MM-DD HH:MM"),
    (
        email(Intervaloprohibido=[{"HoraInicio": "22:00"}]),
        "You might include parameter INTERVALOPROHIBIDO[0][HORAFIN] (STRING type)",
    ),
    (email(Adjuntos=[{"Contenido": "aGk="}]), "You might include parameter ADJUNTOS[0][NOMBRE] (STRING type)"),
    (email(Adjuntos=[{"Nombre": "a"}]), "You might include parameter ADJUNTOS[0][CONTENIDO] (STRING type)"),
    (email(Adjuntos=[{"Nombre": "a", "Contenido": "aG k="}]), "ADJUNTOS[0][CONTENIDO] should be encoded in base64"),
    (email(Adjuntos=[{"Nombre": "a", "Contenido": "aGk"}]), "ADJUNTOS[0][CONTENIDO] should be encoded in base64"),
    (email(Adjuntos=[{"Nombre": "a", "Contenido": "ñ"}]), "ADJUNTOS[0][CONTENIDO] should be encoded in base64"),
]


@pytest.mark.parametrize(("document", "error"), REFUSED, ids=[error for _, error in REFUSED])
async def test_wrong_data_is_res_3_with_its_name(caller, document, error):
    assert {"Res": "-3", "Error": error} == await caller.mensatek(document)
    assert () == caller.world.mails
    assert error == caller.world.calls[0].error
    assert 200 == caller.world.calls[0].status


async def test_an_unknown_answer_format_is_res_3(caller):
    assert {"Res": "-3", "Error": "RESP should be one of TXT, JSON, XML"} == await caller.mensatek(email(Resp="YAML"))


@pytest.mark.parametrize(
    "login",
    ["demo-user:wrong", "nobody:demo-token", "demo-user", ":", "demo-user:demo-token:more", "démo-user:demo-tokén"],
)
async def test_wrong_credentials_are_http_200_and_res_1(caller, login):
    assert {"Res": "-1"} == await caller.mensatek(email(), login=login)
    assert () == caller.world.mails


@pytest.mark.parametrize("authorization", ["", "Bearer demo-token", "Basic", "Basic ***", "Basic /w==", "demo-token"])
async def test_what_is_no_basic_authorization_is_res_1(caller, authorization):
    url = f"{caller.sandbox.mensatek_url}/EnviarEMAIL"
    status, body, _ = await caller.request("POST", url, json=email(), headers={"Authorization": authorization})
    assert (200, b'[{"Res":"-1"}]') == (status, body)
    assert "" == caller.world.calls[0].user


async def test_without_resp_the_answer_is_a_bare_number(caller):
    bare = without(email(), "Resp")
    assert -1 == await caller.mensatek(bare, login="demo-user:wrong")
    assert 1 == await caller.mensatek(bare)
    assert "14969,00" == await caller.mensatek({}, function="GetCreditos")


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff", b'{"a": NaN}'])
async def test_what_is_no_json_object_is_refused(caller, body):
    headers = {**basic("demo-user:demo-token"), "Content-Type": "application/json"}
    status, answer, _ = await caller.request(
        "POST", f"{caller.sandbox.mensatek_url}/EnviarEMAIL", data=body, headers=headers
    )
    assert (200, b"-3") == (status, answer)


@pytest.mark.parametrize("body", [b"Resp=JSON&Asunto", b"Resp=JSON&Asunto=%FF", b"Resp=\xff"])
async def test_a_broken_form_is_refused(caller, body):
    headers = {**basic("demo-user:demo-token"), "Content-Type": "application/x-www-form-urlencoded"}
    _, answer, _ = await caller.request(
        "POST", f"{caller.sandbox.mensatek_url}/EnviarEMAIL", data=body, headers=headers
    )
    assert b"-3" == answer


@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", "EnviarEMAIL", 405), ("PUT", "EnviarEMAIL", 405), ("POST", "Nada", 404)]
)
async def test_only_post_and_only_known_functions(caller, method, path, status):
    headers = basic("demo-user:demo-token")
    got, _, _ = await caller.request(method, f"{caller.sandbox.mensatek_url}/{path}", json=email(), headers=headers)
    assert status == got == caller.world.calls[0].status


async def test_another_version_is_not_there(caller):
    status, _, _ = await caller.request("POST", f"{caller.sandbox.url}/mensatek/v5/EnviarEMAIL", json=email())
    assert 404 == status


async def test_names_of_exactly_the_limit_pass_and_longer_ones_do_not():
    async with calling(attachment_name_limit=20, recipient_name_limit=20) as caller:

        def document(name, file):
            return email(
                Destinatarios=[{"Nombre": name, "Email": "ana@example.net"}],
                Adjuntos=[{"Nombre": file, "Contenido": "aGk="}],
            )

        assert "1" == (await caller.mensatek(document("n" * 20, "f" * 20)))["Res"]
        too_long = await caller.mensatek(document("n", "f" * 21))
        assert "ADJUNTOS[0][NOMBRE] should have a length lower than 20" == too_long["Error"]
        too_long = await caller.mensatek(document("n" * 21, "f"))
        assert "DESTINATARIOS[0][NOMBRE] should have a length lower than 20" == too_long["Error"]


async def test_attachments_of_a_refused_kind_are_res_4():
    async with calling(refused_extensions=frozenset({".exe"})) as caller:
        answer = await caller.mensatek(
            email(Adjuntos=[{"Nombre": "Setup.EXE", "Contenido": ""}, {"Nombre": "a.txt", "Contenido": "aGk="}])
        )
        assert {"Res": "-4", "Error": "ADJUNTOS[0][NOMBRE] is not allowed"} == answer
