"""The description of both APIs is true: whatever is asked by it, good or bad, is answered as it says."""

import base64
import json
import os
import urllib.request

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from running import RunningSandbox
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    ignored_auth,
    response_schema_conformance,
    status_code_conformance,
)

from relay.sandbox import WORLD, SandboxOptions, create_app
from relay.sandbox.dmds.api import FUNCTIONS
from relay.sandbox.openapi import description

#: `make siege` also goes through every boundary that the description has, and asks for more examples.
IS_LONG = os.environ.get("SIEGE") == "long"

OPTIONS = SandboxOptions(port=0)
DESCRIPTION = description(create_app(OPTIONS)[WORLD])
SCHEMA = schemathesis.openapi.from_dict(
    DESCRIPTION, config=schemathesis.Config.from_dict({"phases": {"coverage": {"enabled": IS_LONG}}})
)
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
LOGINS = {
    "dmds": "demo-apikey",
    "mensatek": "Basic " + base64.b64encode(b"demo-user:demo-token").decode(),
}


@pytest.fixture(scope="module")
def api():
    with RunningSandbox(OPTIONS) as running:
        yield running


@SCHEMA.parametrize()
@settings(max_examples=200 if IS_LONG else 8, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_every_operation_answers_as_described(case, api):
    # An earlier example may have given the campaign another key.
    api.ask(lambda world: world.campaigns.set_key(world.campaigns.find("demo", 12345), "demo-apikey"))
    name = case.path.split("/")[1]
    checks = [*CHECKS, ignored_auth] if name == "dmds" else CHECKS  # Mensatek refuses with 200
    case.call_and_validate(base_url=api.url, headers={"Authorization": LOGINS[name]}, checks=checks)


def test_every_function_of_the_sandbox_is_described():
    operations = [
        operation["operationId"]
        for path in DESCRIPTION["paths"].values()
        for verb, operation in path.items()
        if verb != "parameters"
    ]
    assert len(set(operations)) == len(operations)
    described = {f"dmds_{each.name}_{verb.lower()}" for each in FUNCTIONS for verb in each.methods}
    assert described | {"mensatek_EnviarEMAIL", "mensatek_GetCreditos"} == set(operations)


def test_the_description_is_served(api):
    with urllib.request.urlopen(f"{api.url}/sandbox/openapi.json") as answer:
        assert DESCRIPTION == json.load(answer)
