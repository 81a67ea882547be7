"""What `make` and `.ci/run` stand on: the right Python, the system packages, and no skips under CI."""

import os
import re
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CI = ROOT / ".ci"


def run(*command, env=None, **options):
    # What an outer `make test` tells its children is not meant for the makes that are tried here.
    environ = {key: value for key, value in (env or os.environ).items() if not key.startswith(("MAKE", "MFLAGS"))}
    options |= {"stdin": subprocess.DEVNULL, "capture_output": True, "text": True, "timeout": 120}
    return subprocess.run(command, env=environ, check=False, **options)


def program(folder, name, text):
    path = folder / name
    path.write_text(f"#!/bin/bash\n{text}\n")
    path.chmod(0o755)
    return path


# --- make ---


def test_help_names_every_target():
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))

    listed = set(re.findall(r"^  make (\w+) ", run("make", "--no-print-directory", cwd=ROOT).stdout, re.MULTILINE))

    assert targets == listed
    assert {"demo", "test", "lint", "fmt", "bench", "clean"} <= listed


def test_the_demo_can_be_asked_to_play_once_and_fails_when_it_fails(tmp_path):
    shutil.copy(ROOT / "Makefile", tmp_path)
    for name in ("pyproject.toml", "constraints.txt", ".ci/make-venv"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / ".venv/bin").mkdir(parents=True)
    program(tmp_path / ".venv/bin", "relay", 'echo "$@"; [[ $* != *--once* ]]')
    (tmp_path / ".venv/.runtime").touch()

    assert "demo\n" == run("make", "demo", cwd=tmp_path).stdout
    once = run("make", "demo", "ONCE=1", cwd=tmp_path)

    assert "demo --once\n" == once.stdout
    assert 0 != once.returncode


def test_the_environment_is_renewed_only_when_what_is_installed_changes(tmp_path):
    shutil.copy(ROOT / "Makefile", tmp_path)
    (tmp_path / ".ci").mkdir()
    program(tmp_path / ".ci", "make-venv", 'mkdir -p .venv; echo "made ${1:-bare}"')
    for name in ("pyproject.toml", "constraints.txt"):
        (tmp_path / name).touch()

    made = [run("make", ".venv/.dev", cwd=tmp_path).stdout for _ in range(2)]
    os.utime(tmp_path / "pyproject.toml", (2**31, 2**31))
    made.append(run("make", ".venv/.dev", cwd=tmp_path).stdout)

    assert ["made dev\n", "", "made dev\n"] == [re.sub(r"make: .*\n", "", text) for text in made]


# --- .ci/find-python ---


def test_a_python_that_is_found_but_does_not_run_is_passed_over(tmp_path):
    program(tmp_path, "python3.11", "echo 'pyenv: python3.11: command not found' >&2; exit 127")
    program(tmp_path, "python3", f'exec "{sys.executable}" "$@"')

    found = run(CI / "find-python", env={"PATH": f"{tmp_path}:/usr/bin:/bin", "PYTHON": "python3.11 python3"})

    assert f"{tmp_path}/python3\n" == found.stdout


def test_the_distributions_own_python_comes_first(tmp_path):
    """What a version manager compiled is often not built for speed: it cost 1.4 times the CPU for each mail."""
    program(tmp_path, "python3.11", f'exec "{sys.executable}" "$@"')

    found = run(CI / "find-python", env={"PATH": f"{tmp_path}:/usr/bin:/bin"})

    own = Path("/usr/bin/python3")
    is_good = own.exists() and run(own, "-c", "import sys; sys.exit(sys.version_info < (3, 11))").returncode == 0
    assert f"{own if is_good else tmp_path / 'python3.11'}\n" == found.stdout


def test_a_python_that_is_too_old_is_told(tmp_path):
    program(tmp_path, "python-old", "exit 1")

    found = run(CI / "find-python", env={"PATH": f"{tmp_path}:/usr/bin:/bin", "PYTHON": "python-old"})

    assert 1 == found.returncode
    assert "Python 3.11 or newer is needed" in found.stderr


