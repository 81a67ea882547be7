"""The configuration is read from TOML and environment, with [defaults] under every policy and secrets from files."""

import pytest

from relay.config import Settings, examine, load, masked
from relay.config.units import HostPort
from relay.errors import ConfigError, Problem

ACCOUNT = """
[account.my-app]
provider = "mensatek"
user = "me"
token = "t0ken"
"""


@pytest.fixture
def written(tmp_path):
    def write(text, environ=None):
        path = tmp_path / "relay.toml"
        path.write_text(text, "utf-8")
        return load(path, environ or {})

    return write


def problems(written, text, environ=None):
    with pytest.raises(ConfigError) as caught:
        written(text, environ)
    return caught.value.problems


def test_nothing_written_gives_the_defaults():
    assert Settings() == load(None, {"HOME": "/root", "RELAY_PORT": "tcp://10.0.0.1:25"})


def test_file_is_read(written):
    settings = written('hostname = "mx.example.org"\n[web]\naddress = "[::1]:99"')
    assert ("mx.example.org", HostPort("::1", 99)) == (settings.hostname, settings.web.address)


def test_empty_web_address_means_none(written):
    assert written('[web]\naddress = ""').web.address is None
    assert load(None, {"RELAY__WEB__ADDRESS": ""}).web.address is None


def test_file_with_byte_order_mark_is_read(written):
    assert "mx" == written('\ufeffhostname = "mx"').hostname


@pytest.mark.parametrize(
    ("variable", "value", "read"),
    [
        ("RELAY__HOSTNAME", "mx", lambda settings: settings.hostname == "mx"),
        ("relay__Account__MY_APP__Token", "new", lambda settings: token(settings) == "new"),
        ("RELAY__ACCOUNT__my-app__MODE", "auto", lambda settings: settings.account["my-app"].mode == "auto"),
        ("RELAY__STORE__MAX_BYTES", "1GiB", lambda settings: settings.store.max_bytes == 1024**3),
        ("RELAY__LISTENER__LOCAL__AUTH", "false", lambda settings: settings.listener["local"].auth is False),
        ("RELAY__RETRY__FIRST", "5", lambda settings: settings.retry.first == 5),
        (
            "RELAY__DEFAULTS__SENDERS",
            "a@b.org, *@c.org",
            lambda settings: settings.defaults.senders == ("a@b.org", "*@c.org"),
        ),
        ("RELAY__DEFAULTS__SENDERS", '["a@b.org"]', lambda settings: settings.defaults.senders == ("a@b.org",)),
        ("RELAY__DEFAULTS__CAMPAIGNS", "[1, 2]", lambda settings: settings.defaults.campaigns == (1, 2)),
        ("RELAY__DEFAULTS__CAMPAIGNS", "1,2", lambda settings: settings.defaults.campaigns == (1, 2)),
        (
            "RELAY__DEFAULTS__POWERS__TRACK_OPENS",
            "yes",
            lambda settings: settings.account["my-app"].powers == {"track-opens": "yes", "track-clicks": False},
        ),
        (
            "RELAY__LISTENER__LOCAL__TRUSTED",
            '{"10.0.0.0/8": "my-app"}',
            lambda settings: settings.listener["local"].trusted == {"10.0.0.0/8": "my-app"},
        ),
        (
            "RELAY__LISTENER__LOCAL__TRUSTED",
            '{"10.0.0.0/8" = "my-app"}',
            lambda settings: settings.listener["local"].trusted == {"10.0.0.0/8": "my-app"},
        ),
    ],
)
def test_environment_wins_over_the_file(written, variable, value, read):
    assert read(written(ACCOUNT + "[listener.local]\nauth = true", {variable: value}))


def token(settings):
    return settings.account["my-app"].token.get_secret_value()


def test_account_can_come_from_the_environment_alone():
    environ = {
        "RELAY__ACCOUNT__ERP__PROVIDER": "dmds",
        "RELAY__ACCOUNT__ERP__DMDSID": "acme",
        "RELAY__ACCOUNT__ERP__CAMPAIGN": "22",
        "RELAY__ACCOUNT__ERP__APIKEY": "file",
    }
    assert 22 == load(None, environ).account["erp"].campaign


