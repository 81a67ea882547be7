"""`relay sandbox`: both APIs alone, for people who test their own software."""

import asyncio
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from relay.commands.options import Exit, fail
from relay.config.units import HostPort
from relay.sandbox import Sandbox, SandboxOptions
from relay.sandbox.options import SHAPES


def _address(_context: click.Context, _parameter: click.Parameter, value: str) -> HostPort:
    try:
        return HostPort.parse(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


def _pairs(_context: click.Context, _parameter: click.Parameter, values: tuple[str, ...]) -> Mapping[str, str]:
    pairs = {}
    for value in values:
        name, colon, secret = value.partition(":")
        if not (name and colon and secret):
            raise click.BadParameter("write it as NAME:SECRET")
        pairs[name] = secret
    return pairs


@click.command()
@click.option("--address", default="127.0.0.1:8025", show_default=True, callback=_address, help="Where to listen.")
@click.option(
    "--mensatek-user", "mensatek_users", multiple=True, callback=_pairs, metavar="USER:TOKEN",
    help="An API User and its token; may be repeated.  [default: demo-user:demo-token]",
)  # fmt: skip
@click.option(
    "--dmds-campaign", "dmds_campaigns", multiple=True, callback=_pairs, metavar="DMDSID-NUMBER:APIKEY",
    help="A campaign and its APIKEY; may be repeated.  [default: demo-12345:demo-apikey]",
)  # fmt: skip
@click.option(
    "--validated-domain", "validated_domains", multiple=True, metavar="DOMAIN",
    help="Mensatek: a validated sender domain; others are answered with Res -5.  [default: all are validated]",
)  # fmt: skip
@click.option(
    "--mensatek-shape", type=click.Choice(SHAPES["mensatek"]), default="document", help="How Mensatek answers."
)
@click.option("--dmds-shape", type=click.Choice(SHAPES["dmds"]), default="document", help="How DMDS answers.")
@click.option("--journal", type=click.Path(path_type=Path, dir_okay=False), help="Write every call here, synced.")
@click.option("--report-to", "report_url", default="", metavar="URL", help="Post Mensatek's delivery reports here.")
def sandbox(address: HostPort, **given: Any) -> None:
    """Run both vendors' APIs on this machine, with an inbox to look into and faults on demand.

    It has no login of its own: keep it on a loopback address.
    """
    chosen = {name: value for name, value in given.items() if value}
    if "validated_domains" in chosen:
        chosen["validated_domains"] = frozenset(chosen["validated_domains"])
    try:
        options = SandboxOptions(host=address.host, port=address.port, **chosen)
        asyncio.run(_run(options))
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    except OSError as error:
        what = f"cannot open {error.filename}" if error.filename else f"cannot listen on {address}"
        fail(Exit.UNAVAILABLE, f"{what}: {error.strerror or error}")


async def _run(options: SandboxOptions) -> None:
    asked = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, asked.set)
    async with Sandbox(options) as running:
        click.echo(f"inbox      {running.url}/")
        click.echo(f"mensatek   {running.mensatek_url}   users {', '.join(options.mensatek_users)}")
        click.echo(f"dmds       {running.dmds_url}   campaigns {', '.join(options.dmds_campaigns)}")
        await asked.wait()
