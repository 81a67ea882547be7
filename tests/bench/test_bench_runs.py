"""The measuring programs run at all; what they measure is for people to judge."""

import json
import math
import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent


def run(*words):
    """Run one of the programs as `make bench` does."""
    environ = {**os.environ, "PYTHONPATH": str(HERE.parent)}
    done = subprocess.run(
        [sys.executable, *words], cwd=HERE, env=environ, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_cases_are_measured_on_both_servers(tmp_path):
    cases, figures = ["accept-2k-10-kept-tls", "e2e-50k-10-new"], tmp_path / "figures.json"

    said = run("figures.py", "--case", *cases, "--messages", "3", "--rounds", "1", "--json", str(figures))

    lines = json.loads(figures.read_text())
    assert cases == [*lines]
    assert cases == [name for name in cases if f"| {name} |" in said]
    assert "generator, 2k" in said
    for side in [line[side] for line in lines.values() for side in ("ours", "theirs")]:
        assert 1 == len(side["rounds"])
        assert all(math.isfinite(figure) and figure >= 0 for figure in side["rounds"][0].values())
        assert side["peak_megabytes"] > 0


def test_small_mail_is_measured_beside_big_mail_on_both_servers(tmp_path):
    figures = tmp_path / "figures.json"

    said = run("figures.py", "--case", "beside", "--messages", "3", "--rounds", "1", "--json", str(figures))

    seen = json.loads(figures.read_text())["beside-2k"]
    assert "| Postfix |" in said
    assert all(seen[side][what][0] > 0 for side in ("ours", "theirs") for what in ("alone_ms", "beside_ms"))


def test_a_case_that_nobody_knows_is_told_with_those_that_there_are():
    done = subprocess.run(
        [sys.executable, "figures.py", "--case", "accept-3k"],
        cwd=HERE,
        env={**os.environ, "PYTHONPATH": str(HERE.parent)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 1
    assert "accept-2k-10-new" in done.stderr


def test_the_door_alone_is_measured_against_aiosmtpd():
    said = run("bench_door.py", "--messages", "20")

    assert ["aiosmtpd", "aiosmtpd", "door", "door"] == [line.split()[0] for line in said.splitlines()]


def test_reading_is_measured_against_other_parsers():
    said = run("bench_mime.py", "--rounds", "1", "--mail", "2 KB, text and HTML")

    assert ["mensatek", "dmds"] == [line.split(" | ")[1] for line in said.splitlines()[2:]]
