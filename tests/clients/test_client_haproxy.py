"""HAProxy in front of the gateway: the client is whom its PROXY header names, by both versions and through TLS."""

import contextlib
import smtplib
import socket
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from mailing import mail, run
from running import until

from relay.config import load

_START_SECONDS = 30.0

#: Another address of this machine, so that client and proxy differ.
CLIENT = "127.0.0.2"
PROXY = "127.0.0.3"

CONFIG = """
global
    maxconn 100
defaults
    mode tcp
    timeout connect 10s
    timeout client 60s
    timeout server 60s
"""


@pytest.fixture(scope="module")
def proxied(_make_gateway, base_config, certificate):
    """A gateway whose listeners believe a proxy on `PROXY`, and nobody else."""
    pair = f'certificate = "{certificate.chain}"\nkey = "{certificate.key}"'
    kinds = {"plain": "none", "starttls": "starttls", "implicit": "implicit"}
    doors = [
        f'[listener.{name}]\naddress = "127.0.0.1:0"\ntls = "{tls}"\nproxies = ["{PROXY}"]\n'
        f"{'' if tls == 'none' else pair}"
        for name, tls in kinds.items()
    ]
    return _make_gateway("\n".join([base_config, *doors, '[log]\nlevel = "debug"']), name="proxied")


@contextlib.contextmanager
def haproxy(folder: Path, target: int, options: str) -> Iterator[int]:
    """Run HAProxy in front of a port, and tell where it listens."""
    with socket.socket() as probe:
        probe.bind((PROXY, 0))
        port = probe.getsockname()[1]
    file = folder / "haproxy.cfg"
    file.write_text(
        f"{CONFIG}\nfrontend smtp\n    bind {PROXY}:{port}\n    default_backend relay\n"
        f"backend relay\n    source {PROXY}\n    server relay 127.0.0.1:{target} {options}\n"
    )
    process = subprocess.Popen(["/usr/sbin/haproxy", "-db", "-f", str(file)], stderr=subprocess.DEVNULL)
    try:
        until(lambda: _answers(port), _START_SECONDS, "haproxy did not start")
        yield port
    finally:
        process.terminate()
        process.wait(_START_SECONDS)


def _answers(port: int) -> bool:
    try:
        socket.create_connection((PROXY, port), timeout=5).close()
    except OSError:
        return False
    return True


@pytest.mark.parametrize("option", ["send-proxy", "send-proxy-v2", "send-proxy-v2 proxy-v2-options crc32c,unique-id"])
@pytest.mark.parametrize("listener", ["plain", "starttls", "implicit"])
def test_mail_comes_through_and_the_log_names_the_client(
    proxied, sandbox, logins, certificate, unique, tmp_path, listener, option
):
    login, to = logins["kept-mensatek"], f"{unique}@inbox.example"
    context = ssl.create_default_context(cafile=certificate.authority)
    context.check_hostname = False  # the proxy has no name of its own
    with haproxy(tmp_path, proxied.port(listener), option) as port:
        if listener == "implicit":
            smtp = smtplib.SMTP_SSL(PROXY, port, context=context, source_address=(CLIENT, 0))
        else:
            smtp = smtplib.SMTP(PROXY, port, source_address=(CLIENT, 0))
        with smtp:
            if listener == "starttls":
                smtp.starttls(context=context)
            smtp.login(login.user, login.password)
            smtp.send_message(mail([to]))
    sandbox.wait_for(to)
    assert CLIENT == proxied.events("message_accepted")[-1]["client"]
    assert CLIENT == proxied.events("login_accepted")[-1]["client"]


@pytest.mark.parametrize(("listener", "how"), [("implicit", ""), ("plain", "option smtpchk EHLO check.example")])
def test_health_checks_are_quiet(proxied, tmp_path, listener, how):
    """A check says LOCAL in its header; then it only connects, or says EHLO and QUIT."""
    check = f"check inter 50ms send-proxy-v2 check-send-proxy\n    {how}"
    with haproxy(tmp_path, proxied.port(listener), check):
        seen = len(proxied.events("disconnected"))
        proxied.wait_for_event("disconnected", seen + 3)
    assert PROXY not in {event["client"] for event in proxied.events("connection_refused")}
    assert not proxied.events("command_refused")


def test_the_documented_configuration_is_right(tmp_path, certificate):
    """Both blocks, each as its own program reads it."""
    text = (Path(__file__).parents[2] / "docs/proxies.md").read_text()
    ours, theirs = (text.split(f"```{kind}\n")[1].split("```")[0] for kind in ("toml", "haproxy"))
    file = tmp_path / "haproxy.cfg"
    file.write_text(theirs)
    run("/usr/sbin/haproxy", "-c", "-f", file)
    config = tmp_path / "relay.toml"
    config.write_text(ours.replace("/etc/relay/tls.pem", f'{certificate.chain}"\nkey = "{certificate.key}'))
    assert ("192.0.2.10",) == load(config, {}).listener["smarthost"].proxies
