"""`relay sandbox`: both APIs alone, for people who test their own software."""

import asyncio
import signal
from pathlib import Path

import click

from relay.commands.options import Exit, fail
from relay.config.units import HostPort
from relay.sandbox import Sandbox, SandboxOptions


def _address(_context: click.Context, _parameter: click.Parameter, value: str) -> HostPort:
    try:
        return HostPort.parse(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


@click.command()
@click.option("--address", default="127.0.0.1:8025", show_default=True, callback=_address, help="Where to listen.")
@click.option(
    "--journal",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write every call to this file (JSON lines), synced.",
)
@click.option("--report-to", "report_url", default="", help="Post Mensatek delivery reports to this URL.")
def sandbox(address: HostPort, journal: Path | None, report_url: str) -> None:
    """Run both vendors' APIs on this machine, with an inbox to look into and faults on demand."""
    options = SandboxOptions(host=address.host, port=address.port, journal=journal, report_url=report_url)
    try:
        asyncio.run(_run(options))
    except OSError as error:
        fail(Exit.UNAVAILABLE, f"cannot listen on {address}: {error.strerror or error}")


async def _run(options: SandboxOptions) -> None:
    asked = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, asked.set)
    async with Sandbox(options) as running:
        click.echo(f"inbox      {running.url}/")
        click.echo(f"mensatek   {running.mensatek_url}   user demo-user, token demo-token")
        click.echo(f"dmds       {running.dmds_url}   dmdsid demo, campaign 12345, apikey demo-apikey")
        await asked.wait()
