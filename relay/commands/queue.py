"""`relay queue`: see what waits, and act on it, while the gateway works or without it."""

import asyncio
import getpass
import os
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

import click

from relay.commands.choosing import is_everything, selected, selection_options
from relay.commands.kept import show_detail, show_page, show_stats
from relay.commands.options import Exit, config_option, fail, load_or_fail
from relay.commands.tables import show_json
from relay.config import Settings
from relay.errors import QueueError
from relay.message import MessageId
from relay.queue.contract import Verb
from relay.queue.control import CONCERNS, Done, QueueControl, Selection, act_throughout
from relay.queue.opening import open_desk

#: Messages of one page where all are wanted.
_PAGE = 500

_json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")

T = TypeVar("T")


@click.group()
def queue() -> None:
    """See what waits, and act on it, while the gateway works or without it.

    Run it as the user that the gateway runs as. A message is named by its id, as the SMTP reply and the log tell it.
    """


@queue.command("list")
@selection_options
@click.option("--limit", type=click.IntRange(1, 100_000), default=50, show_default=True, help="How many at most.")
@click.option("--newest", "newest_first", is_flag=True, help="The newest first.")
@click.option("--after", default="", help="Go on behind an earlier list, as that told.")
@_json_option
@config_option
def list_messages(config: Path, *, limit: int, newest_first: bool, after: str, as_json: bool, **wanted: Any) -> None:
    """List messages, in the order in which they were received."""
    chosen = selected(**wanted)
    page = _at_desk(config, lambda desk: desk.find(chosen, limit=limit, after=after, newest_first=newest_first))
    show_page(page, now=time.time(), as_json=as_json)


@queue.command()
@click.argument("message_id", metavar="ID")
@_json_option
@config_option
def show(config: Path, message_id: str, *, as_json: bool) -> None:
    """Show one message: its recipients, what was tried, what was done by hand. Not its content: see export."""
    detail = _at_desk(config, lambda desk: desk.detail(MessageId(message_id.upper())))
    if detail is None:
        fail(Exit.FOUND_WRONG, f"no message {message_id} is kept; it may have been forgotten (store.keep)")
    show_detail(detail, now=time.time(), as_json=as_json)


@queue.command()
@_json_option
@config_option
def stats(config: Path, *, as_json: bool) -> None:
    """Count what is there, and what waits of each account."""

    async def ask(desk: QueueControl) -> tuple[Any, Any]:
        return await desk.stats(), await desk.backlogs()

    counts, backlogs = _at_desk(config, ask)
    show_stats(counts, backlogs, now=time.time(), as_json=as_json)


@queue.command()
@selection_options
@click.option("--to", "folder", type=click.Path(path_type=Path, file_okay=False), help="Where to write ID.eml files.")
@config_option
def export(config: Path, *, folder: Path | None, **wanted: Any) -> None:
    """Write messages as they were received: one to standard output, or all that match as files ID.eml.

    A message keeps its content until its last recipient has come to an end.
    """
    chosen = selected(**wanted)
    if folder is None and len(chosen.ids) != 1:
        raise click.UsageError("give --to FOLDER, or one ID for standard output")
    written, unreadable = _at_desk(config, lambda desk: _export(desk, chosen, folder))
    if not written and not unreadable:
        fail(Exit.FOUND_WRONG, "nothing matches of which the content is still kept")
    if folder is not None:
        click.echo(f"wrote {_plural(written, 'message')} to {folder}")
    if unreadable:
        fail(Exit.FOUND_WRONG, f"{_plural(unreadable, 'message')} could not be read")


def _command(verb: Verb, about: str) -> click.Command:
    """Make the command of a verb: all of them ask, and tell, the same way."""

    @queue.command(verb.value, help=about)
    @selection_options
    @click.option("--all", "is_all", is_flag=True, help="Everything that waits, where nothing else is said.")
    @click.option("--yes", "-y", is_flag=True, help="Do not ask.")
    @click.option("--dry-run", is_flag=True, help="Tell what would be done, and do nothing.")
    @_json_option
    @config_option
    def command(config: Path, *, is_all: bool, yes: bool, dry_run: bool, as_json: bool, **wanted: Any) -> None:
        chosen = selected(**wanted)
        if is_everything(chosen) and not is_all:
            raise click.UsageError("say which: by ID, by an option, or --all")
        done = _at_desk(config, lambda desk: _act(desk, verb, chosen, is_sure=yes, is_trial=dry_run))
        if as_json:
            show_json({name: getattr(done, name) for name in ("messages", "recipients", "noted", "doubtful")})
        else:
            click.echo(_told(verb, done, is_trial=dry_run))
        if not done.messages:
            raise SystemExit(int(Exit.FOUND_WRONG))

    return command


