"""What may be asked of the APIs beyond plain sending: values only."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class QuietHours:
    """A daily span in which the provider must not send; Spanish time."""

    start: str  # "22:00"
    end: str  # "09:00"
    action: str = "1"  # Mensatek `Accion`; meanings other than "1" are unknown


@dataclass(frozen=True, slots=True)
class Powers:
    """What is asked of the API beyond plain sending. None: not said, so the API's own default or nothing."""

    template: int | None = None  # Mensatek Plantilla
    schedule: datetime | None = None  # Mensatek Fecha; always with a time zone
    quiet_hours: tuple[QuietHours, ...] = ()  # Mensatek Intervaloprohibido
    track_opens: bool | None = None  # Mensatek Seguimientoaperturas
    track_clicks: bool | None = None  # Mensatek Seguimientoclicks
    reference: str | None = None  # Mensatek Referenciausuario
    recipient_references: Mapping[str, str] = field(default_factory=dict)  # by mailbox key; "" is for everybody
    variables: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  # by mailbox key; "" is for everybody
    campaign: int | None = None  # DMDS campana_id
    archive: bool | None = None  # DMDS archive
    batch: str | None = None  # DMDS eeid to append to, with reuse_eeid
    report: bool | None = None  # Mensatek Report
