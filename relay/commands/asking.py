"""Commands that ask an API: whose credentials they use, how answers are shown, how failures end the program.

Credentials never stand on the command line, where everybody on the machine could read them.
"""

import asyncio
import functools
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import click

from relay.commands.options import Exit, fail
from relay.commands.tables import show_json, show_record, show_table
from relay.errors import ApiRefused, ConfigError, ProviderError

Client = TypeVar("Client")


@dataclass(frozen=True, slots=True)
class Found:
    """What a command found: `data` for programs, and for people a table, a record, or a sentence."""

    data: object
    head: Sequence[str] = ()
    rows: Sequence[Sequence[object]] = ()
    record: Mapping[str, object] | None = None
    text: str = ""  # instead of both, and where a table has no rows
    is_fine: bool = True  # False ends with 1

    def show(self, *, as_json: bool) -> None:
        """Print it."""
        if as_json:
            show_json(self.data)
        elif self.record is not None:
            show_record(self.record)
        elif self.head:
            show_table(self.head, self.rows, nothing=self.text or "none")
        else:
            click.echo(self.text)


def asks(
    open_client: Callable[[Path | None, str], AbstractAsyncContextManager[Client]],
) -> Callable[[Callable[..., Awaitable[Found]]], Callable[..., None]]:
    """Make a command of an async function that takes a client and the command's own arguments.

    Args:
        open_client: Makes the client of the configuration file, which may be missing, and the account's name.
    """

    def decorate(function: Callable[..., Awaitable[Found]]) -> Callable[..., None]:
        @click.option(
            "--config", "-c", type=click.Path(path_type=Path, dir_okay=False), envvar="RELAY_CONFIG",
            help="The gateway's configuration, which has accounts. Also from RELAY_CONFIG.",
        )  # fmt: skip
        @click.option("--account", "-a", default="", help="An account of the configuration, if it has several.")
        @click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")
        @functools.wraps(function)
        def command(config: Path | None, account: str, *, as_json: bool, **arguments: Any) -> None:
            found = _or_fail(lambda: asyncio.run(_asked(open_client(config, account), function, arguments)))
            found.show(as_json=as_json)
            if not found.is_fine:
                raise SystemExit(int(Exit.FOUND_WRONG))

        return command

    return decorate


async def _asked(
    opened: AbstractAsyncContextManager[Client],
    function: Callable[..., Awaitable[Found]],
    arguments: Mapping[str, Any],
) -> Found:
    async with opened as client:
        return await function(client, **arguments)


def _or_fail(run: Callable[[], Found]) -> Found:
    try:
        return run()
    except ApiRefused as refused:
        fail(Exit.FOUND_WRONG, str(refused))
    except ProviderError as error:
        doubt = "; it may have been done all the same" if error.maybe_accepted else ""
        fail(Exit.UNAVAILABLE, f"{error.reason}{doubt}")
    except ConfigError as error:
        fail(Exit.CONFIG, str(error))
    except ValueError as error:
        raise click.UsageError(str(error)) from error
