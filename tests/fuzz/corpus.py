"""Write what the fuzzer begins with: every golden mail, one mail of every kind, and every find so far."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "mime"))

from kinds import addresses, charsets, combined, headers, structures, transfers

HERE = Path(__file__).parent
_LARGEST_BYTES = 20_000
_MOST_OF_A_FAMILY = 60  # evenly out of them: most differ in little


def mails() -> dict[str, bytes]:
    """Give each mail by a name of its own."""
    paths = [*(HERE.parent / "golden").glob("*.eml"), *(HERE / "finds").glob("*.eml")]
    found = {path.name: path.read_bytes() for path in sorted(paths)}
    for module in (structures, transfers, charsets, headers, addresses, combined):
        family = module.__name__.rpartition(".")[2]
        kinds = [kind for kind in module.kinds() if len(kind.raw) <= _LARGEST_BYTES]
        for number, kind in enumerate(kinds[:: max(len(kinds) // _MOST_OF_A_FAMILY, 1)]):
            found[f"{family}-{number}"] = kind.raw
    return {name: data for name, data in found.items() if len(data) <= _LARGEST_BYTES}


if __name__ == "__main__":
    folder = HERE / "corpus"
    folder.mkdir(exist_ok=True)
    for name, data in mails().items():
        (folder / name).write_bytes(data)
