"""From the bytes of a mail to JSON bodies ready to post, against other ways to do it: `make bench-mime`.

Three rivals, in turn with us in every round, on the same mails:

* email: `email.parser` with policy.default, `base64`, `json`: what most relays do;
* fast: fast-mail-parser (Rust, the fastest parser on PyPI), `base64`, `orjson`;
* copy: the bytes, copied once.

Ours is the whole way of the gateway: read, settle roles, read powers, plan, encode, with all its checks and notes. The
figures are CPU time of the thread, medians; the ratios are medians of the rounds' ratios, for machines have moods.
"""

import argparse
import asyncio
import base64
import email.parser
import email.policy
import json
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import fast_mail_parser
import orjson
from mime_mails import MAILS
from mime_memory import memory_in_sizes
from pydantic import SecretStr

from relay.accounts.account import Account
from relay.config import AccountPolicy
from relay.config.settings import DmdsSettings, MensatekSettings, MimeSettings, ProvidersSettings
from relay.message import Envelope, EnvelopeRecipient, Message, MessageId
from relay.preparation import Preparation
from relay.providers import HttpClient, build_providers
from relay.providers.contract import Credentials, DmdsCredentials, MensatekCredentials
from relay.providers.encode import encode, size

_CREDENTIALS: dict[str, Credentials] = {
    "mensatek": MensatekCredentials("demo-user", SecretStr("demo-token")),
    "dmds": DmdsCredentials("demo", 14, SecretStr("demo-apikey")),
}
ACCOUNTS = {name: Account(name, name, each, AccountPolicy()) for name, each in _CREDENTIALS.items()}
#: How many times as fast as `email` we want to be, by the mail's size.
GOALS = {"2 KB": 8, "50 KB": 20, "20 MB": 25}
GOAL_COPY = 6  # copies of 20 MB
_ENVELOPE = Envelope("maria@example.org", (EnvelopeRecipient("ana@example.com"), EnvelopeRecipient("eva@example.net")))
_SETTINGS = ProvidersSettings(mensatek=MensatekSettings(max_attachments=1000), dmds=DmdsSettings(max_attachments=1000))
_PREPARATION = Preparation(build_providers(_SETTINGS, HttpClient(1)), MimeSettings())
_SECONDS_EACH = 0.25  # of a rival's round: small mails are read many times


@dataclass(frozen=True, slots=True)
class Line:
    """What one mail showed for one API: milliseconds of CPU, and times as fast as the rivals."""

    mail: str
    provider: str
    ours_ms: float
    faster_than_email: float
    faster_than_fast: float
    copies: float  # how many copies of the bytes our way costs


def ours(data: bytes, provider: str) -> int:
    """Do what the gateway does, up to the pieces that are handed to the HTTP client."""
    message = Message(MessageId("01JCK0000000000000000000AA"), "bench", _ENVELOPE, data, 1_700_000_000.0)
    return sum(size(encode(call.document)) for call in _PREPARATION.prepare_now(message, ACCOUNTS[provider]).plan.calls)


def by_email(data: bytes, provider: str) -> int:
    """Do the least that has to be done, with the standard library."""
    parsed = email.parser.BytesParser(policy=email.policy.default).parsebytes(data)
    body = parsed.get_body(("html", "plain"))
    document = {
        "Asunto": parsed["subject"],
        "Remitente": parsed["from"].addresses[0].addr_spec,
        "Destinatarios": [{"Email": each.addr_spec, "Nombre": each.display_name} for each in parsed["to"].addresses],
        "Mensaje": body.get_content() if body else "",
        "Adjuntos": [
            {"Nombre": part.get_filename(), "Contenido": base64.b64encode(part.get_content()).decode()}
            for part in parsed.iter_attachments()
        ],
    }
    return len(json.dumps(document).encode())


