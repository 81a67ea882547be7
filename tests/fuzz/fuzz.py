"""Search for bytes that raise, hang or grow, guided by coverage (atheris, libFuzzer): `make fuzz`.

Every find is written to tests/fuzz/finds. As .eml, under a name that tells its story, it is a test from then on.
Options are libFuzzer's: -max_total_time, -runs, -seed.
"""

import sys
from pathlib import Path

import atheris

sys.path.insert(0, str(Path(__file__).parents[1]))

with atheris.instrument_imports(include=["relay.mime", "relay.providers", "relay.preparation", "relay.powers"]):
    from translating import APIS, SHOWN, translated

_FOUND = Path(__file__).parent / "finds"
_TO = f"To: {SHOWN}\r\n".encode()


def target(data: bytes) -> None:
    """Translate for both APIs, with and without a recipient in the header."""
    for api in APIS:
        translated(data, api)
        translated(_TO + data, api, open_tnef=True)


if __name__ == "__main__":
    _FOUND.mkdir(exist_ok=True)
    bounds = ["-timeout=20", "-rss_limit_mb=2048", "-max_len=20000", f"-artifact_prefix={_FOUND}/"]
    atheris.Setup([sys.argv[0], *bounds, *sys.argv[1:]], target)
    atheris.Fuzz()
