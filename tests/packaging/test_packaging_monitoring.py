"""The alert rules and the dashboard that come along: Prometheus reads them, and they ask for metrics that there are."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
ALERTS = ROOT / "config" / "prometheus-alerts.yml"
DASHBOARD = ROOT / "config" / "grafana-dashboard.json"
_SUFFIXES = re.compile("_(total|bucket|sum|count|created)$")


@pytest.fixture(scope="module")
def promtool():
    unpacked = ROOT / "tests/.parts/prometheus/usr/bin/promtool"
    tool = str(unpacked) if unpacked.exists() else shutil.which("promtool")
    if not tool:
        pytest.skip("promtool is missing; .ci/system-packages brings it")

    def run(*words):
        done = subprocess.run([tool, *words], capture_output=True, text=True, cwd=Path(__file__).parent, check=False)
        return done.returncode, done.stdout + done.stderr

    return run


def expressions():
    """Every query of both files, with Grafana's variables filled in."""
    rules = yaml.safe_load(ALERTS.read_text())["groups"][0]["rules"]
    panels = json.loads(DASHBOARD.read_text())["panels"]
    asked = [rule["expr"] for rule in rules] + [target["expr"] for panel in panels for target in panel["targets"]]
    return [expression.replace("$instance", "gw") for expression in asked]


def test_prometheus_reads_the_alerts(promtool):
    code, said = promtool("check", "rules", str(ALERTS))
    assert code == 0, said


def test_the_alerts_speak_when_they_should(promtool):
    code, said = promtool("test", "rules", "alerts.test.yml")
    assert code == 0, said


def test_prometheus_reads_every_query_of_the_dashboard(promtool, tmp_path):
    rules = [{"record": f"query:{number}", "expr": asked} for number, asked in enumerate(expressions())]
    file = tmp_path / "queries.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": rules}]}))
    code, said = promtool("check", "rules", str(file))
    assert code == 0, said


def test_everything_that_is_asked_for_is_told(gateway):
    told = {_SUFFIXES.sub("", name) for name in re.findall(r"^# TYPE (\S+) ", gateway.get("/metrics")[1], re.MULTILINE)}
    asked = {_SUFFIXES.sub("", name) for query in expressions() for name in re.findall(r"relay_[a-z_]+", query)}
    assert asked
    assert asked <= told
