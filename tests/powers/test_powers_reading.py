"""X-Relay-* headers and account defaults become Powers, or a refusal that names the header."""

import json
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.errors import MailRefused
from relay.powers import POWERS, Powers, QuietHours, default_problem, read_powers

MADRID = ZoneInfo("Europe/Madrid")
UUID = "6f1c1f0e-1b7a-4d0e-9a52-0d4a3c1b2e3f"

RIGHT = [
    ("template", "1234", {"template": 1234}),
    ("schedule", "2026-12-01 10:30", {"schedule": datetime(2026, 12, 1, 10, 30, tzinfo=MADRID)}),
    ("schedule", "2026-12-01T10:30:15", {"schedule": datetime(2026, 12, 1, 10, 30, 15, tzinfo=MADRID)}),
    ("schedule", "2026-12-01T10:30Z", {"schedule": datetime(2026, 12, 1, 10, 30, tzinfo=UTC)}),
    ("schedule", "2026-12-01T10:30:15.000Z", {"schedule": datetime(2026, 12, 1, 10, 30, 15, tzinfo=UTC)}),
    ("schedule", "2026-12-01 10:30:15.5", {"schedule": datetime(2026, 12, 1, 10, 30, 15, tzinfo=MADRID)}),
    ("schedule", "2026-12-01 10:30 z", {"schedule": datetime(2026, 12, 1, 10, 30, tzinfo=UTC)}),
    (
        "schedule",
        "2026-12-01T10:30:00-0300",
        {"schedule": datetime(2026, 12, 1, 10, 30, tzinfo=timezone(-timedelta(hours=3)))},
    ),
    ("quiet-hours", "22:00-9:00", {"quiet_hours": (QuietHours("22:00", "09:00"),)}),
    (
        "quiet-hours",
        "22:00 - 09:00 ; action=2, 14:00-16:00",
        {"quiet_hours": (QuietHours("22:00", "09:00", "2"), QuietHours("14:00", "16:00"))},
    ),
    ("track-opens", "Yes", {"track_opens": True}),
    ("track-clicks", "0", {"track_clicks": False}),
    ("archive", "on", {"archive": True}),
    ("report", "FALSE", {"report": False}),
    ("reference", "invoice ñ 117", {"reference": "invoice ñ 117"}),
    ("recipient-reference", "R 1", {"recipient_references": {"": "R 1"}}),
    ("recipient-reference", "one, two", {"recipient_references": {"": "one, two"}}),
    (
        "recipient-reference",
        "Ana@EXAMPLE.org=R1, b@ñandú.example = x=y",
        {"recipient_references": {"Ana@example.org": "R1", "b@xn--and-6ma2c.example": "x=y"}},
    ),
    ("recipient-reference", '{"*": "R0", "a@b.org": 7}', {"recipient_references": {"": "R0", "a@b.org": "7"}}),
    (
        "variables",
        '{"name": "Ana", "total": 1.50, "n": 3}',
        {"variables": {"": {"name": "Ana", "total": "1.50", "n": "3"}}},
    ),
    (
        "variables",
        '{"*": {"name": "you"}, "a@B.org": {"name": "Ana"}}',
        {"variables": {"": {"name": "you"}, "a@b.org": {"name": "Ana"}}},
    ),
    ("variables", "{}", {"variables": {"": {}}}),
    ("campaign", "22", {"campaign": 22}),
    ("batch", UUID, {"batch": UUID}),
]

