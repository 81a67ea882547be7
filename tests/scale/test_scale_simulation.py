"""The document shows what the simulation says, and the simulation says what it should."""

from pathlib import Path

import pytest
import simulation
from simulation import Cost, most_a_day, needs

DOCUMENT = Path(__file__).parents[2] / "docs" / "scale.md"


def test_the_document_shows_what_the_program_prints():
    assert simulation.report([1e6, 10e6, 100e6], Cost(), 3.0) in DOCUMENT.read_text(encoding="utf-8")


def test_what_a_day_takes_is_plain_arithmetic():
    day = needs(864_000, Cost(cpu_ms=7.0, store_cpu_ms=1.0, api_seconds=0.5, history_bytes=1000.0), peak=2.0)

    assert (10, 20) == (day.mean_per_second, day.peak_per_second)
    assert (10.0, 0.02) == (day.calls, pytest.approx(day.writer_share))
    assert (pytest.approx(0.2), pytest.approx(0.864)) == (day.cores, day.history_gb)


def test_a_store_bears_as_much_as_its_one_writer_can_do():
    assert pytest.approx(0.7 * 1000 * 86400 / 2) == most_a_day(Cost(store_cpu_ms=1.0), peak=2.0)
