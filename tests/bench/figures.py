"""The figures that we publish: the gateway against Postfix, in turn, in the same run. `make bench`.

    PYTHONPATH=tests python tests/bench/figures.py [--all] [--case NAME...] [--rounds 3] [--messages N] [--json FILE]

Every round of a case loads one server, then the other; the first round is for warming up and for looking at memory, the
others count. A ratio is the median of the rounds' ratios. Server, generator and API share this machine's cores.
"""

import argparse
import json
import os
import platform
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path

from bench_mime import message
from cases import CASES, SIZES, Case
from certificates import make_certificate
from measuring import Bench, Line
from report import table
from weighing import weigh_generator

_RECEIVED = (
    b"Received: from host%d.example.org (host%d.example.org [192.0.2.%d])\r\n by mx.example.org with ESMTP id %d\r\n"
)


def mail(size: int) -> bytes:
    """Make a mail of at least so many bytes: what it lacks is made up with Received lines."""
    data = message(size)
    lines = b""
    while len(data) + len(lines) < size:
        lines += _RECEIVED % ((len(lines) // 90,) * 4)
    return lines + data


def main() -> None:
    """Measure the cases that were asked for."""
    options = _options()
    cases = [case for case in CASES if _is_asked_for(case, options)]
    if not cases:
        raise SystemExit(f"no such case; there are {', '.join(case.name for case in CASES)}")
    with ExitStack() as stack:
        # Not below a folder that only root can walk through: Postfix's daemons run as somebody else.
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="relay-bench-")))
        folder.chmod(0o755)
        bodies = {case.size: folder / f"{case.size}.eml" for case in cases}
        for name, body in bodies.items():
            body.write_bytes(mail(SIZES[name]))
        _say(_machine())
        for line in weigh_generator(bodies, options.messages):
            _say(line)
        bench = Bench(folder, bodies, make_certificate(folder), options.rounds, options.messages)
        lines = [_measured(bench, case) for case in cases]
    _say(f"\n{table(lines)}")
    if options.json:
        options.json.write_text(json.dumps([asdict(line) for line in lines], indent=1))


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201 - it speaks to a person


def _measured(bench: Bench, case: Case) -> Line:
    sys.stderr.write(f"{case.name} ...\n")
    return bench.measure(case)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--all", action="store_true", help="every case, not only the essential ones")
    parser.add_argument("--case", nargs="+", default=[], help="cases by name, or by how names begin")
    parser.add_argument("--rounds", type=int, default=3, help="rounds that count")
    parser.add_argument("--messages", type=int, default=0, help="messages in a round; 0: as each case says")
    parser.add_argument("--json", type=Path, help="write all figures to this file")
    return parser.parse_args()


def _machine() -> str:
    cores, system = os.cpu_count(), f"{platform.system()} {platform.release()}"
    return f"{platform.machine()}, {cores} cores, {system}, Python {platform.python_version()}"


def _is_asked_for(case: Case, options: argparse.Namespace) -> bool:
    names: Sequence[str] = options.case
    if names:
        return any(f"{case.name}-".startswith(f"{name}-") for name in names)
    return options.all or case.is_essential


if __name__ == "__main__":
    main()