def test_defaults_lie_under_every_policy(written):
    settings = written(
        ACCOUNT
        + 'mode = "queue"\n'
        + '[defaults]\nmode = "auto"\nconcurrency = 3\n'
        + "[passthrough.dmds.policy]\nconcurrency = 4\n"
    )
    account, mensatek, dmds = (
        settings.account["my-app"],
        settings.passthrough.mensatek.policy,
        settings.passthrough.dmds.policy,
    )
    assert [("queue", 3), ("auto", 3), ("auto", 4)] == [
        (policy.mode, policy.concurrency) for policy in (account, mensatek, dmds)
    ]


def test_powers_are_merged_by_name(written):
    settings = written(
        "[defaults.powers]\narchive = true\ntrack_opens = true\n"
        + ACCOUNT
        + '[account.my-app.powers]\ntrack-opens = "no"\ncampaign = 5'
    )
    assert {"track-opens": True, "track-clicks": False, "archive": True} == settings.defaults.powers
    expected = {"track-opens": "no", "track-clicks": False, "archive": True, "campaign": 5}
    assert expected == settings.account["my-app"].powers
    assert settings.defaults.powers == settings.passthrough.dmds.policy.powers


def test_secret_is_read_from_its_file_beside_the_configuration(written, tmp_path):
    (tmp_path / "erp.token").write_text("fr0m file\n")
    assert "fr0m file" == token(written(ACCOUNT.replace("t0ken", "file:erp.token")))
    assert "fr0m file" == token(written(ACCOUNT, {"RELAY__ACCOUNT__MY_APP__TOKEN": f"file:{tmp_path}/erp.token"}))


@pytest.mark.parametrize("environ", [{}, {"RELAY__STORE__PATH": "mail/relay.db"}])
def test_every_relative_path_starts_where_the_configuration_is(written, tmp_path, monkeypatch, environ):
    """Certificates and store once started where the program was started, and secrets here: two meanings."""
    (tmp_path / "tls").mkdir()
    for name in ("tls/chain.pem", "tls/key.pem", "ca.pem"):
        (tmp_path / name).write_text("")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    settings = written(
        '[store]\npath = "mail/relay.db"\n'
        '[listener.a]\ntls = "starttls"\ncertificate = "tls/chain.pem"\nkey = "tls/key.pem"\n'
        '[provider.mensatek]\nca_file = "ca.pem"',
        environ,
    )
    listener = settings.listener["a"]
    found = [settings.store.path, listener.certificate, listener.key, settings.provider.mensatek.ca_file]
    assert [tmp_path / "mail/relay.db", tmp_path / "tls/chain.pem", tmp_path / "tls/key.pem", tmp_path / "ca.pem"] == (
        found
    )
    assert settings.provider.dmds.ca_file is None


def test_absolute_paths_stay(written):
    assert "/srv/relay.db" == str(written('[store]\npath = "/srv/relay.db"').store.path)
    assert "/var/lib/relay/relay.db" == str(written("").store.path)


def test_without_a_file_relative_paths_start_where_the_program_was_started():
    assert "relay.db" == str(load(None, {"RELAY__STORE__PATH": "relay.db"}).store.path)


def test_missing_relative_file_is_told_with_its_whole_path(written, tmp_path):
    (problem,) = problems(written, '[provider.dmds]\nca_file = "ca.pem"')
    assert (f'"{tmp_path}/ca.pem"', "cannot be read: No such file or directory") == (problem.value, problem.wrong)


def test_examining_finds_nothing_wrong_where_nothing_is(tmp_path):
    path = tmp_path / "relay.toml"
    path.write_text(ACCOUNT)
    settings, mistakes = examine(path, {})
    assert (load(path, {}), None) == (settings, mistakes)


