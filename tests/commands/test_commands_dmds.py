"""`relay dmds` as people use it, on the sandbox: what it prints, and how it ends."""

import json
import threading

import pytest
from click.testing import CliRunner
from running import RunningSandbox

from relay.cli import main
from relay.providers.dmds.methods import METHODS
from relay.sandbox import SandboxOptions


@pytest.fixture
def api():
    with RunningSandbox(SandboxOptions(port=0)) as running:
        yield running


@pytest.fixture
def run(api, monkeypatch):
    """Run a command with the credentials in the environment; returns code, output and complaints."""
    monkeypatch.setenv("RELAY_DMDS_ID", "demo-12345")
    monkeypatch.setenv("RELAY_DMDS_APIKEY", "demo-apikey")
    monkeypatch.setenv("RELAY_DMDS_URL", f"{api.url}/dmds/{{dmdsid}}/v1")
    monkeypatch.delenv("RELAY_CONFIG", raising=False)

    def call(*arguments, stdin=None):
        # In a thread of its own: this one may run a loop.
        done = []
        thread = threading.Thread(
            target=lambda: done.append(CliRunner().invoke(main, ["dmds", *map(str, arguments)], input=stdin))
        )
        thread.start()
        thread.join()
        assert done[0].exception is None or isinstance(done[0].exception, SystemExit), done[0].exception
        return done[0].exit_code, done[0].stdout, done[0].stderr

    return call


@pytest.fixture
def told(run):
    """Run a command that ends well, and return its JSON."""

    def call(*arguments, stdin=None):
        code, out, err = run(*arguments, "--json", stdin=stdin)
        assert 0 == code, err
        return json.loads(out)

    return call


def test_every_method_has_its_command():
    for method in METHODS:
        result = CliRunner().invoke(main, [*method.command.split(), "--help"])
        assert 0 == result.exit_code, method.command
        assert "--json" in result.output


def test_contacts(run, told):
    assert {"version": "1.5"} == told("version")
    saved = told(
        "contacts", "save", "ana@example.net", "--name", "Ana", "--base", "clientes", "--field", "ciudad=Rosario"
    )
    assert (["clientes"], {"ciudad": "Rosario"}) == (saved["bases"], saved["fields"])
    told("contacts", "set-bases", "ana@example.net", "prensa")
    told("contacts", "set-fields", "ana@example.net", "pais=AR")
    code, out, _ = run("contacts", "show", "ana@example.net")
    assert 0 == code
    lines = dict(line.split(maxsplit=1) for line in out.splitlines())
    assert ("Ana", "clientes, prensa", "ciudad=Rosario, pais=AR", "no") == tuple(
        lines[name] for name in ("name", "bases", "fields", "invalid")
    )
    assert (0, "no contact is invalid\n", "") == run("contacts", "invalid")
    assert "ana@example.net is invalid" in run("contacts", "invalidate", "ana@example.net")[1]
    assert ["ana@example.net"] == [each["email"] for each in told("contacts", "invalid")]
    assert "ana@example.net" in run("contacts", "invalid")[1]
    assert "ana@example.net is valid" in run("contacts", "revalidate", "ana@example.net")[1]
    assert (0, "ana@example.net not whitelisted\n", "") == run("whitelist", "show", "ana@example.net")
    assert told("whitelist", "add", "ana@example.net")["whitelisted"]
    assert told("contacts", "invalidate", "ana@example.net")["is_whitelisted"]
    assert not told("whitelist", "remove", "ana@example.net")["whitelisted"]


