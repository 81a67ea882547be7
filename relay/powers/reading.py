"""From X-Relay-* headers and account defaults to `Powers`, or to a refusal that names the header."""

import difflib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from relay.errors import MailRefused
from relay.outcome import Replies
from relay.powers import formats
from relay.powers.contract import Powers

_PREFIX = "x-relay-"
_LONGEST_ECHO = 40
_POLICIES = 256  # whose defaults are remembered: most mail asks for nothing else


@dataclass(frozen=True, slots=True)
class Power:
    """One X-Relay-* header: what it is called, who has it, how it is written."""

    name: str  # as in a header after "X-Relay-": "Quiet-Hours"
    provider: str  # "mensatek", "dmds", or both with a comma
    format: str  # for people
    example: str  # a value that is right
    meaning: str  # one sentence, with the API's own word
    field: str  # the attribute of Powers
    read: Callable[[str], object]  # raises ValueError with what is wrong
    several: bool = False  # the header may come more than once; the values are joined with commas
    echoed: bool = True  # a wrong value may be repeated in the reply; not where it may be content

    @property
    def key(self) -> str:
        """The name as account defaults have it: "quiet-hours"."""
        return self.name.lower()


_TRUTH = "yes or no"

#: Every power, in the order in which they are told.
POWERS: tuple[Power, ...] = (
    Power(
        "Template",
        "mensatek",
        "a number",
        "1234",
        "Send by this template of the panel (Plantilla).",
        "template",
        formats.number,
    ),
    Power(
        "Schedule",
        "mensatek",
        "YYYY-MM-DD HH:MM in Spanish time, or ISO 8601 with offset",
        "2026-12-01 10:30",
        "Send then and not at once (Fecha); a time more than 10 minutes past is refused.",
        "schedule",
        formats.moment,
    ),
    Power(
        "Quiet-Hours",
        "mensatek",
        "HH:MM-HH:MM in Spanish time, several with commas, each with ;action=N where wanted",
        "22:00-09:00",
        "Do not send within this span of the day (Intervaloprohibido).",
        "quiet_hours",
        formats.quiet_hours,
        several=True,
    ),
    Power(
        "Track-Opens",
        "mensatek",
        _TRUTH,
        "no",
        "Count openings (Seguimientoaperturas).",
        "track_opens",
        formats.truth,
    ),
    Power(
        "Track-Clicks",
        "mensatek",
        _TRUTH,
        "no",
        "Count clicks, by rewriting links (Seguimientoclicks).",
        "track_clicks",
        formats.truth,
    ),
    Power(
        "Reference",
        "mensatek",
        "1 to 255 characters",
        "invoice-2026-117",
        "A reference of the whole send that reports repeat (Referenciausuario).",
        "reference",
        formats.reference,
    ),
    Power(
        "Recipient-Reference",
        "mensatek",
        "one text for all, or address=text with commas, or a JSON object",
        "a@example.org=R1, b@example.org=R2",
        "A reference of each recipient that reports repeat (RefMensaje).",
        "recipient_references",
        formats.recipient_references,
        several=True,
        echoed=False,
    ),
    Power(
        "Variables",
        "mensatek, dmds",
        'a JSON object: names with values, or "*" and addresses with such objects',
        '{"name": "Ana"}',
        "Values of ###name### in subject and body (Variables); at DMDS of each contact (tags, assumed).",
        "variables",
        formats.variables,
        echoed=False,
    ),
    Power(
        "Campaign",
        "dmds",
        "a number",
        "22",
        "Send by this campaign instead of the account's (campana_id).",
        "campaign",
        formats.number,
    ),
    Power(
        "Archive",
        "dmds",
        _TRUTH,
        "yes",
        "Keep a copy of every mail at the provider; needs a licence (archive).",
        "archive",
        formats.truth,
    ),
    Power(
        "Batch",
        "dmds",
        "a UUID",
        "6f1c1f0e-1b7a-4d0e-9a52-0d4a3c1b2e3f",
        "Append to the batch of an earlier send (eeid with reuse_eeid).",
        "batch",
        formats.batch,
    ),
    Power(
        "Report",
        "mensatek",
        _TRUTH,
        "yes",
        "Have delivery reports posted to the script that the panel names (Report).",
        "report",
        formats.truth,
    ),
)

