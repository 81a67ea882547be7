"""The container image: its steps, walked without an engine.

Base images and dependencies are not fetched: `pip` runs with PIP_NO_DEPS, and what it would have fetched comes from the
environment that runs the tests. Everything else is what the Dockerfile says.
"""

import hashlib
import os
import re
import subprocess
import sys
import sysconfig
import tomllib
import zipfile
from pathlib import Path

import pytest
from dockerfile import copy_context, is_ignored, read_steps

from relay import __version__

ROOT = Path(__file__).resolve().parents[2]
STEPS = read_steps((ROOT / "Dockerfile").read_text())
IGNORE = (ROOT / ".dockerignore").read_text()
LAST = STEPS[-1].stage


def steps(name, stage=LAST):
    return [step for step in STEPS if (step.name, step.stage) == (name, stage)]


def tracked(folder):
    listed = subprocess.run(["git", "ls-files", folder], cwd=ROOT, capture_output=True, text=True, check=True)
    return sorted(listed.stdout.split())


@pytest.fixture(scope="module")
def image(tmp_path_factory):
    """Walk the build stage in a folder that stands for the image's root."""
    root = tmp_path_factory.mktemp("image")
    environ = {
        key: value for key, value in os.environ.items() if not key.startswith(("COV_CORE", "COVERAGE", "PIP_", "RELAY"))
    }
    environ |= {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "PIP_NO_DEPS": "1"}
    environ |= {"PIP_NO_BUILD_ISOLATION": "0"}  # pip reads this switch the wrong way round: 0 means no isolation
    workdir = root
    for step in STEPS:
        if step.stage != 0:
            break
        if step.name == "WORKDIR":
            workdir = root / step.argument.strip("/")
            workdir.mkdir(parents=True)
        elif step.name == "COPY":
            *sources, target = step.words
            copy_context(ROOT, sources, workdir / target, IGNORE)
        elif step.name == "RUN":
            command = re.sub(r"(?<![\w/])/(opt|wheels)\b", rf"{root}/\1", step.argument)
            done = subprocess.run(
                ["bash", "-c", command], cwd=workdir, env=environ, capture_output=True, text=True, check=False
            )
            assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    site = next((root / "opt/relay/lib").glob("python3*/site-packages"))
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return root


@pytest.fixture(scope="module")
def wheel(image):
    (path,) = (image / "wheels").glob("relay-*.whl")
    return path


def test_the_wheel_carries_every_file_of_the_gateway_and_nothing_else(wheel):
    """Schemas and templates, too: they are read at run time."""
    packed = sorted(name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name)

    present = [name for name in tracked("relay") if (ROOT / name).exists()]
    assert set() == set(present) - set(packed)
    assert not [name for name in packed if not name.startswith("relay/") or "__pycache__" in name]
    assert any(name.endswith(".sql") for name in packed)


def test_the_wheel_is_the_same_each_time(wheel, image, tmp_path):
    environ = {**os.environ, "PIP_NO_BUILD_ISOLATION": "0"}
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", tmp_path, image / "src"]
    subprocess.run(command, env=environ, check=True)

    (again,) = tmp_path.glob("*.whl")
    assert hashlib.sha256(wheel.read_bytes()).digest() == hashlib.sha256(again.read_bytes()).digest()


def test_the_installed_program_runs_from_the_image_and_tells_its_version(image, tmp_path):
    program = image / "opt/relay/bin/relay"
    said = subprocess.run([program, "--version"], cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    where = subprocess.run(
        [program.with_name("python"), "-c", "import relay; print(relay.__file__)"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    ).stdout

    assert __version__ in said
    assert where.startswith(str(image))


def test_the_image_carries_no_tools_that_only_build(image):
    programs = {path.name for path in (image / "opt/relay/bin").iterdir()}

    assert not {"pip", "pip3", "pytest", "ruff"} & programs


def test_both_stages_have_the_same_small_base():
    bases = {step.argument.split()[0] for step in STEPS if step.name == "FROM"}

    assert {"python:3.11-slim-bookworm"} == bases


def test_it_runs_as_nobody_in_particular():
    (user,) = steps("USER")
    (volume,) = steps("VOLUME")
    (account,) = steps("RUN")

    assert "10001:10001" == user.argument
    assert "--uid 10001" in account.argument
    assert "--gid 10001" in account.argument
    assert f"--owner relay --group relay --mode 0700 {volume.argument}" in account.argument
    assert STEPS.index(account) < STEPS.index(user)


def test_signals_reach_the_program_itself():
    """A shell in between would swallow SIGTERM, and the container would be killed in the middle of a call."""
    (entrypoint,) = steps("ENTRYPOINT")
    (signal,) = steps("STOPSIGNAL")

    assert ["relay", "serve", "--config", "/etc/relay/relay.toml"] == entrypoint.words
    assert entrypoint.argument.startswith("[")
    assert "SIGTERM" == signal.argument


@pytest.mark.parametrize(
    ("path", "ignored"),
    [
        ("relay/outcome.py", False),
        ("relay/queue/schema/1.sql", False),
        ("pyproject.toml", False),
        ("config/relay.docker.toml", False),
        ("relay/__pycache__/outcome.cpython-311.pyc", True),
        ("relay/queue/__pycache__/x.pyc", True),
        ("config/relay.toml", True),
        (".git/config", True),
        (".venv/bin/python", True),
        ("relay.env", True),
        ("tests/conftest.py", True),
    ],
)
def test_only_what_the_image_is_made_of_goes_to_the_builder(path, ignored):
    assert ignored == is_ignored(path, IGNORE)


@pytest.fixture
def container(image, start_gateway):
    """Start what the ENTRYPOINT says, with the image's own configuration, on ports and a folder of this test."""

    def make(name="container", **environ):
        return start_gateway(
            (ROOT / "config/relay.docker.toml").read_text(),
            name=name,
            program=image / "opt/relay/bin/relay",
            environ={"RELAY__LISTENER__SUBMISSION__ADDRESS": "127.0.0.1:0", **environ},
        )

    return make


def test_the_image_starts_with_its_own_configuration_and_stops_when_told(container):
    running = container()

    assert {"submission"} == {event["listener"] for event in running.events("listener_opened")}
    assert 0 == running.stop()
    assert running.events("stopped")


def test_the_health_check_tells_the_living_from_the_dead(container):
    running = container("health")
    (check,) = steps("HEALTHCHECK")
    _, command, *_ = re.split(r"CMD (?=\[)", check.argument + " ")
    words = read_steps(f"CMD {command}")[0].words
    port = running.web_url.rpartition(":")[2]
    words = [sys.executable, *(word.replace(":8080/", f":{port}/") for word in words[1:])]

    alive = subprocess.run(words, capture_output=True, check=False).returncode
    running.stop()
    dead = subprocess.run(words, capture_output=True, check=False).returncode

    assert 0 == alive
    assert 0 != dead


def test_the_ports_of_the_image_are_those_of_its_configuration():
    config = tomllib.loads((ROOT / "config/relay.docker.toml").read_text())
    (exposed,) = steps("EXPOSE")
    (volume,) = steps("VOLUME")
    addresses = [config["listener"]["submission"]["address"], config["web"]["address"]]

    assert exposed.words == [address.rpartition(":")[2] for address in addresses]
    assert {"0.0.0.0"} == {address.rpartition(":")[0] for address in addresses}
    assert config["store"]["path"].startswith(volume.argument)
