"""What every test shares: under CI nothing may be skipped, and the fixtures that run the gateway as a process."""

import os
from collections.abc import Generator

import hypothesis
import pytest

hypothesis.settings.register_profile(
    "ours",
    deadline=None,  # how long an example takes says how busy the machine is
    derandomize=bool(os.environ.get("CI")),  # developers look for new examples, CI answers the same twice
)
hypothesis.settings.load_profile("ours")

pytest_plugins = ("discretion", "running", "databases")


def _refuse_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    if os.environ.get("CI") and report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"skipped, which CI takes for a missing part: {reason}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn the skip of a test into a failure where CI is set."""
    report = yield
    _refuse_skip(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Turn the skip of a whole file into a failure where CI is set."""
    report = yield
    _refuse_skip(report)
    return report
