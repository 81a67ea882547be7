"""When again: a pure function of how often it failed, what the API asked for, and chance."""

from collections.abc import Callable

from relay.config.settings import RetrySettings


def wait_seconds(
    attempts: int, retry_after_seconds: float | None, settings: RetrySettings, random: Callable[[], float]
) -> float:
    """Tell how long to wait after an attempt failed.

    Args:
        attempts: how many were made, at least 1.
        retry_after_seconds: what the API asked for; its wish is a least wait, never a shorter one than ours.
        settings: the schedule.
        random: gives a number in [0, 1); spreads messages that failed together.
    """
    step = settings.first * settings.factor ** min(attempts - 1, 64)
    wait = min(step, settings.longest)
    wait *= 1 + settings.jitter * (2 * random() - 1)
    return max(wait, retry_after_seconds or 0.0)