def by_fast(data: bytes, provider: str) -> int:
    """Do the same with the fastest parser on PyPI."""
    parsed = fast_mail_parser.parse_email(data)
    document = {
        "Asunto": parsed.subject,
        "Remitente": parsed.headers["From"],
        "Destinatarios": parsed.headers["To"],
        "Mensaje": (parsed.text_html or parsed.text_plain)[0],
        "Adjuntos": [
            {"Nombre": file.filename, "Contenido": base64.b64encode(file.content).decode()}
            for file in parsed.attachments
        ],
    }
    return len(orjson.dumps(document))


def copied(data: bytes, provider: str) -> int:
    """Copy the bytes once."""
    return len(bytearray(data))


def milliseconds(work: Callable[[bytes, str], int], data: bytes, provider: str, times: int) -> float:
    """Return the CPU time of one run, taken over several."""
    begin = time.thread_time()
    for _ in range(times):
        work(data, provider)
    return (time.thread_time() - begin) * 1000 / times


def measured(name: str, data: bytes, provider: str, rounds: int) -> Line:
    """Let all take turns over one mail."""
    rivals = (ours, by_email, by_fast, copied)
    times = {}
    for work in rivals:
        once = milliseconds(work, data, provider, 1) / 1000
        times[work] = max(1, int(_SECONDS_EACH / max(once, 1e-6) / rounds))
    seen = [[milliseconds(work, data, provider, times[work]) for work in rivals] for _ in range(rounds)]
    ratios = [[their / row[0] for their in row[1:]] for row in seen]
    to_email, to_fast, to_copy = (statistics.median(column) for column in zip(*ratios, strict=True))
    return Line(name, provider, statistics.median(row[0] for row in seen), to_email, to_fast, 1 / to_copy)


async def longest_block_ms(data: bytes) -> float:
    """Translate in the gateway's way beside a loop that does nothing else, and tell the longest it was held up.

    The loop looks at the clock all the time. What other programs take of the processor counts, too: quiet is needed.
    """
    message = Message(MessageId("01JCK0000000000000000000AA"), "bench", _ENVELOPE, data, 1_700_000_000.0)
    task = asyncio.create_task(_PREPARATION.prepare(message, ACCOUNTS["mensatek"]))
    longest, last = 0.0, time.perf_counter()
    while not task.done():
        await asyncio.sleep(0.0005)
        now = time.perf_counter()
        longest, last = max(longest, now - last), now
    await task
    return longest * 1000


def lines(rounds: int, names: list[str]) -> Iterator[Line]:
    """Measure every mail for both APIs."""
    for mail in MAILS:
        if names and mail.name not in names:
            continue
        data = mail.make()
        for provider in ACCOUNTS:
            yield measured(mail.name, data, provider, rounds)


def main() -> None:
    """Print one line for each mail and API, as a table of the docs."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=7)
    options.add_argument("--mail", nargs="*", default=[], help="by name; without: all")
    given = options.parse_args()
    say = print
    say(
        "| mail | API | ours ms | faster than email, times | goal "
        "| faster than fast-mail-parser, times | copies of the bytes |"
    )
    say("| --- | --- | --- | --- | --- | --- | --- |")
    for line in lines(given.rounds, given.mail):
        goal = GOALS.get(line.mail.partition(",")[0])
        told = f"{goal}{'' if line.faster_than_email >= goal else ' **missed**'}" if goal else ""
        say(
            f"| {line.mail} | {line.provider} | {line.ours_ms:.3f} | {line.faster_than_email:.1f} | {told} "
            f"| {line.faster_than_fast:.1f} | {line.copies:.1f} |"
        )
    if not given.mail:
        small, big = (next(mail for mail in MAILS if mail.name.startswith(size)).make() for size in ("2 KB", "20 MB"))
        blocks = [asyncio.run(longest_block_ms(big)) for _ in range(given.rounds)]
        say(f"\nLongest wait of the loop while 20 MB are read and planned: median {statistics.median(blocks):.1f} ms")
        grown = " / ".join(f"{times:.1f}" for times in memory_in_sizes(small, big, 3))
        say(f"Memory of the gateway for 20 MB, from the socket to the HTTP request, in sizes of the mail: {grown}")


if __name__ == "__main__":
    main()