# --- .ci/system-packages ---


@pytest.fixture
def machine(tmp_path):
    """A made-up machine: its own list of packages, its own programs, its own apt-get."""
    (tmp_path / ".ci").mkdir()
    (tmp_path / "tests").mkdir()
    (tmp_path / "bin").mkdir()
    for script in ("system-packages", "find-python"):
        shutil.copy(CI / script, tmp_path / ".ci")
    (tmp_path / "tests/system-packages.txt").write_text(
        "# a comment\nbash program:bash\npigeons program:pigeon\nsasl file:/nowhere/*.so\n"
        "\nrival unpacked:usr/sbin/rival\n"
    )
    for name in ("bash", "sed", "rm", "mktemp", "cat", "chmod", "dirname", "touch", "mkdir", "mv"):
        (tmp_path / "bin" / name).symlink_to(shutil.which(name))
    program(tmp_path / "bin", "debconf-set-selections", "cat >/dev/null")

    def call(*packages, root=True):
        program(tmp_path / "bin", "id", f"echo {0 if root else 1000}")
        environ = {"PATH": str(tmp_path / "bin"), "POLICY_RC_D": str(tmp_path / "policy-rc.d"), "HOME": str(tmp_path)}
        return run(tmp_path / ".ci/system-packages", *packages, cwd=tmp_path, env=environ)

    call.folder = tmp_path
    return call


APT = """
echo "$@" >>"$HOME/apt.log"
[[ -x $POLICY_RC_D ]] && ! "$POLICY_RC_D" && echo "no daemon may start" >>"$HOME/apt.log"
[[ $* == *update* ]] && touch "$HOME/lists" && exit 0
[[ -e $HOME/lists ]] || { echo "E: Unable to locate package pigeons"; exit 100; }
printf '#!/bin/bash\\n' >"$HOME/bin/pigeon"; chmod +x "$HOME/bin/pigeon"
"""


def test_without_root_the_missing_packages_are_named_and_the_run_ends(machine):
    program(machine.folder / "bin", "apt-get", "exit 0")

    refused = machine(root=False)

    assert 1 == refused.returncode
    assert "Missing on this system: pigeons sasl rival" in refused.stderr
    assert "apt-get install --no-install-recommends pigeons sasl\n" in refused.stderr
    assert "as root: .ci/system-packages rival\n" in refused.stderr


def test_without_apt_the_missing_packages_are_named(machine):
    assert "Missing on this system: pigeons sasl" in machine().stderr


def test_what_is_there_needs_no_root(machine):
    done = machine("bash", root=False)

    assert (0, "", "") == (done.returncode, done.stdout, done.stderr)


def test_root_gets_the_missing_ones_with_fresh_lists_and_no_daemon_starts(machine):
    program(machine.folder / "bin", "apt-get", APT)

    done = machine("pigeons")

    log = (machine.folder / "apt.log").read_text()
    assert (0, "Installing pigeons\n", "") == (done.returncode, done.stdout, done.stderr)
    assert ["install", "update", "install"] == re.findall(r"\b(install|update)\b", re.sub(r"--\S+", "", log))
    assert 3 == log.count("no daemon may start")
    assert not (machine.folder / "policy-rc.d").exists()


def test_a_policy_that_was_there_stays(machine):
    program(machine.folder / "bin", "apt-get", APT)
    policy = program(machine.folder, "policy-rc.d", "exit 101 # mine")

    machine("pigeons")

    assert "mine" in policy.read_text()


def test_what_cannot_be_installed_is_a_failure_with_aptgets_own_words(machine):
    program(machine.folder / "bin", "apt-get", "echo 'E: no network'; exit 100")

    failed = machine("pigeons")

    assert 1 == failed.returncode
    assert "E: no network" in failed.stderr
    assert "Could not install pigeons" in failed.stderr


def test_what_is_installed_and_still_missing_is_a_failure(machine):
    program(machine.folder / "bin", "apt-get", "exit 0")

    assert "Installed, and still not found: pigeons" in machine("pigeons").stderr


