-- The store: one row for each message, its body in parts beside it, one row for each recipient, attempts as append-only
-- history. The same shape as in ../sqlite/0001.sql, where each column is told; here is what differs, and why.
--
-- Times are seconds since the epoch, from the clock of the node that writes; but leases (lease_until, wherever it stands) are by
-- the clock of this server, so that no node whose clock is wrong takes another's messages. Whoever changes the recipients
-- of a message has its row in `message` locked.

CREATE SEQUENCE message_seq;

CREATE TABLE message (
    seq         bigint PRIMARY KEY DEFAULT nextval('message_seq'),
    id          text COLLATE "C" NOT NULL UNIQUE,
    account     text COLLATE "C" NOT NULL,
    client      text             NOT NULL,
    mode        text             NOT NULL,
    mail_from   text             NOT NULL,
    ret         text             NOT NULL,
    envid       text             NOT NULL,
    envelope    text,
    notes       text             NOT NULL,
    recipients  integer          NOT NULL,
    size        bigint           NOT NULL,
    kept_bytes  bigint           NOT NULL,
    received_at double precision NOT NULL,
    expires_at  double precision NOT NULL,
    due_at      double precision,
    leased_by   text COLLATE "C",
    lease_until double precision,
    lease       integer          NOT NULL,
    finished_at double precision,
    notice_at   double precision,
    report_due_at double precision
) WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);

CREATE INDEX message_due ON message (due_at, seq) WHERE leased_by IS NULL AND due_at IS NOT NULL;
CREATE INDEX message_account_due ON message (account, due_at, seq) WHERE leased_by IS NULL AND due_at IS NOT NULL;
CREATE INDEX message_lease ON message (lease_until) WHERE leased_by IS NOT NULL;
CREATE INDEX message_leased_by ON message (leased_by) WHERE leased_by IS NOT NULL;
CREATE INDEX message_open ON message (received_at, seq) WHERE finished_at IS NULL;
CREATE INDEX message_finished ON message (finished_at) WHERE finished_at IS NOT NULL;
CREATE INDEX message_volume ON message (account, received_at) INCLUDE (recipients);

CREATE INDEX message_report_due ON message (report_due_at) WHERE report_due_at IS NOT NULL;

-- Always in the database, for there other nodes must be able to read it; in parts, so that nobody needs memory for the whole
-- of a big one. Not tied to `message`: the parts of a big body are there before the message is.
CREATE TABLE body (
    message bigint  NOT NULL,
    part    integer NOT NULL,
    data    bytea   NOT NULL,
    PRIMARY KEY (message, part)
) WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);

-- Base64 does not get shorter by what costs the server so much.
ALTER TABLE body ALTER COLUMN data SET STORAGE EXTERNAL;

-- Big bodies whose message is about to come; of a node that died before, they are swept away.
CREATE TABLE staged (
    message   bigint PRIMARY KEY,
    staged_at double precision NOT NULL -- by the clock of this server
);

CREATE TABLE recipient (
    message             bigint           NOT NULL REFERENCES message (seq) ON DELETE CASCADE,
    position            integer          NOT NULL,
    address             text             NOT NULL,
    mailbox             text COLLATE "C" NOT NULL,
    role                text             NOT NULL,
    name                text             NOT NULL,
    notify              text             NOT NULL,
    orcpt               text             NOT NULL,
    state               text COLLATE "C" NOT NULL CHECK (state IN
        ('queued', 'sending', 'unconfirmed', 'held', 'accepted', 'refused', 'expired', 'dropped')),
    attempts            integer          NOT NULL,
    provider_message_id text COLLATE "C" NOT NULL,
    provider_batch_id   text COLLATE "C" NOT NULL,
    reason              text             NOT NULL,
    changed_at          double precision NOT NULL,
    due_at              double precision,
    status              text             NOT NULL,
    owed                text CHECK (owed IN ('failed', 'relayed')),
    PRIMARY KEY (message, position)
) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);

CREATE INDEX recipient_provider_message ON recipient (provider_message_id) WHERE provider_message_id <> '';
CREATE INDEX recipient_provider_batch ON recipient (provider_batch_id) WHERE provider_batch_id <> '';
CREATE INDEX recipient_mailbox ON recipient (mailbox);

CREATE INDEX recipient_doubted ON recipient (changed_at) WHERE state IN ('unconfirmed', 'held');

