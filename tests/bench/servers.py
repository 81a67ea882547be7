"""What is measured, and what stands behind it: the gateway as `relay serve`, and the null API."""

import json
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any, Self

from certificates import Certificate
from running import Gateway, until

from relay.accounts import hash_password

LOGIN = ("bench", "password-of-the-bench")

_START_SECONDS = 30.0
_STOP_SECONDS = 60.0
_HERE = Path(__file__).parent

_GATEWAY = """\
workers = {workers}
[store]
path = "{folder}/relay.db"
[web]
address = "127.0.0.1:0"
[listener.plain]
address = "127.0.0.1:0"
[listener.tls]
address = "127.0.0.1:0"
tls = "implicit"
certificate = "{certificate.chain}"
key = "{certificate.key}"
{delivery}
[provider.dmds]
url = "http://127.0.0.1:{api}{path}/v1"
timeout = "1d"
[account.bench]
provider = "dmds"
dmdsid = "bench"
campaign = 1
apikey = "apikey-of-the-bench"
[login.bench]
account = "bench"
password_hash = "{hash}"
"""
# One call under way, which never ends; a stop does not wait for it.
_HELD = """\
[delivery]
concurrency = 1
stop_within = "0s"
"""


class NullServer:
    """A server that does nothing, `nothing.py`: an API, or an SMTP sink."""

    def __init__(self, kind: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, _HERE / "nothing.py", kind], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate(timeout=_STOP_SECONDS)

    def tally(self) -> dict[str, Any]:
        """Ask the API what it answered so far."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/tally", timeout=_START_SECONDS) as answer:
            return json.load(answer)


class GatewayUnderTest:
    """`relay serve` with its defaults and one account. Held: the API never answers, so that mail is only accepted."""

    name = "gateway"
    login = LOGIN

    def __init__(
        self, folder: Path, certificate: Certificate, api: NullServer, *, held: bool, workers: int = 1
    ) -> None:
        folder.mkdir()
        values = {"folder": folder, "certificate": certificate, "api": api.port, "workers": workers}
        values["hash"] = hash_password(LOGIN[1])
        config = _GATEWAY.format(path="/silent" if held else "", delivery=_HELD if held else "", **values)
        self._api = api
        self._gateway = Gateway(config, folder, {}).start()
        self.ports = {tls: self._gateway.port("tls" if tls else "plain") for tls in (False, True)}

    @property
    def pid(self) -> int:
        """The process's number."""
        return self._gateway.pid

    def wait_until_held(self) -> None:
        """Wait until the first mail is at the API, where it stays: from now on nothing is delivered."""
        until(lambda: self._api.tally()["posts"] > 0, _START_SECONDS, "the first mail did not reach the API")

    def stop(self) -> None:
        """Stop it."""
        self._gateway.stop()
