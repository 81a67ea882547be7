"""Every mistake is told with its place, its value unless that is secret, what is wrong and what would be right."""

import pytest

from relay.config import Settings, load
from relay.config.checks import findings
from relay.config.reading import key_text
from relay.config.shape import Shape
from relay.errors import ConfigError

HASH = "$argon2id$v=19$m=19456,t=2,p=1$oa1US6UrLPG52r4aFeKBuA$tw7yAMPFWf/tmv4t4cOPhGXjBssZeoAb7E9ar7WSrvA"
MENSATEK = '[account.erp]\nprovider = "mensatek"\nuser = "me"\ntoken = "t0ken"\n'
DMDS = '[account.news]\nprovider = "dmds"\ndmdsid = "acme"\ncampaign = 22\napikey = "k3y"\n'
DMDSID = "letters, digits and inner hyphens, at most 54, as in the name of the customer's host"

MISTAKES = {
    # --- single settings ---
    "account = 5": ["account: is not possible; it takes a table"],
    "defaults = 5": ["defaults: is not possible; it takes a table"],
    "passthrough = 5": ["passthrough: is not possible; it takes a table"],
    "[passthrough]\ndmds = 5": ["passthrough.dmds: is not possible; it takes a table"],
    "[account]\nerp = 5": ["account.erp: is not possible; it takes a table"],
    "[defaults]\npowers = 5": ["defaults.powers: is not possible; it takes a table"],
    'hostnam = "x"': ["hostnam: is not known here; did you mean hostname?"],
    "max_recipients = 5": ["max_recipients: is not known here; it belongs to [listener.NAME]"],
    "[retry]\nzzz = 5": ["retry.zzz: is not known here; known are first, factor, longest, jitter"],
    "[store]\nMax-Bytes = 5": ["store.Max-Bytes: is not known here; did you mean max_bytes?"],
    '[defaults]\nmode = "fast"': ['defaults.mode = "fast": is not possible; it takes "queue", "direct" or "auto"'],
    "[defaults]\nstrict = 5": ["defaults.strict = 5: is not possible; it takes true or false"],
    '[defaults]\nsenders = "a@b.org"': [
        'defaults.senders = "a@b.org": is not possible; it takes a list in brackets, each a text in quotes'
    ],
    '[defaults]\nmax_age = "2 weeks"': [
        (
            'defaults.max_age = "2 weeks": is not possible; a duration is a number with s, m, h or d, for example '
            '"30s", "5m", "2h", "2d"'
        )
    ],
    "[defaults]\nmax_age = 0": [
        'defaults.max_age = 0.0: is not possible; it takes a duration like "30s", "5m", "2h" or "2d" above 0'
    ],
    "[retry]\njitter = 1.5": [
        "retry.jitter = 1.5: is not possible; it takes a number of at least 0.0 and of at most 1.0"
    ],
    "[retry]\nfirst = inf": [
        (
            'retry.first = Infinity: is not possible; a duration is a number with s, m, h or d, for example "30s", '
            '"5m", "2h", "2d"'
        )
    ],
    '[store]\nmax_bytes = "much"': [
        'store.max_bytes = "much": is not possible; it takes a size like "35MiB" or a number of bytes'
    ],
    '[store]\nurl = "mysql://db/relay"\nsecret_key = "x"': [
        'store.url = ***: is not the address of a PostgreSQL database; one like "postgresql://relay@db.example.org/relay"',
    ],
    '[store]\nurl = "postgresql://relay@db/relay"': [
        (
            "store.secret_key: is missing: nodes that share a database must seal with the same secret; "
            'one text for all, or "file:/etc/relay/secret.key"'
        )
    ],
    '[store]\npath = "/srv/relay.db"\nurl = "postgresql://db/relay"\nsecret_key = "x"': [
        'store.path = "/srv/relay.db": is set, and so is store.url; one of the two',
    ],
    '[store]\npassword = "x"': ["store.password = ***: belongs to store.url, and there is none"],
    '[defaults.reports]\nroute = "pigeon"': [
        (
            'defaults.reports.route = "pigeon": is not possible; it takes "", "smtp", "api", "webhook", "directory" or '
            '"none"'
        )
    ],
    '[defaults.reports]\nroute = "api"': [
        (
            'defaults.reports.postmaster: is missing: route = "api" needs whom reports come from; '
            '"Name <a@example.org>" or "a@example.org"'
        )
    ],
    '[defaults.reports]\npostmaster = "postmaster"': [
        ('defaults.reports.postmaster = "postmaster": is not one sender; "Name <a@example.org>" or "a@example.org"')
    ],
    '[defaults.reports]\nroute = "smtp"': [
        (
            'defaults.reports.smtp.address: is missing: route = "smtp" needs it; host and port of the mail server, '
            'like "mail.example.org:25"'
        )
    ],
    '[defaults.reports]\nroute = "webhook"\n[defaults.reports.webhook]\nurl = "http://example.org"\nsecret = "guess"': [
        (
            'defaults.reports.webhook.url = "http://example.org": is not an address that reports may be posted to; one '
            'like "https://erp.example.org/reports"; http only to this machine itself'
        ),
        (
            'defaults.reports.webhook.secret = ***: is not a key for signing; "whsec_" and 24 to 64 random bytes as '
            "base64, as `openssl rand -base64 32` makes them"
        ),
    ],
    "[store]\npath = 5": ["store.path = 5: is not possible; it takes a path in quotes"],
    'store = "x"': ["store: is not possible; it takes a table"],
    "[listener.a]\nmax_recipients = 99": [
        "listener.a.max_recipients = 99: is not possible; it takes a whole number of at least 100"
    ],
    "[defaults.powers]\nschedule = 2026-12-01": [
        (
            'defaults.powers.schedule = "2026-12-01": is not possible; it takes a text in quotes, a whole number, true '
            "or "
            "false"
        )
    ],
    "[account.erp]\nuser = 'x'": ['account.erp.provider: is missing; it takes "mensatek" or "dmds"'],
    '[account.Erp]\nprovider = "mensatek"\nuser = "me"\ntoken = "t"': [
        'account.Erp: is not a usable name; one is of small letters, digits, "-" and "_", like "my-app"'
    ],
    # --- secrets are never shown ---
    MENSATEK.replace('"t0ken"', "12345"): [
        'account.erp.token = ***: is not possible; it takes a text in quotes, or "file:/path/to/it"'
    ],
    MENSATEK + 'tokken = "t0ken"': ["account.erp.tokken: is not known here; did you mean token?"],
    MENSATEK.replace("t0ken", "t0\\nken"): [
        "account.erp.token = ***: holds characters that no HTTP header carries; printable ASCII in one line"
    ],
    MENSATEK + '[login."app"]\naccount = "erp"\npassword_hash = "hunter2"': [
        "login.app.password_hash = ***: is not a hash; make one with `relay hash-password`"
    ],
    '[login]\n"app@example.org" = "hunter2"': ['login."app@example.org": is not possible; it takes a table'],
    # --- accounts ---
    '[account.erp]\nprovider = "mensatek"': [
        "account.erp.user: is missing: a mensatek account needs it",
        "account.erp.token: is missing: a mensatek account needs it",
    ],
    '[account.erp]\nprovider = "dmds"\nuser = "me"': [
        "account.erp.user: belongs to mensatek, and this account's provider is dmds",
        "account.erp.dmdsid: is missing: a dmds account needs it",
        "account.erp.campaign: is missing: a dmds account needs it",
        "account.erp.apikey: is missing: a dmds account needs it",
    ],
    MENSATEK.replace('"me"', '"me:you"'): [
        "account.erp.user: cannot be sent: HTTP Basic has no colon or control character in a user"
    ],
    DMDS.replace("acme", "acme.evil.example/"): [
        f'account.news.dmdsid = "acme.evil.example/": cannot be part of a host name; {DMDSID}'
    ],
    DMDS + "campaigns = [0]": ["account.news.campaigns[0] = 0: is not a campaign; a number above 0"],
    '[defaults]\nsenders = ["*@b.org", "b.org", "a*@b.org"]': [
        (
            'defaults.senders[1] = "b.org": is not possible; a sender is "a@example.org", "*@example.org" or '
            '"*@*.example.org"'
        ),
        (
            'defaults.senders[2] = "a*@b.org": is not possible; a sender is "a@example.org", "*@example.org" or '
            '"*@*.example.org"'
        ),
    ],
    MENSATEK + 'sender = "a@b.org, c@d.org"': [
        'account.erp.sender = "a@b.org, c@d.org": is not one sender; "Name <a@example.org>" or "a@example.org"'
    ],
    "[defaults.powers]\ntrack-opens = 'maybe'": [
        'defaults.powers.track-opens = "maybe": is neither yes nor no; right would be yes or no, for example no'
    ],
    "[passthrough.dmds.policy.powers]\nshedule = 5": [
        "passthrough.dmds.policy.powers.shedule = 5: no such power; did you mean Schedule?"
    ],
    # --- logins, networks ---
    MENSATEK + f'[login.app]\naccount = "epr"\npassword_hash = "{HASH}"': [
        'login.app.account = "epr": is not an account; did you mean "erp"?'
    ],
    f'[login.app]\naccount = "erp"\npassword_hash = "{HASH}"': [
        'login.app.account = "erp": is not an account; there is no table [account.erp]'
    ],
    MENSATEK + f'[login."a\\u0007"]\naccount = "erp"\npassword_hash = "{HASH}"': [
        'login."a\\u0007": is not a usable login; one has printable characters only'
    ],
    MENSATEK + '[listener.a]\ntrusted = {"192.0.2.1/24" = "erp", "ten" = "zzz"}': [
        'listener.a.trusted."192.0.2.1/24": is not a network; did you mean "192.0.2.0/24"?',
        'listener.a.trusted.ten = "zzz": is not an account; known are erp',
    ],
    MENSATEK + '[listener.a]\ntrusted = {"ten" = "erp"}': [
        'listener.a.trusted.ten: is not a network; one is written like "192.0.2.0/24", "192.0.2.7" or "2001:db8::/64"'
    ],
    MENSATEK + '[listener.a]\ntrusted = {"10.0.0.0/8" = "erp", "10.1.0.0/16" = "erp"}': [
        'listener.a.trusted."10.1.0.0/16": overlaps "10.0.0.0/8"; each client in one network'
    ],
    MENSATEK + '[listener.a]\ntrusted = {"::/0" = "erp"}': [
        'listener.a.trusted."::/0": would let everybody send; the networks that are yours, like "192.0.2.0/24"'
    ],
    # --- doors ---
    '[listener.a]\nproxies = ["10.0.0.1/8", "0.0.0.0/0", "10.0.0.1"]': [
        'listener.a.proxies[0] = "10.0.0.1/8": is not a network; did you mean "10.0.0.0/8"?',
        'listener.a.proxies[1] = "0.0.0.0/0": would believe anybody; the proxies\' own addresses, like "192.0.2.10"',
    ],
    "listener = {}": [
        (
            "listener: there is none, so no mail could come in; a table like [listener.local] with address = "
            '"127.0.0.1:2525"'
        )
    ],
    '[listener.a]\ntls = "starttls"': [
        'listener.a.certificate: is missing: tls = "starttls" needs one; the path of a PEM file'
    ],
    '[listener.a]\nkey = "/none.key"': [
        'listener.a.key = "/none.key": is a key without a certificate; set certificate too'
    ],
    '[listener.a]\ntls = "implicit"\ncertificate = "/none.pem"': [
        'listener.a.certificate = "/none.pem": cannot be read: No such file or directory'
    ],
    '[listener.a]\naddress = "127.0.0.1:25"\n[listener.b]\naddress = "0.0.0.0:25"': [
        'listener.b.address = "0.0.0.0:25": is taken by listener.a.address; another port or host'
    ],
    '[listener.a]\naddress = "[::1]:8080"\n[web]\naddress = "[::]:8080"': [
        'web.address = "[::]:8080": is taken by listener.a.address; another port or host'
    ],
    '[listener.a]\naddress = "[::1]"': [
        (
            'listener.a.address = "[::1]": is not possible; an address is "host:port", for example "127.0.0.1:2525" or '
            '"[::1]:2525"'
        )
    ],
    # --- pass-through and APIs ---
    "[passthrough.dmds]\nenabled = true": [
        'passthrough.dmds.dmdsids: is empty: the dmdsid becomes part of a host name; the ones that may, like ["acme"]'
    ],
    '[passthrough.dmds]\ndmdsids = ["acme", "-x"]': [
        f'passthrough.dmds.dmdsids[1] = "-x": cannot be part of a host name; {DMDSID}'
    ],
    '[provider.dmds]\nurl = "https://api.example.org/v1"': [
        (
            'provider.dmds.url = "https://api.example.org/v1": does not say where the dmdsid goes; one like '
            '"https://api-{dmdsid}.example.org/v1"'
        )
    ],
    '[provider.dmds]\nurl = "https://{dmdsid}.{x}.example.org"': [
        (
            'provider.dmds.url = "https://{dmdsid}.{x}.example.org": has placeholders that are not known; only '
            '{dmdsid} is; one like "https://api-{dmdsid}.example.org/v1"'
        )
    ],
    '[provider.dmds]\nurl = "https://{dmdsid.example.org"': [
        (
            'provider.dmds.url = "https://{dmdsid.example.org": is not an address; one like '
            '"https://api-{dmdsid}.example.org/v1"'
        )
    ],
    '[provider.mensatek]\nurl = "https://{dmdsid}.example.org"': [
        (
            'provider.mensatek.url = "https://{dmdsid}.example.org": has placeholders that are not known; none is; one '
            'like "https://api.example.org/v7"'
        )
    ],
    '[provider.mensatek]\nurl = "ftp://api.example.org"': [
        (
            'provider.mensatek.url = "ftp://api.example.org": is not the base of an API; one like '
            '"https://api.example.org/v7"'
        )
    ],
    '[provider.mensatek]\nurl = "https://u:s3cret@api.example.org"': [
        "provider.mensatek.url: holds a user or a password; credentials belong to accounts"
    ],
    '[provider.dmds]\nca_file = "\\u0000"': ['provider.dmds.ca_file = "\\u0000": is not a path'],
    '[provider.dmds]\nca_file = "/none.pem"': [
        'provider.dmds.ca_file = "/none.pem": cannot be read: No such file or directory'
    ],
    # --- sizes and times ---
    '[delivery]\nbytes_in_flight = "1MiB"': [
        (
            'listener.local.max_message_bytes = "35.0MiB": is more than delivery.bytes_in_flight, so the largest mail '
            "could never come in"
        )
    ],
    '[retry]\nlongest = "1s"': ['retry.longest = "1s": is less than retry.first'],
    '[delivery]\npause_longest = "1s"': ['delivery.pause_longest = "1s": is less than delivery.pause_first'],
}


