"""Listener profiles: named defaults, over which every option can be set; and what is told of doors that stand open."""

import json

import pytest

from relay.config import ListenerSettings, load, warnings
from relay.config.profiles import GOVERNED, PROFILES
from relay.errors import ConfigError

ACCOUNT = '[account.erp]\nprovider = "mensatek"\nuser = "me"\ntoken = "t"\nsenders = ["*@example.org"]\n'
DOOR = '[listener.a]\nprofile = "device"\nauth = false\n'
TRUSTED = '[listener.a.trusted]\n"10.0.0.0/8" = "erp"\n'


@pytest.fixture
def written(tmp_path):
    def write(text, environ=None):
        path = tmp_path / "relay.toml"
        path.write_text(text, "utf-8")
        return load(path, environ or {})

    return write


def plain(listener):
    return listener.model_dump(mode="json")


@pytest.mark.parametrize("profile", PROFILES)
def test_a_profile_sets_defaults_and_every_option_goes_over_it(written, profile):
    """What no profile has a say in stays as it is."""
    own, usual = PROFILES[profile], plain(ListenerSettings())
    listener = written(f'[listener.a]\nprofile = "{profile}"').listener["a"]
    assert {**usual, **plain(ListenerSettings.model_validate(own)), "profile": profile} == plain(listener)
    for key in GOVERNED:
        text = f'[listener.a]\nprofile = "{profile}"\n{key} = {json.dumps(usual[key])}'
        assert usual[key] == plain(written(text).listener["a"])[key]


def test_every_profile_is_known_to_the_settings():
    for profile in PROFILES:
        assert profile == ListenerSettings.model_validate({"profile": profile}).profile


def test_the_environment_can_choose_a_profile(written):
    text = '[listener.a]\naddress = "127.0.0.1:25"'
    assert "normalise" == written(text, {"RELAY__LISTENER__A__PROFILE": "device"}).listener["a"].line_ends


def test_no_profile_lets_anybody_in_from_outside():
    for profile in PROFILES:
        listener = ListenerSettings.model_validate({"profile": profile})
        assert ("127.0.0.1", {}) == (listener.address.host, listener.trusted)


def test_an_unknown_profile_is_told_with_those_that_there_are(written):
    with pytest.raises(ConfigError) as caught:
        written('[listener.a]\nprofile = "printer"')
    (problem,) = caught.value.problems
    assert "listener.a.profile" == problem.key
    assert 'it takes "submission", "smarthost" or "device"' in str(problem)


@pytest.mark.parametrize(
    ("address", "is_told"),
    [
        ("0.0.0.0:25", True),
        ("[::]:25", True),
        ("8.8.8.8:25", True),
        ("mx.example.org:25", True),
        ("10.0.0.1:25", False),
        ("127.0.0.1:25", False),
        ("localhost:25", False),
    ],
)
def test_a_device_door_that_may_be_reached_from_anywhere_is_told_of(written, address, is_told):
    told = warnings(written(ACCOUNT + DOOR + f'address = "{address}"\n' + TRUSTED))
    assert is_told == any("a device listener on" in line and "may be reached from anywhere" in line for line in told)


def test_a_device_door_where_passwords_cross_the_network_is_told_of(written):
    text = '[listener.a]\nprofile = "device"\naddress = "10.0.0.1:25"\n'
    assert any("lets passwords cross the network in clear" in line for line in warnings(written(ACCOUNT + text)))


@pytest.mark.parametrize(
    ("sender", "account", "expected"),
    [
        ("nobody", ACCOUNT, 'is not one sender; "Name <a@example.org>" or "a@example.org"'),
        ("a@b.org, c@d.org", ACCOUNT, 'is not one sender; "Name <a@example.org>" or "a@example.org"'),
        ("Scanner <scan@example.net>", ACCOUNT, "is none of account.erp.senders"),
        (
            "Scanner <scan@example.org>",
            ACCOUNT + 'sender = "erp@example.org"\n',
            "has no effect: account.erp.sender goes over it; one of the two",
        ),
    ],
)
def test_a_fixed_sender_that_cannot_be_is_told_of(written, sender, account, expected):
    with pytest.raises(ConfigError) as caught:
        written(account + DOOR + f'sender = "{sender}"\n' + TRUSTED)
    assert [f'listener.a.sender = "{sender}": {expected}'] == [
        str(problem).rpartition(".toml: ")[2] for problem in caught.value.problems
    ]


def test_a_fixed_sender_that_the_account_may_use_is_fine(written):
    listener = written(ACCOUNT + DOOR + 'sender = "Scanner <scan@example.org>"\n' + TRUSTED).listener["a"]
    assert "Scanner <scan@example.org>" == listener.sender
