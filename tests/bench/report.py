"""The table."""

# ruff: noqa: RUF001, RUF003 - × is what it means

from collections.abc import Sequence

from measuring import Line, Side

_HEAD = (
    "case",
    "gateway /s",
    "Postfix /s",
    "ratio",
    "goal",
    "p50/p99 ms",
    "Postfix",
    "CPU ms",
    "Postfix",
    "MB idle → peak",
    "Postfix",
)


def table(lines: Sequence[Line]) -> str:
    """Write the results as Markdown."""
    rows = [_HEAD, ("---",) * len(_HEAD), *map(_row, lines)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _row(line: Line) -> tuple[str, ...]:
    case, ours, theirs = line.case, line.ours, line.theirs
    return (
        case.name,
        _rate(ours),
        _rate(theirs),
        f"{line.ratio:.2f}×",
        _goals(line),
        _latency(ours),
        _latency(theirs),
        _cpu(ours),
        _cpu(theirs),
        f"{ours.idle_megabytes:.0f} → {ours.peak_megabytes:.0f}",
        f"{theirs.idle_megabytes:.0f} → {theirs.peak_megabytes:.0f}",
    )


def _goals(line: Line) -> str:
    goals = []
    if line.case.goal is not None:
        goals.append(f"{line.case.goal:g}× {_reached(line.ratio >= line.case.goal)}")
    if line.case.cpu_goal_ms is not None:
        cpu = line.ours.median(lambda each: each.cpu_ms)
        goals.append(f"{line.case.cpu_goal_ms:g} ms {_reached(cpu <= line.case.cpu_goal_ms)}")
    return ", ".join(goals)


def _reached(yes: bool) -> str:
    return "reached" if yes else "**missed**"


def _rate(side: Side) -> str:
    return _figure(side.median(lambda each: each.per_second))


def _latency(side: Side) -> str:
    return f"{_figure(side.median(lambda each: each.p50_ms))} / {_figure(side.median(lambda each: each.p99_ms))}"


def _cpu(side: Side) -> str:
    return _figure(side.median(lambda each: each.cpu_ms))


def _figure(value: float) -> str:
    """Three digits are more than any of this is good for."""
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"
