-- The store: one row for each message, its body beside it, one row for each recipient, attempts as append-only history.
--
-- Times are seconds since the epoch, from the clock that was passed in. Written for SQLite; for PostgreSQL the same shape with
-- bigint GENERATED ALWAYS AS IDENTITY for seq, double precision, bytea, jsonb for notes and envelope; no WITHOUT ROWID;
-- bodies always in their table (TOAST keeps them out of the way); the tally without triggers (see there).

CREATE TABLE message (
    seq         INTEGER PRIMARY KEY,     -- short key for the tables below; never reused while rows are there
    id          TEXT    NOT NULL UNIQUE, -- the ULID that replies, log and pages name
    account     TEXT    NOT NULL,
    client      TEXT    NOT NULL,
    mode        TEXT    NOT NULL,        -- "queue", "direct", "auto"
    mail_from   TEXT    NOT NULL,        -- empty: the null reverse-path
    ret         TEXT    NOT NULL,        -- RFC 3461 section 4.3; empty: not said
    envid       TEXT    NOT NULL,        -- xtext as received; empty: not said
    envelope    TEXT,                    -- JSON of the RCPT commands; NULL: they are exactly the recipients below
    notes       TEXT    NOT NULL,        -- JSON: [[code, text, fidelity], ...]
    recipients  INTEGER NOT NULL,        -- how many rows in recipient
    size        INTEGER NOT NULL,        -- bytes as received
    kept_bytes  INTEGER NOT NULL,        -- bytes of the body that are kept; 0 once it is gone
    body_file   TEXT,                    -- name beside the store; NULL: in table body, or gone
    body_digest BLOB,                    -- sha256 of the file; NULL without one
    received_at REAL    NOT NULL,
    expires_at  REAL    NOT NULL,
    due_at      REAL,                    -- NULL: nothing is left to be tried
    leased_by   TEXT,                    -- NULL: free
    lease_until REAL,
    lease       INTEGER NOT NULL,        -- counts the leases, so that no owner mistakes a later lease for its own
    finished_at REAL,                    -- when the last recipient came to a final state; NULL: open
    notice_at   REAL,                    -- when its sender is told that it still waits; NULL: never, or it was told
    report_due_at REAL                   -- when a report of it is to be made; NULL: none is owed
);

-- What waits, oldest due first; and the same by account, to step over a paused account however much it has waiting.
CREATE INDEX message_due ON message (due_at) WHERE leased_by IS NULL AND due_at IS NOT NULL;
CREATE INDEX message_account_due ON message (account, due_at) WHERE leased_by IS NULL AND due_at IS NOT NULL;
-- What is being worked on: few.
CREATE INDEX message_lease ON message (lease_until) WHERE leased_by IS NOT NULL;
CREATE INDEX message_open ON message (received_at) WHERE finished_at IS NULL;
CREATE INDEX message_finished ON message (finished_at) WHERE finished_at IS NOT NULL;
-- Answers the daily count from the index alone.
CREATE INDEX message_volume ON message (account, received_at, recipients);
-- Of which the sender is to be told: few, and where delays are told all that wait.
CREATE INDEX message_report_due ON message (report_due_at) WHERE report_due_at IS NOT NULL;
CREATE INDEX message_body_file ON message (body_file) WHERE body_file IS NOT NULL;

CREATE TABLE body (
    message INTEGER PRIMARY KEY REFERENCES message (seq) ON DELETE CASCADE,
    data    BLOB NOT NULL
);

CREATE TABLE recipient (
    message             INTEGER NOT NULL REFERENCES message (seq) ON DELETE CASCADE,
    position            INTEGER NOT NULL,
    address             TEXT    NOT NULL,
    mailbox             TEXT    NOT NULL, -- the address with its domain as lower-case A-labels, to find it by
    role                TEXT    NOT NULL,
    name                TEXT    NOT NULL,
    notify              TEXT    NOT NULL, -- RFC 3461 section 4.1, joined by commas; empty: not said
    orcpt               TEXT    NOT NULL, -- xtext as received; empty: not said
    state               TEXT    NOT NULL CHECK (state IN
        ('queued', 'sending', 'unconfirmed', 'held', 'accepted', 'refused', 'expired', 'dropped')),
    attempts            INTEGER NOT NULL,
    provider_message_id TEXT    NOT NULL,
    provider_batch_id   TEXT    NOT NULL,
    reason              TEXT    NOT NULL,
    changed_at          REAL    NOT NULL, -- when it came to this state
    due_at              REAL,             -- when its next attempt may begin, or its rule be applied; NULL: with the message
    status              TEXT    NOT NULL, -- RFC 3463 status of the last outcome, if that was a refusal
    owed                TEXT CHECK (owed IN ('failed', 'relayed')), -- what its sender is still to be told; NULL: nothing
    PRIMARY KEY (message, position)
) WITHOUT ROWID;

