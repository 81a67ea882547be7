"""What so many messages a day take, from what one was measured to cost: `python tests/scale/simulation.py`.

Arithmetic, no magic: rates are the day's mean times the peak's factor, calls under way are rate times the API's time
(Little's law), cores are rate times CPU at a load that leaves room for bursts. `docs/scale.md` shows what it prints; to
play with it, give other figures on the command line.
"""

# ruff: noqa: T201 - it speaks to a person

import argparse
from dataclasses import dataclass, fields

DAY = 86400
#: A core that is busier than this makes bursts wait.
BUSY = 0.7


@dataclass(frozen=True, slots=True)
class Cost:
    """One message of 2 KB to one recipient."""

    cpu_ms: float = 3.2  # door to API, all of it: docs/figures.md, e2e-2k
    store_cpu_ms: float = 0.32  # of it in the store, where one writes at a time: `make scale`, the sum of its steps
    written_kb: float = 18.6  # to log and tables, journal of the attempt and history included
    history_bytes: float = 470.0  # that stay once it is delivered, until `store.keep` is over
    waiting_bytes: float = 2900.0  # while it waits, content included
    api_seconds: float = 0.2  # assumed; nobody has measured the vendors' APIs from here
    wire_kb: float = 8.0  # in by SMTP, out as JSON, answers and TLS


@dataclass(frozen=True, slots=True)
class Needs:
    """What a day takes."""

    mean_per_second: float
    peak_per_second: float
    cores: float
    writer_share: float  # of what one writer of SQLite can do; above BUSY it is too much
    calls: float  # under way at once
    written_mb: float  # in a second
    wire_mbit: float
    history_gb: float  # after one day of `store.keep`
    outage_gb: float  # kept when the API is down for four hours


def needs(messages_a_day: float, cost: Cost, peak: float) -> Needs:
    mean = messages_a_day / DAY
    rate = mean * peak
    return Needs(
        mean_per_second=mean,
        peak_per_second=rate,
        cores=rate * cost.cpu_ms / 1000 / BUSY,
        writer_share=rate * cost.store_cpu_ms / 1000,
        calls=rate * cost.api_seconds,
        written_mb=rate * cost.written_kb / 1000,
        wire_mbit=rate * cost.wire_kb * 8 / 1000,
        history_gb=messages_a_day * cost.history_bytes / 1e9,
        outage_gb=mean * 4 * 3600 * cost.waiting_bytes / 1e9,
    )


LABELS = {
    "mean_per_second": "messages a second, mean of the day",
    "peak_per_second": "messages a second, at the peak",
    "cores": "cores at the peak, 70 % busy",
    "writer_share": "share of what one SQLite writer can do, at the peak",
    "calls": "API calls under way at once, at the peak",
    "written_mb": "MB written to disk a second, at the peak",
    "wire_mbit": "Mbit/s on the network, at the peak",
    "history_gb": "GB of history for each day of `store.keep`",
    "outage_gb": "GB kept when the API is down for four hours",
}


def table(days: list[float], cost: Cost, peak: float) -> str:
    """Return the needs of several days, side by side."""
    found = [needs(day, cost, peak) for day in days]
    lines = [
        "| a day | " + " | ".join(f"{day / 1e6:g} million" for day in days) + " |",
        "| --- |" + " --- |" * len(days),
    ]
    for name, label in LABELS.items():
        cells = (getattr(each, name) for each in found)
        shown = (
            f"{cell:.0%}" if name == "writer_share" else f"{cell:,.3g}" if cell < 10 else f"{cell:,.0f}"
            for cell in cells
        )
        lines.append(f"| {label} | " + " | ".join(shown) + " |")
    return "\n".join(lines)


def most_a_day(cost: Cost, peak: float) -> float:
    """Return how many messages a day one SQLite store bears."""
    return BUSY / (cost.store_cpu_ms / 1000) / peak * DAY


def report(days: list[float], cost: Cost, peak: float) -> str:
    """Return everything that is printed."""
    limit = most_a_day(cost, peak) / 1e6
    bears = f"One SQLite store bears {limit:.0f} million a day, with peaks of {peak:g} times the mean."
    return f"{table(days, cost, peak)}\n\n{bears}\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--million", type=float, nargs="+", default=[1, 10, 100])
    parser.add_argument("--peak", type=float, default=3.0, help="how many times the mean the busiest minutes are")
    for field in fields(Cost):
        parser.add_argument(f"--{field.name.replace('_', '-')}", type=float, default=field.default)
    asked = vars(parser.parse_args())
    cost = Cost(**{field.name: asked[field.name] for field in fields(Cost)})
    print(report([1e6 * each for each in asked["million"]], cost, asked["peak"]), end="")


if __name__ == "__main__":
    main()
