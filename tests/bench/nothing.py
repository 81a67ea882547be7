"""Servers that do nothing but answer: the null API behind the gateway, and an SMTP sink to weigh the generator against.

    python tests/bench/nothing.py api|sink

Prints the port, then serves until its standard input ends. The API answers every POST as DMDS says yes, at once and
without a look at it; under /silent it never answers. GET /tally tells how many POSTs there were, when the last one
was (time.monotonic), and the process's CPU seconds.
"""

import asyncio
import json
import sys
import time

import uvloop

_YES = b'{"status":"ok","sent":1,"eeid":"6f1c1f0e-1b7a-4d0e-9a52-0d4a3c1b2e3f"}'


def _answer(status: bytes, body: bytes) -> bytes:
    head = b"HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % (status, len(body))
    return head + body


_ACCEPTED = _answer(b"200 OK", _YES)


class Api(asyncio.Protocol):
    """One HTTP connection."""

    posts, last = 0, 0.0  # of all connections: the process is one API

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin between two requests."""
        self._transport = transport
        self._head, self._left, self._asked = b"", 0, b""

    def data_received(self, data: bytes) -> None:
        """Count the body's bytes; none are kept."""
        if self._left:
            self._left -= len(data)
        else:
            self._head += data
            head, end, body = self._head.partition(b"\r\n\r\n")
            if not end:
                return
            self._asked, self._head = head[:40], b""
            name = head.lower().find(b"content-length:")
            self._left = (int(head[name + 15 :].partition(b"\r\n")[0]) if name >= 0 else 0) - len(body)
        if self._left <= 0:
            self._left = 0
            self._transport.write(self._reply())

    def _reply(self) -> bytes:
        if self._asked.startswith(b"GET /tally"):
            tally = {"posts": Api.posts, "last": Api.last, "cpu_seconds": time.process_time()}
            return _answer(b"200 OK", json.dumps(tally).encode())
        Api.posts += 1
        Api.last = time.monotonic()
        return b"" if b"/silent" in self._asked else _ACCEPTED


class Sink(asyncio.Protocol):
    """One SMTP connection: every line is answered, DATA is thrown away."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greet."""
        self._transport = transport
        self._reading_data, self._tail = False, b""
        transport.write(b"220 sink.example.org\r\n")

    def data_received(self, data: bytes) -> None:
        """Answer what came; all clients here send whole commands at a time."""
        if self._reading_data:
            self._tail = (self._tail + data[-5:])[-5:]
            if self._tail == b"\r\n.\r\n":
                self._reading_data, self._tail = False, b""
                self._transport.write(b"250 OK\r\n")
            return
        for line in data.splitlines():
            self._reading_data = line == b"DATA"
            self._transport.write(b"354 Go on\r\n" if self._reading_data else b"250 OK\r\n")


async def _serve(kind: str) -> None:
    loop = asyncio.get_running_loop()
    protocol = {"api": Api, "sink": Sink}[kind]
    server = await loop.create_server(protocol, "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)  # noqa: T201 - its one way to tell
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(sys.argv[1]))
