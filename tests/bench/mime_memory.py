"""What a big mail takes of memory all the way from the socket to the HTTP request, in a gateway of its own."""

import re
import smtplib
import tempfile
from pathlib import Path

from certificates import make_certificate
from running import until
from servers import LOGIN, GatewayUnderTest, NullServer

_SECONDS = 120.0


def memory_in_sizes(small: bytes, big: bytes, times: int) -> list[float]:
    """Send a big mail several times; tell for each by how many times its size the gateway's memory grew at most.

    The first makes the heap what it needs to be; C libraries give little of it back, so the later ones find it there.
    """
    with tempfile.TemporaryDirectory() as name, NullServer("api") as api:
        folder = Path(name)
        gateway = GatewayUnderTest(folder / "gateway", make_certificate(folder), api, held=False)
        try:
            _send(gateway, api, small)
            return [_grown(gateway, api, big) / len(big) for _ in range(times)]
        finally:
            gateway.stop()


def _grown(gateway: GatewayUnderTest, api: NullServer, mail: bytes) -> int:
    before = _status(gateway.pid, "VmRSS")
    Path(f"/proc/{gateway.pid}/clear_refs").write_text("5", encoding="ascii")  # forget the peak (proc(5))
    _send(gateway, api, mail)
    return _status(gateway.pid, "VmHWM") - before


def _send(gateway: GatewayUnderTest, api: NullServer, mail: bytes) -> None:
    posts = api.tally()["posts"]
    with smtplib.SMTP("127.0.0.1", gateway.ports[False], timeout=_SECONDS) as smtp:
        smtp.login(*LOGIN)
        smtp.sendmail("app@example.org", ["ana@example.net"], mail)
    until(lambda: api.tally()["posts"] > posts, _SECONDS, "the mail did not reach the API")


def _status(pid: int, field: str) -> int:
    found = re.search(rf"{field}:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text(encoding="ascii"))
    assert found is not None
    return int(found[1]) * 1024
