"""The HTTP API: as its document says, for those who have a token, and for nobody else."""

import json
import os
import re
import smtplib

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from running import BODY_MARKER, SUBJECT_MARKER, until
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    ignored_auth,
    response_schema_conformance,
    status_code_conformance,
)
from visiting import TOKENS, Visit, web_config

from relay.web.api import Api
from relay.web.api.operations import document

OK, UNAUTHORIZED, FORBIDDEN, NOT_FOUND, UNPROCESSABLE = 200, 401, 403, 404, 422
NOWHERE = {
    "RELAY__PROVIDER__MENSATEK__URL": "http://127.0.0.1:9/v7",
    "RELAY__PROVIDER__DMDS__URL": "http://127.0.0.1:9/v1",
    "RELAY__DELIVERY__TROUBLE_AFTER": "0",  # each mail is tried at once
}
OPERATIONS = Api(None, store=None, desk=None, guard=None, events=None, clock=None).operations()
SCHEMA = schemathesis.openapi.from_dict(document(OPERATIONS))
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
IS_LONG = os.environ.get("SIEGE") == "long"


@pytest.fixture(scope="module")
def stuck(_make_gateway, base_config):
    """A gateway whose API nobody answers: what it takes, waits."""
    return _make_gateway(
        f"{base_config}\n{web_config()}", environ={**NOWHERE, "RELAY__LOGINS__DELAY": "0"}, name="asked"
    )


@pytest.fixture(scope="module")
def waiting(stuck, logins):
    """The id of a mail that waits, after its first attempt."""
    with smtplib.SMTP("127.0.0.1", stuck.port("local"), timeout=30) as smtp:
        smtp.login(logins["kept-mensatek"].user, logins["kept-mensatek"].password)
        smtp.mail("app@example.org")
        smtp.rcpt("ana@example.net")
        mail = f"From: app@example.org\r\nTo: ana@example.net\r\nSubject: {SUBJECT_MARKER}\r\n\r\n{BODY_MARKER}\r\n"
        sent = re.search(rb"[0-9A-Z]{26}", smtp.data(mail)[1])[0].decode()
    until(lambda: ask(stuck, "GET", f"/messages/{sent}")[1]["tried"], 30, "no attempt")
    return sent


def ask(gateway, method, path, body=None, token=TOKENS["robot"]):
    """Ask as a program; returns the status and what was said."""
    visit = Visit(gateway)
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    status, said = visit.ask(method, f"/api/v1{path}", None if body is None else json.dumps(body), headers)
    return status, json.loads(said) if "json" in visit.headers["content-type"] else said


def test_the_document_is_served_to_everybody(stuck):
    status, told = ask(stuck, "GET", "/openapi.json", token="")
    assert (status, told) == (OK, document(OPERATIONS))


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_nothing_is_told_without_a_token(stuck, operation):
    path = re.sub("{.*?}", "x", operation.path)
    for token in ("", "token-that-nobody-has-at-all"):
        assert ask(stuck, operation.method, path, {}, token)[0] == UNAUTHORIZED
    looking = ask(stuck, operation.method, path, {}, TOKENS["watcher"])[0]
    assert (looking == FORBIDDEN) == (operation.role == "act")


@SCHEMA.parametrize()
@settings(max_examples=100 if IS_LONG else 6, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_every_operation_answers_as_described(case, stuck, waiting):
    headers = {"Authorization": f"Bearer {TOKENS['robot']}"}
    case.call_and_validate(base_url=stuck.web_url, headers=headers, checks=[*CHECKS, ignored_auth])


def test_a_message_is_found_and_told_without_its_content(stuck, waiting):
    status, page = ask(stuck, "GET", "/messages?recipient=ana@example.net&state=any")
    assert status == OK
    assert waiting in [message["id"] for message in page["messages"]]
    told = ask(stuck, "GET", f"/messages/{waiting}")[1]
    assert told["kept"]["received_at"].endswith("+00:00")
    assert told["tried"][0]["outcome"] == "deferred"
    assert SUBJECT_MARKER not in json.dumps(told)
    assert ask(stuck, "GET", f"/messages/{waiting}/source")[1].endswith(f"{BODY_MARKER}\r\n")


def test_acts_are_weighed_and_done(stuck, waiting):
    act = {"verb": "hold", "ids": [waiting]}
    assert ask(stuck, "POST", "/acts", {**act, "dry_run": True})[1]["recipients"] == 1
    assert ask(stuck, "GET", f"/messages?ids={waiting}&state=held")[1]["messages"] == []
    assert ask(stuck, "POST", "/acts", act)[1]["recipients"] == 1
    assert ask(stuck, "GET", f"/messages?ids={waiting}&state=held")[1]["messages"][0]["id"] == waiting
    assert ask(stuck, "POST", "/acts", {"verb": "release", "ids": [waiting]})[1]["recipients"] == 1
    assert {act["who"] for act in ask(stuck, "GET", f"/messages/{waiting}")[1]["acts"]} == {"api/robot"}


def test_who_may_look_is_told(stuck, waiting):
    assert ask(stuck, "GET", f"/messages/{waiting}", token=TOKENS["watcher"])[0] == OK


def test_an_account_is_left_alone_and_taken_up_again(stuck):
    assert ask(stuck, "POST", "/accounts/dmds/pause", {"seconds": 600, "reason": "moving house"})[0] == OK
    states = {state["name"]: state for state in ask(stuck, "GET", "/accounts")[1]}
    assert states["dmds"]["pause"]["reason"] == "moving house"
    assert ask(stuck, "POST", "/accounts/dmds/resume")[1] == {"was_paused": True}
    assert ask(stuck, "POST", "/accounts/dmds/resume")[1] == {"was_paused": False}


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "said"),
    [
        ("GET", "/messages?colour=red", None, UNPROCESSABLE, "colour: there is no such filter"),
        ("GET", "/messages?after=abc", None, UNPROCESSABLE, "no page begins"),
        ("GET", "/messages?limit=0", None, UNPROCESSABLE, "limit: a whole number from 1 to 500"),
        ("GET", "/messages?state=lost", None, UNPROCESSABLE, "state: "),
        ("GET", "/messages/x", None, UNPROCESSABLE, "26 letters and digits"),
        ("GET", "/messages/01M8HZZZZZZZZZZZZZZZZZZZZZ", None, NOT_FOUND, "no such message"),
        ("POST", "/acts", {"verb": "eat", "ids": ["x"]}, UNPROCESSABLE, "verb: "),
        ("POST", "/acts", {"verb": "hold", "ids": []}, UNPROCESSABLE, "ids: "),
        ("POST", "/acts", {"verb": "drop", "ids": ["", " "]}, UNPROCESSABLE, "ids: "),
        ("POST", "/accounts/nobody/resume", None, NOT_FOUND, "no such account"),
        ("POST", "/accounts/dmds/pause", {"seconds": -1}, UNPROCESSABLE, "seconds: "),
    ],
)
def test_what_means_nothing_is_refused_with_what_would(stuck, method, path, body, status, said):
    told = ask(stuck, method, path, body)
    assert told[0] == status
    assert said in told[1]["title"]
