"""Every setting, its default and its meaning: frozen and checked.

The field descriptions are the documentation: the example configuration is made from them.
"""

from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr

from relay.config.listeners import ListenerSettings
from relay.config.reports import ReportSettings
from relay.config.section import Name, Section
from relay.config.units import Bytes, Seconds
from relay.config.web import WebSettings

Mode = Literal["queue", "direct", "auto"]
PowerValue = bool | int | str


#: Processes that one gateway may have.
MOST_WORKERS = 64


def _untracked() -> dict[str, PowerValue]:
    # Mensatek tracks by default; rewritten links break one-time links and signatures.
    return {"track-opens": False, "track-clicks": False}


class StoreSettings(Section):
    """Where mail is kept until the API has it."""

    path: Path = Field(
        Path("/var/lib/relay/relay.db"),
        description="The SQLite file; its folder must be writable. Never put it on NFS: file locks and syncs are not to be trusted there.",
    )
    url: SecretStr | None = Field(
        None,
        description='Instead of a file: a PostgreSQL database (13 or newer) that any number of nodes share, like "postgresql://relay@db.example.org/relay?sslmode=verify-full"; several hosts are tried until one takes what is written. Then set secret_key, the same on all nodes. See docs/postgres.md.',
    )
    password: SecretStr | None = Field(None, description="For url, where it does not stand in there.")
    node: str = Field(
        "",
        description="With url: the name of this node, which no other node of the database has; a node that comes back under its name goes on with what it had under way. Empty: the machine's own.",
    )
    secret_key: SecretStr | None = Field(
        None,
        description="Seals pass-through credentials in the store. Unset: made once and kept beside the store in secret.key, mode 0600. Losing it makes queued pass-through mail wait until the application logs in again.",
    )
    max_bytes: Bytes = Field(
        Bytes(10 * 1024**3), description="Mail waiting in the store beyond this is answered with 452."
    )
    max_messages: int = Field(
        1_000_000, ge=1, description="Messages waiting in the store beyond this are answered with 452."
    )
    min_free_bytes: Bytes = Field(
        Bytes(200 * 1024**2), description="Less free disk than this and new mail is answered with 452."
    )
    keep: Seconds = Field(
        30 * 86400.0,
        description="How long the history of finished messages is kept; their bodies go at once.",
    )


class LoginSettings(Section):
    """How passwords are checked, remembered and defended."""

    remember: Seconds = Field(600.0, description="How long a password that was right is remembered (as a keyed hash).")
    remember_wrong: Seconds = Field(
        300.0, description="How long a password that was wrong is refused without asking again."
    )
    delay: Seconds = Field(
        1.0, description="Wait before answering a failed login; doubles with each failure, up to 8 times this."
    )
    failures: int = Field(
        10,
        ge=1,
        description="Failed logins of one client (a /64 of IPv6 is one), or on one login, within `window` before it is blocked; a wrong password that comes again within `remember_wrong` counts for the client only. This machine itself and trusted networks are not blocked as clients, only the login is. Ten times as many wrong passwords of pass-through logins, from everybody together, end the questions to that provider for a while, so that it does not block the gateway; logins that were right before, or are API Users listed by name, and logins that nobody has seen are counted apart, so that strangers with invented names shut out nobody who is known.",
    )
    window: Seconds = Field(600.0, gt=0, description="Over which failures are counted.")
    block: Seconds = Field(
        900.0,
        description="How long a first block lasts; each further one in a row is twice as long. A client that is known at a login (`known_client`) still passes when the login is blocked because of others.",
    )
    block_longest: Seconds = Field(
        6 * 3600.0, description="How long a block may become. Less than `block`: it does not grow."
    )
    quiet: Seconds = Field(86400.0, description="So long after the end of a block the next one is a first one again.")
    known_client: Seconds = Field(
        30 * 86400.0,
        description="How long a client (a /64 of IPv6 is one) that was right at a login is known there: its own failures are counted apart, and the failures of others do not block it. 0: nobody is.",
    )


