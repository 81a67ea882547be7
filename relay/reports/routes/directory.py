"""Reports into a Maildir: whole or not at all, and each once."""

import asyncio
import os
from pathlib import Path

from relay.queue.reporting import Report
from relay.reports.contract import RouteTrouble


class DirectoryRoute:
    """Writes each report as one file of a Maildir; lines end as on this machine."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def send(self, report: Report) -> None:
        """Write and sync the file, then show it. The name is the report's, so that a second time changes nothing."""
        try:
            await asyncio.to_thread(self._write, report)
        except OSError as error:
            raise RouteTrouble(f"directory {self._folder}: {error.strerror or error}") from error

    def _write(self, report: Report) -> None:
        for name in ("tmp", "new", "cur"):
            (self._folder / name).mkdir(mode=0o700, parents=True, exist_ok=True)
        name = f"{int(report.made_at)}.{report.id}.eml"
        if any((self._folder / "cur").glob(f"{name}*")):
            return  # a reader has seen it already
        hidden = self._folder / "tmp" / name
        with open(hidden, "wb", opener=_opened_for_us_alone) as file:
            file.write(report.data.replace(b"\r\n", b"\n"))
            file.flush()
            os.fsync(file.fileno())
        hidden.rename(self._folder / "new" / name)
        folder = os.open(self._folder / "new", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _opened_for_us_alone(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
