"""The settings of one SMTP door."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, model_validator

from relay.config.profiles import PROFILES, profile_text
from relay.config.section import Name, Section
from relay.config.units import Bytes, HostPort, Seconds


class ListenerSettings(Section):
    """One SMTP door."""

    profile: Literal["submission", "smarthost", "device"] = Field(
        "submission",
        description="Whom the door is for; it sets defaults, and every option may still be set."
        "\n\nsubmission: programs and people who log in; what stands here."
        f"\n\nsmarthost: mail servers; {profile_text('smarthost')}."
        "\n\ndevice: printers and scanners, on a network of your own; with `trusted` they need no login; "
        f"{profile_text('device')}.",
    )
    address: HostPort = Field(HostPort("127.0.0.1", 2525), description="Where to listen. Port 0 takes any free port.")
    tls: Literal["none", "starttls", "starttls-required", "implicit"] = Field(
        "none",
        description="none; starttls: offered; starttls-required: nothing but EHLO, NOOP, QUIT before it; implicit: TLS from the first byte (port 465).",
    )
    certificate: Path | None = Field(
        None, description="PEM file with the certificate and its chain; needed for every tls but none."
    )
    key: Path | None = Field(
        None, description="PEM file with the private key; unset: it stands in the certificate file."
    )
    tls_min: Literal["1.0", "1.1", "1.2", "1.3"] = Field(
        "1.2", description="Least TLS version. Below 1.2 only for old devices on a network of your own."
    )
    auth: bool = Field(
        default=True, description="Offer AUTH PLAIN and LOGIN. Without it only trusted networks can send."
    )
    auth_without_tls: Literal["never", "loopback", "always"] = Field(
        "loopback",
        description="Who may log in without TLS. always lets passwords cross the network in clear.",
    )
    trusted: dict[str, Name] = Field(
        default_factory=dict,
        description='Networks whose clients send without login, each bound to an account: "192.0.2.0/24" = "erp". Whoever can send from there sends as that account.',
    )
    proxies: tuple[str, ...] = Field(
        (),
        description='Networks of proxies (HAProxy, a load balancer) that begin each connection with a PROXY protocol header, version 1 or 2, for example ["192.0.2.10/32"]. The client that the header names is then who is logged, limited, blocked and trusted. Others connect directly, and no header of theirs is believed.',
    )
    sender: str = Field(
        "",
        description='Send everything that comes in here as this sender, "Name <a@b>" or "a@b", whatever From and MAIL FROM say; the original From becomes Reply-To where the mail has none. The account must be allowed to send so; its own `sender`, if it has one, goes over this. Empty: as the mail says.',
    )
    line_ends: Literal["strict", "normalise"] = Field(
        "strict",
        description="strict: commands end with CR LF, and CR or LF alone is content like any other byte. normalise: commands may end with LF, and in a message after DATA (BDAT carries what it carries) CR, LF and CR CR LF become CR LF; only for clients of your own that need it. The end of a message after DATA is CR LF . CR LF in both.",
    )
    max_message_bytes: Bytes = Field(Bytes(35 * 1024**2), description="Largest message taken; announced as SIZE.")
    max_recipients: int = Field(
        1000,
        ge=100,
        description="Recipients in one transaction (RFC 5321 asks for at least 100); more get 452.",
    )
    max_connections: int = Field(1000, ge=1, description="Connections at once; more get 421.")
    max_connections_per_client: int = Field(100, ge=1, description="Connections at once from one address.")
    max_errors: int = Field(20, ge=1, description="Refused commands before 421 and hang-up.")
    max_commands: int = Field(
        1000,
        ge=10,
        description="Commands in a connection since its last accepted message, RCPT not counted, before 421 and hang-up.",
    )
    greeting_timeout: Seconds = Field(60.0, gt=0, description="Wait for the first command.")
    command_timeout: Seconds = Field(
        300.0, gt=0, description="Wait for the next command (RFC 5321 asks for 5 minutes at least)."
    )
    data_timeout: Seconds = Field(
        180.0, gt=0, description="Wait for the next block of a message (RFC 5321: 3 minutes)."
    )
    data_least_rate: Bytes = Field(
        Bytes(500),
        description="Bytes a second that a message must come with on the average, after data_timeout has passed once. 0: any.",
    )
    final_timeout: Seconds = Field(
        540.0,
        gt=0,
        description="How long a client waits for the answer to its message before 421; clients give up after 10 minutes (RFC 5321). The call goes on, and modes direct and auto do not send again what the client then repeats.",
    )
    message_within: Seconds = Field(
        1800.0,
        gt=0,
        description="How long a connection may give commands, or send what is refused already, without a message being accepted; then hang-up.",
    )

    @model_validator(mode="before")
    @classmethod
    def _take_profile(cls, values: Any) -> Any:
        """Lay the profile's defaults under what is set."""
        profile = values.get("profile") if isinstance(values, Mapping) else None
        return {**PROFILES[profile], **values} if isinstance(profile, str) and profile in PROFILES else values
