"""How fast the front door alone takes mail, against aiosmtpd as it comes. Not a test: run it by hand.

    PYTHONPATH=tests python tests/bench/bench_door.py [--messages 3000] [--connections 10] [--size 2000] [--kept]

The reception answers after one turn of the event loop and keeps nothing. Prints messages per second, CPU per message of
the server, and the ratio to aiosmtpd.
"""

import argparse
import asyncio
import io
import logging
import multiprocessing
import tempfile
import time
import warnings
from dataclasses import replace
from multiprocessing.connection import Connection as Pipe

import uvloop
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session
from load import Load
from measuring import sent
from pydantic import SecretStr
from servers import LOGIN

from relay.accounts.account import Account
from relay.config import AccountPolicy, ListenerSettings, Settings
from relay.config.units import HostPort
from relay.events import Events
from relay.log import logger
from relay.outcome import Replies, Reply
from relay.providers.contract import DmdsCredentials
from relay.smtp import Door

ACCOUNT = Account("bench", "dmds", DmdsCredentials("bench", 1, SecretStr("")), AccountPolicy())


class OpenHouse:
    """Lets everybody in and takes every message."""

    def remembered(self, *_: str) -> Account:
        return ACCOUNT

    async def authenticate(self, *_: str) -> Account:
        return ACCOUNT

    def mark(self, *_: str) -> str:
        return ""

    def renewed(self, *_: object) -> Account:
        return ACCOUNT

    def trusted(self, *_: str) -> None:
        return None

    def blocked(self, *_: str) -> None:
        return None

    def refuse_sender(self, *_: object) -> None:
        return None

    async def refuse_volume(self, *_: object) -> None:
        return None

    async def resolve(self, _: str) -> Account:
        return ACCOUNT

    def refuse_size(self, *_: object) -> None:
        return None

    async def receive(self, *_: object) -> Reply:
        await asyncio.sleep(0)
        return Replies.QUEUED

    async def handle_DATA(self, _server: SMTP, _session: Session, _envelope: Envelope) -> str:  # noqa: N802
        await asyncio.sleep(0)
        return "250 2.0.0 Ok"


async def _serve_door(pipe: Pipe) -> None:
    house = OpenHouse()
    listener = ListenerSettings(address=HostPort("127.0.0.1", 0), max_connections_per_client=1000)
    door = Door(Settings(listener={"bench": listener}), house, house, Events(logger("json", "warning", io.StringIO())))
    await door.start()
    await _measure(pipe, door.addresses["bench"].port)
    await door.stop(1)


async def _serve_aiosmtpd(pipe: Pipe) -> None:
    logging.getLogger("mail.log").setLevel(logging.ERROR)
    warnings.simplefilter("ignore")
    loop, house = asyncio.get_running_loop(), OpenHouse()
    options = {"hostname": "bench", "auth_require_tls": False, "loop": loop}
    server = await loop.create_server(
        lambda: SMTP(house, authenticator=lambda *_: AuthResult(success=True), **options), "127.0.0.1", 0, backlog=1024
    )
    await _measure(pipe, server.sockets[0].getsockname()[1])
    server.close()


async def _measure(pipe: Pipe, port: int) -> None:
    pipe.send(port)
    begun = time.process_time()
    await asyncio.get_running_loop().run_in_executor(None, pipe.recv)
    pipe.send(time.process_time() - begun)


def _server(kind: str, *, fast_loop: bool, pipe: Pipe) -> None:
    serve = {"door": _serve_door, "aiosmtpd": _serve_aiosmtpd}[kind]
    with asyncio.Runner(loop_factory=uvloop.new_event_loop if fast_loop else None) as runner:
        runner.run(serve(pipe))


def run(kind: str, load: Load, *, fast_loop: bool) -> tuple[float, float]:
    """Measure one server; return messages per second and milliseconds of CPU per message."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.Process(target=_server, args=(kind,), kwargs={"fast_loop": fast_loop, "pipe": theirs})
    process.start()
    try:
        result = sent(replace(load, port=ours.recv()))
    finally:
        ours.send(None)
        cpu = ours.recv()
        process.join()
    return load.messages / result.seconds, 1000 * cpu / load.messages


def main() -> None:
    """Compare the door with aiosmtpd, under asyncio and uvloop."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("messages", 3000), ("connections", 10), ("size", 2000)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--kept", action="store_true", help="all messages of a client in one connection")
    options = parser.parse_args()
    with tempfile.NamedTemporaryFile() as body:
        body.write(b"Subject: x\r\n\r\n" + (b"x" * 76 + b"\r\n") * (options.size // 78 + 1))
        body.flush()
        # aiosmtpd has no PIPELINING.
        load = Load(0, options.messages, options.connections, body.name, options.kept, pipelined=False, login=LOGIN)
        base = 0.0
        for kind in ("aiosmtpd", "door"):
            for fast_loop in (False, True):
                rate, cpu = run(kind, load, fast_loop=fast_loop)
                base = base or rate
                loop = "uvloop" if fast_loop else "asyncio"
                print(f"{kind:9} {loop:8} {rate:7.0f} messages/s  {cpu:6.2f} ms CPU  {rate / base:5.2f}x")  # noqa: T201


if __name__ == "__main__":
    main()
