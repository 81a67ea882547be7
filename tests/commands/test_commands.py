"""The command line as people use it: what it prints, where, and with which exit code."""

import json
import os
import socket
import subprocess
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from running import RELAY, RunningSandbox

from relay.sandbox import SandboxOptions

MAIL = (
    "From: App <app@example.org>\nTo: Ana <ana@example.net>\nCc: luis@example.net\nSubject: Hello\n"
    "X-Relay-Reference: order-7\n\nIt works.\n"
)


def relay(*arguments, stdin="", cwd=None, env=None):
    return subprocess.run(
        [RELAY, *map(str, arguments)],
        input=stdin,
        capture_output=True,
        text=True,
        timeout=60,
        cwd=cwd,
        env=env,
        check=False,
    )


@pytest.fixture
def configured(tmp_path):
    """Make a configuration file out of text; the store lies beside it."""

    def make(text: str = "") -> Path:
        file = tmp_path / "relay.toml"
        file.write_text(
            f'store.path = "{tmp_path}/relay.db"\nweb.address = "127.0.0.1:0"\n'
            '[account.erp]\nprovider = "mensatek"\nuser = "demo-user"\ntoken = "demo-token"\n'
            '[account.shop]\nprovider = "dmds"\ndmdsid = "demo"\ncampaign = 12345\napikey = "demo-apikey"\n' + text
        )
        return file

    return make


# --- explain ---


def test_explain_prints_the_calls_roles_and_notes_as_text(configured):
    done = relay(
        "explain", "-", "-c", configured(), "-l", "shop", "--from", "app@example.org",
        "--rcpt", "ana@example.net", "--rcpt", "luis@example.net", "--rcpt", "audit@example.org", stdin=MAIL,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "to   ana@example.net" in done.stdout
    assert "bcc  audit@example.org" in done.stdout
    assert "power_not_available" in done.stdout
    assert '"copia_oculta"' in done.stdout
    assert "demo-apikey" not in done.stdout


def test_explain_prints_json_for_programs(configured):
    done = relay(
        "explain", "-", "-c", configured(), "-l", "erp", "--from", "app@example.org",
        "--rcpt", "ana@example.net", "--json", stdin=MAIL,
    )  # fmt: skip
    explained = json.loads(done.stdout)
    (call,) = explained["calls"]
    assert call["function"] == "EnviarEMAIL"
    assert call["body"]["Referenciausuario"] == "order-7"
    assert call["body"]["Destinatarios"] == [{"Nombre": "Ana", "Email": "ana@example.net"}]


def test_explain_says_why_a_mail_would_be_refused(configured):
    mail = MAIL.replace("X-Relay-Reference: order-7", "X-Relay-Schedule: tomorrow")
    done = relay("explain", "-", "-c", configured(), "-l", "erp", "--rcpt", "ana@example.net", stdin=mail)
    assert done.returncode == 65
    assert "554 5.6.0 X-Relay-Schedule" in done.stderr
    assert done.stdout == ""


def test_explain_names_the_logins_there_are(configured):
    done = relay("explain", "-", "-c", configured(), "-l", "epr", "--rcpt", "ana@example.net", stdin=MAIL)
    assert done.returncode == 65
    assert "erp, shop" in done.stderr


@pytest.mark.parametrize(
    ("changed", "arguments", "said"),
    [
        ("", ["--from", "app@evil.example"], "550 5.7.1 app@evil.example: this account may send as: *@example.org"),
        ("app@evil.example", ["--from", "app@example.org"], "550 5.7.1 app@evil.example"),
        ("", ["--from", "no address"], "501 5.1.7"),
        ("", ["--rcpt", "notanaddress"], "501 5.1.3"),
        ("", ["--rcpt", "a@[192.0.2.1]"], "501 5.1.3"),
    ],
)
def test_explain_refuses_what_the_gateway_would_refuse(configured, changed, arguments, said):
    config = configured()
    config.write_text(config.read_text().replace("[account.erp]", '[account.erp]\nsenders = ["*@example.org"]'))
    mail = MAIL.replace("app@example.org", changed) if changed else MAIL
    done = relay("explain", "-", "-c", config, "-l", "erp", "--rcpt", "ana@example.net", *arguments, stdin=mail)
    assert (done.returncode, done.stdout) == (65, "")
    assert said in done.stderr


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["explain", "no-such-file.eml", "-l", "erp", "--rcpt", "a@example.net"], 2),
        (["explain"], 2),
        (["serve"], 2),
        (["no-such-command"], 2),
        (["serve", "--config", "/nonexistent/relay.toml"], 78),
        (["check", "--config", "/nonexistent/relay.toml"], 78),
        (["explain", "-", "-c", "/nonexistent/relay.toml", "-l", "x", "--rcpt", "a@example.net"], 78),
    ],
)
def test_a_wrong_command_line_and_a_wrong_configuration_have_their_codes(arguments, code):
    done = relay(*arguments)
    assert done.returncode == code
    assert done.stderr
    assert "Traceback" not in done.stderr


