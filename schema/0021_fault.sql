-- Faults with a life, derived from fault_report: one row for each code of each controller of a machine.
create table fault (
    machine_id          bigint      not null,
    source_address      smallint    not null,
    spn                 integer     not null,
    fmi                 smallint    not null,
    legacy              boolean     not null,  -- the number has an older bit order and is uncertain
    severity            smallint    not null,  -- 4 stop, 3 urgent, 2 plan, 1 information
    first_seen_at       timestamptz not null,
    last_seen_at        timestamptz not null,  -- last report that named it as active
    active_since_at     timestamptz,           -- present or latest activation; null: known from DM2 alone
    gone_at             timestamptz,           -- its end; null: it lasts
    cleared_at          timestamptz,           -- the controller's list was cleared of it
    listed              boolean     not null,  -- the controller lists it as previously active
    activations         integer     not null,
    unseen_activations  integer     not null,  -- that only the occurrence count tells of
    occurrence_count    smallint,              -- null: not available
    lamp_state          smallint    not null,
    lamp_flash          smallint    not null,
    primary key (machine_id, source_address, spn, fmi, legacy)
);

-- The same fault on other machines.
create index fault_code on fault (spn, fmi);
create index fault_active on fault (severity desc, active_since_at desc) where gone_at is null and active_since_at is not null;