-- How reports and people find a recipient.
CREATE INDEX recipient_provider_message ON recipient (provider_message_id) WHERE provider_message_id <> '';
CREATE INDEX recipient_provider_batch ON recipient (provider_batch_id) WHERE provider_batch_id <> '';
CREATE INDEX recipient_mailbox ON recipient (mailbox);
-- For whom proof is sought, or a person asked: few.
CREATE INDEX recipient_doubted ON recipient (changed_at) WHERE state IN ('unconfirmed', 'held');

-- One row for each attempt on each recipient, written once when it has ended: while it is under way, the recipient's state
-- says so. A crash in between leaves that state, and whoever finds it writes the row.
CREATE TABLE attempt (
    message             INTEGER NOT NULL,
    position            INTEGER NOT NULL,
    entry               INTEGER NOT NULL, -- 1, 2, ... in the order of writing
    number              INTEGER NOT NULL, -- the recipient's attempts at that time; a finding without a call repeats the last
    owner               TEXT    NOT NULL,
    begun_at            REAL    NOT NULL,
    ended_at            REAL    NOT NULL,
    seconds             REAL,             -- how long the call took; NULL: unknown
    call                TEXT    NOT NULL,
    outcome             TEXT    NOT NULL CHECK (outcome IN ('accepted', 'refused', 'deferred', 'interrupted')),
    maybe_accepted      INTEGER NOT NULL,
    reason              TEXT    NOT NULL,
    provider_message_id TEXT    NOT NULL,
    provider_batch_id   TEXT    NOT NULL,
    PRIMARY KEY (message, position, entry),
    FOREIGN KEY (message, position) REFERENCES recipient (message, position) ON DELETE CASCADE
) WITHOUT ROWID;

-- Reports to senders (RFC 3464). Made in the transaction in which the message stops owing them; kept, as history without
-- the data, when they are sent or given up. Without a reference to the message: that may be forgotten before.
CREATE TABLE report (
    seq         INTEGER PRIMARY KEY,
    id          TEXT    NOT NULL UNIQUE, -- of the report; its Message-ID rests on it
    message     TEXT    NOT NULL,        -- id of the message that it tells of
    account     TEXT    NOT NULL,        -- whose return route it takes
    sender      TEXT    NOT NULL,        -- whom it is for
    data        BLOB    NOT NULL,        -- the whole of it, as it is sent; empty once it is finished
    kept_bytes  INTEGER NOT NULL,        -- length of data
    made_at     REAL    NOT NULL,
    state       TEXT    NOT NULL CHECK (state IN ('queued', 'sending', 'sent', 'given_up')),
    attempts    INTEGER NOT NULL,        -- that were begun
    reason      TEXT    NOT NULL,        -- why the last attempt failed
    due_at      REAL    NOT NULL,        -- when its next attempt may begin
    leased_by   TEXT,                    -- NULL: free
    lease_until REAL,
    finished_at REAL                     -- NULL: it still waits
);

CREATE INDEX report_due ON report (due_at) WHERE finished_at IS NULL;
CREATE INDEX report_finished ON report (finished_at) WHERE finished_at IS NOT NULL;

-- What people did, one row for each account in each transaction; and to which messages.
CREATE TABLE act (
    seq        INTEGER PRIMARY KEY,
    at         REAL    NOT NULL,
    who        TEXT    NOT NULL,
    verb       TEXT    NOT NULL CHECK (verb IN ('retry', 'hold', 'release', 'drop')),
    account    TEXT    NOT NULL,
    messages   INTEGER NOT NULL,
    recipients INTEGER NOT NULL,
    noted      INTEGER NOT NULL, -- of the messages, those that were leased
    doubtful   INTEGER NOT NULL, -- recipients that may get a second copy by it
    is_told    INTEGER NOT NULL  -- whether a gateway has told its log
);

CREATE INDEX act_untold ON act (seq) WHERE is_told = 0;

CREATE TABLE act_message (
    message INTEGER NOT NULL REFERENCES message (seq) ON DELETE CASCADE,
    act     INTEGER NOT NULL,
    PRIMARY KEY (message, act)
) WITHOUT ROWID;

-- What is to be done to recipients of leased messages when the lease ends: few, and gone with it.
CREATE TABLE noted (
    message  INTEGER NOT NULL,
    position INTEGER NOT NULL,
    verb     TEXT    NOT NULL CHECK (verb IN ('retry', 'hold', 'release', 'drop')),
    attempts INTEGER NOT NULL, -- the recipient's at that time: who was tried since is not tried again by it
    PRIMARY KEY (message, position),
    FOREIGN KEY (message, position) REFERENCES recipient (message, position) ON DELETE CASCADE
) WITHOUT ROWID;

