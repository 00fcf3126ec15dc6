-- Diagnostic reports (J1939-73 DM1, DM2) as machines sent them; faults with a life are derived from these.
create table fault_report (
    machine_id       bigint      not null,
    boot_id          bigint      not null,
    sequence         bigint      not null,
    recorded_at      timestamptz not null,
    recorded_at_raw  timestamptz,
    time_quality     smallint    not null,
    received_at      timestamptz not null,
    stored_at        timestamptz not null default now(),
    active           boolean     not null,  -- true DM1, false DM2
    source_address   smallint    not null,
    lamp_state       smallint    not null,  -- byte 1 of the message
    lamp_flash       smallint    not null,  -- byte 2
    codes            integer[]   not null   -- four integers a code: spn, fmi, occurrence count, conversion method
);

create index fault_report_machine_recorded_at on fault_report (machine_id, recorded_at);

-- Task events with the machine's own totals.
create table task_report (
    machine_id       bigint      not null,
    boot_id          bigint      not null,
    sequence         bigint      not null,
    recorded_at      timestamptz not null,
    recorded_at_raw  timestamptz,
    time_quality     smallint    not null,
    received_at      timestamptz not null,
    stored_at        timestamptz not null default now(),
    event            text        not null check (event in ('started', 'totals', 'paused', 'completed')),
    task             text        not null,
    field            text        not null,  -- empty: the machine knows none
    operator         text        not null,
    implement        text        not null,
    operation        text        not null,
    crop             text        not null,
    signal_ids       integer[]   not null,  -- of the totals
    totals           double precision[] not null  -- in the unit of the catalogue
);

create index task_report_machine_recorded_at on task_report (machine_id, recorded_at);
