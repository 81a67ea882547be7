"""Settings of the reports to senders: which way they take, and what is told."""

from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr

from relay.config.section import Section
from relay.config.units import Bytes, HostPort, Seconds


class SmtpRouteSettings(Section):
    """The mail server that takes reports, where `route` is smtp."""

    address: HostPort | None = Field(None, description="Its host and port: 25, 465 (implicit TLS) or 587.")
    tls: Literal["none", "starttls", "implicit"] = Field(
        "starttls", description="none: only for a server on this machine or on a network of your own."
    )
    user: str = Field("", description="Login there. Empty: none.")
    password: SecretStr = Field(SecretStr(""), description='Its password; better "file:/path/to/it".')
    ca_file: Path | None = Field(None, description="PEM file with the authorities to trust instead of the system's.")


class WebhookRouteSettings(Section):
    """The program that takes reports by HTTP POST, where `route` is webhook."""

    url: str = Field("", description="Where to; https, unless it is this machine itself.")
    secret: SecretStr = Field(
        SecretStr(""),
        description='The key that the calls are signed with, as Standard Webhooks writes it: "whsec_" and base64.',
    )
    ca_file: Path | None = Field(None, description="PEM file with the authorities to trust instead of the system's.")


class ReportSettings(Section):
    """Reports to senders (RFC 3464) of mail that was taken and could not be delivered."""

    route: Literal["", "smtp", "api", "webhook", "directory", "none"] = Field(
        "",
        description="How a report gets to the sender. smtp: through a mail server; api: as a mail of this gateway from `postmaster`; webhook: to a program of yours; directory: into a Maildir, for you to look at; none: nobody is told. Empty: api where `postmaster` is set, else directory.",
    )
    postmaster: str = Field(
        "",
        description='Whom reports come from, "Name <a@b>" or "a@b"; for api one that the provider lets send. Empty: MAILER-DAEMON at the gateway\'s hostname.',
    )
    account: str = Field("", description="api: the account that sends reports. Empty: that of the message.")
    directory: Path | None = Field(
        None, description="directory: the Maildir. Unset: beside the store, with .reports behind its name."
    )
    language: Literal["en", "es"] = Field("en", description="The language of what a report says to a person.")
    max_returned_bytes: Bytes = Field(
        Bytes(256 * 1024),
        description="Where the sender asked for the whole message back (RET=FULL), larger ones come back as header only.",
    )
    delay_notice: Seconds = Field(
        0.0,
        description="A message that waits for so long is reported as delayed, once, unless its sender asked not to be told. 0: never.",
    )
    max_age: Seconds = Field(5 * 86400.0, gt=0, description="How long a report is tried before it is given up.")
    smtp: SmtpRouteSettings = Field(default_factory=SmtpRouteSettings)
    webhook: WebhookRouteSettings = Field(default_factory=WebhookRouteSettings)

    @property
    def chosen_route(self) -> Literal["smtp", "api", "webhook", "directory", "none"]:
        """The route that is taken."""
        return self.route or ("api" if self.postmaster else "directory")