def told(tmp_path, text, environ=None):
    path = tmp_path / "relay.toml"
    path.write_text(text, "utf-8")
    with pytest.raises(ConfigError) as caught:
        load(path, environ or {})
    return [str(problem).replace(f"{path}: ", "") for problem in caught.value.problems]


@pytest.mark.parametrize(("text", "expected"), MISTAKES.items(), ids=[str(number) for number in range(len(MISTAKES))])
def test_mistake_is_told(tmp_path, text, expected):
    assert expected == told(tmp_path, text)


def test_all_mistakes_come_at_once(tmp_path):
    """Also those between settings, although some tables cannot be read at all."""
    text = (
        '[defaults]\nmode = "fast"\n[account.erp]\nprovider = "mensatek"\nuser = 5\n'
        '[login.app]\naccount = "erp"\npassword_hash = "x"\n[listener.a]\ntls = "implicit"\nmax_recipients = 5'
    )
    assert [
        "listener.a.max_recipients = 5: is not possible; it takes a whole number of at least 100",
        'defaults.mode = "fast": is not possible; it takes "queue", "direct" or "auto"',
        "account.erp.user = 5: is not possible; it takes a text in quotes",
        'listener.a.certificate: is missing: tls = "implicit" needs one; the path of a PEM file',
        "login.app.password_hash = ***: is not a hash; make one with `relay hash-password`",
        "account.erp.token: is missing: a mensatek account needs it",
    ] == told(tmp_path, text)


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        (
            {"RELAY__ACOUNT__ERP__TOKEN": "s3cret"},
            "environment RELAY__ACOUNT__ERP__TOKEN: acount: is not known here; did you mean account?",
        ),
        (
            {"RELAY__HOSTNAME__X": "s3cret"},
            "environment RELAY__HOSTNAME__X: hostname: is not possible; it takes a text in quotes",
        ),
        (
            {"RELAY__ACCOUNT__ERP": "{token: s3cret"},
            "environment RELAY__ACCOUNT__ERP: account.erp: cannot be read; a table, as TOML or JSON",
        ),
        (
            {"RELAY__DEFAULTS__CAMPAIGNS": "[1"},
            (
                "environment RELAY__DEFAULTS__CAMPAIGNS: defaults.campaigns: cannot be read; a list in brackets, each "
                "a whole number, as TOML or JSON"
            ),
        ),
        (
            {"RELAY__DEFAULTS__MODE": "fast"},
            (
                'environment RELAY__DEFAULTS__MODE: defaults.mode = "fast": is not possible; it takes "queue", '
                '"direct" or "auto"'
            ),
        ),
        (
            {"RELAY__DEFAULTS__STRICT": "yes", "relay__defaults__strict": "no"},
            (
                "environment RELAY__DEFAULTS__STRICT: defaults.strict: is set by RELAY__DEFAULTS__STRICT and by "
                "relay__defaults__strict; set it once"
            ),
        ),
        (
            {"RELAY__PROVIDER__MENSATEK__WIRE": "a = 1\nb = 2"},
            (
                "environment RELAY__PROVIDER__MENSATEK__WIRE: provider.mensatek.wire: cannot be read; a table, as TOML "
                "or JSON"
            ),
        ),
    ],
)
def test_mistake_in_the_environment_names_the_variable_and_no_secret(tmp_path, environ, expected):
    assert expected in told(tmp_path, "", environ)
    assert "s3cret" not in "".join(told(tmp_path, "", environ))


