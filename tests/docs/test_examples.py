"""The example programs do what they say, against the sandbox."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from running import RunningSandbox

from relay.sandbox import Fate, SandboxOptions

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"


@pytest.fixture
def api():
    with RunningSandbox(SandboxOptions(port=0)) as running:
        yield running


@pytest.fixture
def run(api, tmp_path):
    def call(name, *arguments, stdin=""):
        environ = {
            **os.environ,
            "RELAY_DMDS_ID": "demo",
            "RELAY_DMDS_APIKEY": "demo-apikey",
            "RELAY_DMDS_URL": f"{api.url}/dmds/{{dmdsid}}/v1",
            "RELAY_MENSATEK_USER": "demo-user",
            "RELAY_MENSATEK_TOKEN": "demo-token",
            "RELAY_MENSATEK_URL": f"{api.url}/mensatek/v7",
        }
        done = subprocess.run(
            [sys.executable, EXAMPLES / name, *arguments],
            input=stdin, capture_output=True, text=True, env=environ, cwd=tmp_path, timeout=60, check=False,
        )  # fmt: skip
        assert 0 == done.returncode, done.stderr
        return done.stdout

    return call


def test_an_invoice_is_archived(run, api, tmp_path):
    file = tmp_path / run("archive_invoices.py", "12345", "ana@example.net").strip()
    assert b"Subject: Your invoice" in file.read_bytes()
    assert 1 == len(api.mails("ana@example.net"))


def test_bounces_of_a_day_are_told(run, api):
    run("archive_invoices.py", "12345", "bounce-hard@example.net")
    run("archive_invoices.py", "12345", "ana@example.net")
    (line,) = run("bounces_of_a_day.py").splitlines()
    assert line.endswith("rebote-hard bounce-hard@example.net")


def test_who_bounced_by_mistake_gets_mail_again(run, api):
    api.ask(lambda world: [world.book.mark(name, invalid=True) for name in ("a@example.net", "b@example.org")])
    assert "a@example.net is valid again\n" == run("bounced_by_mistake.py", "example.net")
    run("archive_invoices.py", "12345", "a@example.net")
    assert [Fate.DELIVERED] == [mail.fate for mail in api.mails("a@example.net")]


def test_a_template_goes_to_each_with_variables_of_its_own(run, api):
    people = [{"email": "ana@example.net", "variables": {"name": "Ana"}}, {"email": "luis@example.net", "name": "L"}]
    assert ["ana@example.net", "luis@example.net"] == [
        line.split()[0] for line in run("template_for_each.py", "7", stdin=json.dumps(people)).splitlines()
    ]
    assert ("A word for Ana", "7") == (
        api.mails("ana@example.net")[0].subject,
        api.mails("ana@example.net")[0].template,
    )


def test_every_example_is_run_here():
    text = Path(__file__).read_text("utf-8")
    assert [] == [path.name for path in EXAMPLES.glob("*.py") if f'run("{path.name}"' not in text]
