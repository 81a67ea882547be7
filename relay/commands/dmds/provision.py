"""`relay dmds provision`: from a campaign to the SMTP settings that an application needs."""

import asyncio
import smtplib
import ssl
from pathlib import Path
from urllib.parse import quote

import click
from pydantic import SecretStr

from relay.commands.asking import Found
from relay.commands.dmds.access import asks_dmds
from relay.config.units import HostPort
from relay.providers.dmds import DmdsClient

_TIMEOUT_SECONDS = 60.0  # a first login is checked at DMDS


def _address(_context: click.Context, _parameter: click.Parameter, value: str) -> HostPort:
    try:
        return HostPort.parse(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


@click.command()
@click.option("--campaign", type=int, help="The campaign, by its short number.")
@click.option("--create", "name", default="", metavar="NAME", help="Create a campaign of this name instead.")
@click.option(
    "--new-key", is_flag=True, help="Give the campaign another APIKEY; who uses the one before is locked out."
)
@click.option(
    "--gateway", required=True, callback=_address, metavar="HOST:PORT", help="Where the application reaches it."
)
@click.option("--tls", type=click.Choice(["starttls", "implicit", "none"]), default="starttls", show_default=True)
@click.option("--ca-file", type=click.Path(path_type=Path, exists=True), help="Authorities to trust for the check.")
@click.option("--check/--no-check", default=True, show_default=True, help="Log in at the gateway; sends nothing.")
@click.option(
    "--format", "form", type=click.Choice(["table", "env", "url", "postfix"]), default="table", show_default=True
)
@asks_dmds
async def provision(
    client: DmdsClient,
    *,
    campaign: int | None,
    name: str,
    new_key: bool,
    gateway: HostPort,
    tls: str,
    ca_file: Path | None,
    check: bool,
    form: str,
) -> Found:
    """Turn a campaign into SMTP settings to paste into an application, and see that the gateway takes them."""
    if (campaign is None) == (not name):
        raise click.UsageError("give either --campaign or --create")
    number, key = await _campaign(client, campaign, name, is_new=new_key)
    settings = {
        "host": gateway.host,
        "port": str(gateway.port),
        "tls": tls,
        "user": f"{client.dmdsid}-{number}",
        "password": key.get_secret_value(),
    }
    fault = await asyncio.to_thread(_login_fault, gateway, tls, ca_file, settings) if check else ""
    if fault:
        click.echo(f"relay: the gateway does not take these settings: {fault}", err=True)
    data = {**settings, "checked": check and not fault}
    if form == "table":
        return Found(data, record=settings, is_fine=not fault)
    return Found(data, text=_written(form, settings), is_fine=not fault)


async def _campaign(client: DmdsClient, number: int | None, name: str, *, is_new: bool) -> tuple[int, SecretStr]:
    if number is not None:
        return number, await (client.campaigns.set_key(number) if is_new else client.campaigns.key(number))
    made = await client.campaigns.create(name)
    return made.number, made.apikey or await client.campaigns.key(made.number)


def _written(form: str, settings: dict[str, str]) -> str:
    host, port, tls = settings["host"], settings["port"], settings["tls"]
    user, password = settings["user"], settings["password"]
    match form:
        case "env":
            return "\n".join(f"SMTP_{key.upper()}={value}" for key, value in settings.items())
        case "url":
            scheme = "smtps" if tls == "implicit" else "smtp"
            return f"{scheme}://{quote(user, safe='')}:{quote(password, safe='')}@{host}:{port}"
        case _:
            level = {"starttls": "secure", "implicit": "secure", "none": "none"}[tls]
            wrapped = ["smtp_tls_wrappermode = yes"] if tls == "implicit" else []
            lines = [
                "# /etc/postfix/main.cf",
                f"relayhost = [{host}]:{port}",
                "smtp_sasl_auth_enable = yes",
                "smtp_sasl_password_maps = texthash:/etc/postfix/sasl_passwd",
                "smtp_sasl_security_options = noanonymous",
                "smtp_sasl_tls_security_options = noanonymous",
                f"smtp_tls_security_level = {level}",
                *wrapped,
                "# /etc/postfix/sasl_passwd, which only root may read",
                f"[{host}]:{port} {user}:{password}",
            ]
            return "\n".join(lines)


def _login_fault(gateway: HostPort, tls: str, ca_file: Path | None, settings: dict[str, str]) -> str:
    """Log in as the application will and go; returns what went wrong, empty: nothing."""
    context = ssl.create_default_context(cafile=str(ca_file) if ca_file else None)
    try:
        server: smtplib.SMTP
        if tls == "implicit":
            server = smtplib.SMTP_SSL(gateway.host, gateway.port, timeout=_TIMEOUT_SECONDS, context=context)
        else:
            server = smtplib.SMTP(gateway.host, gateway.port, timeout=_TIMEOUT_SECONDS)
        with server:
            if tls == "starttls":
                server.starttls(context=context)
            server.login(settings["user"], settings["password"])
    except smtplib.SMTPResponseException as error:
        said = error.smtp_error
        return f"{error.smtp_code} {said.decode('utf-8', 'replace') if isinstance(said, bytes) else said}"
    except (OSError, smtplib.SMTPException) as error:
        return str(error)
    return ""
