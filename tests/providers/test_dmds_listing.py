"""Lists of campaigns in every shape that may come: ours is in it, or not, or nobody can tell."""

import json

import pytest

from relay.providers.dmds.listing import holds_campaign


def _held(answer):
    return holds_campaign(json.dumps(answer).encode(), 14)


@pytest.mark.parametrize(
    "answer",
    [
        {"status": "ok", "campanias": [{"id": 14, "numid": 14}]},
        {"status": "ok", "campanias": [{"numid": 13}, {"numid": "14"}]},
        {"status": "ok", "campanias": [{"id": 7, "NUMID": " 014 "}]},
        {"status": "ok", "data": {"lista": [{"id": 14}]}},
        {"status": "ok", "campania": {"numid": 14, "grupos": []}, "avisos": []},
        {"status": "ok", "numid": 14, "nombre": "x"},
        {"id": "request-1", "campanias": {"items": [{"numid": 14}], "total": 1}},
        {"numid": 99, "tipo": "api", "campanias": [{"numid": 14}]},
        [{"numid": 14}],
        [[{"id": "14"}]],
        [13, 14],
    ],
)
def test_our_campaign_is_seen(answer):
    assert _held(answer) is True


@pytest.mark.parametrize(
    "answer",
    [
        {"status": "ok", "campanias": []},
        {"status": "ok", "campanias": {"items": [], "total": 0}},
        {"status": "ok", "data": {"rows": []}},
        {"status": "ok", "numid": 14, "tipo": "api", "campanias": []},
        {"status": "ok", "filtro": {"numid": 14}, "campanias": []},
        {"status": "ok", "numid": 14, "data": []},
        {"status": "ok", "id": 14, "data": []},
        {"status": "ok", "campanias": [{"numid": 1}, {"id": 22}]},
        {"status": "ok", "campanias": [{"id": 14, "numid": 99}]},
        {"status": "ok", "campanias": [{"numid": 99, "grupos": [{"id": 14}]}]},
        {"status": "ok", "campanias": [{"numid": 99}, {"nombre": "14"}]},
        {"status": "ok", "campania": {"numid": "140"}},
        {"status": "ok", "campanias": [{"numid": True}]},
        {"status": "ok", "campanias": [{"numid": "fourteen"}]},
        {"status": "ok", "numid": 99},
        {"status": "ok", "campanias": ["13", 1]},
        [],
    ],
)
def test_our_campaign_is_missed(answer):
    assert _held(answer) is False


@pytest.mark.parametrize(
    "answer",
    [
        {"status": "ok"},
        {},
        {"status": "ok", "campanias": None},
        {"status": "ok", "campanias": 1},
        {"status": "ok", "campanias": [{"nombre": "14", "filtros": []}]},
        {"status": "ok", "campanias": ["Primavera"]},
        {"status": "ok", "campanias": [{"numid": None}]},
        {"status": "ok", "campana_id": 14},
        "14",
        14,
        None,
    ],
)
def test_an_answer_that_cannot_be_read_that_far_tells_nothing(answer):
    assert _held(answer) is None


@pytest.mark.parametrize("body", [b"", b"<html>", b"{", b"\xff"])
def test_what_is_no_json_tells_nothing(body):
    assert holds_campaign(body, 14) is None


def test_the_key_is_the_configured_one():
    assert holds_campaign(b'[{"number":14}]', 14, "number") is True


def test_depth_ends_nothing():
    assert holds_campaign(b"[" * 900 + b"]" * 900, 14) is None
    assert holds_campaign(b'{"a":' * 900 + b'{"numid":14}' + b"}" * 900, 14) is True
