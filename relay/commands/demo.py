"""`relay demo`: see it work in one command."""

import asyncio
import signal
import tempfile
from pathlib import Path

import click

from relay.commands.options import Exit, fail
from relay.demo import Demo


@click.command()
@click.option("--once", is_flag=True, help="Send, check what arrived, and end with the exit code.")
def demo(*, once: bool) -> None:
    """Run gateway and sandbox on loopback ports, send three mails, and show what became of them."""
    with tempfile.TemporaryDirectory(prefix="relay-demo-") as folder:
        missing = asyncio.run(_run(Path(folder), once=once))
    if missing:
        fail(Exit.FOUND_WRONG, "the demo did not end as it should:\n  " + "\n  ".join(missing))


async def _run(folder: Path, *, once: bool) -> list[str]:
    story = Demo(folder, click.echo)
    async with story.running():
        await story.play()
        story.tell()
        story.tell_how_to_go_on()
        if once:
            click.echo("checked: every mailbox got what was meant for it" if not story.missing() else "")
            return story.missing()
        await _ctrl_c()
        return []


async def _ctrl_c() -> None:
    click.echo("Running. End it with Ctrl-C.")
    asked = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, asked.set)
    await asked.wait()
