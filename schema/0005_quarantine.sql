-- What was refused, with its bytes and the reason. The same bytes on the same topic are one row that counts.
create table quarantine (
    quarantine_id   bigint      not null generated always as identity primary key,
    digest          bytea       not null unique,  -- sha-256 of topic, reason and bytes
    first_seen_at   timestamptz not null,
    last_seen_at    timestamptz not null,
    seen_count      bigint      not null default 1,
    topic           text        not null,
    machine_id      bigint,               -- null: not known
    boot_id         bigint,
    first_sequence  bigint,               -- of the refused records, where they are known
    record_count    bigint      not null, -- records refused; 0: only single values, or unknown
    value_count     bigint      not null, -- single values left out of stored records
    reason          text        not null, -- stable word: checksum, out_of_range, unknown_signal …
    detail          text        not null, -- what, where and the mend
    payload         bytea       not null  -- the message, cut at the configured length
);

create index quarantine_machine on quarantine (machine_id, last_seen_at);
create index quarantine_last_seen on quarantine (last_seen_at);
