"""When times that lie ahead of a clock may be brought near again: what both stores go by. Pure."""

#: So far two machines' clocks may differ; seconds.
TOLERANCE_SECONDS = 60.0
#: No pause may last longer once a clock is known to have been ahead; seconds.
LONGEST_PAUSE_SECONDS = 86400.0
#: 2026-01-01. A clock that says less has not been set yet: moved to its time, mail would be given up when it is set.
_PLAUSIBLE_FROM = 1767225600.0


def is_believed(*clocks: float) -> bool:
    """Tell whether mail may be moved to the time that all these clocks say: none is unset, and they agree."""
    return min(clocks) >= _PLAUSIBLE_FROM and max(clocks) - min(clocks) <= TOLERANCE_SECONDS
