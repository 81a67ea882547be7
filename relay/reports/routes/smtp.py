"""Reports through a mail server, from the null sender, so that nothing ever answers them."""

import asyncio
import ssl

import aiosmtplib

from relay.config.reports import SmtpRouteSettings
from relay.config.units import HostPort
from relay.queue.reporting import Report
from relay.reports.contract import RouteTrouble

_TIMEOUT_SECONDS = 60.0  # for one reply
_WHOLE_SECONDS = 120.0  # for all of them: well within the reporter's lease
_FIRST_PERMANENT = 500


class SmtpRoute:
    """Sends each report over a connection of its own."""

    def __init__(
        self, address: HostPort, settings: SmtpRouteSettings, hostname: str, trusted: ssl.SSLContext | None
    ) -> None:
        self._address = address
        self._settings = settings
        self._hostname = hostname
        self._trusted = trusted

    async def send(self, report: Report) -> None:
        """Send the report. Only a 5xx to the report itself is final; trouble before it is the way's, and may pass."""
        client = aiosmtplib.SMTP(
            hostname=self._address.host,
            port=self._address.port,
            username=self._settings.user or None,
            password=self._settings.password.get_secret_value() or None,
            local_hostname=self._hostname,
            timeout=_TIMEOUT_SECONDS,
            use_tls=self._settings.tls == "implicit",
            start_tls=self._settings.tls == "starttls",
            tls_context=self._trusted,
        )
        try:
            async with asyncio.timeout(_WHOLE_SECONDS):
                await client.connect()
                await _hand_over(client, report)
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            raise RouteTrouble(f"mail server {self._address}: {_told(error)}", is_permanent=_is_final(error)) from error
        finally:
            client.close()  # without QUIT: what is taken is taken, whatever comes after


async def _hand_over(client: aiosmtplib.SMTP, report: Report) -> None:
    await client.ehlo()
    is_international = not (report.sender.isascii() and report.data.partition(b"\r\n\r\n")[0].isascii())
    if is_international and not client.supports_extension("smtputf8"):
        raise RouteTrouble("the mail server does not take international addresses (SMTPUTF8)", is_permanent=True)
    options = ["SMTPUTF8"] if is_international else []
    if client.supports_extension("8bitmime") and not report.data.isascii():
        options.append("BODY=8BITMIME")
    await client.mail("", options=options, encoding="utf-8" if is_international else "ascii")
    # RFC 3461 section 6.2: nobody is to be told of a report.
    never = ["NOTIFY=NEVER"] if client.supports_extension("dsn") else []
    await client.rcpt(report.sender, options=never, encoding="utf-8" if is_international else "ascii")
    await client.data(report.data)


def _is_final(error: Exception) -> bool:
    about_it = (aiosmtplib.SMTPSenderRefused, aiosmtplib.SMTPRecipientRefused, aiosmtplib.SMTPDataError)
    return isinstance(error, about_it) and error.code >= _FIRST_PERMANENT


def _told(error: Exception) -> str:
    if isinstance(error, aiosmtplib.SMTPResponseException):
        return f"{error.code} {error.message}"
    return str(error) or type(error).__name__
