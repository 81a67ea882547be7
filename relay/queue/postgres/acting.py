"""What a person does to messages, at once or when their lease ends."""

from collections.abc import Iterable, Sequence

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
from relay.queue.postgres.keeping import close
from relay.queue.postgres.many import Connection, columns, unnest
from relay.queue.postgres.selecting import MATCHING, MATCHING_VALUES, ordered, page
from relay.queue.rows import Row
from relay.queue.selecting import matching_values

LOCK_MESSAGES = "SELECT seq FROM message WHERE seq = ANY($1::bigint[]) ORDER BY seq FOR NO KEY UPDATE"
SELECT_CONCERNED = f"""
SELECT m.seq, m.account, m.leased_by IS NOT NULL AS is_leased, r.position, r.attempts,
    r.state = 'unconfirmed' OR (r.state = 'held' AND coalesce((SELECT a.maybe_accepted FROM attempt AS a
        WHERE a.message = r.message AND a.position = r.position ORDER BY a.entry DESC LIMIT 1), false)) AS is_doubtful
FROM message AS m JOIN recipient AS r ON r.message = m.seq
WHERE m.seq = ANY($5::bigint[]) AND {MATCHING} ORDER BY m.seq, r.position
"""  # noqa: S608 - our own words
CHANGE_RECIPIENTS = f"""
UPDATE recipient SET state = changed.state, reason = coalesce(changed.reason, recipient.reason),
    due_at = changed.due_at,
    changed_at = CASE WHEN recipient.state = changed.state THEN changed_at ELSE changed.now END
FROM {unnest("bigint", "integer", "text", "text", "float8", "float8")} AS changed ({CHANGE_COLUMNS})
WHERE recipient.message = changed.message AND recipient.position = changed.position
"""  # noqa: S608 - our own words
# A message is due when the first of its recipients is; with only held or final ones left it never is.
RESCHEDULE_MESSAGES = """
UPDATE message SET due_at = (
    SELECT min(coalesce(r.due_at, message.due_at, $2)) FROM recipient AS r
    WHERE r.message = message.seq AND r.state IN ('queued', 'unconfirmed'))
WHERE seq = ANY($1::bigint[])
"""
GIVE_ONE_MORE_DAY = "UPDATE message SET expires_at = greatest(expires_at, $2) WHERE seq = ANY($1::bigint[])"
SELECT_FINISHED = """
SELECT m.seq, EXISTS (SELECT 1 FROM recipient AS r WHERE r.message = m.seq AND r.owed IS NOT NULL) AS is_owed
FROM message AS m
WHERE m.seq = ANY($1::bigint[]) AND NOT EXISTS (SELECT 1 FROM recipient AS r
    WHERE r.message = m.seq AND r.state IN ('queued', 'sending', 'unconfirmed', 'held'))
"""
# What others of its recipients gave to tell is told now; until then the body stays.
FINISH_OWING = """
UPDATE message SET finished_at = coalesce(finished_at, $2), due_at = NULL, report_due_at = $2
WHERE seq = ANY($1::bigint[])
"""
# The next claim closes it.
MARK_FINISHED = """
UPDATE message SET finished_at = coalesce(finished_at, $2), due_at = $2, report_due_at = NULL
WHERE seq = ANY($1::bigint[])
"""
INSERT_NOTED = f"""
INSERT INTO noted ({NOTED_COLUMNS}) SELECT * FROM {unnest("bigint", "integer", "text", "integer")}
ON CONFLICT (message, position) DO UPDATE SET verb = excluded.verb, attempts = excluded.attempts
"""  # noqa: S608 - our own words
SELECT_NOTED = """
SELECT n.message, n.position, n.verb, r.state, r.attempts = n.attempts AS is_untried
FROM noted AS n JOIN recipient AS r ON r.message = n.message AND r.position = n.position
WHERE n.message = ANY($1::bigint[])
"""
DELETE_NOTED = "DELETE FROM noted WHERE message = ANY($1::bigint[])"
INSERT_ACT = """
INSERT INTO act (at, who, verb, account, messages, recipients, noted, doubtful, is_told)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, false) RETURNING seq
"""
INSERT_ACT_MESSAGES = "INSERT INTO act_message (message, act) SELECT seq, $2 FROM unnest($1::bigint[]) AS hit (seq)"
SELECT_UNTOLD = "SELECT 1 AS is_there FROM act WHERE NOT is_told LIMIT 1"
TELL_ACTS = """
UPDATE act SET is_told = true WHERE NOT is_told
RETURNING seq, at, who, verb, account, messages, recipients, noted, doubtful
"""
DELETE_ACTS = "DELETE FROM act WHERE is_told AND at < $1"

#: Messages weighed in one go.
_WEIGHED_AT_ONCE = 1000