def test_campaigns_and_panel(run, told):
    assert [(12345, None)] == [(each["number"], each["apikey"]) for each in told("campaigns", "list")]
    assert "Campaign 12345" in run("campaigns", "list", "--type", "api")[1]
    made = told("campaigns", "create", "Invoices")
    assert (0, f"{made['apikey']}\n", "") == run("campaigns", "key", made["number"])
    assert "chosen" == told("campaigns", "set-key", made["number"], "--key-file", "-", stdin="chosen\n")["apikey"]
    assert {"number": 1, "name": "clientes"} == told("groups", "create", "clientes")
    assert "Never opened" in run("filters", "list")[1]
    assert "iva is set" in run("variables", "create", "iva", "21")[1]
    assert [{"name": "iva", "value": "21"}] == told("variables", "list")
    assert "iva is deleted" in run("variables", "delete", "iva")[1]
    assert (0, "no variable\n", "") == run("variables", "list")


def test_sends_events_and_archives(run, told, api, tmp_path):
    html, file = tmp_path / "mail.html", tmp_path / "factura.pdf"
    html.write_text("<p>Hola</p>", "utf-8")
    file.write_bytes(b"%PDF-")
    sent = told(
        "send", "one-inline", "--campaign", 12345, "--to", "Ana <ana@example.net>", "--html", html,
        "--subject", "Hola", "--from", "App <app@example.org>", "--cc", "luis@example.net",
        "--bcc", "audit@example.org", "--attach", file, "--archive",
    )  # fmt: skip
    assert 3 == sent["count"]
    (mail,) = api.mails("audit@example.org")
    assert ("Hola", "app@example.org", 1) == (mail.subject, mail.sender, len(mail.attachments))
    joined = told(
        "send", "many-inline", "--campaign", 12345, "--to", "a@example.net", "--to", "b@example.net",
        "--html", "-", "--batch", sent["batch"], stdin="<p>Hola</p>",
    )  # fmt: skip
    assert (sent["batch"], 2) == (joined["batch"], joined["count"])
    assert 5 == len(told("events", "of", sent["batch"]))
    assert {"count": 5} == told("events", "count", "--since", "2020-01-01")
    assert 5 == len(told("events", "list", "--page-size", 10))
    code, out, err = run("events", "list", "--most", 2)
    assert (0, 2, True) == (code, out.count("envio"), "stopped after 2" in err)
    assert "luis@example.net" in run("batches", "info", sent["batch"])[1]
    target = tmp_path / "ana.eml"
    assert 0 == run("batches", "eml", sent["batch"], "ana@example.net", "-o", target)[0]
    assert b"Subject: Hola" in target.read_bytes()
    code, _, err = run("batches", "eml", sent["batch"], "ana@example.net", "-o", target)
    assert (69, True) == (code, "File exists" in err)
    assert "Subject: Hola" in run("batches", "eml", sent["batch"], "ana@example.net", "-o", "-")[1]


def test_sends_of_pages(told, api):
    page = f"{api.url}/livez"
    assert 1 == told("send", "one", "--campaign", 12345, "--to", "ana@example.net", "--page", page)["count"]
    people = ["--to", "ana@example.net", "--to", "luis@example.net"]
    assert 2 == told("send", "many", "--campaign", 12345, *people, "--page", page)["count"]
    assert "ok\n" == api.mails("luis@example.net")[0].html


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("contacts", "show", "nobody@example.net"), 1, "refused (404): contact not found"),
        (("contacts", "save", "nonsense"), 1, "refused (400): invalid email"),
        (("events", "of", ".."), 2, "cannot stand in a path"),
        (("contacts", "save", "a@example.net", "--field", "x"), 2, "NAME=VALUE"),
        (("events", "count", "--since", "soon"), 2, "2026-05-01"),
        (("send", "one", "--campaign", "1", "--to", "Ana", "--page", "http://x"), 2, "is no address"),
        (("version", "--account", "shop"), 78, "--account needs --config"),
    ],
)
def test_failures_say_what_is_wrong(run, arguments, code, said):
    got, out, err = run(*arguments)
    assert (code, "") == (got, out)
    assert said in err