CREATE TABLE pause (
    account  TEXT PRIMARY KEY,
    until    REAL    NOT NULL,
    reason   TEXT    NOT NULL,
    failures INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE credential (
    account TEXT PRIMARY KEY,
    sealed  BLOB NOT NULL
) WITHOUT ROWID;

-- Who logs in: failures, blocks, and who was right before. The key of a login is a keyed fingerprint, for what is typed
-- there may be a password.
CREATE TABLE standing (
    key           TEXT PRIMARY KEY,
    failures      INTEGER NOT NULL,
    since         REAL    NOT NULL, -- when the first of these failures was
    changed_at    REAL    NOT NULL,
    until         REAL    NOT NULL, -- when it may be forgotten
    blocks        INTEGER NOT NULL, -- in a row
    blocked_until REAL    NOT NULL,
    proven_until  REAL    NOT NULL
) WITHOUT ROWID;

CREATE INDEX standing_until ON standing (until);

-- Messages that are sent while their client waits, or that it may send again without knowing what became of them. No index
-- of all: a row comes and goes with each message, few stay, and only the housekeeping looks at all of them.
CREATE TABLE doubt (
    mark        BLOB PRIMARY KEY, -- fingerprint of account, envelope and bytes
    since       REAL NOT NULL,
    until       REAL NOT NULL,    -- when it may be forgotten
    known       TEXT NOT NULL,    -- JSON: what became of it, as far as that is known
    account     TEXT,             -- whose message was taken without anybody to hear it; NULL: not known to be so
    owner       TEXT,             -- who is taking it; NULL: nobody
    token       BLOB,             -- which taking it is; NULL: none
    lease_until REAL
) WITHOUT ROWID;

CREATE INDEX doubt_unheard ON doubt (since) WHERE account IS NOT NULL;

-- One row that a health check writes, to know that the store can be written to.
CREATE TABLE probe (
    one        INTEGER PRIMARY KEY CHECK (one = 1),
    written_at REAL NOT NULL
);

-- Counts that a scrape reads without counting. SQLite has one writer at a time anyway, so one row for each count hurts nobody;
-- on PostgreSQL every transaction would queue up for these rows: count there over the partial indexes instead.
CREATE TABLE tally (
    name  TEXT PRIMARY KEY, -- a recipient's state, "messages_open" or "bytes_kept"
    value INTEGER NOT NULL
) WITHOUT ROWID;

INSERT INTO tally (name, value) VALUES
    ('queued', 0), ('sending', 0), ('unconfirmed', 0), ('held', 0),
    ('accepted', 0), ('refused', 0), ('expired', 0), ('dropped', 0),
    ('messages_open', 0), ('bytes_kept', 0);

CREATE TRIGGER recipient_came AFTER INSERT ON recipient BEGIN
    UPDATE tally SET value = value + 1 WHERE name = new.state;
END;

CREATE TRIGGER recipient_moved AFTER UPDATE OF state ON recipient WHEN old.state <> new.state BEGIN
    UPDATE tally SET value = value - 1 WHERE name = old.state;
    UPDATE tally SET value = value + 1 WHERE name = new.state;
END;

CREATE TRIGGER recipient_went AFTER DELETE ON recipient BEGIN
    UPDATE tally SET value = value - 1 WHERE name = old.state;
END;

CREATE TRIGGER message_came AFTER INSERT ON message WHEN new.finished_at IS NULL BEGIN
    UPDATE tally SET value = value + 1 WHERE name = 'messages_open';
END;

CREATE TRIGGER message_filled AFTER INSERT ON message WHEN new.kept_bytes <> 0 BEGIN
    UPDATE tally SET value = value + new.kept_bytes WHERE name = 'bytes_kept';
END;

CREATE TRIGGER message_finished AFTER UPDATE OF finished_at ON message
WHEN (old.finished_at IS NULL) <> (new.finished_at IS NULL) BEGIN
    UPDATE tally SET value = value + (new.finished_at IS NULL) - (old.finished_at IS NULL) WHERE name = 'messages_open';
END;

CREATE TRIGGER message_emptied AFTER UPDATE OF kept_bytes ON message WHEN old.kept_bytes <> new.kept_bytes BEGIN
    UPDATE tally SET value = value + new.kept_bytes - old.kept_bytes WHERE name = 'bytes_kept';
END;

CREATE TRIGGER message_went AFTER DELETE ON message BEGIN
    UPDATE tally SET value = value - (old.finished_at IS NULL) WHERE name = 'messages_open';
    UPDATE tally SET value = value - old.kept_bytes WHERE name = 'bytes_kept';
END;

CREATE TRIGGER report_came AFTER INSERT ON report BEGIN
    UPDATE tally SET value = value + new.kept_bytes WHERE name = 'bytes_kept';
END;

CREATE TRIGGER report_emptied AFTER UPDATE OF kept_bytes ON report WHEN old.kept_bytes <> new.kept_bytes BEGIN
    UPDATE tally SET value = value + new.kept_bytes - old.kept_bytes WHERE name = 'bytes_kept';
END;

CREATE TRIGGER report_went AFTER DELETE ON report BEGIN
    UPDATE tally SET value = value - old.kept_bytes WHERE name = 'bytes_kept';
END;
