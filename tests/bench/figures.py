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
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any

import beside
import scaling
from cases import CASES, SIZES
from certificates import make_certificate
from measuring import Bench, measure
from mime_mails import of_size
from report import Result, report
from weighing import weigh_generator

_OTHERS = (beside, scaling)  # what is not a ratio to Postfix
_RECEIVED = (
    b"Received: from host%d.example.org (host%d.example.org [192.0.2.%d])\r\n by mx.example.org with ESMTP id %d\r\n"
)


def mail(size: int) -> bytes:
    """Make a mail of at least so many bytes: what it lacks is made up with Received lines."""
    data = of_size(size)
    lines = b""
    while len(data) + len(lines) < size:
        lines += _RECEIVED % ((len(lines) // 90,) * 4)
    return lines + data


def main() -> None:
    """Measure the cases that were asked for."""
    options = _options()
    cases = [case for case in CASES if _is_asked_for(case.name, options, essential=case.is_essential)]
    others = [other for other in _OTHERS if _is_asked_for(other.NAME, options, essential=other.IS_ESSENTIAL)]
    if not cases and not others:
        raise SystemExit(f"no such case; there are {', '.join(each for each in _names())}")
    with ExitStack() as stack:
        # Not below a folder that only root can walk through: Postfix's daemons run as somebody else.
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="relay-bench-")))
        folder.chmod(0o755)
        sizes = dict.fromkeys([case.size for case in cases] + [size for other in others for size in other.SIZES])
        bodies = {size: folder / f"{size}.eml" for size in sizes}
        for name, body in bodies.items():
            body.write_bytes(mail(SIZES[name]))
        _say(_machine())
        for line in weigh_generator(bodies, options.messages):
            _say(line)
        bench = Bench(folder, bodies, make_certificate(folder), options.rounds, options.messages)
        results = {case.name: _told(case.name, measure, bench, case) for case in cases}
        results |= {other.NAME: _told(other.NAME, other.measure, bench) for other in others}
    _say("")
    for line in report(list(results.values())):
        _say(line)
    if options.json:
        options.json.write_text(json.dumps({name: asdict(result) for name, result in results.items()}, indent=1))


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201 - it speaks to a person


def _told(name: str, measured: Callable[..., Result], *what: Any) -> Result:
    sys.stderr.write(f"{name} ...\n")
    return measured(*what)


def _names() -> list[str]:
    return [*(case.name for case in CASES), *(other.NAME for other in _OTHERS)]


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


def _is_asked_for(name: str, options: argparse.Namespace, *, essential: bool) -> bool:
    names: Sequence[str] = options.case
    if names:
        return any(f"{name}-".startswith(f"{wanted}-") for wanted in names)
    return options.all or essential


if __name__ == "__main__":
    main()
