"""Which messages a command is about: the options that `relay queue` commands have in common."""

import time
from collections.abc import Callable
from typing import Any, TypeVar

import click

from relay.config.units import seconds
from relay.message import MessageId
from relay.queue.contract import State
from relay.queue.control import OPEN_STATES, Selection

_Command = TypeVar("_Command", bound=Callable[..., Any])


def _duration(_context: click.Context, _parameter: click.Parameter, value: str | None) -> float | None:
    """Read "30m", "2h", "3d"."""
    try:
        return None if value is None else seconds(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


_OPTIONS = (
    click.option(
        "--state",
        "states",
        multiple=True,
        type=click.Choice([state.value for state in State]),
        help="State of the recipient; may be given again. Without it: whoever still waits.",
    ),
    click.option("--account", default="", help="Name of the account."),
    click.option(
        "--sender", default="", metavar="ADDRESS", help='MAIL FROM: an address, "@domain", or "<>" for the null sender.'
    ),
    click.option("--recipient", default="", metavar="ADDRESS", help='An address, or "@domain".'),
    click.option("--reason", default="", metavar="TEXT", help="Part of the recipient's last reason, in any case."),
    click.option(
        "--older", callback=_duration, metavar="DURATION", help='Received longer ago than this: "30m", "2h", "3d".'
    ),
    click.option("--younger", callback=_duration, metavar="DURATION", help="Received since so long ago."),
)


def selection_options(command: _Command) -> _Command:
    """Give a command the options that `selected` reads, and the ids as arguments."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return click.argument("ids", nargs=-1, metavar="[ID]...")(command)


def selected(
    ids: tuple[str, ...],
    states: tuple[str, ...],
    account: str,
    sender: str,
    recipient: str,
    reason: str,
    older: float | None,
    younger: float | None,
) -> Selection:
    """Make a selection of the options."""
    now = time.time()
    everything = Selection()
    return Selection(
        ids=tuple(MessageId(each.upper()) for each in ids),
        states=frozenset(map(State, states)) if states else frozenset(State) if ids else OPEN_STATES,
        account=account,
        sender=sender,
        recipient=recipient,
        reason=reason,
        received_since=everything.received_since if younger is None else now - younger,
        received_before=everything.received_before if older is None else now - older,
    )


def is_everything(selection: Selection) -> bool:
    """Tell whether nothing was said that leaves anything out."""
    return selection == Selection()
