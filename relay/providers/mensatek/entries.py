"""Pieces of EnviarEMAIL: recipients with their variables, spans without sending, moments. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from relay.powers import QuietHours
from relay.providers.contract import Document, JsonValue
from relay.providers.fields import one_line, wire_address
from relay.providers.mensatek.wire import MensatekWire

SPAIN = ZoneInfo("Europe/Madrid")  # doc: "The time reference is CET/CEST"


def recipient_entry(
    wire: MensatekWire, email: str, name: str, variables: Mapping[str, str], reference: str
) -> Mapping[str, JsonValue]:
    """Write one entry of Destinatarios, which becomes a mail of its own."""
    entry: Document = {
        # Sent even when empty: the certified sibling was seen to ask for names that are left out (wire).
        wire.recipient_name: name,
        wire.recipient_email: wire_address(email),
    }
    if variables:
        entry[wire.recipient_variables] = [
            {wire.variable_name: key, wire.variable_value: value} for key, value in variables.items()
        ]
    if reference and wire.recipient_reference:
        entry[wire.recipient_reference] = one_line(reference)
    return entry


def quiet_entries(wire: MensatekWire, spans: Sequence[QuietHours]) -> JsonValue:
    """Write spans without sending as Intervaloprohibido has them."""
    return [{wire.quiet_start: span.start, wire.quiet_end: span.end, wire.quiet_action: span.action} for span in spans]


def spanish_time(moment: datetime) -> str:
    """Write a moment the way `Fecha` wants it: minutes in Spain's civil time."""
    return moment.astimezone(SPAIN).strftime("%Y-%m-%d %H:%M")
