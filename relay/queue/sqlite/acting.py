"""What a person does to messages, at once or when their lease ends. Runs in the writer thread."""

import json
import sqlite3
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from relay.queue.acting import (
    CHANGE_COLUMNS,
    GOING_ON,
    NOTED_COLUMNS,
    Concerned,
    Noted,
    by_account,
    change_rows,
    concerning,
    counted,
    in_force,
    noted_rows,
)
from relay.queue.contract import Act, State, Verb
from relay.queue.control import ONE_MORE_DAY_SECONDS, Done, Selection
from relay.queue.selecting import matching_values
from relay.queue.sqlite.keeping import close
from relay.queue.sqlite.many import execute_rows, listed
from relay.queue.sqlite.selecting import MATCHING, page

SELECT_CONCERNED = f"""
SELECT m.seq, m.account, m.leased_by IS NOT NULL, r.position, r.attempts,
    r.state = 'unconfirmed' OR (r.state = 'held' AND coalesce((SELECT a.maybe_accepted FROM attempt AS a
        WHERE a.message = r.message AND a.position = r.position ORDER BY a.entry DESC LIMIT 1), 0))
FROM json_each(:seqs) AS wanted
CROSS JOIN message AS m ON m.seq = wanted.value
CROSS JOIN recipient AS r ON r.message = m.seq
WHERE {MATCHING} ORDER BY m.seq, r.position
"""  # noqa: S608 - our own words
CHANGE_RECIPIENTS = f"""
WITH changed ({CHANGE_COLUMNS}) AS (VALUES {{rows}})
UPDATE recipient SET state = changed.state, reason = coalesce(changed.reason, recipient.reason),
    due_at = changed.due_at,
    changed_at = CASE WHEN recipient.state = changed.state THEN changed_at ELSE changed.now END
FROM changed WHERE recipient.message = changed.message AND recipient.position = changed.position
"""  # noqa: S608 - our own words
# A message is due when the first of its recipients is; with only held or final ones left it never is.
RESCHEDULE_MESSAGES = """
UPDATE message SET due_at = (
    SELECT min(coalesce(r.due_at, message.due_at, :now)) FROM recipient AS r
    WHERE r.message = message.seq AND r.state IN ('queued', 'unconfirmed'))
WHERE seq IN (SELECT value FROM json_each(:seqs))
"""
GIVE_ONE_MORE_DAY = """
UPDATE message SET expires_at = max(expires_at, :until) WHERE seq IN (SELECT value FROM json_each(:seqs))
"""
SELECT_FINISHED = """
SELECT m.seq, m.body_file,
    EXISTS (SELECT 1 FROM recipient AS r WHERE r.message = m.seq AND r.owed IS NOT NULL) AS is_owed
FROM json_each(:seqs) AS wanted CROSS JOIN message AS m ON m.seq = wanted.value
WHERE NOT EXISTS (SELECT 1 FROM recipient AS r
    WHERE r.message = m.seq AND r.state IN ('queued', 'sending', 'unconfirmed', 'held'))
"""
# What others of its recipients gave to tell is told now; until then the body stays.
FINISH_OWING = """
UPDATE message SET finished_at = coalesce(finished_at, :now), due_at = NULL, report_due_at = :now
WHERE seq IN (SELECT value FROM json_each(:seqs))
"""
# The next claim closes it.
MARK_FINISHED = """
UPDATE message SET finished_at = coalesce(finished_at, :now), due_at = :now, report_due_at = NULL
WHERE seq IN (SELECT value FROM json_each(:seqs))
"""
INSERT_NOTED = f"INSERT OR REPLACE INTO noted ({NOTED_COLUMNS}) VALUES {{rows}}"  # noqa: S608 - our own words
SELECT_NOTED = """
SELECT n.message, n.position, n.verb, r.state, r.attempts = n.attempts
FROM json_each(:seqs) AS wanted
CROSS JOIN noted AS n ON n.message = wanted.value
CROSS JOIN recipient AS r ON r.message = n.message AND r.position = n.position
"""
DELETE_NOTED = "DELETE FROM noted WHERE message IN (SELECT value FROM json_each(:seqs))"
INSERT_ACT = """
INSERT INTO act (at, who, verb, account, messages, recipients, noted, doubtful, is_told)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0)
"""
INSERT_ACT_MESSAGES = "INSERT INTO act_message (message, act) VALUES {rows}"
SELECT_UNTOLD = "SELECT 1 FROM act INDEXED BY act_untold WHERE is_told = 0 LIMIT 1"
SELECT_NEWEST_ACT = "SELECT coalesce(max(seq), 0) FROM act"
TELL_ACTS = """
UPDATE act SET is_told = 1 WHERE is_told = 0
RETURNING seq, at, who, verb, account, messages, recipients, noted, doubtful
"""
DELETE_ACTS = "DELETE FROM act WHERE is_told = 1 AND at < ?"

#: Messages weighed in one go.
_WEIGHED_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class Acted:
    """What one step did."""

    done: Done
    files: tuple[str, ...] = ()  # bodies to delete once this is committed