class AccountPolicy(Section):
    """How an account's mail is treated. Set in [defaults], and for one account in its own table."""

    mode: Mode = Field(
        "queue",
        description="queue: 250 once the mail is safe on disk; direct: 250 once the API took it; auto: waits `answer_within` for the API, then keeps the mail and says 250.",
    )
    answer_within: Seconds = Field(
        20.0,
        description="How long the client waits for the API. auto: then the mail is kept and the answer is 250. direct: then no further call is begun, and a call under way is waited for.",
    )
    strict: bool = Field(
        default=False,
        description="Refuse (554) whatever the API cannot carry whole, instead of noting what gets lost.",
    )
    senders: tuple[str, ...] = Field(
        (),
        description='Allowed senders, for example ["app@example.org", "*@example.com", "*@*.example.net"]; for MAIL FROM and the From header. Empty: all that the provider allows.',
    )
    sender: str = Field(
        "",
        description='Send everything as this sender, "Name <a@b>" or "a@b"; the original From becomes Reply-To where the mail has none. Empty: as the mail says.',
    )
    recipients: Literal["together", "individual"] = Field(
        "together", description="individual: nobody sees anybody else, Cc included."
    )
    recipients_per_call: int = Field(
        100,
        ge=1,
        description="More are split into several calls. What the APIs allow is not known; this is cautious.",
    )
    inline_images: Literal["data", "attach"] = Field(
        "data", description="data: put cid: images into the HTML; attach: list them as files."
    )
    open_tnef: bool = Field(
        default=False,
        description="Open Outlook's winmail.dat: attach the files in it, show its text where the mail has none. Otherwise, and where more is in it (an appointment, a message), it is attached as it is.",
    )
    variables: bool = Field(
        default=False,
        description="Let ###name### in subject and body be the API's variables (Mensatek). Otherwise it stays text.",
    )
    subject_campaign: bool = Field(
        default=True,
        description="DMDS: take a subject that begins with [22] for campaign 22, and remove it (the vendor's convention). So does any subject like [1234] Ticket opened: name the campaigns that may be chosen in `campaigns`, or switch this off. A mail whose campaign DMDS does not take fails alone; the account is not paused for it.",
    )
    campaigns: tuple[int, ...] = Field(
        (), description="DMDS: campaigns that X-Relay-Campaign and [22] may choose. Empty: any."
    )
    powers: dict[str, PowerValue] = Field(
        default_factory=_untracked,
        description="Defaults for the X-Relay-* headers, by their names without X-Relay-: template, schedule, quiet-hours, track-opens, track-clicks, reference, recipient-reference, variables, campaign, archive, batch, report.",
    )
    max_connections: int = Field(
        500,
        ge=1,
        description="Connections of this account at once, over all listeners, counted from its login (of a trusted network: from the first MAIL) on; more get 421.",
    )
    messages_per_minute: int = Field(0, ge=0, description="More get 452. 0: no limit.")
    recipients_per_day: int = Field(
        0,
        ge=0,
        description="More get 452; a day is UTC. One message to more than these is refused for good (550). 0: no limit.",
    )
    concurrency: int = Field(10, ge=1, description="Calls of this account under way at once.")
    max_age: Seconds = Field(
        2 * 86400.0, gt=0, description="How long delivery is tried before the message is given up."
    )
    on_unconfirmed: Literal["retry", "hold"] = Field(
        "retry",
        description="When the API may have taken a message and nothing proves it: retry risks a second copy, hold waits for a person.",
    )
    unconfirmed_wait: Seconds = Field(
        900.0, description="How long proof is sought and awaited before on_unconfirmed is applied."
    )
    seek_proof: bool = Field(
        default=True,
        description="DMDS: ask for the campaign's events whether a mail was made whose answer never came. Switch this off where other programs than this gateway send to the same people through the same customer at the same time: their mail would be taken for proof.",
    )
    reports: ReportSettings = Field(default_factory=ReportSettings)