WRONG = [
    ("template", "0", "X-Relay-Template: '0' is not a whole number above 0"),
    ("template", "-1", "X-Relay-Template: '-1' is not a whole number above 0"),
    ("template", "4294967296", "X-Relay-Template: '4294967296' is not a whole number above 0"),
    ("template", "", "X-Relay-Template: an empty value is not a whole number above 0"),
    ("campaign", "٢٢", "X-Relay-Campaign: the value is not a whole number above 0"),
    (
        "schedule",
        "tomorrow",
        "X-Relay-Schedule: 'tomorrow' is not a date like 2026-12-01 10:30 (Spanish time) or 2026-12-01T10:30:00+01:00",
    ),
    (
        "schedule",
        "2026-12-01T10:30.5Z",
        (
            "X-Relay-Schedule: '2026-12-01T10:30.5Z' is not a date like 2026-12-01 10:30 (Spanish time) or "
            "2026-12-01T10:30:00+01:00"
        ),
    ),
    (
        "schedule",
        "2026-02-30 10:30",
        (
            "X-Relay-Schedule: '2026-02-30 10:30' is not a date like 2026-12-01 10:30 (Spanish time) or "
            "2026-12-01T10:30:00+01:00"
        ),
    ),
    (
        "schedule",
        "2026-03-29 02:30",
        "X-Relay-Schedule: '2026-03-29 02:30' is an hour that does not exist in Spain: summer time begins then",
    ),
    (
        "quiet-hours",
        "22-9",
        "X-Relay-Quiet-Hours: '22-9' is not a span like 22:00-09:00, or several with commas, or 22:00-09:00;action=1",
    ),
    (
        "quiet-hours",
        "22:00-24:00",
        (
            "X-Relay-Quiet-Hours: '22:00-24:00' is not a span like 22:00-09:00, or several with commas, or "
            "22:00-09:00;action=1"
        ),
    ),
    ("quiet-hours", "9:00-09:00", "X-Relay-Quiet-Hours: '9:00-09:00' holds a span that ends when it begins"),
    ("track-opens", "maybe", "X-Relay-Track-Opens: 'maybe' is neither yes nor no"),
    ("reference", "x" * 256, "X-Relay-Reference: the value is not a text of 1 to 255 printable characters"),
    ("reference", "a\x07b", "X-Relay-Reference: the value is not a text of 1 to 255 printable characters"),
    (
        "recipient-reference",
        "a@b.org=1, two",
        "X-Relay-Recipient-Reference: the value mixes texts with a@x.org=REF; write a@x.org=REF1, b@y.org=REF2",
    ),
    ("recipient-reference", "a@b.org=1, a@B.org=2", "X-Relay-Recipient-Reference: the value names one recipient twice"),
    (
        "recipient-reference",
        '{"ana": "1"}',
        'X-Relay-Recipient-Reference: the value has a name that is neither an address nor "*"',
    ),
    (
        "variables",
        "[1]",
        'X-Relay-Variables: the value is not a JSON object like {"name": "value"} with each name once',
    ),
    (
        "variables",
        '{"a": 1, "a": 2}',
        'X-Relay-Variables: the value is not a JSON object like {"name": "value"} with each name once',
    ),
    (
        "variables",
        '{"a": NaN}',
        'X-Relay-Variables: the value is not a JSON object like {"name": "value"} with each name once',
    ),
    (
        "variables",
        "[" * 100_000,
        'X-Relay-Variables: the value is not a JSON object like {"name": "value"} with each name once',
    ),
    ("variables", '{"a": true}', "X-Relay-Variables: the value has a value that is neither a text nor a number"),
    (
        "variables",
        '{"a": "1", "a@b.org": {}}',
        (
            'X-Relay-Variables: the value mixes values with objects; write {"name": "value"} or '
            '{"*": {...}, "a@x.org": {...}}'
        ),
    ),
    ("variables", '{"a#b": "1"}', "X-Relay-Variables: the value has a variable without a usable name"),
    ("variables", '{" ": "1"}', "X-Relay-Variables: the value has a variable without a usable name"),
    ("variables", '{"a": "\\u0000"}', "X-Relay-Variables: the value has a value with control characters"),
    ("variables", '{"a": "\\ud800"}', "X-Relay-Variables: the value has a value with control characters"),
    ("batch", "22", "X-Relay-Batch: '22' is not a UUID like 6f1c1f0e-1b7a-4d0e-9a52-0d4a3c1b2e3f"),
]


def refusal(headers, defaults=None):
    with pytest.raises(MailRefused) as caught:
        read_powers(headers, defaults or {})
    assert (554, "5.6.0") == (caught.value.reply.code, caught.value.reply.enhanced)
    return caught.value.reply.text