def test_a_rival_of_what_is_installed_is_unpacked_beside_the_system(machine):
    """Two mail servers cannot be installed at once: Debian would remove the first for the second."""
    program(
        machine.folder / "bin",
        "apt-get",
        """
        echo "$@" >>"$HOME/apt.log"
        for word in "$@"; do [[ $word == Dir::Cache::archives=* ]] && touch "${word#*=}/rival.deb"; done
        exit 0
        """,
    )
    program(machine.folder / "bin", "dpkg-deb", 'mkdir -p "$3/usr/sbin"; touch "$3/usr/sbin/rival"')

    done = machine("rival")

    log = (machine.folder / "apt.log").read_text()
    assert (0, "Unpacking rival\n", "") == (done.returncode, done.stdout, done.stderr)
    assert 1 == log.count("--download-only")
    assert ["rival"] == [path.name for path in (machine.folder / "tests/.parts").iterdir()]
    assert (machine.folder / "tests/.parts/rival/usr/sbin/rival").exists()


def test_what_cannot_be_downloaded_leaves_nothing_half_unpacked(machine):
    program(machine.folder / "bin", "apt-get", "echo 'E: no network'; exit 100")

    failed = machine("rival")

    assert 1 == failed.returncode
    assert "E: no network" in failed.stderr
    assert not (machine.folder / "tests/.parts/rival").exists()


def test_every_line_of_the_list_is_a_package_with_a_known_proof():
    lines = [
        line.split()
        for line in (ROOT / "tests/system-packages.txt").read_text().splitlines()
        if line and not line.startswith("#")
    ]

    assert {"swaks", "curl", "msmtp", "postfix", "openssl", "python3-venv"} <= {line[0] for line in lines}
    assert all(re.fullmatch(r"(program|file|perl|python|unpacked):\S+", proof) for _, proof in lines)


# --- CI ---


MADE_UP = {
    "test_within.py": """
        import pytest
        def test_says_so(): pytest.skip("no postfix")
        @pytest.mark.skipif(True, reason="no root")
        def test_marked(): pass
        @pytest.mark.xfail
        def test_known_to_fail(): assert False
        def test_good(): pass
        """,
    "test_whole_file.py": "import pytest; pytest.skip('not here', allow_module_level=True)",
    "test_import.py": "import pytest; pytest.importorskip('no_such_module')",
}


def test_a_skip_is_a_failure_under_ci_only(tmp_path):
    shutil.copy(ROOT / "tests/conftest.py", tmp_path)
    for plugin in ("databases", "discretion", "running"):
        (tmp_path / f"{plugin}.py").touch()
    for name, source in MADE_UP.items():
        (tmp_path / name).write_text(textwrap.dedent(source))
    environ = {key: value for key, value in os.environ.items() if key not in {"CI", "PYTEST_ADDOPTS"}}
    command = [sys.executable, "-m", "pytest", "-q", "--continue-on-collection-errors", "-p", "no:cacheprovider"]
    command += ["--rootdir", tmp_path, tmp_path]

    free = run(*command, env=environ, cwd=tmp_path)
    strict = run(*command, env={**environ, "CI": "true"}, cwd=tmp_path)

    assert free.stdout.splitlines()[-1].startswith("1 passed, 4 skipped, 1 xfailed in ")
    assert strict.stdout.splitlines()[-1].startswith("1 failed, 1 passed, 1 xfailed, 3 errors in ")
    assert (0, 1) == (free.returncode, strict.returncode)


def test_ci_asks_for_style_and_types_first_and_runs_the_tests_as_the_readme_says():
    script = (CI / "run").read_text()

    assert ["lint", "test"] == re.findall(r"^make --no-print-directory (\w+)$", script, re.MULTILINE)
    assert "set -euo pipefail" in script
    assert "export CI=true" in script
    assert "exec </dev/null" in script
    assert os.access(CI / "run", os.X_OK)
