"""What was measured, as Markdown tables."""

# ruff: noqa: RUF001, RUF003 - × is what it means

import statistics
from collections.abc import Iterable, Iterator, Sequence

from beside import GOAL as BESIDE_GOAL
from beside import Together
from measuring import Line, Side
from scaling import GOAL as SCALING_GOAL
from scaling import Scaling

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


_BESIDE_HEAD = ("2 KB beside two streams of 5 MB", "alone ms", "beside ms", "times as long", "goal")
_SCALING_HEAD = (
    "2 KB, end to end, each process with the same share of a core",
    "messages/s",
    "CPU ms",
    "ratio",
    "goal",
)

Result = Line | Together | Scaling


def report(results: Sequence[Result]) -> Iterator[str]:
    """Write everything as Markdown, a table for each kind."""
    lines = [result for result in results if isinstance(result, Line)]
    yield from _table(_HEAD, map(_row, lines))
    yield from _apis(lines)
    for result in results:
        if isinstance(result, Together):
            yield from _table(_BESIDE_HEAD, _beside_rows(result))
        elif isinstance(result, Scaling):
            yield from _table(_SCALING_HEAD, _scaling_rows(result))


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    body = [f"| {' | '.join(row)} |" for row in rows]
    if body:
        yield from (f"| {' | '.join(head)} |", f"| {' | '.join(['---'] * len(head))} |", *body, "")


def _apis(lines: Sequence[Line]) -> Iterator[str]:
    for line in lines:
        if line.case.kind == "e2e":
            api = line.ours.median(lambda each: each.api_cpu_ms)
            yield f"null API, {line.case.size}: {api:.3f} ms of CPU a message"
            yield ""


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


def _beside_rows(result: Together) -> Iterator[tuple[str, ...]]:
    for name, side in (("gateway", result.ours), ("Postfix", result.theirs)):
        alone, together = statistics.median(side.alone_ms), statistics.median(side.beside_ms)
        goal = f"{BESIDE_GOAL:g}× {_reached(side.ratio <= BESIDE_GOAL)}" if side is result.ours else ""
        yield name, _figure(alone), _figure(together), f"{side.ratio:.2f}×", goal


def _scaling_rows(result: Scaling) -> Iterator[tuple[str, ...]]:
    yield "one worker", _rate(result.one), _cpu(result.one), "", ""
    goal = f"{SCALING_GOAL:g}× {_reached(result.ratio >= SCALING_GOAL)}"
    yield "two workers", _rate(result.two), _cpu(result.two), f"{result.ratio:.2f}×", goal


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
