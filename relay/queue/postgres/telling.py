"""What senders are still to be told, and that they are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from relay.message import MessageId
from relay.queue.candidates import CLAIM_BYTES
from relay.queue.contract import FINAL_STATES, Action, State
from relay.queue.postgres.claiming import Caught, bodies, entries_of
from relay.queue.postgres.findings import owe as owe_report
from relay.queue.postgres.findings import standing
from relay.queue.postgres.keeping import close
from relay.queue.postgres.many import Connection, storable
from relay.queue.reporting import Report, Untold
from relay.queue.rows import Row, message_from, notify_from
from relay.queue.telling import wants_failure

SELECT_UNTOLD = "SELECT * FROM message WHERE report_due_at <= $1 ORDER BY report_due_at LIMIT $2"
SELECT_ATTEMPTED = """
SELECT message, position, max(ended_at) AS at FROM attempt WHERE message = ANY($1::bigint[])
GROUP BY message, position
"""
UPDATE_TOLD = "UPDATE recipient SET owed = NULL WHERE message = $1 AND position = ANY($2::integer[])"
UPDATE_NOTICED = "UPDATE message SET notice_at = NULL WHERE seq = $1"
UPDATE_OWED = "UPDATE recipient SET owed = 'failed', reason = $3 WHERE message = $1 AND position = $2"
INSERT_REPORT = """
INSERT INTO report (id, message, account, sender, data, kept_bytes, made_at, state, attempts, reason, due_at)
VALUES ($1, $2, $3, $4, $5, $6, $7::float8, 'queued', 0, '', $7::float8)
"""


@dataclass(frozen=True, slots=True)
class _Noticed:
    """A message's row, once its notice counts as told."""

    row: Row

    def __getitem__(self, column: str, /) -> Any:
        return None if column == "notice_at" else self.row[column]


async def untold(connection: Connection, limit: int, now: float) -> Sequence[Untold]:
    """Read what is to be told by now; no more bodies than a claim may bring."""
    rows: list[Row] = []
    for row in await connection.fetch(SELECT_UNTOLD, now, limit):
        if rows and sum(each["kept_bytes"] for each in rows) + row["kept_bytes"] > CLAIM_BYTES:
            break
        rows.append(row)
    seqs = [row["seq"] for row in rows]
    entries = await entries_of(connection, seqs)
    attempted: dict[int, dict[int, float]] = {seq: {} for seq in seqs}
    for each in await connection.fetch(SELECT_ATTEMPTED, seqs):
        attempted[each["message"]][each["position"]] = each["at"]
    data = await bodies(connection, [Caught(row, ()) for row in rows])
    return [
        Untold(
            # A report without the header is better than none.
            message_from(row, entries[row["seq"]], data.get(row["seq"], b"")),
            tuple(entries[row["seq"]]),
            row["expires_at"],
            row["notice_at"] if row["notice_at"] is not None and row["notice_at"] <= now else None,
            attempted[row["seq"]],
        )
        for row in rows
    ]


async def tell(connection: Connection, told: Untold, report: Report | None, now: float) -> bool:
    """Keep the report, if there is one, and owe no more what it tells; False: somebody told of it meanwhile."""
    row, recipients = await standing(connection, told.message.id)
    wanted = {entry.position: entry.owed for entry in told.entries if entry.owed is not None}
    owed = {each["position"]: Action(each["owed"]) for each in recipients if each["owed"]}
    if row is None or any(owed.get(position) is not action for position, action in wanted.items()):
        return False
    if told.notice_at is not None:
        if row["notice_at"] != told.notice_at:
            return False
        await connection.execute(UPDATE_NOTICED, row["seq"])
        row = _Noticed(row)
    await connection.execute(UPDATE_TOLD, row["seq"], list(wanted))
    if report is not None:
        await _keep(connection, report)
    is_owed, is_finished = len(owed) > len(wanted), all(State(each["state"]) in FINAL_STATES for each in recipients)
    if is_finished and not is_owed and row["leased_by"] is None:
        await close(connection, [row["seq"]], now)
    else:
        await owe_report(connection, row, now, is_owed=is_owed, is_finished=is_finished, is_new=True)
    return True


async def owe(connection: Connection, message_id: MessageId, failures: Mapping[int, str], now: float) -> int:
    """Owe the failure of recipients; returns of how many."""
    row, recipients = await standing(connection, message_id)
    if row is None or not row["mail_from"]:
        return 0
    wanting = [
        each["position"]
        for each in recipients
        if each["position"] in failures and wants_failure(notify_from(each["notify"]))
    ]
    for position in wanting:
        await connection.execute(UPDATE_OWED, row["seq"], position, storable(failures[position]))
    if wanting:
        is_finished = all(State(each["state"]) in FINAL_STATES for each in recipients)
        await owe_report(connection, row, now, is_owed=True, is_finished=is_finished)
    return len(wanting)


async def _keep(connection: Connection, report: Report) -> None:
    whose = (report.id, report.message_id, report.account, report.sender)
    await connection.execute(INSERT_REPORT, *whose, report.data, len(report.data), report.made_at)
