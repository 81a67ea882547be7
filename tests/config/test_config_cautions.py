"""What is allowed and dubious is told before the start."""

import pytest

from relay.config import load, warnings

ACCOUNT = '[account.erp]\nprovider = "mensatek"\nuser = "me"\ntoken = "t"\nsenders = ["*@example.org"]\n'
TRUSTED = '[listener.local.trusted]\n"10.0.0.0/8" = "erp"\n'
QUIET = ACCOUNT + TRUSTED

CAUTIONS = {
    QUIET: [],
    QUIET + '[account.erp.reports]\nroute = "none"': [
        "reports.route is none, so senders never learn that their mail failed: erp"
    ],
    QUIET + '[listener.a]\naddress = "0.0.0.0:2526"\nauth_without_tls = "always"': [
        'listener.a: auth_without_tls = "always" on 0.0.0.0:2526 lets passwords cross the network in clear'
    ],
    QUIET + '[listener.a]\naddress = "192.0.2.1:2526"': [
        "listener.a: without tls nobody but this machine itself can log in on 192.0.2.1:2526"
    ],
    QUIET + '[listener.a]\naddress = "localhost:2526"\nauth_without_tls = "always"': [],
    QUIET + '[listener.a]\naddress = "localhost:2526"\nauth = false': [
        "listener.a: nobody can send here: auth is off and no network is trusted"
    ],
    QUIET + '[listener.a]\naddress = "localhost:2526"\ncertificate = "CERTIFICATE"': [
        'listener.a: the certificate is not used, because tls is "none"'
    ],
    QUIET
    + '[listener.a]\naddress = "mx.example.org:465"\ntls = "starttls"\ncertificate = "CERTIFICATE"\ntls_min = "1.0"': [
        "listener.a: TLS 1.0 is broken; keep it to old devices on a network of your own",
        'listener.a: clients expect tls = "implicit" on port 465 and only there, here it is "starttls"',
    ],
    QUIET + '[listener.a]\naddress = "mx.example.org:587"\ntls = "implicit"\ncertificate = "CERTIFICATE"': [
        'listener.a: clients expect tls = "implicit" on port 465 and only there, here it is "implicit"',
    ],
    ACCOUNT + '[listener.local.trusted]\n"8.0.0.0/8" = "erp"': [
        'listener.local: "8.0.0.0/8" is a large public network; everybody in it can send without login'
    ],
    QUIET.replace("[listener.local.", '[listener.local]\nproxies = ["10.1.2.3", "::1"]\n[listener.local.'): [
        (
            "listener.local: clients that a proxy announces are not this machine, so none of them can log in; set tls, "
            'or auth_without_tls = "always" where the proxy ends TLS'
        ),
        (
            'listener.local: "10.0.0.0/8" is trusted and holds a proxy; whoever comes through it without a client '
            "address in the header can send without login"
        ),
    ],
    QUIET + '[listener.a]\naddress = "localhost:2526"\nproxies = ["::1"]\nauth_without_tls = "always"': [],
    ACCOUNT: ["no login and no trusted network leads to these accounts: erp"],
    QUIET.replace('"*@example.org"', ""): [
        "senders is empty, so these accounts may send as anybody that the provider allows: erp"
    ],
    QUIET.replace("senders = [", 'sender = "a@b.org"\nsenders = [').replace('"*@example.org"', ""): [],
    "[passthrough.mensatek]\nenabled = true": [
        (
            "passthrough.mensatek: users is empty, so every customer of Mensatek can use this gateway, and a mistyped "
            "login is sent to Mensatek with its password; list the API Users that may"
        )
    ],
    '[passthrough.mensatek]\nenabled = true\nusers = ["customer"]': [],
    QUIET + '[provider.mensatek]\nurl = "http://api.example.org"\n[provider.dmds]\nurl = "http://127.0.0.1/{dmdsid}"': [
        "provider.mensatek: credentials and mail cross the network in clear; https is right"
    ],
    QUIET + '[provider.mensatek]\nmax_request_bytes = "1MiB"': [
        (
            "provider.mensatek: max_request_bytes is less than a listener's max_message_bytes, so the largest mail is "
            "refused only after it came"
        )
    ],
}


@pytest.mark.parametrize(("text", "expected"), CAUTIONS.items(), ids=[str(number) for number in range(len(CAUTIONS))])
def test_caution_is_told(tmp_path, text, expected):
    certificate = tmp_path / "tls.pem"
    certificate.write_text("")
    path = tmp_path / "relay.toml"
    path.write_text(text.replace("CERTIFICATE", str(certificate)))
    assert expected == warnings(load(path, {}))
