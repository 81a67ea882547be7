"""Power loss: what is promised has been written and synced before, in the order in which it can be trusted.

The program's own system calls are looked at: the body's file is synced, then its folder, then the log that holds the
row is written and synced, and only then the client hears 250.
"""

import os
import re
import signal
import smtplib
import sys
from pathlib import Path

import pytest
from running import BODY_MARKER, SUBJECT_MARKER, until

CALLS = "openat,write,writev,pwrite64,sendto,sendmsg,fsync,fdatasync"
DOOR = '\n[listener.plain]\naddress = "127.0.0.1:0"\n'
_LINE = re.compile(r"(\d+) +(.*)")
_RESUMED = re.compile(r"<\.\.\. \w+ resumed>(.*)")


@pytest.fixture
def traced(start_gateway, base_config, tmp_path):
    """A gateway whose system calls are written down, and the file."""
    trace = tmp_path / "trace"
    strace = ("strace", "-f", "-y", "-s", "120", "-e", f"trace={CALLS}", "-o", trace)
    program = (*strace, sys.executable, Path(__file__).parents[1] / "talkative.py")
    gateway = start_gateway(base_config + DOOR, name="traced", program=program)
    yield gateway, trace
    (own,) = Path(f"/proc/{gateway.pid}/task/{gateway.pid}/children").read_text().split()
    os.kill(int(own), signal.SIGTERM)
    until(lambda: not gateway.is_running, 30, "it does not stop")


def calls(trace: Path) -> list[tuple[str, int, int]]:
    """Read a trace: each call, with the lines at which it began and ended."""
    begun: dict[str, tuple[str, int]] = {}
    found = []
    for at, line in enumerate(trace.read_text(errors="replace").splitlines()):
        process, text = _LINE.fullmatch(line).groups()
        if text.endswith("<unfinished ...>"):
            begun[process] = (text.removesuffix("<unfinished ...>"), at)
        elif resumed := _RESUMED.match(text):
            first, began = begun.pop(process)
            found.append((first + resumed[1], began, at))
        else:
            found.append((text, at, at))
    return sorted(found, key=lambda call: call[1])


def first(found, pattern, *, since=0) -> tuple[int, int]:
    """Return where the first call of a kind began and ended, of those that began after a line."""
    return next((began, ended) for text, began, ended in found if began > since and re.search(pattern, text))


def last_before(found, pattern, line) -> tuple[int, int]:
    """Return where the last call of a kind began and ended that had ended before a line."""
    return [(began, ended) for text, began, ended in found if ended < line and re.search(pattern, text)][-1]


def send(gateway, login, address, size) -> None:
    text = f"{BODY_MARKER}\r\n" * (size // len(BODY_MARKER) + 1)
    with smtplib.SMTP("127.0.0.1", gateway.port("plain"), timeout=60) as smtp:
        smtp.login(login.user, login.password)
        smtp.sendmail("app@example.org", [address], f"Subject: {SUBJECT_MARKER}\r\n\r\n{text}")


@pytest.mark.parametrize("size", [200, 300_000])
def test_a_250_comes_after_everything_it_promises_is_synced(traced, logins, sandbox, unique, size):
    gateway, trace = traced
    send(gateway, logins["kept-dmds"], f"{unique}@example.net", size)
    sandbox.wait_for(f"{unique}@example.net")
    found = calls(trace)
    reply, _ = first(found, r"250 2\.0\.0 Ok: queued")
    data, _ = first(found, r"354 ")
    row_written, _ = first(found, r"^pwrite64\(\d+<[^>]*relay\.db-wal>", since=data)
    _, row_synced = last_before(found, r"^f(data)?sync\(\d+<[^>]*relay\.db-wal>", reply)
    assert data < row_written < row_synced < reply
    if size > 200:
        body_made, _ = first(found, r"^openat\(.*relay\.db\.bodies/[^>]*O_CREAT", since=data)
        _, body_written = last_before(found, r"^write\(\d+<[^>]*relay\.db\.bodies/", reply)
        body_sync, body_synced = first(found, r"^f(data)?sync\(\d+<[^>]*relay\.db\.bodies/", since=body_made)
        folder_sync, folder_synced = first(found, r"^fsync\(\d+<[^>]*relay\.db\.bodies>", since=body_made)
        assert body_made < body_written < body_sync <= body_synced < folder_sync <= folder_synced < row_written


def test_a_call_goes_out_after_it_is_journalled_and_synced(traced, logins, sandbox, unique):
    gateway, trace = traced
    send(gateway, logins["kept-mensatek"], f"{unique}@example.net", 200)
    sandbox.wait_for(f"{unique}@example.net")
    found = calls(trace)
    data, _ = first(found, r"354 ")
    called, _ = first(found, r"POST /mensatek/v7/EnviarEMAIL", since=data)
    _, journalled = last_before(found, r"^f(data)?sync\(\d+<[^>]*relay\.db-wal>", called)
    assert data < journalled < called
