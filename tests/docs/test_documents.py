"""What the documents say is so: tables are those of the code, commands work as pasted."""

import os
import re
import runpy
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from relay import config
from relay.cli import COMMANDS, main
from relay.config.profiles import PROFILES
from relay.providers.dmds import DmdsClient
from relay.providers.dmds.api.campaigns import Campaigns, Filters, Groups, Variables
from relay.providers.dmds.api.contacts import Contacts, Whitelist
from relay.providers.dmds.api.events import Batches, Events
from relay.providers.dmds.api.sends import Sends
from relay.providers.dmds.methods import METHODS as DMDS_METHODS
from relay.providers.mensatek import MensatekClient
from relay.providers.mensatek.methods import METHODS as MENSATEK_METHODS

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
SHELL_BLOCKS = re.findall(r"^```sh\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("name", ["headers.md", "mails.md", "notes.md", "wire.md"])
def test_the_tables_are_those_of_the_code(name):
    pages = runpy.run_path(str(ROOT / "docs" / "generate.py"))["pages"]()
    assert pages[name] == (ROOT / "docs" / name).read_text(encoding="utf-8"), "run: .venv/bin/python docs/generate.py"


def test_the_table_of_methods_in_the_readme_is_that_of_the_code():
    """Method, verb and path, mark, client, command and test; a method without a test has no row to be written."""
    made = runpy.run_path(str(ROOT / "docs" / "generate.py"))["readme"](README)
    assert made == README, "run: .venv/bin/python docs/generate.py"


@pytest.mark.parametrize(("methods", "client"), [(DMDS_METHODS, DmdsClient), (MENSATEK_METHODS, MensatekClient)])
def test_every_public_method_of_a_client_stands_in_its_table(methods, client):
    told = {method.client for method in methods}
    rooms = {"DmdsClient": [Batches, Campaigns, Contacts, Events, Filters, Groups, Sends, Variables, Whitelist]}
    found = {name for name in _public(client) if name != "wire"}
    for room in rooms.get(client.__name__, ()):
        found |= {f"{room.__name__.lower()}.{name}" for name in _public(room)}
    assert found - told == ({"events.page"} if client is DmdsClient else set()), "events.between goes through its pages"
    assert told <= found


def _public(kind):
    return {name for name in vars(kind) if not name.startswith("_")}


def test_every_command_stands_in_the_readme_and_every_one_there_exists():
    told = set(re.findall(r"^\| `relay ([a-z-]+)`", README, re.MULTILINE))
    assert told == set(COMMANDS)


def test_every_link_leads_somewhere():
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert target.startswith("http") or (ROOT / target).exists(), target


def test_every_dependency_has_its_reason():
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    listed = re.search(r"^dependencies = \[(.*?)^\]", project, re.MULTILINE | re.DOTALL)
    assert listed is not None
    for name in re.findall(r'"([a-z][a-z0-9-]+)', listed[1]):
        assert re.search(rf"^\| .*\b{name}\b.* \|", README, re.MULTILINE), name


def test_every_metric_that_the_readme_names_exists():
    source = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "relay").rglob("*.py"))
    for name in set(re.findall(r"`(relay_[a-z_]+)`", README)):
        assert f'"{name.removesuffix("_total")}"' in source, name


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_every_command_explains_itself(command):
    result = CliRunner().invoke(main, [command, "--help"])
    assert result.exit_code == 0
    assert "Usage:" in result.output


def test_the_sandbox_configuration_is_whole():
    assert config.load(ROOT / "config" / "relay.sandbox.toml", {}).passthrough.dmds.enabled


def test_every_listener_in_the_documents_loads(tmp_path):
    """As it stands there, with an account beside it and a certificate that is where it says."""
    text = (ROOT / "docs" / "listeners.md").read_text(encoding="utf-8")
    (tmp_path / "tls.pem").write_text("")
    account = '[account.erp]\nprovider = "mensatek"\nuser = "me"\ntoken = "t"\n'
    seen = set()
    for block in re.findall(r"^```toml\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        path = tmp_path / "relay.toml"
        path.write_text(account + block.replace("/etc/relay/", f"{tmp_path}/"), encoding="utf-8")
        seen |= {listener.profile for listener in config.load(path, {}).listener.values()}
    assert seen == set(PROFILES)


def test_every_wait_of_a_listener_stands_in_the_documents():
    text = (ROOT / "docs" / "listeners.md").read_text(encoding="utf-8")
    waits = [name for name in config.ListenerSettings.model_fields if name.endswith(("_timeout", "_rate", "_within"))]
    assert [name for name in waits if f"| `{name}` |" not in text] == []


def test_make_demo_works_as_pasted():
    (demo,) = [block for block in SHELL_BLOCKS if block.startswith("make demo")]
    done = subprocess.run(
        ["bash", "-e", "-c", demo],
        cwd=ROOT,
        env={**os.environ, "ONCE": "1"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "checked: every mailbox got what was meant for it" in done.stdout


def test_trying_it_by_hand_works_as_pasted(tmp_path):
    """The blocks in a row, in one shell, as somebody pastes them; only waiting is added between them."""
    blocks = [block for block in SHELL_BLOCKS if not block.startswith("make ")]
    assert len(blocks) == 3
    (tmp_path / ".venv").symlink_to(ROOT / ".venv")
    shutil.copytree(ROOT / "config", tmp_path / "config")
    ready = "for i in $(seq 200); do curl -fsS http://127.0.0.1:8080/readyz >/dev/null 2>&1 && break; sleep 0.1; done\n"
    # What a shell does for a job that is put into the background, pasting does not wait for either.
    script = blocks[0] + ready + "".join(blocks[1:]) + "curl -fsS http://127.0.0.1:8025/sandbox/mailboxes\n"
    with (tmp_path / "out").open("wb") as out:
        shell = subprocess.Popen(
            ["bash", "-e", "-c", script], cwd=tmp_path, stdout=out, stderr=subprocess.STDOUT, start_new_session=True
        )
    try:
        code = shell.wait(120)
        said = (tmp_path / "out").read_text(encoding="utf-8")
        assert code == 0, said
        assert "250 2.0.0 Ok: queued as" in said
        assert '"function": "send_many_inline"' in said or "send_many_inline" in said
        assert '"asunto": "Hello"' in said
    finally:
        os.killpg(shell.pid, signal.SIGTERM)  # both servers were put into its background
        time.sleep(0.5)
