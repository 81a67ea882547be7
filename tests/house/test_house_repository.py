"""What holds for the repository as a whole: versions, dependencies, names, nothing private."""

import re
import subprocess
import sys
import tomllib
from collections import Counter
from importlib.metadata import packages_distributions
from pathlib import Path

import house
import pytest

import relay

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

#: Declared and never imported: what it is for.
SILENT_DEPENDENCIES = {
    "tzdata": "time zones for zoneinfo where the system has none",
}
#: Imported and not declared: whose part it is.
PARTS = {"pydantic-core": "pydantic", "annotated-types": "pydantic"}

_PRIVATE_KEY = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----\s+[A-Za-z0-9+/]{20}")
_TOKEN = re.compile(r"\b(AKIA[0-9A-Z]{16}|gh[pousr]_\w{30,}|xox[abpr]-\w{10,}|sk-\w{30,})\b")
#: An address somebody could have: what is no host name, or ends in a number, belongs to nobody.
_ADDRESS = re.compile(r"[\w.+-]+@((?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,})(?![\w-])", re.ASCII | re.IGNORECASE)
#: RFC 2606 and RFC 6761; the vendors' own, and the made-up ones of their documents; one letter, which nobody has.
_RESERVED = re.compile(
    r"(.*\.)?(example(\.(com|net|org)|\.com-x)?|test|invalid|localhost|local)"
    r"|(.*\.)?(planisys\.net|mensatek\.com|dominio\.com|eldominio\.com|micorreo\.com)"
    r"|(.*\.)?[a-z]\.[a-z]{1,3}|evilb\.org"
)


def tracked():
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    return [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


def normal(name):
    return re.sub(r"[-_.]+", "-", re.split(r"[\[>=<!~;\s]", name, maxsplit=1)[0]).lower()


def test_the_newest_changes_are_those_of_this_version():
    headings = re.findall(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)

    assert relay.__version__ == headings[0]


def test_what_is_imported_is_declared_and_what_is_declared_is_imported():
    tops = {name.split(".")[0] for module in house.modules() for _, name in house.imported(module)}
    by_name = packages_distributions()
    imported = {
        PARTS.get(normal(name), normal(name))
        for top in tops - set(sys.stdlib_module_names) - {"relay"}
        for name in by_name.get(top, [top])
    }
    declared = {normal(name) for name in PROJECT["dependencies"]}

    assert declared - set(SILENT_DEPENDENCIES) == imported - set(SILENT_DEPENDENCIES)
    assert set(SILENT_DEPENDENCIES) <= declared


def test_every_pinned_version_is_one_that_the_project_takes():
    """Constraints hold whatever is installed; a name that nothing needs any more should go."""
    lines = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if not line.startswith("#")]

    assert all(re.fullmatch(r"[A-Za-z0-9._-]+==[\w.]+", line) for line in lines), lines
    pinned = {normal(line) for line in lines}
    direct = {normal(name) for name in [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["dev"]]}
    assert set() == direct - pinned


def test_no_two_test_files_have_the_same_name():
    """Test folders are not packages: pytest knows their modules by bare name."""
    names = Counter(path.name for path in (ROOT / "tests").rglob("*.py") if path.name != "conftest.py")

    assert [] == [name for name, count in names.items() if count > 1]


def test_no_test_helper_hides_a_module_of_python_or_of_a_dependency():
    known = set(sys.stdlib_module_names) | set(packages_distributions()) - {"tests"}

    assert set() == {path.stem for path in (ROOT / "tests").rglob("*.py") if path.name != "conftest.py"} & known


@pytest.mark.parametrize("pattern", [_PRIVATE_KEY, _TOKEN], ids=["private key", "token"])
def test_no_secret_is_in_the_repository(pattern):
    assert [] == [path for path in tracked() if pattern.search(path.read_bytes().decode("latin-1"))]


def test_addresses_belong_to_nobody():
    """Fixtures, examples and documents name reserved domains only, or those of the vendors."""
    found = {
        f"{path.relative_to(ROOT)}: {match[0]}"
        for path in tracked()
        for match in _ADDRESS.finditer(path.read_bytes().decode("latin-1"))
        if not _RESERVED.fullmatch(match[1].lower())
    }

    assert not found, "\n".join(sorted(found))


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("-----BEGIN EC PRIVATE KEY-----\n" + "MHcCAQEEIBkg" * 4, True),
        ("-----BEGIN PRIVATE KEY-----\r\n" + "MHcCAQEEIBkg" * 4, True),
        ("it begins with -----BEGIN PRIVATE KEY-----", False),
        ("-----BEGIN CERTIFICATE-----\n" + "MHcCAQEEIBkg" * 4, False),
        ("AKIA" + "ABCDEFGHIJKLMNOP", True),
        ("ghp_" + "a" * 36, True),
        ("demo-apikey", False),
    ],
)
def test_secrets_are_recognised(text, seen):
    # Put together here so that this file does not hold what it looks for.
    assert seen == bool(_PRIVATE_KEY.search(text) or _TOKEN.search(text))


@pytest.mark.parametrize(
    ("text", "domains"),
    [
        ("ana@mail.example.org, <b@Shop.test>", ["mail.example.org", "Shop.test"]),
        ("image001.png@01DA6C80.12345670", []),
        ("b@192.0.2.1 b@-example.org b@exa_mple.org a@localhost", []),
    ],
)
def test_addresses_are_recognised(text, domains):
    assert domains == [match[1] for match in _ADDRESS.finditer(text)]


@pytest.mark.parametrize(
    ("domain", "reserved"),
    [
        ("example.org", True),
        ("inbox.example", True),
        ("mail.test", True),
        ("api.mensatek.com", True),
        ("gmail.com", False),
        ("notexample.org", False),
        ("example.co", False),
        ("b.org", True),
        ("b.organic", False),
    ],
)
def test_reserved_domains_are_recognised(domain, reserved):
    assert reserved == bool(_RESERVED.fullmatch(domain))
