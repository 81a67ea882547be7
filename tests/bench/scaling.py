"""What a second worker process brings, where every process may use the same share of a core.

Without that share, on a machine of two cores, generator, API and one worker fill both already, and the machine would be
measured. The share is set by cgroups (v1), which only root may make.
"""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from cases import Case
from measuring import Bench, Loaded, Side, alternate, ratio_of
from meter import family
from servers import GatewayUnderTest, NullServer

NAME = "workers-2k"
IS_ESSENTIAL = False  # measured when it is asked for
GOAL = 1.7  # times one worker
SHARE = 0.4  # of a core, for each process

_CGROUPS = Path("/sys/fs/cgroup/cpu")
_PERIOD_MICROSECONDS = 10_000
_CASE = Case("e2e", "2k", 10)
SIZES = (_CASE.size,)


@dataclass(frozen=True, slots=True)
class Scaling:
    """One worker and two."""

    one: Side
    two: Side
    ratio: float


def measure(bench: Bench) -> Scaling:
    """Measure gateways with one and with two workers in turn, end to end."""
    if not os.access(_CGROUPS, os.W_OK):
        raise SystemExit(f"{NAME} needs root and the cgroups (v1) of {_CGROUPS}, to give every process the same share")
    with ExitStack() as stack:
        api = stack.enter_context(NullServer("api"))
        sides = []
        for workers in (1, 2):
            folder = bench.folder / f"workers-{workers}"
            server = GatewayUnderTest(folder, bench.certificate, api, held=False, workers=workers)
            stack.callback(server.stop)
            stack.enter_context(_rationed(server.pid))
            sides.append(Loaded(bench, server, _CASE, api))
        alternate(bench, sides)
    one, two = (side.seen() for side in sides)
    return Scaling(one, two, ratio_of(two, one))


@contextmanager
def _rationed(pid: int) -> Iterator[None]:
    groups = []
    try:
        for each in family(pid):
            group = _CGROUPS / f"relay-bench-{os.getpid()}-{each}"
            group.mkdir()
            groups.append(group)
            (group / "cpu.cfs_period_us").write_text(str(_PERIOD_MICROSECONDS))
            (group / "cpu.cfs_quota_us").write_text(str(int(_PERIOD_MICROSECONDS * SHARE)))
            (group / "cgroup.procs").write_text(str(each))
        yield
    finally:
        for group in groups:
            for each in (group / "cgroup.procs").read_text().split():
                (_CGROUPS / "cgroup.procs").write_text(each)
            group.rmdir()