def test_unknown_path_below_a_plain_option_does_not_hide_other_mistakes(tmp_path):
    assert 2 == len(told(tmp_path, 'hostnam = "x"', {"RELAY__LOG__LEVEL__X": "1"}))


def test_address_of_this_machine_may_do_without_dmdsid(tmp_path):
    for host in ("127.0.0.1", "localhost", "[::1]"):
        settings = load(None, {"RELAY__PROVIDER__DMDS__URL": f"http://{host}:8025/v1"})
        assert f"http://{host}:8025/v1" == settings.provider.dmds.url


def test_long_value_is_shortened(tmp_path):
    (text,) = told(tmp_path, f'[defaults]\nmode = "{"x" * 500}"')
    assert f'defaults.mode = "{"x" * 76}...: is not possible; it takes "queue", "direct" or "auto"' == text


def test_defaults_have_no_mistakes():
    assert [] == list(findings(Settings(), ()))


JUNK = ("5", '""', "[[]]", "{}", "{a = {}}", "2026-12-01", "nan", '"\\u0000"', '"file:\\u0000"', '"http://[x"')


def places(shape, path=()):
    for key in shape.keys or (("name",) if shape.is_mapping else ()):
        child = shape.child(key)
        yield (*path, key)
        if child.is_table:
            yield from places(child, (*path, key))


def test_any_junk_in_any_place_is_told_and_breaks_nothing(tmp_path):
    path = tmp_path / "relay.toml"
    for place in places(Shape(Settings)):
        for junk in JUNK:
            path.write_text(f"{key_text(place)} = {junk}")
            try:
                load(path, {})
            except ConfigError as error:
                assert all(problem.source == str(path) for problem in error.problems)  # noqa: PT017
