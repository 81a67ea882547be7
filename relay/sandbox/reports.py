"""Mensatek's delivery reports, posted to the caller's address."""

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import aiohttp

from relay.sandbox.world import DueReport, Report, World

_POSTERS = 8  # reports under way at once
_TIMEOUT = aiohttp.ClientTimeout(total=10)


@asynccontextmanager
async def posting_reports(world: World) -> AsyncIterator[None]:
    """Post what is due, while inside. Each report once: whether the vendor repeats is unknown."""
    if not world.options.report_url:
        yield
        return
    async with aiohttp.ClientSession(timeout=_TIMEOUT, headers=_authorization(world)) as session:
        # No TaskGroup: an application may be cleaned up by another task than the one that set it up.
        posters = [asyncio.create_task(_post_all(world, session)) for _ in range(_POSTERS)]
        try:
            yield
        finally:
            for poster in posters:
                poster.cancel()
                with suppress(asyncio.CancelledError):
                    await poster


def _authorization(world: World) -> dict[str, str]:
    options = world.options
    if not options.report_user:
        return {}
    login = f"{options.report_user}:{options.report_password}".encode()
    return {"Authorization": f"Basic {base64.b64encode(login).decode()}"}


async def _post_all(world: World, session: aiohttp.ClientSession) -> None:
    while True:
        due = await world.due_reports.get()
        for estado in due.states:
            await world.pause(world.options.report_delay_seconds)
            world.reported(await _post(world, session, due, estado))


async def _post(world: World, session: aiohttp.ClientSession, due: DueReport, estado: int) -> Report:
    fields = {"Servicio": due.fields["Servicio"], "Estado": str(estado), **due.fields}
    status, error = 0, ""
    try:
        as_json = world.options.report_format == "json"
        async with session.post(
            world.options.report_url, json=fields if as_json else None, data=None if as_json else fields
        ) as answer:
            status = answer.status
    except (aiohttp.ClientError, TimeoutError) as failure:
        error = type(failure).__name__
    return Report(
        time=world.clock(),
        mail_id=due.mail_id,
        message_id=due.fields["idMensaje"],
        mailbox=due.fields["Destinatario"],
        estado=estado,
        status=status,
        error=error,
    )