class AccountSettings(AccountPolicy):
    """An account kept by the gateway: a provider with its credentials, and its policy."""

    provider: Literal["mensatek", "dmds"] = Field(description="Which API.")
    user: str = Field("", description="Mensatek: the API User.")
    token: SecretStr = Field(
        SecretStr(""),
        description="Mensatek: the API Token. Better from the environment, RELAY__ACCOUNT__<NAME>__TOKEN, or from a file.",
    )
    dmdsid: str = Field("", description="DMDS: the customer's id, as in the host's name.")
    campaign: int = Field(0, ge=0, description="DMDS: the campaign's short number.")
    apikey: SecretStr = Field(
        SecretStr(""),
        description="DMDS: the campaign's APIKEY. Better from the environment, RELAY__ACCOUNT__<NAME>__APIKEY, or from a file.",
    )


class GatewayLogin(Section):
    """A login that the gateway itself keeps."""

    account: Name = Field(description="The account it sends through.")
    password_hash: SecretStr = Field(description="Made by `relay hash-password`.")


class PassthroughMensatek(Section):
    """Logins that are an API User with its API Token, checked at Mensatek."""

    enabled: bool = Field(default=False, description="Take API User and API Token as login and password.")
    users: tuple[str, ...] = Field(
        (),
        description="API Users that may. Empty: any that Mensatek accepts; then a mistyped login of any other kind is asked for there too, with its password, but for what resembles a login of this gateway or a listed dmdsid.",
    )
    policy: AccountPolicy = Field(
        default_factory=AccountPolicy, description="What differs from [defaults] for these logins."
    )


class PassthroughDmds(Section):
    """Logins of the form <dmdsid>-<campaign> with the campaign's APIKEY, checked at DMDS."""

    enabled: bool = Field(default=False, description="Take <dmdsid>-<campaign> and its APIKEY as login and password.")
    dmdsids: tuple[str, ...] = Field(
        (), description="dmdsids that may; needed, because the dmdsid becomes part of a host name."
    )
    policy: AccountPolicy = Field(
        default_factory=AccountPolicy, description="What differs from [defaults] for these logins."
    )


class PassthroughSettings(Section):
    """Logins that are the provider's own credentials."""

    mensatek: PassthroughMensatek = Field(default_factory=PassthroughMensatek)
    dmds: PassthroughDmds = Field(default_factory=PassthroughDmds)


class ProviderSettings(Section):
    """What both APIs have in common."""

    timeout: Seconds = Field(60.0, gt=0, description="Deadline of one call, upload included.")
    ca_file: Path | None = Field(None, description="PEM file with the authorities to trust instead of the system's.")
    max_request_bytes: Bytes = Field(
        Bytes(50 * 1024**2),
        description="Largest request made; a bigger mail is refused with 552. The real limit is not known.",
    )
    max_attachments: int = Field(
        100,
        ge=0,
        description="Attachments in one message; more are refused with 554. The real limit is not known.",
    )
    attachment_name_limit: int = Field(
        0,
        ge=0,
        description="Longest attachment name in characters; longer ones are shortened, with a note. 0: no limit. A sibling service was seen to refuse more than 20.",
    )
    empty_subject: str = Field(
        "(no subject)",
        min_length=1,
        description="The subject of a mail that has none: Mensatek refuses an empty one, DMDS would show the campaign's.",
    )
    wire: dict[str, str] = Field(
        default_factory=dict,
        description="Corrections of wire names that are not proven; see the README's table.",
    )


class MensatekSettings(ProviderSettings):
    """Mensatek `EnviarEMAIL`."""

    url: str = Field("https://api.mensatek.com/v7", description="Base address; the function's name is appended.")
    recipient_name_limit: int = Field(0, ge=0, description="Longest recipient name in characters. 0: no limit.")


class DmdsSettings(ProviderSettings):
    """Planisys DMDS `send_many_inline`."""

    url: str = Field(
        "https://api-dmds-{dmdsid}.planisys.net/v1",
        description="Base address; {dmdsid} becomes the account's. Only an address of this machine itself may do without.",
    )


