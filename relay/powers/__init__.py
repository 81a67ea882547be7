"""The APIs' own powers, as asked for by X-Relay-* headers or account defaults.

`Powers` is what the translations see; `read_powers` makes it; `POWERS` is the table that the documents are made from.
"""

from relay.powers.contract import Powers, QuietHours
from relay.powers.reading import POWERS, Power, default_problem, read_powers

__all__ = ["POWERS", "Power", "Powers", "QuietHours", "default_problem", "read_powers"]