def test_examining_goes_on_beside_the_mistakes(tmp_path):
    """So that `relay check` can look at certificates, wires and store although something is mistyped."""
    path = tmp_path / "relay.toml"
    path.write_text(
        'hostname = 5\nhostnam = "x"\n[store]\npath = "relay.db"\nmax_bytes = "much"\n'
        '[listener.a]\naddress = "127.0.0.1:25"\nmax_recipients = 5\n[account.erp]\nmode = "fast"'
    )
    settings, mistakes = examine(path, {})
    assert settings is not None
    assert tmp_path / "relay.db" == settings.store.path
    assert Settings().store.max_bytes == settings.store.max_bytes
    assert HostPort("127.0.0.1", 25) == settings.listener["a"].address
    assert ({}, "") == (settings.account, settings.hostname)
    with pytest.raises(ConfigError) as caught:
        load(path, {})
    assert mistakes is not None
    assert caught.value.problems == mistakes.problems
    assert {"hostname", "hostnam", "store.max_bytes", "listener.a.max_recipients", "account.erp.provider"} <= {
        problem.key for problem in mistakes.problems
    }


def test_examining_keeps_what_is_wrong_only_beside_something_else(tmp_path):
    path = tmp_path / "relay.toml"
    path.write_text('[listener.a]\ntls = "starttls"\ncertificate = "none.pem"')
    settings, mistakes = examine(path, {})
    assert tmp_path / "none.pem" == settings.listener["a"].certificate
    assert ["listener.a.certificate"] == [problem.key for problem in mistakes.problems]


@pytest.mark.parametrize("text", [None, "path = /var"])
def test_examining_what_cannot_be_read_gives_no_settings(tmp_path, text):
    path = tmp_path / "relay.toml"
    if text:
        path.write_text(text)
    settings, mistakes = examine(path, {})
    assert settings is None
    assert 1 == len(mistakes.problems)


@pytest.mark.parametrize(
    ("content", "wrong"),
    [
        (None, "the file cannot be read: No such file or directory"),
        (b" \n", "the file is empty"),
        (b"\xff", "the file does not hold UTF-8 text"),
    ],
)
def test_secret_that_cannot_be_read_is_one_problem(written, tmp_path, content, wrong):
    if content is not None:
        (tmp_path / "secret").write_bytes(content)
    found = problems(written, ACCOUNT.replace("t0ken", "file:secret"))
    source = str(tmp_path / "relay.toml")
    assert (Problem(source, "account.my-app.token", f'"file:{tmp_path}/secret"', wrong, ""),) == found


def test_masked_shows_all_but_secrets(written):
    plain = masked(written(ACCOUNT + '[store]\nsecret_key = "s3cret"\n[provider.dmds]\ntimeout = "90s"'))
    assert "t0ken" not in str(plain)
    assert "s3cret" not in str(plain)
    assert "me" == plain["account"]["my-app"]["user"]
    assert "90s" == plain["provider"]["dmds"]["timeout"]


def test_missing_file_is_told(tmp_path):
    with pytest.raises(ConfigError) as caught:
        load(tmp_path / "none.toml", {})
    assert f"{tmp_path}/none.toml: cannot be read: No such file or directory" in str(caught.value)


def test_file_in_another_encoding_is_told(tmp_path):
    (tmp_path / "latin.toml").write_bytes('hostname = "ñ"'.encode("latin-1"))
    with pytest.raises(ConfigError, match="is not UTF-8 at byte 12; save it as UTF-8"):
        load(tmp_path / "latin.toml", {})


def test_syntax_error_is_told_with_line_and_column(written):
    (problem,) = problems(written, "[store]\npath = /var/lib\n")
    assert "is not TOML: Invalid value (at line 2, column 8)" == problem.wrong


def test_error_names_count_and_every_problem(written, tmp_path):
    with pytest.raises(ConfigError) as caught:
        written('hostnam = "x"\n[web]\naddress = "here"')
    assert (
        "The configuration holds 2 mistakes:\n"
        f'  - {tmp_path}/relay.toml: web.address = "here": is not possible; an address is "host:port", for example '
        '"127.0.0.1:2525" or "[::1]:2525"\n'
        f"  - {tmp_path}/relay.toml: hostnam: is not known here; did you mean hostname?"
    ) == str(caught.value)


def test_error_without_a_file_is_one_line():
    error = ConfigError("port 25 is in use")
    assert ("port 25 is in use", "port 25 is in use") == (str(error), str(error.problems[0]))