def test_a_wrong_key_and_an_api_that_is_away(run, monkeypatch):
    monkeypatch.setenv("RELAY_DMDS_APIKEY", "wrong-apikey")
    code, _, err = run("version")
    assert (1, True, False) == (code, "the credentials are refused (403): Forbidden" in err, "wrong-apikey" in err)
    monkeypatch.setenv("RELAY_DMDS_URL", "http://127.0.0.1:1/{dmdsid}")
    code, _, err = run("version")
    assert (69, True) == (code, "could not connect" in err)
    monkeypatch.delenv("RELAY_DMDS_APIKEY")
    code, _, err = run("version")
    assert (78, True) == (code, "RELAY_DMDS_ID and RELAY_DMDS_APIKEY" in err)


def test_accounts_of_the_configuration(run, api, tmp_path):
    config = tmp_path / "relay.toml"
    account = 'provider = "dmds"\ndmdsid = "{}"\ncampaign = 12345\napikey = "{}"\n'
    config.write_text(
        f"[account.shop]\n{account.format('demo', 'demo-apikey')}[account.old]\n{account.format('demo', 'wrong')}"
    )
    assert (0, "1.5\n", "") == run("version", "-c", config, "-a", "shop")
    assert 1 == run("version", "-c", config, "-a", "old")[0]
    assert "--account is needed, for there are several: shop, old" in run("version", "-c", config)[2]
    assert "known: shop, old" in run("version", "-c", config, "-a", "x")[2]
    assert 78 == run("version", "-c", tmp_path / "missing.toml")[0]


# --- doctor ---


def verdicts(findings):
    return {each["key"]: each["verdict"] for each in findings}


def test_the_doctor_confirms_what_it_can_and_changes_nothing(told, api):
    told(
        "send",
        "one-inline",
        "--campaign",
        12345,
        "--to",
        "ana@example.net",
        "--html",
        "-",
        "--archive",
        stdin="<p>x</p>",
    )
    calls, stats = len(api.ask(lambda world: world.calls)), api.ask(lambda world: world.stats()["mails"])
    findings = told("doctor", "--campaign", 12345)
    found = verdicts(findings)
    confirmed = {key for key, verdict in found.items() if verdict == "confirmed"}
    assert {
        "call_contact", "call_invalid_contacts", "call_whitelist", "call_campaign_key", "call_filters",
        "call_variables", "call_batch_events", "call_batch_info", "call_batch_eml", "call_events_count", "call_events",
        "events_from", "events_until",
    } == confirmed  # fmt: skip
    assert {"not asked"} == {verdict for key, verdict in found.items() if key not in confirmed}
    assert {"call_invalidate", "call_send_one", "attachments"} <= set(found)
    assert stats == api.ask(lambda world: world.stats()["mails"])
    asked = api.ask(lambda world: world.calls)[calls:]
    assert {"GET"} == {call.method for call in asked}
    assert not {"invalidar", "revalidar"} & {call.function for call in asked}


def test_the_doctor_contradicts_what_is_wrong(run, api, tmp_path):
    config = tmp_path / "relay.toml"
    config.write_text(
        f'[provider.dmds]\nurl = "{api.url}/dmds/{{dmdsid}}/v1"\n'
        '[provider.dmds.wire]\ncall_filters = "GET filters/"\ncall_variables = "DELETE variables/"\n'
        '[account.shop]\nprovider = "dmds"\ndmdsid = "demo"\ncampaign = 12345\napikey = "demo-apikey"\n'
    )
    code, out, _ = run("doctor", "-c", config, "--json")
    found = verdicts(json.loads(out))
    assert (1, "contradicted", "not asked") == (code, found["call_filters"], found["call_variables"])
    assert ("open", "not asked", "not asked") == (
        found["events_from"],
        found["call_contact"],
        found["call_campaign_key"],
    )


def test_the_doctor_ends_at_a_wrong_key(run, monkeypatch):
    monkeypatch.setenv("RELAY_DMDS_APIKEY", "wrong-apikey")
    assert (1, "") == run("doctor")[:2]
