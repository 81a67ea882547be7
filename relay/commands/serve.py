"""`relay serve`: run the gateway."""

import asyncio
import os
from pathlib import Path

import click
import uvloop

from relay.app import serve as serve_alone
from relay.commands.options import Exit, config_option, fail
from relay.config import MOST_WORKERS, Settings, load
from relay.errors import ConfigError, QueueError
from relay.supervisor import supervise


@click.command()
@config_option
@click.option("--workers", type=click.IntRange(1, MOST_WORKERS), help="Processes that serve, instead of `workers`.")
def serve(config: Path, workers: int | None) -> None:
    """Run the gateway until SIGTERM or Ctrl-C; mail under way is finished first."""

    def reread() -> Settings:
        settings = load(config, os.environ)
        return settings.model_copy(update={"workers": workers}) if workers else settings

    try:
        settings = reread()
    except ConfigError as error:
        fail(Exit.CONFIG, str(error))
    run = serve_alone if settings.workers == 1 else supervise
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(run(settings, reread))
    except ConfigError as error:
        fail(Exit.CONFIG, str(error))
    except QueueError as error:
        fail(Exit.UNAVAILABLE, str(error))
    except OSError as error:
        fail(Exit.UNAVAILABLE, str(error))
