"""What a sandbox is started with."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Literal, get_args

MensatekShape = Literal["document", "object", "counts", "xml", "txt"]
DmdsShape = Literal["document", "err200"]
ReportFormat = Literal["json", "form"]

#: The answer shapes of each API that can be chosen, the first being the default.
SHAPES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"mensatek": get_args(MensatekShape), "dmds": get_args(DmdsShape)}
)

_BOUNCES: Mapping[str, int] = MappingProxyType({"bounce-hard@": 55, "bounce-soft@": 54, "bounce@": 50})


@dataclass(frozen=True, slots=True)
class SandboxOptions:
    """Where to listen, who may call, how the two APIs behave, what is remembered.

    Raises:
        ValueError: an option cannot be right; the text names it.
    """

    host: str = "127.0.0.1"
    port: int = 8025  # 0: any free one
    #: API User -> API Token.
    mensatek_users: Mapping[str, str] = field(default_factory=lambda: {"demo-user": "demo-token"}, repr=False)
    #: "<dmdsid>-<campaign number>" -> the campaign's APIKEY.
    dmds_campaigns: Mapping[str, str] = field(default_factory=lambda: {"demo-12345": "demo-apikey"}, repr=False)
    credits: float = 14970.0  # each Mensatek user's at the start; one mail costs one
    validated_domains: frozenset[str] = frozenset()  # sender domains; empty: all are validated
    attachment_name_limit: int = 0  # characters, Mensatek; 0: none. A sibling service refused more than 20 (wire)
    recipient_name_limit: int = 0  # characters, Mensatek; 0: none. The same
    refused_extensions: frozenset[str] = frozenset()  # Mensatek answers Res -4 to such attachments, for example ".exe"
    mensatek_shape: MensatekShape = "document"
    dmds_shape: DmdsShape = "document"
    campaign_subject: str = "Subject of the campaign"  # DMDS, where a send names none
    campaign_sender: str = "campaign@dmds.example"  # the same
    campaign_sender_name: str = "The campaign"  # the same
    dmds_filters: tuple[str, ...] = ("Active", "Never opened")  # as if made in the panel
    bounces: Mapping[str, int] = field(default_factory=lambda: _BOUNCES)  # part of an address -> Estado; 53, 54: soft
    journal: Path | None = None  # JSON lines, synced before each answer; None: no file
    keep_bodies: int = 10_000  # newest mails and calls that keep their content
    keep_body_bytes: int = 256 * 1024**2  # no more content than this in memory, counted for mails and calls apart
    keep_mails: int = 100_000  # newest mails, calls and events that are listed; counts stay exact beyond
    max_request_bytes: int = 128 * 1024**2  # more is answered with 413
    report_url: str = ""  # Mensatek's delivery reports go here; empty: none are posted
    report_user: str = ""  # HTTP Basic; empty: no authorization
    report_password: str = field(default="", repr=False)
    report_format: ReportFormat = "json"
    report_states: tuple[int, ...] = (11,)  # Estado of the reports of one delivered mail, in order
    report_delay_seconds: float = 0.2  # before each report

    def __post_init__(self) -> None:
        for name in self.dmds_campaigns:
            dmdsid, _, number = name.rpartition("-")
            if not dmdsid or not number.isascii() or not number.isdigit():
                raise ValueError(f'dmds_campaigns: "{name}" is not "<dmdsid>-<campaign number>"')
        for option, shape, known in (
            ("mensatek_shape", self.mensatek_shape, SHAPES["mensatek"]),
            ("dmds_shape", self.dmds_shape, SHAPES["dmds"]),
            ("report_format", self.report_format, get_args(ReportFormat)),
        ):
            if shape not in known:
                raise ValueError(f'{option}: "{shape}" is none of {", ".join(known)}')
        for option in ("port", "keep_bodies", "keep_body_bytes", "keep_mails", "report_delay_seconds"):
            if getattr(self, option) < 0:
                raise ValueError(f"{option}: must not be negative")
