-- The ledger: which sequence numbers of a boot are in the store. It is extended in the transaction that stores
-- the rows, so a repeat is recognised whatever path it took, and it is the completeness record a farm can show.
create table stored_sequence (
    machine_id         bigint         not null,
    boot_id            bigint         not null,
    stored             int8multirange not null default '{}',
    refused            int8multirange not null default '{}',  -- accounted for, in quarantine, never to be sent again
    duplicate_count    bigint         not null default 0,     -- records that came again
    first_received_at  timestamptz    not null,
    last_received_at   timestamptz    not null,
    primary key (machine_id, boot_id)
) with (fillfactor = 70);  -- each batch updates rows in place

-- The same by local day of recorded_at, for "how complete is this day".
create table stored_day (
    machine_id       bigint         not null,
    day              date           not null,  -- in the configured time zone
    boot_id          bigint         not null,
    stored           int8multirange not null default '{}',
    refused          int8multirange not null default '{}',
    late_count       bigint         not null default 0,  -- stored long after they were recorded
    duplicate_count  bigint         not null default 0,
    estimated_count  bigint         not null default 0,  -- stored with a corrected or estimated time
    value_refused_count bigint      not null default 0,  -- single values left out of stored records
    primary key (machine_id, day, boot_id)
) with (fillfactor = 70);

-- A boot's days in sequence order, to place its gaps.
create index stored_day_boot on stored_day (machine_id, boot_id);