# --- check ---


def test_check_is_content_with_what_is_right(configured):
    done = relay("check", "-c", configured())
    assert done.returncode == 0, done.stderr
    assert "ok" in done.stdout
    assert "erp, shop" in done.stdout


def test_check_tells_every_mistake_of_the_configuration_at_once(configured):
    done = relay(
        "check", "-c", configured('[defaults]\nmood = "queue"\nmode = "quick"\n[listener.a]\naddress = "25"\n')
    )
    assert done.returncode == 78
    for word in ("defaults.mood", "did you mean mode", "defaults.mode", "listener.a.address", "host:port"):
        assert word in done.stderr, done.stderr


def test_check_looks_at_what_the_configuration_names(configured, tmp_path, certificate):
    other_key = tmp_path / "other.key"
    subprocess.run(["openssl", "genrsa", "-out", other_key, "2048"], check=True, capture_output=True)
    doors = (
        f'[listener.a]\naddress = "127.0.0.1:0"\ntls = "implicit"\n'
        f'certificate = "{certificate.chain}"\nkey = "{other_key}"\n'
        '[listener.b]\naddress = "no-such-host.invalid:2525"\n'
        '[provider.dmds.wire]\nsubjekt = "asunto"\n'
    )
    done = relay("check", "-c", configured(doors))
    assert done.returncode == 1
    for word in ("listener.a", "key", "listener.b.address", "provider.dmds.wire.subjekt", "did you mean subject"):
        assert word in done.stderr, done.stderr


def test_check_tells_mistakes_of_every_kind_at_once(configured, tmp_path):
    """In two stages, people mended three mistakes only to be told of three others."""
    file = configured(
        '[defaults]\nmode = "quick"\n[provider.dmds.wire]\nsubjekt = "asunto"\n'
        '[listener.a]\naddress = "192.0.2.1:2525"\n'
    )
    file.write_text(file.read_text().replace(f"{tmp_path}/relay.db", f"{tmp_path}/missing/relay.db"))
    done = relay("check", "-c", file)
    assert done.returncode == 78
    for word in ("defaults.mode", "provider.dmds.wire.subjekt", "store.path", "listener.a.address: 192.0.2.1:2525"):
        assert word in done.stderr, done.stderr


def test_check_makes_no_store_and_leaves_none_behind(configured, tmp_path):
    """Made by root, it could not be opened by the service's user."""
    assert relay("check", "-c", configured()).returncode == 0
    assert [path.name for path in tmp_path.iterdir()] == ["relay.toml"]


@pytest.mark.parametrize("address", ["no-such-host.invalid:8080", "192.0.2.1:8080"])
def test_check_and_serve_name_a_web_address_that_cannot_be_had(configured, address):
    file = configured()
    file.write_text(file.read_text().replace('web.address = "127.0.0.1:0"', f'web.address = "{address}"'))
    checked = relay("check", "-c", file)
    assert (checked.returncode, f"web.address: {address}" in checked.stderr) == (1, True), checked.stderr
    served = relay("serve", "-c", file)
    assert (served.returncode, "web.address" in served.stderr) == (78, True), served.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give capabilities away")
