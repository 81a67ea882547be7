"""The status table, exact values; and provider text made harmless."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.outcome import Blame, Deferred, Refused, Replies
from relay.providers.http import Answer
from relay.providers.judge import by_status, clean, is_success

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
        ("", ""),
    ],
)
def test_provider_text_becomes_one_harmless_line(text, expected):
    assert expected == clean(text, ["s3cret", "", "s3cret-longer"])


@given(st.text(max_size=400), st.text(min_size=1, max_size=8))
def test_cleaned_text_is_short_printable_and_without_the_secret(text, secret):
    cleaned = clean(f"{text}{secret}{text}", [secret])
    assert len(cleaned) <= 200
    assert cleaned.isprintable()
    if not set(secret) & set("*. []") and secret.isprintable():
        assert secret not in cleaned
