"""What is sealed opens only with the same secret, and the key is made once."""

import os
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.config import StoreSettings
from relay.errors import ConfigError
from relay.seal import Sealer, load_or_make_key


@given(st.text(), st.binary(max_size=200))
def test_sealed_opens_with_the_same_secret(secret, data):
    assert data == Sealer(secret).open(Sealer(secret).seal(data))


def test_sealed_looks_different_each_time_and_hides_what_it_holds():
    sealer = Sealer("s")
    assert sealer.seal(b"k3y") != sealer.seal(b"k3y")
    assert b"k3y" not in sealer.seal(b"k3y")


@pytest.mark.parametrize("change", [lambda sealed: sealed[:-1], lambda sealed: b"", lambda sealed: b"x" + sealed[1:]])
def test_changed_does_not_open(change):
    sealer = Sealer("s")
    assert sealer.open(change(sealer.seal(b"k3y"))) is None


def test_another_secret_does_not_open():
    assert Sealer("b").open(Sealer("a").seal(b"k3y")) is None


def test_configured_key_is_taken(tmp_path):
    store = StoreSettings(path=tmp_path / "relay.db", secret_key="configured")
    assert "configured" == load_or_make_key(store)
    assert [] == list(tmp_path.iterdir())


def test_key_is_made_once_for_nobody_else_to_read(tmp_path):
    store = StoreSettings(path=tmp_path / "new" / "relay.db")
    key = load_or_make_key(store)
    file = tmp_path / "new" / "secret.key"
    assert key == load_or_make_key(store) == file.read_text().strip()
    assert 0o600 == stat.S_IMODE(file.stat().st_mode)
    assert [file] == list(file.parent.iterdir())
    assert len(key) >= 64


def test_key_that_another_process_made_in_the_meantime_is_taken(tmp_path, monkeypatch):
    """Two processes start at once: both find no key, and must end with the same one."""
    link = os.link

    def late(source, target):
        (tmp_path / "secret.key").write_text("theirs")
        link(source, target)

    monkeypatch.setattr(os, "link", late)
    assert "theirs" == load_or_make_key(StoreSettings(path=tmp_path / "relay.db"))
    assert ["secret.key"] == [file.name for file in tmp_path.iterdir()]


@pytest.mark.parametrize(
    ("content", "wrong"),
    [(b"\n", "is empty"), (b"\xff\xfe", "does not hold a key"), (None, "cannot be read or made: Not a directory")],
)
def test_key_that_cannot_be_used_is_a_mistake_of_the_configuration(tmp_path, content, wrong):
    path = tmp_path / "relay.db"
    if content is None:
        (tmp_path / "file").write_text("")
        path = tmp_path / "file" / "below" / "relay.db"
    else:
        (tmp_path / "secret.key").write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        load_or_make_key(StoreSettings(path=Path(path)))
    (problem,) = caught.value.problems
    assert ("store.secret_key", wrong) == (problem.key, problem.wrong)
