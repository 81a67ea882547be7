"""`relay check`: find every mistake before the program is started."""

import asyncio
import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import click

from relay.accounts.directory import Directory
from relay.commands.options import Exit, config_option, load_or_fail
from relay.config import Settings, warnings
from relay.errors import ConfigError, QueueError, StoreInUse
from relay.providers import HttpClient, build_providers
from relay.providers.contract import Verdict
from relay.queue.sqlite import SqliteQueue
from relay.smtp import certificate_warnings


@click.command()
@config_option
@click.option("--online", is_flag=True, help="Also ask the providers whether the credentials are right.")
def check(config: Path, online: bool) -> None:  # noqa: FBT001 - click passes flags so
    """Find the mistakes in configuration, certificates, addresses and store, and say the cure."""
    settings = load_or_fail(config)
    problems = [*_addresses(settings), *_providers(settings), *_store(settings)]
    hints = list(warnings(settings))
    for name, listener in settings.listener.items():
        try:
            hints += [f"listener.{name}: {hint}" for hint in certificate_warnings(listener)]
        except ConfigError as error:
            problems.append(f"listener.{name}: {error}")
    if online:
        problems += asyncio.run(_credentials(settings))
    for hint in hints:
        click.echo(f"warning: {hint}")
    for problem in problems:
        click.echo(f"error: {problem}", err=True)
    if problems:
        raise SystemExit(Exit.FOUND_WRONG)
    accounts = ", ".join(sorted(settings.account)) or "none of its own"
    click.echo(f"ok: {config}: {len(settings.listener)} listener(s), accounts: {accounts}")


def _addresses(settings: Settings) -> Iterator[str]:
    for name, listener in settings.listener.items():
        try:
            socket.getaddrinfo(listener.address.host, listener.address.port, type=socket.SOCK_STREAM)
        except OSError as error:
            reason = error.strerror or error
            yield f"listener.{name}.address: {listener.address}: {reason}; give an IP address of this host"
        if listener.address.port and listener.address.port < _first_free_port() and os.geteuid() != 0:
            yield (
                f"listener.{name}.address: port {listener.address.port} needs root or CAP_NET_BIND_SERVICE; "
                "config/relay.service grants it, or take a port from 1024 up"
            )


def _providers(settings: Settings) -> Iterator[str]:
    try:
        build_providers(settings.provider, HttpClient(1))
    except ConfigError as error:
        yield str(error)


def _first_free_port() -> int:
    try:
        return int(Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text("ascii"))
    except (OSError, ValueError):
        return 1024


def _store(settings: Settings) -> Iterator[str]:
    try:
        asyncio.run(_try_store(settings))
    except StoreInUse:
        return  # by a running gateway, which says itself how its store is
    except QueueError as error:
        yield f"store.path: {error}"


async def _try_store(settings: Settings) -> None:
    queue = await SqliteQueue.open(settings.store, clock=time.time, exclusive=False)
    try:
        await queue.check()
    finally:
        await queue.close()


async def _credentials(settings: Settings) -> list[str]:
    problems = []
    async with HttpClient(settings.delivery.concurrency) as http:
        providers = build_providers(settings.provider, http)
        for account in Directory(settings).accounts.values():
            verification = await providers[account.provider].verify(account.credentials)
            if verification.verdict is Verdict.INVALID:
                problems.append(
                    f"account.{account.name}: {account.provider} refuses the credentials: {verification.detail}"
                )
            elif verification.verdict is Verdict.UNKNOWN:
                problems.append(f"account.{account.name}: {account.provider} could not be asked: {verification.detail}")
            else:
                click.echo(f"ok: account.{account.name}: {account.provider} accepts the credentials")
    return problems
