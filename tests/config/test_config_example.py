"""The example configuration is the one that the models make; it loads as it is and with everything uncommented."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from relay.config import ListenerSettings, Settings, load, warnings
from relay.config.example import example
from relay.config.profiles import PROFILES, profile_text
from relay.powers import POWERS

FILE = Path(__file__).parents[2] / "config" / "relay.example.toml"
#: The files that the optional lines name.
FILES = ("tls.pem", "tls.key", "ca.pem", "secret.key", "database.password", "erp.token", "newsletter.apikey")


@pytest.fixture
def uncommented(tmp_path):
    for name in FILES:
        (tmp_path / name).write_text(name)
    text = re.sub(r'^#(?=[a-z"\[])', "", example(), flags=re.MULTILINE).replace("/etc/relay/", f"{tmp_path}/")
    path = tmp_path / "relay.toml"
    path.write_text(re.sub("^path = .*", "", text, count=1, flags=re.MULTILINE))  # of path and url only one is possible
    return load(path, {})


def test_file_is_what_the_models_make():
    """When this fails: python -m relay.config.example > config/relay.example.toml."""
    assert example() == FILE.read_text("utf-8")


def test_module_writes_the_example():
    run = subprocess.run([sys.executable, "-m", "relay.config.example"], check=True, capture_output=True, text=True)
    assert example() == run.stdout


def test_example_holds_the_defaults():
    assert Settings() == load(FILE, {})


def test_everything_uncommented_loads(uncommented):
    assert {"local", "printers", "submission"} == set(uncommented.listener)
    assert "device" == uncommented.listener["printers"].profile
    assert {"192.0.2.0/24": "erp"} == uncommented.listener["local"].trusted
    assert "erp.token" == uncommented.account["erp"].token.get_secret_value()
    assert ("dmds", "acme", 22) == (
        uncommented.account["newsletter"].provider,
        uncommented.account["newsletter"].dmdsid,
        uncommented.account["newsletter"].campaign,
    )
    assert "erp" == uncommented.login["app@example.org"].account
    assert {power.key for power in POWERS} == set(uncommented.defaults.powers)
    assert ("auto", "1d") == (
        uncommented.passthrough.dmds.policy.mode,
        uncommented.passthrough.dmds.policy.model_dump(mode="json")["max_age"],
    )


def test_example_taken_for_another_profile_follows_it(tmp_path):
    """What a profile has a say in stands there as a comment: set, it would hold whatever profile is chosen."""
    path = tmp_path / "relay.toml"
    for profile, own in PROFILES.items():
        path.write_text(example().replace('profile = "submission"', f'profile = "{profile}"', 1))
        assert ListenerSettings.model_validate({"profile": profile, **own}) == load(path, {}).listener["local"]


def test_example_tells_what_every_profile_stands_for():
    prose = " ".join(example().replace("\n# ", " ").split())
    for profile in PROFILES:
        assert f"{profile}: " in prose
        assert profile_text(profile) in prose


def test_example_shows_every_option():
    text = re.sub(r"^#", "", FILE.read_text("utf-8"), flags=re.MULTILINE)
    missing = [
        name
        for name in option_names(Settings)
        if not re.search(rf"^\[?(?:.*\.)?{name}[\].]| *{name} =", text, re.MULTILINE)
    ]
    assert [] == missing


def option_names(model):
    for name, field in model.model_fields.items():
        yield name
        if isinstance(field.annotation, type) and hasattr(field.annotation, "model_fields"):
            yield from option_names(field.annotation)


def test_lines_are_short_enough_to_read():
    assert [] == [line for line in example().splitlines() if len(line) > 100 and "argon2" not in line]


def test_example_as_it_is_warns_that_nobody_can_send():
    assert ["there is no account and no pass-through login, so nobody can send"] == warnings(load(FILE, {}))