_BY_KEY = {power.key: power for power in POWERS}


def read_powers(headers: Sequence[tuple[str, str]], defaults: Mapping[str, bool | int | str]) -> Powers:
    """Read a message's X-Relay-* headers over its account's defaults.

    Args:
        headers: names in lower case with their prefix, values decoded, in the message's order.
        defaults: by names without the prefix, as `AccountPolicy.powers` has them.

    Raises:
        MailRefused: a header is not known, comes twice, or has a value that is wrong; the reply says which and why.
    """
    usual = _read_defaults(tuple((key, _default_text(value)) for key, value in defaults.items()))
    if not headers:
        return usual
    asked: dict[str, Any] = {}
    for power, text in _gathered(headers):
        try:
            asked[power.field] = power.read(text)
        except ValueError as error:
            raise _refused(power, f"{_echo(power, text)}{error}") from error
    return replace(usual, **asked)


@lru_cache(_POLICIES)
def _read_defaults(defaults: tuple[tuple[str, str], ...]) -> Powers:
    asked: dict[str, Any] = {}
    for key, text in defaults:
        power, problem = _BY_KEY.get(key), default_problem(key, text)
        if power is None or problem:
            raise MailRefused(Replies.BAD_POWER.saying(f"The account's default {key}: {problem}"))
        asked[power.field] = power.read(text)
    return Powers(**asked)


def default_problem(key: str, value: bool | int | str) -> str | None:  # noqa: FBT001
    """Tell what is wrong with an account's default for a power; None: nothing. The value is not repeated."""
    power = _BY_KEY.get(key)
    if power is None:
        return f"no such power; {_known(key)}"
    try:
        power.read(_default_text(value))
    except ValueError as error:
        return f"{error}; right would be {power.format}, for example {power.example}"
    return None


def _gathered(headers: Sequence[tuple[str, str]]) -> list[tuple[Power, str]]:
    values: dict[str, list[str]] = {}
    for name, value in headers:
        key = name.lower().removeprefix(_PREFIX)
        if key not in _BY_KEY:
            shown = (
                f"X-Relay-{key.title()}" if key.isascii() and key.isprintable() and len(key) <= _LONGEST_ECHO else ""
            )
            raise MailRefused(
                Replies.BAD_POWER.saying(f"{shown or 'An X-Relay header'}: no such header; {_known(key)}")
            )
        values.setdefault(key, []).append(value.strip())
    gathered: list[tuple[Power, str]] = []
    for key, texts in values.items():
        power = _BY_KEY[key]
        if len(texts) > 1 and not power.several:
            raise _refused(power, "comes more than once; give it once")
        gathered.append((power, ", ".join(texts)))
    return gathered


def _known(key: str) -> str:
    close = difflib.get_close_matches(key[:_LONGEST_ECHO], _BY_KEY, n=1)
    if close:
        return f"did you mean {_BY_KEY[close[0]].name}?"
    return f"known are {', '.join(power.name for power in POWERS)}"


def _default_text(value: bool | int | str) -> str:  # noqa: FBT001
    return str(value).strip()


def _echo(power: Power, text: str) -> str:
    if not text:
        return "an empty value "
    fit = power.echoed and len(text) <= _LONGEST_ECHO and text.isascii() and text.isprintable()
    return f"'{text}' " if fit else "the value "


def _refused(power: Power, reason: str) -> MailRefused:
    return MailRefused(Replies.BAD_POWER.saying(f"X-Relay-{power.name}: {reason}"))