CREATE TABLE attempt (
    message             bigint           NOT NULL,
    position            integer          NOT NULL,
    entry               integer          NOT NULL,
    number              integer          NOT NULL,
    owner               text             NOT NULL,
    begun_at            double precision NOT NULL,
    ended_at            double precision NOT NULL,
    seconds             double precision,
    call                text             NOT NULL,
    outcome             text             NOT NULL CHECK (outcome IN ('accepted', 'refused', 'deferred', 'interrupted')),
    maybe_accepted      boolean          NOT NULL,
    reason              text             NOT NULL,
    provider_message_id text             NOT NULL,
    provider_batch_id   text             NOT NULL,
    PRIMARY KEY (message, position, entry),
    FOREIGN KEY (message, position) REFERENCES recipient (message, position) ON DELETE CASCADE
);

CREATE TABLE report (
    seq         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id          text COLLATE "C" NOT NULL UNIQUE,
    message     text COLLATE "C" NOT NULL,
    account     text             NOT NULL,
    sender      text             NOT NULL,
    data        bytea            NOT NULL,
    kept_bytes  bigint           NOT NULL,
    made_at     double precision NOT NULL,
    state       text             NOT NULL CHECK (state IN ('queued', 'sending', 'sent', 'given_up')),
    attempts    integer          NOT NULL,
    reason      text             NOT NULL,
    due_at      double precision NOT NULL,
    leased_by   text COLLATE "C",
    lease_until double precision,
    finished_at double precision
);

ALTER TABLE report ALTER COLUMN data SET STORAGE EXTERNAL;
CREATE INDEX report_due ON report (due_at) WHERE finished_at IS NULL;
CREATE INDEX report_finished ON report (finished_at) WHERE finished_at IS NOT NULL;

CREATE TABLE act (
    seq        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at         double precision NOT NULL,
    who        text             NOT NULL,
    verb       text             NOT NULL CHECK (verb IN ('retry', 'hold', 'release', 'drop')),
    account    text             NOT NULL,
    messages   integer          NOT NULL,
    recipients integer          NOT NULL,
    noted      integer          NOT NULL,
    doubtful   integer          NOT NULL,
    is_told    boolean          NOT NULL
);

CREATE INDEX act_untold ON act (seq) WHERE NOT is_told;

CREATE TABLE act_message (
    message bigint NOT NULL REFERENCES message (seq) ON DELETE CASCADE,
    act     bigint NOT NULL,
    PRIMARY KEY (message, act)
);

CREATE TABLE noted (
    message  bigint  NOT NULL,
    position integer NOT NULL,
    verb     text    NOT NULL CHECK (verb IN ('retry', 'hold', 'release', 'drop')),
    attempts integer NOT NULL,
    PRIMARY KEY (message, position),
    FOREIGN KEY (message, position) REFERENCES recipient (message, position) ON DELETE CASCADE
);

CREATE TABLE pause (
    account  text COLLATE "C" PRIMARY KEY,
    until    double precision NOT NULL,
    reason   text             NOT NULL,
    failures integer          NOT NULL
);

CREATE TABLE credential (
    account text COLLATE "C" PRIMARY KEY,
    sealed  bytea NOT NULL
);

CREATE TABLE standing (
    key           text COLLATE "C" PRIMARY KEY,
    failures      integer          NOT NULL,
    since         double precision NOT NULL,
    changed_at    double precision NOT NULL,
    until         double precision NOT NULL,
    blocks        integer          NOT NULL,
    blocked_until double precision NOT NULL,
    proven_until  double precision NOT NULL
);

CREATE INDEX standing_until ON standing (until);

CREATE TABLE doubt (
    mark        bytea PRIMARY KEY,
    since       double precision NOT NULL,
    until       double precision NOT NULL,
    known       text             NOT NULL,
    account     text COLLATE "C",
    owner       text COLLATE "C",
    token       bytea,
    lease_until double precision
);

CREATE INDEX doubt_unheard ON doubt (since) WHERE account IS NOT NULL;

-- Who writes, and how many groups it has committed. Each group signs here: where a connection was lost during COMMIT, the
-- next one finds out what became of it.
CREATE TABLE writer (
    id         text PRIMARY KEY,
    groups     bigint           NOT NULL,
    written_at double precision NOT NULL -- by the clock of this server
);

-- Counts that a scrape reads without counting. Each session has rows of its own, so that nobody waits for another's; what
-- counts is the sum. Rows of sessions that have ended are added up under session 0.
CREATE TABLE tally (
    session integer NOT NULL,
    name    text COLLATE "C" NOT NULL, -- a recipient's state, "messages_open" or "bytes_kept"
    value   bigint  NOT NULL,
    PRIMARY KEY (session, name)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.02);

