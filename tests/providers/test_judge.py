"""The status table, exact values; and provider text made harmless."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.outcome import Blame, Deferred, Refused, Replies
from relay.providers.http import Answer
from relay.providers.judge import Unsaid, by_status, clean, described, is_success, unreadable

_ACCOUNT, _PROVIDER = Blame.ACCOUNT, Blame.PROVIDER


@pytest.mark.parametrize(
    ("status", "blame", "maybe_accepted"),
    [
        (401, _ACCOUNT, False),
        (402, _ACCOUNT, False),
        (403, _ACCOUNT, False),
        (404, _ACCOUNT, False),
        (408, _PROVIDER, False),
        (425, _PROVIDER, False),
        (429, _PROVIDER, False),
        (503, _PROVIDER, False),
        (500, _PROVIDER, True),
        (502, _PROVIDER, True),
        (504, _PROVIDER, True),
        (501, _PROVIDER, True),
        (520, _PROVIDER, True),
        (599, _PROVIDER, True),
        (400, _PROVIDER, False),
        (422, _PROVIDER, False),
        (405, _PROVIDER, False),
        (410, _PROVIDER, False),
        (301, _PROVIDER, False),
        (307, _PROVIDER, False),
    ],
)
def test_each_status_without_proof_is_deferred(status, blame, maybe_accepted):
    outcome = by_status(Answer(status, b"", 7.0), "because")
    assert isinstance(outcome, Deferred)
    assert (blame, maybe_accepted, 7.0) == (outcome.blame, outcome.maybe_accepted, outcome.retry_after_seconds)
    assert outcome.reason.startswith(f"HTTP {status}, ")
    assert outcome.reason.endswith(": because")


@pytest.mark.parametrize("status", [400, 422])
def test_bad_data_with_proof_is_refused(status):
    assert Refused(f"HTTP {status}: invalid email") == by_status(
        Answer(status, b""), "invalid email", proven_fault=True
    )


@pytest.mark.parametrize("status", [401, 403, 404, 409, 429, 500, 503])
def test_no_other_status_is_refused_even_with_proof(status):
    assert isinstance(by_status(Answer(status, b""), "x", proven_fault=True), Deferred)


def test_too_large_is_its_own_proof():
    outcome = by_status(Answer(413, b""), "")
    assert isinstance(outcome, Refused)
    assert outcome.reply == Replies.TOO_BIG


def test_success_is_2xx():
    assert [False, True, True, False] == [is_success(status) for status in (199, 200, 299, 300)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain words", "plain words"),
        ("two\r\nlines\tand \x00 nothing", "two lines and nothing"),
        ("right\u202eto left", "right to left"),
        ("key s3cret and s3cret-longer", "key *** and ***"),
        ("quote " + "QUJD" * 30 + " end", "quote [...] end"),
        ("word " * 100, ("word " * 100)[:197].rstrip() + "..."),
        ("caf\\u00e9 \\ud83d\\ude00 &lt;b&gt; a\\/b\\nc", "café 😀 <b> a/b c"),
        ("", ""),
    ],
)
def test_provider_text_becomes_one_harmless_line(text, expected):
    assert expected == clean(text, Unsaid(("s3cret", "", "s3cret-longer")))


@given(st.text(max_size=400), st.text(min_size=1, max_size=8))
def test_cleaned_text_is_short_printable_and_without_the_secret(text, secret):
    cleaned = clean(f"{text}{secret}{text}", Unsaid((secret,)))
    assert len(cleaned) <= 200
    assert cleaned.isprintable()
    if not set(secret) & set("*. []") and secret.isprintable():
        assert secret not in cleaned


def test_a_key_that_is_spelt_for_json_or_html_is_starred():
    assert "key *** or ***" == clean("key a&ltb/ or a&amp;ltb\\/", Unsaid(("a&ltb/",)))


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (Answer(500, b""), ""),
        (Answer(500, b"Hola"), "4 bytes, sha256 e633f4fc"),
        (Answer(500, b"Hola", content_type="text/html"), "4 bytes of text/html, sha256 e633f4fc"),
        (Answer(500, b"Hola", content_type="x-subject/hola"), "4 bytes, sha256 e633f4fc"),
    ],
)
def test_of_an_answer_that_nobody_can_read_no_text_is_told(answer, told):
    assert told == described(answer)


def test_a_success_that_nobody_can_read_is_silence():
    error = unreadable(Answer(200, b""))
    assert ("HTTP 200 with an answer that nobody can read: it is empty", True) == (error.reason, error.maybe_accepted)
