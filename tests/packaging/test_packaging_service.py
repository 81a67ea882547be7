"""The systemd unit: read as systemd reads it, and by systemd itself where it is at hand."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from relay.config import Settings

UNIT = Path(__file__).resolve().parents[2] / "config" / "relay.service"


def read_unit(text):
    """Read a unit file: sections of keys, each with every value it is given."""
    sections: dict[str, dict[str, list[str]]] = {}
    for line in text.splitlines():
        if match := re.fullmatch(r"\[(\w+)\]", line.strip()):
            current = sections.setdefault(match[1], {})
        elif line.strip() and not line.startswith(("#", ";")):
            key, equals, value = line.partition("=")
            assert equals, f"not a setting: {line}"
            current.setdefault(key.strip(), []).append(value.strip())
    return sections


SERVICE = read_unit(UNIT.read_text())["Service"]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("Type", "exec"),
        ("Restart", "on-failure"),
        ("DynamicUser", "yes"),
        ("User", "relay"),
        ("StateDirectory", "relay"),
        ("StateDirectoryMode", "0700"),
        ("UMask", "0077"),
        ("NoNewPrivileges", "yes"),
        ("ProtectSystem", "strict"),
        ("ProtectHome", "yes"),
        ("PrivateTmp", "yes"),
        ("PrivateDevices", "yes"),
        ("MemoryDenyWriteExecute", "yes"),
        ("AmbientCapabilities", "CAP_NET_BIND_SERVICE"),
        ("CapabilityBoundingSet", "CAP_NET_BIND_SERVICE"),
        ("RestrictAddressFamilies", "AF_INET AF_INET6 AF_UNIX"),
    ],
)
def test_the_unit_gives_the_least_that_is_needed(key, value):
    assert [value] == SERVICE[key]


def test_secrets_come_from_a_file_that_may_be_missing():
    assert ["-/etc/relay/relay.env"] == SERVICE["EnvironmentFile"]
    assert "Environment" not in SERVICE


def test_the_store_lies_where_the_unit_lets_it_be_written():
    assert f"/var/lib/{SERVICE['StateDirectory'][0]}" == str(Settings().store.path.parent)


def test_calls_under_way_have_time_to_end():
    (stop,) = SERVICE["TimeoutStopSec"]

    # The door and the calls may each take as long, and a supervisor gives its workers ten seconds more.
    assert int(stop.removesuffix("s")) > 2 * Settings().delivery.stop_within + 10


def test_the_configuration_is_checked_before_it_is_served():
    (check,), (serve,) = SERVICE["ExecStartPre"], SERVICE["ExecStart"]

    assert serve == check.replace("relay check", "relay serve")


def test_a_line_that_is_no_setting_is_seen():
    with pytest.raises(AssertionError, match="not a setting"):
        read_unit("[Service]\nType exec\n")


def test_systemd_itself_finds_nothing_wrong(tmp_path):
    """Where systemd is not installed, the tests above are all there is."""
    if not (program := shutil.which("systemd-analyze")):
        return
    unit = tmp_path / "relay.service"
    unit.write_text(UNIT.read_text().replace("/opt/relay/bin/relay", "/bin/true"))

    verified = subprocess.run([program, "verify", "--man=no", unit], capture_output=True, text=True, check=False)
    rated = subprocess.run(
        [program, "security", "--offline=true", "--threshold=20", unit], capture_output=True, text=True, check=False
    )

    assert 0 == verified.returncode
    assert "relay.service" not in verified.stderr
    assert 0 == rated.returncode, rated.stdout[-200:]