@pytest.mark.parametrize(("capability", "code"), [("+net_bind_service", 0), ("-net_bind_service", 1)])
def test_check_allows_low_ports_to_whoever_may_have_them(configured, tmp_path, capability, code):
    """The unit's ExecStartPre runs as nobody with the capability, and refused to start on port 587."""
    file = configured('[listener.a]\naddress = "127.0.0.1:587"\n')
    for path in [tmp_path, *tmp_path.parents[:3]]:
        path.chmod(0o755)
    os.chown(tmp_path, 65534, 65534)
    rights = ["--inh-caps", capability, "--ambient-caps", capability]
    done = subprocess.run(
        ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", *rights, RELAY, "check", "-c", file],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == code, done.stderr


def test_check_says_that_the_stores_folder_is_missing(configured, tmp_path):
    file = configured()
    file.write_text(file.read_text().replace(f"{tmp_path}/relay.db", f"{tmp_path}/missing/relay.db"))
    done = relay("check", "-c", file)
    assert done.returncode == 1
    assert "store.path" in done.stderr
    assert "create it" in done.stderr


def test_check_shows_what_a_profile_came_to(configured):
    """With what is set over it."""
    done = relay("check", "-c", configured('[listener.a]\nprofile = "device"\ndata_timeout = "7m"\n'))
    (shown,) = [line for line in done.stdout.splitlines() if line.startswith("listener.")]
    assert shown.startswith("listener.a: profile device: ")
    assert 'line_ends = "normalise"' in shown
    assert 'data_timeout = "7m"' in shown


def test_check_does_not_ask_the_providers_unless_told_to(configured):
    urls = (
        '[provider.mensatek]\nurl = "http://127.0.0.1:9/v7"\n[provider.dmds]\nurl = "http://127.0.0.1:9/{dmdsid}/v1"\n'
    )
    assert relay("check", "-c", configured(urls)).returncode == 0
    done = relay("check", "--online", "-c", configured(urls))
    assert done.returncode == 1
    assert "account.erp: mensatek could not be asked" in done.stderr


def test_check_online_tells_right_credentials_from_wrong_ones(configured):
    options = SandboxOptions(port=0, dmds_campaigns={"demo-12345": "another-apikey"})
    with RunningSandbox(options) as sandbox:
        urls = (
            f'[provider.mensatek]\nurl = "{sandbox.url}/mensatek/v7"\n'
            f'[provider.dmds]\nurl = "{sandbox.url}/dmds/{{dmdsid}}/v1"\n'
        )
        done = relay("check", "--online", "-c", configured(urls))
    assert done.returncode == 1
    assert "ok: account.erp: mensatek accepts the credentials" in done.stdout
    assert "account.shop: dmds refuses the credentials" in done.stderr
    assert "demo-apikey" not in done.stdout + done.stderr


# --- serve ---


def test_serve_says_that_an_address_is_taken(configured):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = relay("serve", "-c", configured(f'[listener.a]\naddress = "127.0.0.1:{port}"\n'))
    assert done.returncode == 78
    assert f"listener.a: cannot listen on 127.0.0.1:{port}" in done.stderr
    assert "Traceback" not in done.stderr


def test_two_gateways_cannot_run_on_one_store(start_gateway, base_config):
    gateway = start_gateway(base_config + '\n[listener.plain]\naddress = "127.0.0.1:0"\n')
    done = relay("serve", "-c", gateway.config, env=gateway._environ)
    assert done.returncode == 69
    assert str(gateway.folder / "relay.db") in done.stderr
    checked = relay("check", "-c", gateway.config, env=gateway._environ)
    assert checked.returncode == 0, checked.stderr  # a running gateway is no mistake


def test_variables_of_the_environment_win(configured):
    done = relay("check", "-c", configured(), env={"PATH": "", "RELAY__DEFAULTS__MODE": "quick"})
    assert done.returncode == 78
    assert "RELAY__DEFAULTS__MODE" in done.stderr


# --- the small ones ---


def test_hash_password_makes_what_a_login_needs():
    done = relay("hash-password", stdin="correct horse\n")
    assert done.returncode == 0
    assert PasswordHasher().verify(done.stdout.strip(), "correct horse")
    assert "correct horse" not in done.stdout + done.stderr


def test_hash_password_refuses_nothing():
    assert relay("hash-password", stdin="\n").returncode == 2


def test_sandbox_says_where_it_is_and_stops_by_sigterm():
    with subprocess.Popen([RELAY, "sandbox", "--address", "127.0.0.1:0"], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        assert first.startswith("inbox      http://127.0.0.1:")
        process.terminate()
        assert process.wait(20) == 0


def test_sandbox_says_that_its_address_is_taken_or_wrong():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert relay("sandbox", "--address", f"127.0.0.1:{taken.getsockname()[1]}").returncode == 69
    assert relay("sandbox", "--address", "8025").returncode == 2


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--mensatek-user", "no-token"], 2, "NAME:SECRET"),
        (["--dmds-campaign", "nonumber:key"], 2, "nonumber"),
        (["--mensatek-shape", "yaml"], 2, "xml"),
        (["--journal", "/nonexistent/journal"], 69, "/nonexistent/journal"),
    ],
)
def test_sandbox_says_what_is_wrong_with_its_options(arguments, code, said):
    done = relay("sandbox", "--address", "127.0.0.1:0", *arguments)
    assert (done.returncode, said in done.stderr) == (code, True), done.stderr


def test_the_module_is_the_program():
    done = subprocess.run(
        [RELAY.with_name("python"), "-m", "relay", "--version"], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.startswith("relay, version")
