"""Whatever is posted gets an answer in the API's own words, and stands in the journal."""

import json

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sandbox_caller import basic, calling, email, send

from relay.sandbox.dmds.wire import SEND_KEYS
from relay.sandbox.mensatek.wire import PARAMETERS

MEMBERS = ["Email", "email", "EMAIL", "Nombre", "nombre", "Contenido", "contenido", "Variables", "Valor", "cc_email"]
MEMBERS += ["bcc_email", "HoraInicio"]
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(max_size=20)
    | st.sampled_from(["ana@example.net", "aGk=", "1", "true", '[{"Email":"b@example.net"}]', "2022-05-01 15:10"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(MEMBERS) | st.text(max_size=3),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)
HURRIED = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def changes(names):
    return st.lists(
        st.dictionaries(st.sampled_from([*names, "x", "EMAIL"]), VALUES, min_size=1, max_size=3),
        min_size=1,
        max_size=15,
    )


@HURRIED
@given(changes(PARAMETERS))
async def test_mensatek_answers_whatever_is_asked(tmp_path_factory, documents):
    async with calling(journal=tmp_path_factory.mktemp("robust") / "journal") as caller:
        for change in documents:
            body = json.dumps({**email(), **change})
            url = f"{caller.sandbox.mensatek_url}/EnviarEMAIL"
            headers = {**basic("demo-user:demo-token"), "Content-Type": "application/json"}
            status, answer, _ = await caller.request("POST", url, data=body, headers=headers)
            assert 200 == status, (change, answer)
        status, calls = await caller.control("GET", "sandbox/calls")
        assert (200, len(documents)) == (status, len(calls))
        assert 200 == (await caller.control("GET", ""))[0]


@HURRIED
@given(changes([*SEND_KEYS]))
async def test_dmds_answers_whatever_is_asked(tmp_path_factory, documents):
    async with calling(journal=tmp_path_factory.mktemp("robust") / "journal") as caller:
        for change in documents:
            for path in ("envio/send_many_inline/", "envio/send_one_inline/"):
                status, answer = await caller.dmds(path, {**send(), "contacto": {"email": "a@example.net"}, **change})
                assert (status, answer["status"]) in ((200, "ok"), (400, "err")), (change, answer)
        status, calls = await caller.control("GET", "sandbox/calls")
        assert (200, 2 * len(documents)) == (status, len(calls))
        assert 200 == (await caller.control("GET", ""))[0]


async def test_what_is_nested_without_end_is_refused(caller):
    deep = json.loads("[" * 400 + "]" * 400)
    assert "nested too deeply" in (await caller.mensatek(email(x=deep)))["Error"]
    assert (400, {"status": "err", "on": "nested too deeply"}) == await caller.dmds(
        "envio/send_many_inline/", send(x=deep)
    )
    assert 200 == (await caller.control("GET", "sandbox/calls"))[0]
