"""`relay check`: find every mistake before the program is started."""

import asyncio
import errno
import json
import os
import shutil
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import click

from relay.accounts.directory import Directory
from relay.commands.options import Exit, config_option
from relay.config import Settings, examine, warnings
from relay.config.profiles import PROFILES
from relay.config.units import HostPort
from relay.descriptors import shortage
from relay.errors import ConfigError, QueueError, StoreInUse
from relay.providers import HttpClient, build_providers
from relay.providers.contract import Verdict
from relay.queue.postgres import look_over
from relay.queue.sqlite import SqliteQueue
from relay.smtp import certificate_warnings


@click.command()
@config_option
@click.option("--online", is_flag=True, help="Also ask the providers whether the credentials are right.")
def check(config: Path, *, online: bool) -> None:
    """Find the mistakes in configuration, certificates, addresses and store, and say the cure.

    Run it as the user that the gateway runs as. It makes nothing: a store that is not there yet stays so.
    """
    settings, mistakes = examine(config, os.environ)
    problems: list[str] = []
    if settings is not None:
        bad_certificates, hints = _certificates(settings)
        problems += [*bad_certificates, *_addresses(settings), *_providers(settings), *_store(settings)]
        problems += filter(None, [shortage(settings)])
        for line in [*_profiles(settings), *_reports(settings)]:
            click.echo(line)
        for hint in [*warnings(settings), *hints]:
            click.echo(f"warning: {hint}")
    if online and settings is not None and mistakes is None:
        problems += asyncio.run(_credentials(settings))
    _conclude(config, settings, mistakes, problems)


def _conclude(config: Path, settings: Settings | None, mistakes: ConfigError | None, problems: list[str]) -> None:
    if mistakes is not None:
        click.echo(f"relay: {mistakes}", err=True)
    for problem in problems:
        click.echo(f"error: {problem}", err=True)
    if mistakes is not None or settings is None:
        raise SystemExit(Exit.CONFIG)
    if problems:
        raise SystemExit(Exit.FOUND_WRONG)
    accounts = ", ".join(sorted(settings.account)) or "none of its own"
    click.echo(f"ok: {config}: {len(settings.listener)} listener(s), accounts: {accounts}")


def _profiles(settings: Settings) -> Iterator[str]:
    """Tell what a listener's profile came to, once what is set stands over it."""
    for name, listener in settings.listener.items():
        governed = listener.model_dump(mode="json", include=set(PROFILES[listener.profile]))
        if governed:
            options = ", ".join(f"{key} = {json.dumps(value)}" for key, value in governed.items())
            yield f"listener.{name}: profile {listener.profile}: {options}"


def _reports(settings: Settings) -> Iterator[str]:
    """Tell which way reports to senders take, where nobody said so and somebody must look."""
    if settings.defaults.reports.chosen_route == "directory":
        folder = settings.defaults.reports.directory or f"{settings.store.path}.reports"
        yield f"defaults.reports: of mail that fails senders are told in {folder} only; set postmaster or a route"


def _certificates(settings: Settings) -> tuple[list[str], list[str]]:
    """Look at every listener's certificate: what is wrong, and what is worth a look."""
    wrong: list[str] = []
    hints: list[str] = []
    for name, listener in settings.listener.items():
        try:
            hints += [f"listener.{name}: {hint}" for hint in certificate_warnings(listener)]
        except ConfigError as error:
            wrong.append(f"listener.{name}: {error}")
    return wrong, hints


def _addresses(settings: Settings) -> Iterator[str]:
    wanted = {f"listener.{name}.address": listener.address for name, listener in settings.listener.items()}
    if settings.web.address is not None:
        wanted["web.address"] = settings.web.address
    for key, address in wanted.items():
        if (trouble := _trouble_binding(address)) is not None:
            yield f"{key}: {address}: {trouble}"


def _trouble_binding(address: HostPort) -> str | None:
    """Say why an address cannot be listened on. One in use may be the gateway's own: that is no mistake."""
    try:
        family, kind, protocol, _, place = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(place)
    except PermissionError:
        return (
            "ports this low need root or CAP_NET_BIND_SERVICE; config/relay.service grants it, or take one from 1024 up"
        )
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            return None
        return f"{error.strerror or error}; give an address of this machine"
    return None


def _providers(settings: Settings) -> Iterator[str]:
    try:
        build_providers(settings.provider, HttpClient(1))
    except ConfigError as error:
        yield str(error)


def _store(settings: Settings) -> Iterator[str]:
    if settings.store.url is not None:
        yield from _database(settings)
        return
    path = settings.store.path
    try:
        if path.exists():
            asyncio.run(_try_store(settings))
            return
    except StoreInUse:
        return  # by a running gateway, which says itself how its store is
    except (OSError, QueueError) as error:
        yield f"store.path: {error}"
        return
    if not path.parent.is_dir():
        yield f"store.path: {path}: its folder is missing; create it, and let the relay's user write there"
    elif not os.access(path.parent, os.W_OK | os.X_OK):
        yield f"store.path: {path}: its folder may not be written to; let the relay's user write there"
    elif shutil.disk_usage(path.parent).free < settings.store.min_free_bytes:
        yield f"store.path: {path}: less disk is free than store.min_free_bytes asks for, so all mail would get 452"


def _database(settings: Settings) -> Iterator[str]:
    try:
        for hint in asyncio.run(look_over(settings.store, time.time)):
            click.echo(f"warning: {hint}")
    except QueueError as error:
        yield f"store.url: {error}"


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
            who = f"account.{account.name}: {account.provider}"
            if verification.verdict is Verdict.INVALID:
                problems.append(f"{who} refuses the credentials: {verification.detail}")
            elif verification.verdict is Verdict.UNKNOWN:
                problems.append(f"{who} could not be asked: {verification.detail}")
            else:
                click.echo(f"ok: {who} accepts the credentials")
    return problems
