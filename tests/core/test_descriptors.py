"""Descriptors: taken as far as the system gives them, and missed before the clients miss them."""

import resource
import subprocess
import sys

import pytest
from running import RELAY

CONFIG = """
store.path = "relay.db"
web.address = "127.0.0.1:0"
[account.erp]
provider = "mensatek"
user = "demo-user"
token = "demo-token"
[listener.a]
address = "127.0.0.1:0"
max_connections = {connections}
"""


def limited(soft, hard, *command, cwd):
    """Run a command under a limit on its descriptors."""
    limit = f'ulimit -Sn {soft} && ulimit -Hn {hard} && exec "$@"'
    return subprocess.run(
        ["bash", "-c", limit, "bash", *command], capture_output=True, text=True, timeout=60, check=False, cwd=cwd
    )


def test_the_soft_limit_is_raised_to_the_hard_one(tmp_path):
    program = "import relay.descriptors as d, resource; print(d.raise_limit(), *resource.getrlimit(7))"
    assert resource.RLIMIT_NOFILE == 7
    done = limited(256, 900, sys.executable, "-c", program, cwd=tmp_path)
    assert done.stdout.split() == ["900", "900", "900"], done.stderr


@pytest.mark.parametrize(("hard", "code"), [(900, 1), (2000, 0)])
def test_check_refuses_more_connections_than_the_system_allows(tmp_path, hard, code):
    (tmp_path / "relay.toml").write_text(CONFIG.format(connections=1000))
    done = limited(256, hard, RELAY, "check", "-c", "relay.toml", cwd=tmp_path)
    assert done.returncode == code, done.stderr
    assert ("LimitNOFILE" in done.stderr) is bool(code)


def test_a_gateway_without_enough_says_so_when_it_starts(start_gateway, base_config, tmp_path):
    """What is more is refused by nobody: clients would wait in the system's queue without a word."""
    program = tmp_path / "limited"
    program.write_text(f'#!/bin/bash\nulimit -Sn 256 && ulimit -Hn 700 && exec {RELAY} "$@"\n')
    program.chmod(0o755)
    gateway = start_gateway(base_config + '\n[listener.plain]\naddress = "127.0.0.1:0"\n', program=program)
    (event,) = gateway.wait_for_event("descriptors_short")
    assert "allows 700 descriptors" in event["reason"]
    gateway.stop()