@pytest.mark.parametrize(
    ("name", "value", "expected"), RIGHT, ids=[f"{row[0]}-{index}" for index, row in enumerate(RIGHT)]
)
def test_right_value_is_read(name, value, expected):
    assert Powers(**expected) == read_powers([(f"x-relay-{name}", f" {value} ")], {})


@pytest.mark.parametrize(("name", "value", "text"), WRONG, ids=[f"{row[0]}-{index}" for index, row in enumerate(WRONG)])
def test_wrong_value_is_refused_with_what_would_be_right(name, value, text):
    assert text == refusal([(f"x-relay-{name}", value)])


def test_hour_that_comes_twice_is_the_first_one():
    schedule = read_powers([("x-relay-schedule", "2026-10-25 02:30")], {}).schedule
    assert datetime(2026, 10, 25, 0, 30, tzinfo=UTC) == schedule.astimezone(UTC)


def test_unknown_header_is_refused_with_the_closest_name():
    assert "X-Relay-Shedule: no such header; did you mean Schedule?" == refusal([("x-relay-shedule", "x")])


def test_unknown_header_that_resembles_none_is_refused_with_all_names():
    names = ", ".join(power.name for power in POWERS)
    assert f"X-Relay-Zzz: no such header; known are {names}" == refusal([("x-relay-zzz", "x")])


def test_unknown_header_with_an_odd_name_is_not_echoed():
    assert refusal([("x-relay-\u00e9", "x")]).startswith("An X-Relay header: no such header; known are ")
    assert refusal([(f"x-relay-{'z' * 5000}", "x")]).startswith("An X-Relay header: no such header; known are ")


def test_same_header_twice_is_refused():
    headers = [("x-relay-template", "1"), ("X-Relay-Template", "2")]
    assert "X-Relay-Template: comes more than once; give it once" == refusal(headers)


def test_same_list_header_twice_is_joined():
    headers = [("x-relay-quiet-hours", "22:00-09:00"), ("x-relay-quiet-hours", "14:00-16:00")]
    assert (QuietHours("22:00", "09:00"), QuietHours("14:00", "16:00")) == read_powers(headers, {}).quiet_hours


def test_header_wins_over_the_accounts_default():
    defaults = {"track-opens": False, "campaign": 7, "reference": "from account"}
    expected = Powers(track_opens=True, campaign=7, reference="from account")
    assert expected == read_powers([("x-relay-track-opens", "yes")], defaults)


def test_default_that_is_wrong_is_refused_by_name():
    assert "The account's default shedule: no such power; did you mean Schedule?" == refusal([], {"shedule": "x"})
    expected = "The account's default campaign: is not a whole number above 0; right would be a number, for example 22"
    assert expected == refusal([], {"campaign": "x"})


def test_defaults_that_python_takes_for_equal_are_told_apart():
    """What was read is remembered; 1 and True are one key of a table, and only one of them is a template's number."""
    assert read_powers([], {"template": 1}).template == 1
    with pytest.raises(MailRefused):
        read_powers([], {"template": True})


def test_default_that_is_right_has_no_problem():
    assert [None] * len(POWERS) == [default_problem(power.key, power.example) for power in POWERS]


def test_table_tells_every_field_of_powers_once():
    assert sorted(Powers.__dataclass_fields__) == sorted(power.field for power in POWERS)


def test_content_is_never_echoed():
    for name in ("variables", "recipient-reference"):
        assert "secret" not in refusal([(f"x-relay-{name}", '{"secret": ["secret"]}')])


@given(st.sampled_from(POWERS), st.text(max_size=80))
def test_any_value_is_read_or_refused_in_one_line_of_ascii(power, value):
    try:
        read_powers([(f"x-relay-{power.key}", value)], {})
    except MailRefused as refused:
        text = str(refused.reply)
        assert text.isascii()
        assert text.isprintable()
        assert len(text) < 500


@given(st.dictionaries(st.text(min_size=1, max_size=5), st.text(max_size=5) | st.integers() | st.none(), max_size=3))
def test_any_json_object_is_read_or_refused(value):
    headers = [("x-relay-variables", json.dumps(value))]
    try:
        variables = read_powers(headers, {}).variables
    except MailRefused:
        return
    assert {"": {name: str(text) for name, text in value.items()}} == variables
