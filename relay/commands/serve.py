"""`relay serve`: run the gateway."""

import asyncio
import os
from functools import partial
from pathlib import Path

import click
import uvloop

from relay.app import serve as run
from relay.commands.options import Exit, config_option, fail, load_or_fail
from relay.config import load
from relay.errors import ConfigError, QueueError


@click.command()
@config_option
def serve(config: Path) -> None:
    """Run the gateway until SIGTERM or Ctrl-C; mail under way is finished first."""
    settings = load_or_fail(config)
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(run(settings, partial(load, config, os.environ)))
    except ConfigError as error:
        fail(Exit.CONFIG, str(error))
    except QueueError as error:
        fail(Exit.UNAVAILABLE, str(error))
    except OSError as error:
        fail(Exit.UNAVAILABLE, str(error))
