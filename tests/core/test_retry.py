"""When a deferred message is tried again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.config.settings import RetrySettings
from relay.retry import wait_seconds

PLAIN = RetrySettings(first=30.0, factor=2.0, longest=3600.0, jitter=0.0)


@pytest.mark.parametrize(
    ("attempts", "asked", "expected"),
    [
        (1, None, 30.0),
        (2, None, 60.0),
        (3, None, 120.0),
        (7, None, 1920.0),
        (8, None, 3600.0),
        (1000, None, 3600.0),
        (1, 5.0, 30.0),  # a shorter wish never shortens the wait
        (1, 300.0, 300.0),
        (8, 7200.0, 7200.0),  # a longer one is honoured beyond our longest
    ],
)
def test_the_schedule_is_exact(attempts, asked, expected):
    assert expected == wait_seconds(attempts, asked, PLAIN, lambda: 0.5)


@given(st.integers(1, 10_000), st.floats(0, 1, exclude_max=True), st.floats(0, 1))
def test_jitter_stays_within_its_share(attempts, chance, jitter):
    settings = RetrySettings(first=30.0, factor=2.0, longest=3600.0, jitter=jitter)
    plain = wait_seconds(attempts, None, PLAIN, lambda: 0.5)
    wait = wait_seconds(attempts, None, settings, lambda: chance)
    assert plain * (1 - jitter) - 1e-6 <= wait <= plain * (1 + jitter) + 1e-6
