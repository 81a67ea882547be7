"""A program that writes to a shared database in a loop, each time in its turn, and never waits for SQLite itself."""

import os
import sqlite3
import sys
from pathlib import Path

from relay.queue.sqlite.turn import Turn


def main(path: str, me: int, rounds: int) -> None:
    turn = Turn(Path(path))
    connection = sqlite3.connect(path, isolation_level=None, timeout=0)  # BUSY at once, if it ever is
    os.write(1, b"ready\n")
    sys.stdin.readline()
    for _ in range(rounds):
        with turn:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("INSERT INTO written (who) VALUES (?)", (me,))
            connection.execute("COMMIT")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
