"""Every documented and seen shape of an answer, and what each means for each recipient."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from provider_cases import people

from relay.message import Recipient, Role
from relay.outcome import Accepted, Blame, Deferred, Refused, Replies
from relay.providers.judge import Unsaid
from relay.providers.mensatek.answers import Entry, MensatekAnswer, Tally, read_answer
from relay.providers.mensatek.outcomes import outcomes_of

_A, _B = "to1@example.com", "to2@example.com"
_DOCUMENTED = """[{"Res": "10", "Error": "Required parameter missing", "idEnvio": "1228853777", "Destinatarios": "2",
 "Enviados": "[{\\"Email\\": \\"to1@example.com\\",\\"idMensaje\\": \\"108366478\\"}]",
 "NoEnviados": "[{\\"Nombre\\": \\"Ana Gonzalez\\",\\"Email\\": \\"to2@example.com\\"}]", "Duplicados": "0"}]"""


def _outcomes(body: str | bytes | dict | list, to: int = 2):
    text = body if isinstance(body, str | bytes) else json.dumps(body)
    answer = read_answer(text.encode() if isinstance(text, str) else text)
    assert answer is not None
    return list(outcomes_of(answer, people(to=to), Unsaid()).values())


def _lists(res=1, sent=(), not_sent=(), **more):
    return {
        "Res": res,
        "idEnvio": 7,
        "Enviados": [{"Email": email, "idMensaje": 100 + number} for number, email in enumerate(sent)],
        "NoEnviados": [{"Email": email} for email in not_sent],
        **more,
    }


def test_the_documented_sample_is_read_whole():
    assert MensatekAnswer(
        res=10,
        error="Required parameter missing",
        send_id="1228853777",
        recipients=Tally(count=2),
        sent=Tally(entries=(Entry(_A, "108366478"),)),
        not_sent=Tally(entries=(Entry(_B),)),
    ) == read_answer(_DOCUMENTED.encode())
    accepted, refused = _outcomes(_DOCUMENTED)
    assert Accepted("108366478", "1228853777") == accepted
    assert isinstance(refused, Refused)
    assert Replies.NO_SUCH_RECIPIENT == refused.reply


@pytest.mark.parametrize(
    ("shape", "body"),
    [
        ("bare object, real numbers", _lists(2, [_A, _B])),
        ("array of one", [_lists(2, [_A, _B])]),
        ("all strings", {key: json.dumps(value) for key, value in _lists(2, [_A, _B]).items()}),
        ("other case", {key.upper(): value for key, value in _lists(2, [_A, _B]).items()}),
        (
            "list in Destinatarios, counts elsewhere",
            {
                "Res": 2,
                "idEnvio": "7",
                "Enviados": 2,
                "NoEnviados": 0,
                "Destinatarios": [{"EMAIL": _A, "IdMensaje": "100"}, {"email": _B, "idmensaje": 101}],
            },
        ),
        (
            "XML",
            (
                "<result><Res>2</Res><idEnvio>7</idEnvio><Destinatarios><item0><EMAIL>to1@example.com"
                "</EMAIL><IDMENSAJE>100</IDMENSAJE></item0><item1><EMAIL>to2@example.com</EMAIL><IDMENSAJE>101</IDMENSAJE>"
                "</item1></Destinatarios></result>"
            ),
        ),
    ],
)
def test_all_accepted_in_every_shape_with_lists(shape, body):
    assert [Accepted("100", "7"), Accepted("101", "7")] == _outcomes(body), shape


@pytest.mark.parametrize(
    "body",
    [
        {"Res": 1, "idEnvio": "7", "Destinatarios": "2", "Enviados": "2", "NoEnviados": "0"},
        {"Res": 1, "idEnvio": 7, "Enviados": 2},
        {"Res": 1, "idEnvio": 7, "Enviados": 1, "NoEnviados": 0, "Duplicados": 1},
        "Res:1;idEnvio:7;Enviados:2;NoEnviados:0;",
    ],
)
def test_counts_that_add_up_accept_all(body):
    assert [Accepted("", "7")] * 2 == _outcomes(body)


@pytest.mark.parametrize("body", ["Res:1;Cred:14970,00;", '"1"', "1", {"Res": 1}, {"Res": 1, "Destinatarios": 2}])
def test_success_that_lists_nobody_accepts_with_a_remark(body):
    for outcome in _outcomes(body):
        assert isinstance(outcome, Accepted)
        assert "lists nobody" in outcome.remark


@pytest.mark.parametrize(
    "body",
    [
        {"Res": 1, "Enviados": 1, "NoEnviados": 0},
        {"Res": 1, "Enviados": 1, "NoEnviados": 1},
        {"Res": 1, "Enviados": 3},
        {"Res": 1, "Destinatarios": 1},
        {"Res": 1, "Enviados": []},
        {"Res": 1, "Enviados": "[]", "NoEnviados": "[]"},
        {"Res": 1, "Enviados": [{"Email": "somebody@else.example"}]},
        {"Res": 0, "Enviados": 2},
        {"Res": 0},
        {"Res": 0, "Enviados": 0, "idEnvio": 9},
        {"Res": 2, "Enviados": 0},
    ],
)
def test_what_does_not_add_up_may_have_been_accepted(body):
    for outcome in _outcomes(body):
        assert isinstance(outcome, Deferred)
        assert outcome.maybe_accepted


def test_somebody_in_neither_list_is_unknown_and_the_others_are_not():
    first, second, third = _outcomes(_lists(1, [_A], ["to3@example.com"]), to=3)
    assert Accepted("100", "7") == first
    assert isinstance(second, Deferred)
    assert second.maybe_accepted
    assert isinstance(third, Refused)


def test_a_count_of_those_not_sent_proves_who_they_are():
    accepted, refused = _outcomes({"Res": 1, "Enviados": [{"Email": _A, "idMensaje": 5}], "NoEnviados": 1})
    assert Accepted("5") == accepted
    assert isinstance(refused, Refused)


def test_lists_of_bare_addresses_are_read():
    accepted, refused = _outcomes({"Res": 1, "Enviados": [_A], "NoEnviados": [_B]})
    assert isinstance(accepted, Accepted)
    assert isinstance(refused, Refused)


def test_a_zero_that_lists_somebody_as_sent_is_believed():
    assert [Accepted("100", "7"), Accepted("101", "7")] == _outcomes(_lists(0, [_A, _B]))


def test_none_sent_by_count_proves_that_nothing_was_accepted():
    for outcome in _outcomes({"Res": 0, "Enviados": 0}):
        assert isinstance(outcome, Deferred)
        assert not outcome.maybe_accepted


def test_a_spelling_that_the_api_takes_for_a_duplicate_is_accepted_with_it():
    twins = (Recipient("Ana@example.com", Role.TO), Recipient("ana@EXAMPLE.com", Role.TO))
    answer = read_answer(json.dumps(_lists(1, ["ana@example.com"], Duplicados=1)).encode())
    assert {"Ana@example.com": Accepted("100", "7"), "ana@example.com": Accepted("100", "7")} == outcomes_of(
        answer, twins, Unsaid()
    )


def test_exact_spelling_goes_before_any_other():
    twins = (Recipient("Ana@example.com", Role.TO), Recipient("ana@example.com", Role.TO))
    answer = read_answer(json.dumps(_lists(2, ["ana@example.com", "Ana@example.com"])).encode())
    assert ["101", "100"] == [outcome.provider_message_id for outcome in outcomes_of(answer, twins, Unsaid()).values()]


@pytest.mark.parametrize(
    ("res", "kind", "blame"),
    [
        (-1, Deferred, Blame.ACCOUNT),
        (-2, Deferred, Blame.ACCOUNT),
        (-3, Refused, Blame.MESSAGE),
        (-4, Refused, Blame.MESSAGE),
        (-5, Deferred, Blame.ACCOUNT),
        (-6, Deferred, Blame.PROVIDER),
        (-99, Deferred, Blame.PROVIDER),
    ],
)
@pytest.mark.parametrize(
    "shape", ['{{"Res": {}, "Error": "why"}}', '[{{"Res": "{}", "Error": "why"}}]', "Res:{};Error:why"]
)
def test_each_code_below_zero_in_each_shape(res, kind, blame, shape):
    for outcome in _outcomes(shape.format(res)):
        assert isinstance(outcome, kind)
        assert blame is outcome.blame
        assert outcome.reason.startswith(f"Res {res}, ")
        assert outcome.reason.endswith(": why")
        assert getattr(outcome, "maybe_accepted", False) is (res < -5)  # what nobody knows proves nothing


def test_a_bare_minus_one_is_wrong_credentials():
    assert Blame.ACCOUNT is _outcomes("-1")[0].blame
    assert Blame.ACCOUNT is _outcomes(b"\xef\xbb\xbf-1\r\n")[0].blame


def test_an_attachment_that_is_not_allowed_is_told_as_such():
    assert "attachments" in _outcomes({"Res": -4})[0].reply.text


def test_bad_data_that_names_one_recipient_refuses_only_that_one():
    body = {"Res": -3, "Error": "DESTINATARIOS[1][EMAIL] should be a valid email"}
    first, second = _outcomes(body)
    assert isinstance(first, Deferred)
    assert not first.maybe_accepted
    assert Blame.MESSAGE is first.blame
    assert isinstance(second, Refused)
    assert Replies.NO_SUCH_RECIPIENT == second.reply


@pytest.mark.parametrize(
    "error",
    [
        "ADJUNTOS[0][NOMBRE] should have a length lower than 20",
        "EMAILREMITENTE should be a valid email",
        "REPLYTO should be a valid email",
        "You might include parameter ASUNTO (STRING type)",
        "",
    ],
)
def test_bad_data_of_what_all_share_refuses_all(error):
    for outcome in _outcomes({"Res": -3, "Error": error}):
        assert isinstance(outcome, Refused)
        assert not outcome.somebody_in_call


@pytest.mark.parametrize("error", ["DESTINATARIOS[9][EMAIL]", "Email no valido", ["un destinatario no es valido"]])
def test_bad_data_of_somebody_unnamed_refuses_the_call_and_not_each(error):
    """One bad address that the text did not name as expected was the end of the mail for all others in the call."""
    assert [True, True] == [outcome.somebody_in_call for outcome in _outcomes({"Res": -3, "Error": error})]
    (alone,) = _outcomes({"Res": -3, "Error": error}, to=1)
    assert isinstance(alone, Refused)
    assert not alone.somebody_in_call


@pytest.mark.parametrize(
    "body",
    [
        {"Res": -3, "Error": "Email no valido: TO2@example.com"},
        {"Res": -3, "Error": "x" * 300 + " to2@example.com"},
        {"Res": -3, "Error": "Email no valido", "NoEnviados": [{"Email": _B}]},
    ],
)
def test_a_recipient_may_be_named_by_address_or_by_list(body):
    """`Email no valido: a@example.net` named the one, and all three were refused."""
    first, second, third = _outcomes(body, to=3)
    assert isinstance(second, Refused)
    assert Replies.NO_SUCH_RECIPIENT == second.reply
    assert [(Deferred, False)] * 2 == [(type(each), each.maybe_accepted) for each in (first, third)]


def test_a_list_of_all_as_not_sent_names_nobody():
    body = {"Res": -3, "Error": "Email no valido", "NoEnviados": [_A, _B]}
    assert [True, True] == [outcome.somebody_in_call for outcome in _outcomes(body)]


@pytest.mark.parametrize(
    ("res", "error", "second", "maybe"),
    [
        (-1, "", Deferred, False),
        (-2, "", Deferred, False),
        (-3, "falta Asunto", Refused, False),
        (-3, "Email no valido: to2@example.com", Refused, False),
        (-3, "Email no valido: to3@example.com", Deferred, True),
        (-3, "Email no valido", Deferred, True),
        (-9, "", Deferred, True),
    ],
)
def test_who_is_listed_as_sent_has_it_whatever_the_code(res, error, second, maybe):
    """A call that fails half-way must not be made again for those who have their mail, nor be split."""
    outcomes = _outcomes(_lists(res, [_A], Error=error), to=3)
    assert Accepted("100", "7", f"sent, although the call ended with Res {res}") == outcomes[0]
    assert (second, maybe) == (type(outcomes[1]), getattr(outcomes[1], "maybe_accepted", False))
    assert not any(getattr(outcome, "somebody_in_call", False) for outcome in outcomes)


@pytest.mark.parametrize("sent", [1, [{"Email": _A}, {"Email": _B}], [{"Email": _A, "idMensaje": 0}, {"Email": _B}]])
@pytest.mark.parametrize("res", [-2, -3])
def test_sent_without_an_id_beside_a_failure_may_be_true(res, sent):
    for outcome in _outcomes({"Res": res, "Enviados": sent}):
        assert isinstance(outcome, Deferred)
        assert outcome.maybe_accepted


@pytest.mark.parametrize("sent", [0, [], "[]", None])
def test_nobody_sent_beside_a_failure_changes_nothing(sent):
    assert _outcomes({"Res": -2}) == _outcomes({"Res": -2, "Enviados": sent})


@pytest.mark.parametrize(
    "body",
    [
        "",
        "   ",
        "OK",
        "<html><body>Bad Gateway</body></html>",
        "<result><Res>1</Res>",
        '<!DOCTYPE x [<!ENTITY a "1">]><result><Res>&a;</Res></result>',
        "[]",
        "{}",
        "null",
        "true",
        "[1, 2]",
        '[{"Res": 1}, {"Res": 1}]',
        '{"Resultado": 1}',
        '{"Res": "yes"}',
        '{"Res": null, "Cred": "3"}',
        '{"Res": true}',
        '{"Res": 1.5}',
        "<Res>1</Res>",
        "\x00\x01",
        "<a>" * 50_000 + "</a>" * 50_000,
    ],
)
def test_anything_else_is_unreadable(body):
    assert read_answer(body.encode()) is None


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ('{"Res": 1, "Cred": "14970,00"}', "14970,00"),
        ('{"Cred": 12.5}', "12.5"),
        ('[{"Saldo": "3"}]', "3"),
        ("14970,00", "14970,00"),
        ("Res:1;Cred:14970,00;", "14970,00"),
    ],
)
def test_credit_is_read_in_each_spelling(body, expected):
    assert expected == read_answer(body.encode()).credit


def test_groups_of_no_known_kind_say_nothing():
    answer = read_answer(b'{"Res": 1.0, "Enviados": null, "NoEnviados": "[broken", "Destinatarios": [5, "x@y.z"]}')
    assert (Tally(), Tally(), 1) == (answer.sent, answer.not_sent, answer.recipients.number)


@given(
    st.binary(max_size=200)
    | st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(
                st.sampled_from(["Res", "Enviados", "NoEnviados", "Destinatarios", "Email", "idMensaje", "idEnvio"]),
                inner,
            )
        ),
    ).map(lambda value: json.dumps(value).encode())
)
def test_no_answer_whatever_makes_it_fail_or_forget_somebody(body):
    answer = read_answer(body)
    if answer is not None:
        recipients = people(to=3)
        assert {each.key for each in recipients} == outcomes_of(answer, recipients, Unsaid()).keys()
