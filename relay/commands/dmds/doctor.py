"""`relay dmds doctor`: which unproven facts about DMDS a real account confirms."""

from datetime import UTC, datetime

import click

from relay.commands.asking import Found
from relay.commands.dmds.access import asks_dmds
from relay.providers.dmds import DmdsClient
from relay.providers.dmds.api.doctor import Verdict, examine


@click.command()
@click.option("--campaign", type=int, default=0, help="A campaign whose APIKEY may be read, to see whether that works.")
@asks_dmds
async def doctor(client: DmdsClient, *, campaign: int) -> Found:
    """Ask what changes nothing, and tell which unproven paths and keys are right for this account.

    What is contradicted is corrected in the configuration, [provider.dmds.wire]. Ends with 1 if anything is.
    """
    findings = await examine(client, campaign=campaign, now=datetime.now(UTC))
    rows = [(each.key, each.value, each.mark.value, each.verdict.value, each.why) for each in findings]
    is_fine = all(each.verdict is not Verdict.CONTRADICTED for each in findings)
    return Found(findings, ("key", "on the wire", "rests on", "verdict", "why"), rows, is_fine=is_fine)
