"""Killed at random instants under load: nothing that was answered with 250 is lost, no second copy is unexplained.

A few kills in `make test`; `make torture` kills 1,000 times and more, and prints the table.
"""

import os
import signal
import sys

import pytest
from harness import Row, torture

IS_LONG = os.environ.get("TORTURE") == "long"
#: Kills in one round; a long torture makes many rounds, and audits after each.
KILLS = 50 if IS_LONG else 4
ROUNDS = 5 if IS_LONG else 1

#: What is told of the store in the configuration; empty: SQLite, where every gateway has its own.
STORES = {"sqlite": ""}
RULES = """
[defaults]
mode = "{mode}"
unconfirmed_wait = "0.5s"
[retry]
first = "0.2s"
[listener.plain]
address = "127.0.0.1:0"
"""


@pytest.fixture(scope="module")
def table():
    """The rows, printed at the end."""
    rows: list[Row] = []
    yield rows
    sys.stdout.write("\n".join(["", Row.head(), *map(str, rows), ""]))


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM], ids=["kill", "term"])
@pytest.mark.parametrize("mode", ["queue", "auto", "direct"])
@pytest.mark.parametrize("store", STORES)
def test_nothing_is_lost_and_no_second_copy_is_unexplained(
    start_gateway, base_config, logins, sandbox, unique, table, store, mode, number
):
    config = base_config + STORES[store] + RULES.format(mode=mode)
    for place in range(ROUNDS):
        gateway = start_gateway(config, name="tortured", environ={"RELAY__LOG__LEVEL": "info"})
        table.append(
            torture(
                gateway,
                sandbox,
                [logins["kept-dmds"], logins["kept-mensatek"]],
                f"{unique}{place}",
                mode=mode,
                kills=KILLS,
                number=number,
                seed=1000 * place + KILLS,
            )
        )
        row = table[-1]
        assert row.messages, row
        assert 0 == row.lost, row
        assert 0 == row.unexplained, row
        if number is signal.SIGTERM:  # calls under way end, and what was promised is kept
            assert 0 == row.second_copies, row
        gateway.stop()