CREATE FUNCTION count_recipients() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO relay.tally AS kept (session, name, value)
        SELECT pg_backend_pid(), state, count(*) FROM came GROUP BY state
        ON CONFLICT (session, name) DO UPDATE SET value = kept.value + excluded.value;
    ELSIF TG_OP = 'DELETE' THEN
        INSERT INTO relay.tally AS kept (session, name, value)
        SELECT pg_backend_pid(), state, -count(*) FROM went GROUP BY state
        ON CONFLICT (session, name) DO UPDATE SET value = kept.value + excluded.value;
    ELSE
        INSERT INTO relay.tally AS kept (session, name, value)
        SELECT pg_backend_pid(), state, sum(step)
        FROM (SELECT state, 1 AS step FROM came UNION ALL SELECT state, -1 FROM went) AS moved
        GROUP BY state HAVING sum(step) <> 0
        ON CONFLICT (session, name) DO UPDATE SET value = kept.value + excluded.value;
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER recipient_came AFTER INSERT ON recipient
    REFERENCING NEW TABLE AS came FOR EACH STATEMENT EXECUTE FUNCTION count_recipients();
CREATE TRIGGER recipient_moved AFTER UPDATE ON recipient
    REFERENCING OLD TABLE AS went NEW TABLE AS came FOR EACH STATEMENT EXECUTE FUNCTION count_recipients();
CREATE TRIGGER recipient_went AFTER DELETE ON recipient
    REFERENCING OLD TABLE AS went FOR EACH STATEMENT EXECUTE FUNCTION count_recipients();

CREATE FUNCTION count_messages() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    open_step bigint := 0;
    kept_step bigint := 0;
BEGIN
    IF TG_OP <> 'DELETE' THEN
        SELECT count(*) FILTER (WHERE finished_at IS NULL), coalesce(sum(kept_bytes), 0)
        INTO open_step, kept_step FROM came;
    END IF;
    IF TG_OP <> 'INSERT' THEN
        SELECT open_step - count(*) FILTER (WHERE finished_at IS NULL), kept_step - coalesce(sum(kept_bytes), 0)
        INTO open_step, kept_step FROM went;
    END IF;
    INSERT INTO relay.tally AS kept (session, name, value)
    SELECT pg_backend_pid(), name, step FROM (VALUES ('messages_open', open_step), ('bytes_kept', kept_step)) AS moved (name, step)
    WHERE step <> 0
    ON CONFLICT (session, name) DO UPDATE SET value = kept.value + excluded.value;
    RETURN NULL;
END
$$;

CREATE TRIGGER message_came AFTER INSERT ON message
    REFERENCING NEW TABLE AS came FOR EACH STATEMENT EXECUTE FUNCTION count_messages();
CREATE TRIGGER message_moved AFTER UPDATE ON message
    REFERENCING OLD TABLE AS went NEW TABLE AS came FOR EACH STATEMENT EXECUTE FUNCTION count_messages();
CREATE TRIGGER message_went AFTER DELETE ON message
    REFERENCING OLD TABLE AS went FOR EACH STATEMENT EXECUTE FUNCTION count_messages();

CREATE FUNCTION count_reports() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    step bigint := 0;
BEGIN
    IF TG_OP <> 'DELETE' THEN
        SELECT coalesce(sum(kept_bytes), 0) INTO step FROM came;
    END IF;
    IF TG_OP <> 'INSERT' THEN
        SELECT step - coalesce(sum(kept_bytes), 0) INTO step FROM went;
    END IF;
    INSERT INTO relay.tally AS kept (session, name, value) SELECT pg_backend_pid(), 'bytes_kept', step WHERE step <> 0
    ON CONFLICT (session, name) DO UPDATE SET value = kept.value + excluded.value;
    RETURN NULL;
END
$$;

CREATE TRIGGER report_came AFTER INSERT ON report
    REFERENCING NEW TABLE AS came FOR EACH STATEMENT EXECUTE FUNCTION count_reports();
CREATE TRIGGER report_moved AFTER UPDATE ON report
    REFERENCING OLD TABLE AS went NEW TABLE AS came FOR EACH STATEMENT EXECUTE FUNCTION count_reports();
CREATE TRIGGER report_went AFTER DELETE ON report
    REFERENCING OLD TABLE AS went FOR EACH STATEMENT EXECUTE FUNCTION count_reports();
