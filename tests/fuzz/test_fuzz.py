"""What the fuzzer found stays found, and a short search comes with every suite; `make fuzz` searches longer."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from corpus import mails
from translating import APIS, translated

HERE = Path(__file__).parent


@pytest.mark.parametrize("api", APIS)
def test_what_was_found_once_is_translated_or_refused(api):
    for find in (HERE / "finds").glob("*.eml"):
        translated(find.read_bytes(), api)


def test_a_short_search_finds_nothing(tmp_path):
    for name, data in mails().items():
        (tmp_path / name).write_bytes(data)
    # Coverage of our own would only slow it down: it counts its own.
    environ = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
    words = [sys.executable, HERE / "fuzz.py", "-runs=1500", "-seed=7", f"-artifact_prefix={tmp_path}/", tmp_path]

    done = subprocess.run(words, env=environ, capture_output=True, text=True, timeout=600, check=False)

    assert done.returncode == 0, done.stderr[-4000:]
    assert "Done 15" in done.stderr