async def act(
    connection: Connection, verb: Verb, selection: Selection, who: str, limit: int, after: str, now: float
) -> Done:
    """Do it to the first messages that match, or note it where they are leased."""
    concerned, more = await _concerned(connection, verb, selection, limit, after, locked=True)
    free = sorted({(each.seq, each.position) for each in concerned if not each.is_leased})
    await _change(connection, verb, free, now)
    noted = noted_rows(verb, (each for each in concerned if each.is_leased))
    if noted:
        await connection.execute(INSERT_NOTED, *columns(noted))
    finished = await _finish_owing(connection, [seq for seq, _ in free], now)
    if finished:
        await close(connection, finished, now)
    await _write_down(connection, verb, who, concerned, now)
    return counted(verb, concerned, more)


async def weigh(connection: Connection, verb: Verb, selection: Selection) -> Done:
    """Count what an act would do. Reads only."""
    done, after, is_first = Done(), "", True
    while is_first or after:
        concerned, after = await _concerned(connection, verb, selection, _WEIGHED_AT_ONCE, after)
        done, is_first = done + counted(verb, concerned, after), False
    return done


async def do_noted(connection: Connection, seqs: Sequence[int], now: float) -> None:
    """Do what was noted of messages whose lease ends in this transaction; nobody is SENDING any more."""
    rows = await connection.fetch(SELECT_NOTED, seqs)
    if not rows:
        return
    noted = (
        Noted(row["message"], row["position"], Verb(row["verb"]), State(row["state"]), row["is_untried"])
        for row in rows
    )
    for verb, whom in in_force(noted).items():
        await _change(connection, verb, whom, now)
    await connection.execute(DELETE_NOTED, seqs)
    await connection.execute(MARK_FINISHED, await _finish_owing(connection, seqs, now), now)


async def is_anything_untold(connection: Connection) -> bool:
    """Tell whether `take_acts` would return something. Reads only."""
    return await connection.fetchrow(SELECT_UNTOLD) is not None


async def take_acts(connection: Connection) -> list[Act]:
    """Return what was done and not told yet; from now on it has been."""
    rows = await connection.fetch(TELL_ACTS)
    return [act_from(row) for row in sorted(rows, key=lambda row: int(row["seq"]))]


def act_from(row: Row) -> Act:
    """Read one act's row."""
    counts = (row["messages"], row["recipients"], row["noted"], row["doubtful"])
    return Act(row["at"], row["who"], Verb(row["verb"]), row["account"], *counts)


async def forget_acts(connection: Connection, before: float) -> None:
    """Delete what was done before a time, and told."""
    await connection.execute(DELETE_ACTS, before)


async def _concerned(
    connection: Connection, verb: Verb, selection: Selection, limit: int, after: str, *, locked: bool = False
) -> tuple[list[Concerned], str]:
    wanted = concerning(verb, selection)
    seqs, more = await page(connection, wanted, limit=limit, after=after)
    if locked:  # what changed before the lock was had is seen by the next statement
        await connection.fetch(LOCK_MESSAGES, seqs)
    values = ordered(matching_values(wanted), MATCHING_VALUES)
    rows = await connection.fetch(SELECT_CONCERNED, *values, seqs)
    return [
        Concerned(row["seq"], row["account"], row["is_leased"], row["position"], row["attempts"], row["is_doubtful"])
        for row in rows
    ], more


async def _change(connection: Connection, verb: Verb, whom: Iterable[tuple[int, int]], now: float) -> None:
    rows = change_rows(verb, whom, now)
    if not rows:
        return
    seqs = [row[0] for row in rows]
    await connection.execute(CHANGE_RECIPIENTS, *columns(rows))
    await connection.execute(RESCHEDULE_MESSAGES, seqs, now)
    if verb in GOING_ON:
        await connection.execute(GIVE_ONE_MORE_DAY, seqs, now + ONE_MORE_DAY_SECONDS)


async def _finish_owing(connection: Connection, seqs: Sequence[int], now: float) -> list[int]:
    """Finish messages with no open recipient that owe a report; return those that owe none."""
    finished = await connection.fetch(SELECT_FINISHED, seqs)
    await connection.execute(FINISH_OWING, [row["seq"] for row in finished if row["is_owed"]], now)
    return [row["seq"] for row in finished if not row["is_owed"]]


async def _write_down(connection: Connection, verb: Verb, who: str, concerned: Sequence[Concerned], now: float) -> None:
    for account, mine in by_account(concerned).items():
        done = counted(verb, mine)
        counts = (done.messages, done.recipients, done.noted, done.doubtful)
        row = await connection.fetchrow(INSERT_ACT, now, who, verb.value, account, *counts)
        assert row is not None  # noqa: S101 - an INSERT returns what it inserted
        await connection.execute(INSERT_ACT_MESSAGES, sorted({each.seq for each in mine}), row["seq"])