def act(
    connection: sqlite3.Connection, verb: Verb, selection: Selection, who: str, limit: int, after: str, now: float
) -> Acted:
    """Do it to the first messages that match, or note it where they are leased."""
    concerned, more = _concerned(connection, verb, selection, limit, after)
    free = {(each.seq, each.position) for each in concerned if not each.is_leased}
    _change(connection, verb, sorted(free), now)
    execute_rows(connection, INSERT_NOTED, noted_rows(verb, (each for each in concerned if each.is_leased)))
    files = _close_finished(connection, {seq for seq, _ in free}, now)
    _write_down(connection, verb, who, concerned, now)
    return Acted(counted(verb, concerned, more), files)


def weigh(connection: sqlite3.Connection, verb: Verb, selection: Selection) -> Done:
    """Count what an act would do. Reads only."""
    done, after, is_first = Done(), "", True
    while is_first or after:
        concerned, after = _concerned(connection, verb, selection, _WEIGHED_AT_ONCE, after)
        done, is_first = done + counted(verb, concerned, after), False
    return done


def do_noted(connection: sqlite3.Connection, seqs: Collection[int], now: float) -> None:
    """Do what was noted of messages whose lease ends in this transaction; nobody is SENDING any more."""
    values = {"seqs": listed(seqs)}
    rows = connection.execute(SELECT_NOTED, values).fetchall()
    if not rows:
        return
    noted = (
        Noted(seq, position, Verb(verb), State(state), bool(is_untried))
        for seq, position, verb, state, is_untried in rows
    )
    for verb, whom in in_force(noted).items():
        _change(connection, verb, whom, now)
    connection.execute(DELETE_NOTED, values)
    finished = _finish_owing(connection, seqs, now)
    connection.execute(MARK_FINISHED, {"seqs": listed(row["seq"] for row in finished), "now": now})


def is_anything_untold(connection: sqlite3.Connection) -> bool:
    """Tell whether `take_acts` would return something. Reads only."""
    return connection.execute(SELECT_UNTOLD).fetchone() is not None


def newest_act(connection: sqlite3.Connection) -> int:
    """Return a number that grows with each act. Reads only."""
    return int(connection.execute(SELECT_NEWEST_ACT).fetchone()[0])


def take_acts(connection: sqlite3.Connection) -> list[Act]:
    """Return what was done and not told yet; from now on it has been."""
    rows = sorted(connection.execute(TELL_ACTS).fetchall(), key=lambda row: int(row["seq"]))
    return [act_from(row) for row in rows]


def act_from(row: sqlite3.Row) -> Act:
    """Read one act's row."""
    return Act(
        row["at"],
        row["who"],
        Verb(row["verb"]),
        row["account"],
        row["messages"],
        row["recipients"],
        row["noted"],
        row["doubtful"],
    )


def forget_acts(connection: sqlite3.Connection, before: float) -> None:
    """Delete what was done before a time, and told."""
    connection.execute(DELETE_ACTS, (before,))


def _concerned(
    connection: sqlite3.Connection, verb: Verb, selection: Selection, limit: int, after: str
) -> tuple[list[Concerned], str]:
    wanted = concerning(verb, selection)
    seqs, more = page(connection, wanted, limit=limit, after=after)
    rows = connection.execute(SELECT_CONCERNED, matching_values(wanted) | {"seqs": listed(seqs)})
    return [
        Concerned(seq, account, bool(is_leased), position, attempts, bool(is_doubtful))
        for seq, account, is_leased, position, attempts, is_doubtful in rows
    ], more


def _change(connection: sqlite3.Connection, verb: Verb, whom: Iterable[tuple[int, int]], now: float) -> None:
    rows = change_rows(verb, whom, now)
    execute_rows(connection, CHANGE_RECIPIENTS, rows)
    seqs = json.dumps([row[0] for row in rows])
    connection.execute(RESCHEDULE_MESSAGES, {"seqs": seqs, "now": now})
    if verb in GOING_ON:
        connection.execute(GIVE_ONE_MORE_DAY, {"seqs": seqs, "until": now + ONE_MORE_DAY_SECONDS})


def _close_finished(connection: sqlite3.Connection, seqs: Collection[int], now: float) -> tuple[str, ...]:
    finished = _finish_owing(connection, seqs, now)
    if finished:
        close(connection, [row["seq"] for row in finished], now)
    return tuple(row["body_file"] for row in finished if row["body_file"])


def _finish_owing(connection: sqlite3.Connection, seqs: Collection[int], now: float) -> list[sqlite3.Row]:
    """Finish messages with no open recipient that owe a report; return those that owe none."""
    finished = connection.execute(SELECT_FINISHED, {"seqs": listed(seqs)}).fetchall()
    owing = listed(row["seq"] for row in finished if row["is_owed"])
    connection.execute(FINISH_OWING, {"seqs": owing, "now": now})
    return [row for row in finished if not row["is_owed"]]


def _write_down(
    connection: sqlite3.Connection, verb: Verb, who: str, concerned: Sequence[Concerned], now: float
) -> None:
    for account, mine in by_account(concerned).items():
        done = counted(verb, mine)
        counts = (done.messages, done.recipients, done.noted, done.doubtful)
        number = connection.execute(INSERT_ACT, (now, who, verb.value, account, *counts)).lastrowid
        execute_rows(connection, INSERT_ACT_MESSAGES, [(seq, number) for seq in sorted({each.seq for each in mine})])