class ProvidersSettings(Section):
    """The two APIs."""

    mensatek: MensatekSettings = Field(default_factory=MensatekSettings)
    dmds: DmdsSettings = Field(default_factory=DmdsSettings)


class RetrySettings(Section):
    """When a deferred message is tried again: exponential, with jitter."""

    first: Seconds = Field(30.0, description="Wait after the first failed attempt.")
    factor: float = Field(2.0, ge=1.0, description="Each further wait is this many times the last.")
    longest: Seconds = Field(3600.0, description="Longest wait.")
    jitter: float = Field(0.2, ge=0.0, le=1.0, description="Share of the wait that is random.")


class DeliverySettings(Section):
    """How the queue is worked off."""

    concurrency: int = Field(50, ge=1, description="Calls under way at once, over all accounts.")
    bytes_in_flight: Bytes = Field(
        Bytes(256 * 1024**2),
        description="Message bytes being received or delivered at once; beyond it new DATA waits, then gets 452.",
    )
    stop_within: Seconds = Field(
        30.0,
        description="How long a stop waits for calls under way; what does not end is looked into at the next start.",
    )
    pause_first: Seconds = Field(
        60.0,
        description="First pause of an account whose credentials or credits are refused; doubles up to pause_longest.",
    )
    pause_longest: Seconds = Field(1800.0, description="Longest such pause. Mensatek blocks callers that hammer.")
    trouble_after: int = Field(
        5,
        ge=0,
        description="After so many failed calls in a row, of one account or of all whose calls go to the same place, an account is left alone for a while, and then tried by one call at a time until one succeeds. 0: never.",
    )
    trouble_first: Seconds = Field(
        10.0, description="How long it is left alone at first; doubles up to trouble_longest. Retry-After is honoured."
    )
    trouble_longest: Seconds = Field(300.0, description="Longest time that it is left alone for the API's trouble.")


class MimeSettings(Section):
    """Bounds on what a message may hold; beyond them it is refused with 554 5.6.0."""

    max_parts: int = Field(2000, ge=1, description="MIME parts.")
    max_depth: int = Field(150, ge=1, le=200, description="Nesting of parts; at most 200, for each level is a call.")
    max_header_bytes: Bytes = Field(Bytes(1024**2), description="Header of one part.")
    max_received: int = Field(50, ge=1, description="Received headers; more is a loop (554 5.4.6).")


class LogSettings(Section):
    """The log, on standard error."""

    format: Literal["json", "console"] = Field("json", description="json: one object a line; console: for people.")
    level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="debug adds connections and commands; never bodies, subjects or secrets."
    )


class Settings(Section):
    """The whole configuration."""

    hostname: str = Field("", description="The name in the greeting; empty: the machine's own.")
    workers: int = Field(
        1,
        ge=1,
        le=MOST_WORKERS,
        description="Processes that serve the same listeners from the same store; more than the machine has cores is of no use. Each has its share, rounded up, of every max_connections, max_connections_per_client, bytes_in_flight and every concurrency.",
    )
    store: StoreSettings = Field(default_factory=StoreSettings)
    listener: dict[Name, ListenerSettings] = Field(
        default_factory=lambda: {"local": ListenerSettings()},
        description="The doors, each in a table [listener.NAME].",
    )
    logins: LoginSettings = Field(default_factory=LoginSettings)
    defaults: AccountPolicy = Field(
        default_factory=AccountPolicy,
        description="For every account and pass-through login that does not say otherwise.",
    )
    account: dict[Name, AccountSettings] = Field(default_factory=dict)
    login: dict[str, GatewayLogin] = Field(default_factory=dict)
    passthrough: PassthroughSettings = Field(default_factory=PassthroughSettings)
    provider: ProvidersSettings = Field(default_factory=ProvidersSettings)
    retry: RetrySettings = Field(default_factory=RetrySettings)
    delivery: DeliverySettings = Field(default_factory=DeliverySettings)
    mime: MimeSettings = Field(default_factory=MimeSettings)
    web: WebSettings = Field(default_factory=WebSettings)
    log: LogSettings = Field(default_factory=LogSettings)
