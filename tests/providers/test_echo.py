"""What an answer quotes of the mail stays out of whatever is kept."""

import html
import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from provider_cases import DMDS, MENSATEK, attachment, brief, content, people

from relay.config.settings import DmdsSettings, MensatekSettings
from relay.errors import ProviderError
from relay.message import Mailbox
from relay.outcome import Accepted
from relay.providers.contract import Base64Text
from relay.providers.dmds import DmdsProvider
from relay.providers.echo import without_echo
from relay.providers.http import Answer
from relay.providers.judge import Unsaid, clean, unsaid_of
from relay.providers.mensatek import MensatekProvider

# Letters that no fixed word of ours has: what is found again came from the mail.
_LETTERS = st.text(st.sampled_from("ÁÑŽßİΣς日本語😀<>&\"'\\/= \n\t\xa0@.-"), max_size=60)
_SECRET = "Diagnóstico de Ana: positivo"


class _Fixed:
    """An HttpClient that gives one answer."""

    def __init__(self, answer):
        self._answer = answer

    async def request(self, *_, **__):
        return self._answer

    async def post(self, *_, **__):
        return self._answer


def _runs(text):
    return {text[start : start + 8] for start in range(len(text) - 7)}


def _providers(answer):
    return (
        (DmdsProvider(DmdsSettings(), _Fixed(answer)), DMDS),
        (MensatekProvider(MensatekSettings(), _Fixed(answer)), MENSATEK),
    )


async def _reasons(answer, mail):
    """Everything that both APIs' outcomes say in words."""
    for provider, credentials in _providers(answer):
        (call,) = provider.plan(mail, brief(people(2), credentials)).calls
        try:
            outcomes = await provider.send(call, credentials)
        except ProviderError as error:
            yield error.reason
            continue
        for outcome in outcomes.values():
            yield outcome.remark if isinstance(outcome, Accepted) else outcome.reason


@given(
    subject=_LETTERS,
    body=_LETTERS,
    start=st.integers(0, 30),
    length=st.integers(0, 90),
    spelling=st.sampled_from([str, html.escape, json.dumps, str.upper, str.lower]),
    shape=st.sampled_from(["{}", "{} {}", "ÁÑ{}ŽŽ"]),
    wrapping=st.sampled_from(["err", "res", "raw"]),
    status=st.sampled_from([200, 400, 401, 413, 422, 429, 500, 302]),
)
async def test_no_run_of_subject_or_body_survives_in_a_reason(
    subject, body, start, length, spelling, shape, wrapping, status
):
    quoted = shape.format(*(spelling(text)[start : start + length] for text in (subject + body, body)))
    said = {
        "err": json.dumps({"status": "err", "on": quoted}),
        "res": json.dumps({"Res": -3, "Error": quoted}),
        "raw": quoted,
    }[wrapping]
    mail = content(subject=subject, html=body)
    runs = _runs(subject) | _runs(body)
    async for reason in _reasons(Answer(status, said.encode(), content_type="text/html"), mail):
        assert not {run for run in runs if run in reason and not run.isspace()}, reason


@pytest.mark.parametrize("status", [200, 400, 403, 413, 422, 429, 500, 504, 302])
@pytest.mark.parametrize(
    "shape",
    [
        '{{"status":"err","on":"{}"}}',
        '{{"status":"err","msg":["{}"]}}',
        '{{"Res":"-3","Error":"{}"}}',
        '[{{"Res":-99,"Error":"{}"}}]',
        '{{"status":"ok","sent":0,"note":"{}"}}',
        '{{"request":{{"asunto":"{}"}}}}',
        "<html><h1>{}</h1>",
        "Warning: cannot send {}",
    ],
)
@pytest.mark.parametrize(
    "mail",
    [
        content(subject=_SECRET),
        content(html=f"<p>Hola:</p><p>{html.escape(_SECRET)}</p>"),
        content(html="<p>Diagn&oacute;stico de <b>Ana</b>:<br>\n positivo</p>"),
        content(sender=Mailbox("ana@example.org", _SECRET)),
        content(attachments=(attachment(f"{_SECRET}.pdf"),)),
    ],
)
async def test_an_answer_that_quotes_the_mail_is_kept_without_the_quotation(status, shape, mail):
    for quoted in (_SECRET, json.dumps(_SECRET)[1:-1], _SECRET.upper(), html.escape(_SECRET)):
        async for reason in _reasons(Answer(status, shape.format(quoted).encode()), mail):
            assert not {run for run in _runs(_SECRET.casefold()) if run in reason.casefold()}, reason


def test_what_is_not_the_mails_is_still_told():
    document = {"asunto": _SECRET, "remitente": "ana@example.org", "contactos": [{"email": "to1@example.com"}]}
    (provider, credentials), *_ = _providers(Answer(200, b""))
    call = provider.plan(content(subject=_SECRET), brief(people(1), credentials)).calls[0]
    told = "invalid email to1@example.com from ana@example.org"
    assert told == clean(told, unsaid_of(call, (), "remitente", "reply-to"))
    assert f"asunto [...] {told}" == clean(f"asunto {_SECRET} {told}", unsaid_of(call, (), "remitente"))
    assert "falta contactos" == without_echo("falta contactos", document)


@pytest.mark.parametrize(
    ("line", "document", "expected"),
    [
        ("xabcdefgx", {"a": "abcdefg"}, "xabcdefgx"),
        ("abcde", {"a": "abcde"}, "abcde"),
        ("an abcdefg", {"a": "abcdefg"}, "an [...]"),  # a whole word is a little more of a proof
        ("xabcdefghx", {"a": "abcdefgh"}, "x[...]x"),
        ("xabcdefghx", {"a": ["", {"b": "--ABCDEFGH--"}]}, "x[...]x"),
        ("field contenido", {"adjuntos": [{"nombre": "a", "contenido": Base64Text((b"QQ==",))}]}, "field contenido"),
        ("file informe secreto.pdf", {"adjuntos": {"Informe secreto.pdf": Base64Text((b"QQ==",))}}, "file [...]"),
        ("one informe", {"a": 1, "b": None, "c": True, "d": 1.5}, "one informe"),
        ("abcd 12345678 efgh", {"a": "12345678", "b": "abcd [...] efgh"}, "[...]"),
        ("", {"a": ""}, ""),
    ],
)
def test_runs_of_eight_are_hidden(line, document, expected):
    assert expected == without_echo(line, document)


def test_a_big_mail_costs_little():
    image = "data:image/png;base64," + "QUJD" * 5_000_000
    started = time.perf_counter()
    assert "invalid [...] word" == without_echo(
        "invalid secret-words word", {"html": f"<img src='{image}'>secret-words"}
    )
    assert "[...]" == without_echo("something else", {"html": "no such words " * 100_000})
    assert time.perf_counter() - started < 2


@given(st.characters(exclude_categories=["Cs"]))
def test_no_letter_shifts_the_others(letter):
    line = f"{letter}secret-word{letter}"
    assert "secret-w" not in without_echo(line, {"a": "SECRET-WORD"})


def test_nothing_of_a_call_is_shown_by_what_guards_it():
    assert "Unsaid(address_keys=())" == repr(Unsaid(("key",), {"a": "b"}))
