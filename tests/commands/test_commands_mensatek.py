"""`relay mensatek` as people use it, on the sandbox."""

import json

import pytest
from click.testing import CliRunner
from running import RunningSandbox

from relay.cli import main
from relay.providers.mensatek.methods import METHODS
from relay.sandbox import SandboxOptions
from relay.sandbox.faults import Partial

PEOPLE = [
    {"email": "ana@example.net", "name": "Ana", "variables": {"motivo": "Felicitarte"}, "reference": "A-1"},
    {"email": "luis@example.net"},
]


@pytest.fixture
def api():
    with RunningSandbox(SandboxOptions(port=0)) as running:
        yield running


@pytest.fixture
def run(api, monkeypatch):
    """Run a command with the credentials in the environment; returns code, output and complaints."""
    monkeypatch.setenv("RELAY_MENSATEK_USER", "demo-user")
    monkeypatch.setenv("RELAY_MENSATEK_TOKEN", "demo-token")
    monkeypatch.setenv("RELAY_MENSATEK_URL", f"{api.url}/mensatek/v7")
    monkeypatch.delenv("RELAY_CONFIG", raising=False)

    def call(*arguments, stdin=None):
        done = CliRunner().invoke(main, ["mensatek", *map(str, arguments)], input=stdin)
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        return done.exit_code, done.stdout, done.stderr

    return call


def test_every_method_has_its_command():
    for method in METHODS:
        result = CliRunner().invoke(main, [*method.command.split(), "--help"])
        assert 0 == result.exit_code, method.command
        assert "--json" in result.output


def test_a_send_with_everything(run, api, tmp_path):
    file = tmp_path / "factura.pdf"
    file.write_bytes(b"%PDF-")
    code, out, err = run(
        "send", "--from", "Ventas <app@example.org>", "--to", "Ana <ana@example.net>", "--subject", "Hola ###nombre###",
        "--html", "-", "--var", "razon=25 años", "--reply-to", "ventas@example.org", "--at", "2030-07-01T10:00+00:00",
        "--quiet", "22:00-09:00", "--attach", file, "--no-track-opens", "--track-clicks",
        "--list-unsubscribe", "<mailto:off@example.org>", "--list-help", "<https://example.org>", "--reference", "c-1",
        "--no-report", "--json", stdin="<p>Tu ###razon###</p>",
    )  # fmt: skip
    assert 0 == code, err
    (mail,) = api.mails("ana@example.net")
    assert ("Hola Ana", "<p>Tu 25 años</p>", "Ventas", "2030-07-01 12:00", 1) == (
        mail.subject,
        mail.html,
        mail.from_name,
        mail.scheduled,
        len(mail.attachments),
    )
    sent = json.loads(out)
    assert [mail.message_id] == [each["message_id"] for each in sent["sent"]]


def test_a_template_with_variables_for_each(run, api, tmp_path):
    people = tmp_path / "people.json"
    people.write_text(json.dumps(PEOPLE))
    common = ["send", "--from", "app@example.org", "--subject", "###motivo###", "--recipients", people]
    code, out, err = run(*common, "--template", 1234567, "--var", "motivo=Invitarte")
    assert (0, True) == (code, "ana@example.net" in out), err
    ana, luis = api.mails("ana@example.net") + api.mails("luis@example.net")
    assert ("Felicitarte", "A-1", "1234567") == (ana.subject, ana.recipient_reference, ana.template)
    assert "Invitarte" == luis.subject


def test_who_was_not_sent_to_is_a_failure(run, api):
    api.ask(lambda world: world.faults.add(Partial(api="mensatek", not_sent=("luis@example.net",))))
    people = ["--to", "ana@example.net", "--to", "luis@example.net"]
    code, out, _ = run("send", "--from", "app@example.org", *people, "--subject", "x", "--html", "-", stdin="x")
    assert 1 == code
    assert ["luis@example.net", "not", "sent"] in [line.split() for line in out.splitlines()]


def test_credits(run):
    assert (0, "14970,00\n", "") == run("credits")


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--to", "a@example.net"], 2, "needs HTML or a template"),
        (["--template", "7"], 2, "needs a recipient"),
        (["--to", "nonsense"], 2, "is no address"),
        (["--to", "a@example.net", "--template", "7", "--quiet", "22:00"], 2, "22:00-09:00"),
        (["--template", "7", "--recipients", "-"], 2, "must be a JSON list"),
        (["--to", "a@example.net", "--template", "7", "--account", "x"], 78, "no Mensatek account 'x'; known: none"),
    ],
)
def test_failures_say_what_is_wrong(run, arguments, code, said):
    got, out, err = run("send", "--from", "app@example.org", "--subject", "x", *arguments, stdin='{"a": 1}')
    assert (code, "") == (got, out)
    assert said in err


def test_accounts_and_missing_credentials(run, api, tmp_path, monkeypatch):
    config = tmp_path / "relay.toml"
    account = 'provider = "mensatek"\nuser = "demo-user"\ntoken = "{}"\n'
    config.write_text(f"[account.erp]\n{account.format('demo-token')}[account.old]\n{account.format('wrong-token')}")
    assert 0 == run("credits", "-c", config, "-a", "erp")[0]
    code, _, err = run("credits", "-c", config, "-a", "old")
    assert (1, True, False) == (code, "the credentials are refused (-1)" in err, "wrong-token" in err)
    assert "there are several: erp, old" in run("credits", "-c", config)[2]
    monkeypatch.delenv("RELAY_MENSATEK_TOKEN")
    code, _, err = run("credits")
    assert (78, True) == (code, "RELAY_MENSATEK_USER and RELAY_MENSATEK_TOKEN" in err)
