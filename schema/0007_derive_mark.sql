-- Where derived results are out of date. Ingest adds a row in the transaction that stores new records, a changed
-- setting adds rows too; whoever recomputes takes them and deletes them in the transaction that replaces the
-- results. Rows are never updated, so storing never waits for recomputing.
create table derive_mark (
    derive_mark_id  bigint      not null generated always as identity primary key,
    machine_id      bigint      not null,
    from_at         timestamptz not null,  -- earliest record concerned
    to_at           timestamptz not null,  -- latest, inclusive
    marked_at       timestamptz not null default now()
);

create index derive_mark_machine on derive_mark (machine_id);
