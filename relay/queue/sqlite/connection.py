"""Connections to the SQLite file, and the one place where its errors become ours."""

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from relay.errors import QueueError, QueueFull

_BUSY_TIMEOUT_MS = 5000
#: Pages (of 4 KB) in the log before a commit copies them into the table file.
_CHECKPOINT_PAGES = 2000
#: The log file is cut back to this after a burst.
_LOG_LIMIT_BYTES = 64 * 1024 * 1024

# What each says for durability and speed; all but journal_mode hold for one connection.
_PRAGMAS = (
    f"PRAGMA busy_timeout = {_BUSY_TIMEOUT_MS}",
    # FULL: the log is synced at every commit, so that 250 survives power loss (promise 13).
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
    f"PRAGMA wal_autocheckpoint = {_CHECKPOINT_PAGES}",
    f"PRAGMA journal_size_limit = {_LOG_LIMIT_BYTES}",
    # Debian builds SQLite so that every deleted byte is overwritten, which writes each body a second time; FAST
    # overwrites only where the page is written anyway.
    "PRAGMA secure_delete = FAST",
    "PRAGMA cache_size = -32000",
    "PRAGMA temp_store = MEMORY",
    # Heeded before the first table is there: lets `prune` give freed pages back to the disk.
    "PRAGMA auto_vacuum = INCREMENTAL",
)

# The cure for each family of SQLite errors, by the beginning of its name.
_CURES = (
    ("SQLITE_FULL", "its disk is full; free some space"),
    # Where the index of the log cannot grow; seen on a full tmpfs.
    ("SQLITE_IOERR_SHMSIZE", "its disk is full; free some space"),
    ("SQLITE_READONLY", "it cannot be written; let the relay's user write the file and its folder"),
    ("SQLITE_PERM", "it may not be opened; let the relay's user read and write the file and its folder"),
    ("SQLITE_CANTOPEN", "it cannot be opened; create its folder and let the relay's user write there"),
    ("SQLITE_BUSY", "another program holds it locked; stop that program"),
    ("SQLITE_LOCKED", "another program holds it locked; stop that program"),
    ("SQLITE_NOTADB", "it is not an SQLite database; correct store.path or move the file away"),
    ("SQLITE_CORRUPT", "it is damaged; stop the relay and restore it, or rescue it with `sqlite3 FILE .recover`"),
    ("SQLITE_PROTOCOL", "file locks do not work there; put it on a local disk"),
    ("SQLITE_IOERR", "its disk fails to read or write; look at the disk, and never use a network file system"),
    ("SQLITE_CONSTRAINT", "it holds this already"),
)
_OS_CURES = {
    errno.ENOENT: "its folder is missing; create it, and let the relay's user write there",
    errno.ENOTDIR: "its folder is not a folder; correct store.path",
    errno.EISDIR: "it is a folder; store.path must name a file",
    errno.EACCES: "it may not be opened; let the relay's user read and write the file and its folder",
    errno.EPERM: "it may not be opened; let the relay's user read and write the file and its folder",
    errno.EROFS: "its disk is mounted read-only",
    errno.ENOSPC: "its disk is full; free some space",
    errno.ENOLCK: "file locks do not work there; put it on a local disk",
    errno.ENOTSUP: "file locks do not work there; put it on a local disk",
}
_NO_ROOM_NAMES = frozenset({"SQLITE_FULL", "SQLITE_IOERR_SHMSIZE"})
_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


@contextmanager
def store_errors(path: Path) -> Iterator[None]:
    """Turn what sqlite3 and the file system raise into QueueError, naming the file and the cure."""
    try:
        yield
    except sqlite3.Error as error:
        raise _from_sqlite(path, error) from error
    except OSError as error:
        kind = QueueFull if error.errno in _NO_ROOM else QueueError
        cure = _OS_CURES.get(error.errno or 0, error.strerror or type(error).__name__)
        raise kind(f"store {path}: {cure} ({errno.errorcode.get(error.errno or 0, 'OSError')})") from error


def is_damage(error: sqlite3.Error) -> bool:
    """Tell whether the file's own content is at fault."""
    return _name(error).startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB"))


def connect(path: Path, *, create: bool = False) -> sqlite3.Connection:
    """Open the file for reading and writing, as a log-keeping (WAL) database.

    Without `create` a missing file is an error: a store that vanished must not be replaced by an empty one.
    """
    mode = "rwc" if create else "rw"
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}", uri=True, isolation_level=None, cached_statements=512
    )
    try:
        connection.row_factory = sqlite3.Row
        _set_up(connection, path)
    except (sqlite3.Error, QueueError):
        connection.close()
        raise
    return connection


def _set_up(connection: sqlite3.Connection, path: Path) -> None:
    for pragma in _PRAGMAS:
        connection.execute(pragma)
    journal = connection.execute("PRAGMA journal_mode = WAL").fetchone()[0]
    if journal != "wal":
        raise QueueError(f"store {path}: no write-ahead log is possible there; put it on a local disk")


def _from_sqlite(path: Path, error: sqlite3.Error) -> QueueError:
    name = _name(error)
    kind = QueueFull if name in _NO_ROOM_NAMES else QueueError
    for beginning, cure in _CURES:
        if name.startswith(beginning):
            return kind(f"store {path}: {cure} ({name})")
    # SQLite's own words name tables and columns, never values.
    return kind(f"store {path}: {error} ({name or type(error).__name__})")


def _name(error: sqlite3.Error) -> str:
    return getattr(error, "sqlite_errorname", "") or ""
