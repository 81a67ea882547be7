"""What several commands share: the --config option, and how a failure ends the program."""

import os
from enum import IntEnum
from pathlib import Path
from typing import NoReturn

import click

from relay.config import Settings, load
from relay.errors import ConfigError


class Exit(IntEnum):
    """Exit codes, as sysexits.h names them."""

    FOUND_WRONG = 1  # a check found something
    DATA = 65  # EX_DATAERR: the mail would be refused
    UNAVAILABLE = 69  # EX_UNAVAILABLE: the store, the API, or an address of the command line cannot be had
    CONFIG = 78  # EX_CONFIG: the configuration is wrong, or an address in it cannot be had


def fail(code: Exit, text: str) -> NoReturn:
    """Say on standard error what is wrong, and end."""
    click.echo(f"relay: {text}", err=True)
    raise SystemExit(int(code))


def load_or_fail(path: Path | None) -> Settings:
    """Load the configuration, or list its mistakes and end with 78."""
    try:
        return load(path, os.environ)
    except ConfigError as error:
        fail(Exit.CONFIG, str(error))


config_option = click.option(
    "--config",
    "-c",
    type=click.Path(path_type=Path, dir_okay=False),
    envvar="RELAY_CONFIG",
    required=True,
    help="The configuration file (TOML). Also from RELAY_CONFIG.",
)
