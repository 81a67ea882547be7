"""The load generator: clients that send prepared bytes over SMTP as fast as the server answers. A process of its own.

    python tests/bench/load.py '{"port": 2525, "messages": 1000, "connections": 10, "body": "mail.eml"}'

Non-blocking sockets and epoll in one thread: protocols under uvloop cost the same, and most of it is the kernel's.
Each client sends its next bytes when every reply to the last ones is there.
Prints a JSON object, `Result`; ends with an error at the first reply that is not 2xx or 3xx.
"""

import json
import math
import select
import socket
import ssl
import sys
import time
from base64 import b64encode
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

_RECEIVE_BYTES = 65536
_RECIPIENTS = 100


@dataclass(frozen=True, slots=True)
class Load:
    """What is sent."""

    port: int
    messages: int
    connections: int
    body: str  # a file with the mail, CR LF at line ends and no line that begins with a dot
    kept: bool = False  # all messages of a client in one connection; otherwise a connection for each
    pipelined: bool = True  # MAIL, RCPT and DATA go out together, as PIPELINING allows (RFC 2920)
    login: tuple[str, str] | None = None  # user and password for AUTH PLAIN
    tls: bool = False  # from the first byte; the certificate is not checked


@dataclass(frozen=True, slots=True)
class Result:
    """What was seen. Latency: from MAIL, or from before the connect where each message has its own, to the 250."""

    began: float  # seconds, of time.monotonic: the same for all processes of a machine
    seconds: float
    cpu_seconds: float  # of the generator itself
    p50_ms: float
    p99_ms: float


Step = tuple[bytes, int]  # what to send, and how many replies to wait for


class Script:
    """The bytes of a load, made before the clock runs."""

    def __init__(self, load: Load) -> None:
        body = Path(load.body).read_bytes() + b".\r\n"
        self.prologue: list[Step] = [(b"EHLO bench.example.org\r\n", 1)]
        if load.login:
            token = b64encode("\0{}\0{}".format(*load.login).encode())
            self.prologue.append((b"AUTH PLAIN " + token + b"\r\n", 1))
        self.epilogue: list[Step] = [(b"QUIT\r\n", 1)]
        self.messages = [self._message(number, body, pipelined=load.pipelined) for number in range(_RECIPIENTS)]

    @staticmethod
    def _message(number: int, body: bytes, *, pipelined: bool) -> list[Step]:
        envelope = [b"MAIL FROM:<app@example.org>\r\n", b"RCPT TO:<user%d@example.net>\r\n" % number, b"DATA\r\n"]
        if pipelined:
            return [(b"".join(envelope), len(envelope)), (body, 1)]
        return [*((line, 1) for line in envelope), (body, 1)]


class Run:
    """One load under way: how much is left, and what was seen."""

    def __init__(self, load: Load) -> None:
        self.load = load
        self.script = Script(load)
        self.tls = _trusting() if load.tls else None
        self.left = load.messages
        self.milliseconds: list[float] = []
        self._poll = select.epoll()
        self._clients: dict[int, Client] = {}

    def run(self) -> Result:
        """Send everything."""
        began, cpu = time.monotonic(), time.process_time()
        for _ in range(min(self.load.connections, self.load.messages)):
            self._connect()
        while self._clients:
            for number, event in self._poll.poll():
                client = self._clients[number]
                if not client.go_on(event):
                    self._poll.unregister(number)
                    del self._clients[number]
                    client.socket.close()
                    if self.left:
                        self._connect()
        seconds, cpu = time.monotonic() - began, time.process_time() - cpu
        times = sorted(self.milliseconds)
        return Result(began, seconds, cpu, _quantile(times, 0.5), _quantile(times, 0.99))

    def listen_for(self, client: "Client", *, writable: bool) -> None:
        """Say whether a client waits for room to write, too."""
        self._poll.modify(client.socket, select.EPOLLIN | (select.EPOLLOUT if writable else 0))

    def _connect(self) -> None:
        self.left -= 1
        client = Client(self)
        self._clients[client.socket.fileno()] = client
        self._poll.register(client.socket, select.EPOLLIN)
        client.begin()


class Client:
    """One connection."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._steps = self._all_steps()
        self._awaited = 1  # replies; the greeting first
        self._replies = b""
        self._unsent: memoryview | None = None
        self._shaking_hands = run.tls is not None
        self._began = time.perf_counter()
        plain = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        plain.connect(("127.0.0.1", run.load.port))
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        plain.setblocking(False)
        self.socket = run.tls.wrap_socket(plain, do_handshake_on_connect=False) if run.tls else plain

    def begin(self) -> None:
        """Say the first bytes of TLS; without TLS the server speaks first."""
        if self._shaking_hands:
            self._shake_hands()

    def go_on(self, event: int) -> bool:
        """Do what can be done now; False when the connection is at its end."""
        if self._shaking_hands:
            self._shake_hands()
        elif event & select.EPOLLOUT:
            self._flush()
        else:
            return self._read()
        return True

    def _shake_hands(self) -> None:
        try:
            self.socket.do_handshake()
            self._shaking_hands = False
        except ssl.SSLWantReadError:
            return

    def _read(self) -> bool:
        try:
            data = self.socket.recv(_RECEIVE_BYTES)
        except (BlockingIOError, ssl.SSLWantReadError):
            return True
        if not data:
            raise SystemExit(f"the server closed the connection; it had said {self._replies!r}")
        self._replies += data
        if not self._replies.endswith(b"\r\n"):
            return True
        for line in self._replies[:-2].split(b"\r\n"):
            if line[:1] not in b"23":
                raise SystemExit(f"the server said {line.decode('ascii', 'replace')}")
            self._awaited -= line[3:4] != b"-"
        self._replies = b""
        return self._awaited > 0 or self._send_next()

    def _send_next(self) -> bool:
        step = next(self._steps, None)
        if step is None:
            return False
        data, self._awaited = step
        sent = self._send(data)
        if sent < len(data):
            self._unsent = memoryview(data)[sent:]
            self._run.listen_for(self, writable=True)
        return True

    def _flush(self) -> None:
        if self._unsent is None:
            return
        self._unsent = self._unsent[self._send(self._unsent) :]
        if not self._unsent:
            self._unsent = None
            self._run.listen_for(self, writable=False)

    def _send(self, data: bytes | memoryview) -> int:
        try:
            return self.socket.send(data)
        except (BlockingIOError, ssl.SSLWantWriteError):
            return 0

    def _all_steps(self) -> Iterator[Step]:
        run = self._run
        yield from run.script.prologue
        while True:
            if run.load.kept:
                self._began = time.perf_counter()
            yield from run.script.messages[run.left % _RECIPIENTS]
            run.milliseconds.append(1000 * (time.perf_counter() - self._began))
            if not (run.load.kept and run.left):
                break
            run.left -= 1
        yield from run.script.epilogue


def _trusting() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def _quantile(times: Sequence[float], share: float) -> float:
    """Return the nearest rank; NaN of nothing."""
    return times[max(math.ceil(share * len(times)) - 1, 0)] if times else math.nan


if __name__ == "__main__":
    print(json.dumps(asdict(Run(Load(**json.loads(sys.argv[1]))).run())))  # noqa: T201 - its one way to answer