retry = _command(
    Verb.RETRY, "Try at once what waits, is held or unconfirmed. What the API may have taken may arrive twice."
)
hold = _command(Verb.HOLD, "Keep messages from being tried, until they are released.")
release = _command(Verb.RELEASE, "Let what is held be tried at once.")
drop = _command(Verb.DROP, "Give recipients up for good, without a report to the sender.")


async def _act(desk: QueueControl, verb: Verb, chosen: Selection, *, is_sure: bool, is_trial: bool) -> Done:
    would = await desk.weigh(verb, chosen)
    if is_trial or not would.messages:
        return would
    if not is_sure:
        _ask(verb, would)
    return await act_throughout(desk, verb, chosen, who=_who())


def _ask(verb: Verb, would: Done) -> None:
    """Have the operator confirm what cannot be taken back: a drop of many, or a second copy."""
    if would.doubtful:
        question = f"{_plural(would.doubtful, 'recipient')} may have got it already, and may get a second copy."
    elif verb is Verb.DROP and would.recipients > 1:
        question = f"{_plural(would.recipients, 'recipient')} of {_plural(would.messages, 'message')} will get nothing."
    else:
        return
    click.confirm(f"{question} {verb.value.capitalize()}?", abort=True, err=True)


def _told(verb: Verb, done: Done, *, is_trial: bool) -> str:
    if not done.messages:
        return f"nothing matches that {verb.value} concerns: {', '.join(sorted(CONCERNS[verb]))}"
    what = f"would {verb.value}" if is_trial else verb.value
    lines = [f"{what}: {_plural(done.recipients, 'recipient')} of {_plural(done.messages, 'message')}"]
    if done.noted:
        lines.append(f"{_plural(done.noted, 'message')} of these is being worked on: it takes effect after that")
    if done.doubtful:
        lines.append(f"{_plural(done.doubtful, 'recipient')} of these may get a second copy")
    return "\n".join(lines)


async def _export(desk: QueueControl, chosen: Selection, folder: Path | None) -> tuple[int, int]:
    """Write what can be read; one damaged body keeps nobody from the others. Returns how many were, and were not."""
    written, unreadable, after, is_first = 0, 0, "", True
    while is_first or after:
        page = await desk.find(chosen, limit=_PAGE, after=after)
        after, is_first = page.after, False
        for kept in page.messages:
            try:
                data = await desk.body(kept.id)
            except QueueError as error:
                click.echo(f"relay: {kept.id}: {error}", err=True)
                unreadable += 1
                continue
            if data is not None:
                written += 1
                _write(data, None if folder is None else folder / f"{kept.id}.eml")
    return written, unreadable


def _write(data: bytes, file: Path | None) -> None:
    if file is None:
        sys.stdout.buffer.write(data)
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)  # it is somebody's mail
    with open(descriptor, "wb") as out:  # noqa: PTH123 - it is open already
        out.write(data)


def _at_desk(config: Path, work: Callable[[QueueControl], Awaitable[T]]) -> T:
    """Work at the desk of the configured store; what goes wrong with it ends the program with 69."""
    settings = load_or_fail(config)

    async def run() -> T:
        async with _desk(settings) as desk:
            return await work(desk)

    try:
        return asyncio.run(run())
    except (QueueError, OSError) as error:
        fail(Exit.UNAVAILABLE, str(error))


@asynccontextmanager
async def _desk(settings: Settings) -> AsyncIterator[QueueControl]:
    desk = await open_desk(settings.store, clock=time.time)
    try:
        yield desk
    finally:
        await desk.close()


def _who() -> str:
    """Return who is at the keyboard, as the log will tell."""
    name = os.environ.get("SUDO_USER", "")
    with suppress(OSError, KeyError):  # a user id without a name, as in a container
        name = name or getpass.getuser()
    return name or f"user {os.getuid()}"


def _plural(count: int, thing: str) -> str:
    return f"{count} {thing}" if count == 1 else f"{count} {thing}s"
