"""What an API complains of: who is named, who is meant without a name, and what a failure does not prove."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from provider_cases import people

from relay.message import Recipient, Role
from relay.outcome import Accepted, Blame, Deferred, Refused, Replies
from relay.providers.complaint import bare_words, is_about_somebody, named_in, spoken
from relay.providers.dmds.answers import read_answer
from relay.providers.dmds.outcomes import outcomes_of
from relay.providers.http import Answer
from relay.providers.judge import Unsaid


def _outcomes(to=3, status=200, joined_batch="", **members):
    body = json.dumps({"status": "err", **members}).encode()
    answer, recipients = Answer(status, body, 9.0), people(to)
    return list(outcomes_of(answer, read_answer(body), recipients, Unsaid(), joined_batch=joined_batch).values())


@pytest.mark.parametrize("status", [200, 400, 422])
@pytest.mark.parametrize(
    "words",
    [
        "invalid email",
        "uno de los contactos tiene email invalido",
        "contactos[1].email invalid",
        "dirección inválida",
        "destinatario incorrecto: su correo no admite html",
        "copia_oculta[0]: bcc_email missing",
        ["invalid email"],
        "invalid email somebody@else.example",
    ],
)
def test_one_unnamed_bad_address_refuses_the_call_and_not_each(status, words):
    """One bad address of three that DMDS did not name ended the mail for all three."""
    for outcome in _outcomes(status=status, on=words):
        assert isinstance(outcome, Refused)
        assert outcome.somebody_in_call
    (alone,) = _outcomes(1, status, on=words)
    assert isinstance(alone, Refused)
    assert not alone.somebody_in_call


@pytest.mark.parametrize(
    "words",
    [
        "falta html",
        "invalid reply-to email",
        "asunto del correo requerido",
        "adjuntos: formato invalido en el email",
        "email too large",
        "falta html, please contact support",
        "falta html, póngase en contacto con nosotros",
    ],
)
def test_what_all_recipients_share_refuses_all_at_once(words):
    """Splitting such a call would only make the same failure many times."""
    for outcome in _outcomes(status=400, on=words):
        assert isinstance(outcome, Refused)
        assert not outcome.somebody_in_call


@pytest.mark.parametrize("address", ["internal@example.com", "sender@example.com", "creditos.sql@example.com"])
def test_words_within_an_address_blame_nobody(address):
    """`invalid email sender@...` was taken for our account's fault: one address paused the account."""
    body = json.dumps({"status": "err", "on": f"invalid email {address}"}).encode()
    for recipients in (people(2), (*people(1), Recipient(address, Role.CC))):
        said = outcomes_of(Answer(400, body), read_answer(body), recipients, Unsaid())
        assert Blame.MESSAGE is said["to1@example.com"].blame
        if address in said:
            assert Replies.NO_SUCH_RECIPIENT == said[address].reply


# --- a failure that tells of mails sent ---


@pytest.mark.parametrize("status", [200, 400, 403, 413, 429, 503])
@pytest.mark.parametrize("words", ["invalid email", "sin credito", "internal error", "algo raro", "falta html"])
@pytest.mark.parametrize("told", [{"sent": 1}, {"sent": "2"}, {"eeid": "e1"}, {"sent": 3, "eeid": "e1"}])
def test_a_failure_that_tells_of_mails_sent_leaves_everybody_unknown(status, words, told):
    """`sent` of an error was not read: the call was made again for those who had it."""
    for outcome in _outcomes(status=status, on=words, **told):
        assert isinstance(outcome, Deferred)
        assert (True, 9.0) == (outcome.maybe_accepted, outcome.retry_after_seconds)


def test_who_is_named_stays_refused_while_the_others_are_unknown():
    first, second, third = _outcomes(on="invalid email to2@example.com", sent=2)
    assert isinstance(second, Refused)
    assert [True, True] == [first.maybe_accepted, third.maybe_accepted]


def test_a_count_of_all_leaves_nobody_refused():
    assert [True] * 3 == [each.maybe_accepted for each in _outcomes(on="invalid email to2@example.com", sent=3)]


@pytest.mark.parametrize("told", [{"sent": 0}, {"sent": 0, "eeid": "e1"}, {"eeid": "joined"}, {"eeid": ""}, {}])
def test_a_failure_that_counts_none_or_repeats_our_batch_tells_nothing(told):
    plain = _outcomes(on="invalid email")
    assert plain == _outcomes(on="invalid email", joined_batch="joined", **told)


def test_an_ok_under_a_bad_status_may_have_been_accepted():
    body = b'{"status":"ok","sent":1,"eeid":"e1"}'
    (outcome,) = outcomes_of(Answer(400, body), read_answer(body), people(1), Unsaid()).values()
    assert outcome.maybe_accepted


@given(
    st.sampled_from(["ok", "err"]),
    st.sampled_from(["", "invalid email", "invalid email to1@example.com", "internal", "apikey", "algo raro", "html"]),
    st.none() | st.integers(-1, 4),
    st.sampled_from(["", "e1"]),
    st.sampled_from([200, 202, 400, 403, 409, 413, 422, 429, 500, 503]),
)
def test_no_answer_that_tells_of_mails_sent_is_ever_said_not_to_be_accepted(status, words, sent, batch, http):
    body = json.dumps({"status": status, "on": words, "sent": sent, "eeid": batch}).encode()
    outcomes = outcomes_of(Answer(http, body), read_answer(body), people(3), Unsaid())
    assert 3 == len(outcomes)
    for key, outcome in outcomes.items():
        if (sent or 0) > 0 and not isinstance(outcome, Accepted):
            assert getattr(outcome, "maybe_accepted", False) or (key == "to1@example.com" and "to1" in words)


# --- names ---


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("<ana@example.com>: no", {"ana@example.com"}),
        ("email=ANA@Example.COM.", {"ana@example.com"}),
        ("mariana@example.com ana@example.com.example ana@example.com-x x.ana@example.com", set()),
        ("o'ana@example.com", {"o'ana@example.com"}),
        ("ana@xn--and-6ma2c.example y luis@ñandú.example", {"luis@xn--and-6ma2c.example"}),
        ("'not an address' is none", {"not an address"}),
        ("", set()),
    ],
)
def test_whole_addresses_are_found_in_every_spelling(text, keys):
    """`a@example.com` was seen in `a@example.com.example`, and refused in its place."""
    addresses = ("ana@example.com", "o'ana@example.com", "luis@ñandú.example", "not an address")
    assert keys == named_in(text, [Recipient(each, Role.TO) for each in addresses])


def test_the_words_are_what_is_left_without_addresses():
    known = (Recipient("sender html", Role.TO),)
    assert ["invalid", "email:", "or"] == bare_words("invalid email:sender@x.example or sender html", known).split()


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("", False),
        ("algo raro", False),
        ("contacto inválido", True),
        ("contact not found", True),
        ("contact us", False),
        ("recipient: sender not known", True),
        ("sender address", False),
        ("CC_EMAIL", True),
        ("success", False),
    ],
)
def test_who_is_meant(words, expected):
    assert expected == is_about_somebody(words)


@pytest.mark.parametrize(
    ("value", "text"), [(" a ", "a"), (["a"], '["a"]'), ({"x": "a"}, '{"x":"a"}'), ([], ""), (None, ""), (3, "")]
)
def test_an_error_is_read_whatever_it_is_wrapped_in(value, text):
    assert text == spoken(value)
