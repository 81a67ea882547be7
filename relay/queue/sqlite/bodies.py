"""Big bodies as files beside the store: written and synced before the row that names them.

Small bodies stand in the table: one commit for all, nothing to clean up. A big one there would be written twice (log,
then table) and hold up every small commit meanwhile. The order is what makes a file safe: file, sync, folder, sync,
then the row; and for deletion the row first, then the file. A crash in between leaves a file without a row, which
`sweep` removes.

PostgreSQL keeps every body in its table, for there other nodes must be able to read it.
"""

import hashlib
import os
import secrets
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

#: Bodies above this many bytes become files. Measured (tests/bench/bench_queue.py): at 64 KB rows still take twice as
#: many mails a second, at 128 KB files take more, and small mail beside them waits half as long.
FILE_THRESHOLD_BYTES = 128 * 1024

_SUFFIX = ".body"


class BodyDamaged(Exception):  # noqa: N818 - it names what is the case
    """The file is missing, cut short or altered."""


@dataclass(frozen=True, slots=True)
class BodyFile:
    """What the row must know of a file to find and trust it."""

    name: str  # within the folder
    digest: bytes  # sha256 of the content


class BodyFiles:
    """The folder `<store>.bodies`. Every method blocks: call it from a thread that may."""

    def __init__(self, store: Path, *, sync: Callable[[int], None] = os.fsync) -> None:
        self._folder = Path(f"{store}.bodies")
        self._sync = sync

    def prepare(self) -> None:
        """Make the folder, for nobody else to read, and make its name durable."""
        if not self._folder.is_dir():
            self._folder.mkdir(mode=0o700)
            self._sync_folder(self._folder.parent)

    def write(self, message_id: str, data: bytes) -> BodyFile:
        """Write and sync one body; after return it survives power loss. Raises OSError, and then leaves nothing."""
        # The random part keeps a repeated put of the same message away from the file that the first put wrote.
        name = f"{message_id}.{secrets.token_hex(4)}{_SUFFIX}"
        try:
            digest = self._write(self._folder / name, data)
            self._sync_folder(self._folder)
        except OSError:
            self.remove([name])
            raise
        return BodyFile(name, digest)

    def read(self, body: BodyFile) -> bytes:
        """Read one body back and check that it is what was written.

        Raises:
            BodyDamaged: it is not; the message cannot be sent.
            OSError: the disk did not answer; another time it may.
        """
        try:
            data = (self._folder / body.name).read_bytes()
        except FileNotFoundError as error:
            raise BodyDamaged(f"the file {body.name} is missing") from error
        if hashlib.sha256(data).digest() != body.digest:
            raise BodyDamaged(f"the file {body.name} is damaged")
        return data

    def remove(self, names: Collection[str]) -> None:
        """Delete files whose rows let go of them. What cannot be deleted now is swept at the next start."""
        for name in names:
            try:
                (self._folder / name).unlink(missing_ok=True)
            except OSError:
                continue

    def sweep(self, wanted: Callable[[str], bool]) -> int:
        """Delete the files that no row names; only while nobody else has the store open. Returns how many."""
        orphans = [
            file.name for file in self._folder.iterdir() if file.name.endswith(_SUFFIX) and not wanted(file.name)
        ]
        self.remove(orphans)
        return len(orphans)

    def _write(self, path: Path, data: bytes) -> bytes:
        """Write and sync a new file; return the digest of the data."""
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            rest = memoryview(data)
            while rest:
                rest = rest[os.write(descriptor, rest) :]
            # The system begins to write now, and the disk works while the digest is made.
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
            digest = hashlib.sha256(data).digest()
            self._sync(descriptor)
        finally:
            os.close(descriptor)
        return digest

    def _sync_folder(self, folder: Path) -> None:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            self._sync(descriptor)
        finally:
            os.close(descriptor)
