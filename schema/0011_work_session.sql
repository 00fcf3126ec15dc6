-- Field work as a farm signs it: one row a session. Computed from samples and settings, and computed anew when either
-- changes; the columns repeat of `figures` what is searched and summed.
create table work_session (
    work_session_id  bigint           not null generated always as identity primary key,
    machine_id       bigint           not null,
    working_day      date             not null,  -- the local date on which the working day began
    season           smallint         not null,  -- year of the harvest that the work serves
    started_at       timestamptz      not null,
    ended_at         timestamptz      not null,
    field_id         bigint,                     -- null: outside known fields
    field_name       text,                       -- of the field, or as the task calls it
    operation        text             not null,
    crop             text,
    operator         text,
    implement        text,
    union_m2         double precision,           -- each place once; null: no width
    swept_m2         double precision,           -- width × distance
    total_s          double precision not null,
    working_s        double precision not null,
    idle_s           double precision not null,
    working_m        double precision not null,
    fuel_l           double precision,
    wet_kg           double precision,
    dry_kg           double precision,
    standard_kg      double precision,
    -- The box around the worked ground, to find sessions that a changed boundary concerns.
    south_deg        double precision,
    west_deg         double precision,
    north_deg        double precision,
    east_deg         double precision,
    figures          json             not null,  -- everything; json keeps the text, so that equal is equal to the bit
    revision         integer          not null default 1,
    computed_at      timestamptz      not null default now(),
    may_grow         boolean          not null,  -- the machine may still be at it; figures then change without a revision
    confirmed_at     timestamptz,                -- figures stay as they were then
    confirmed_by     text,
    proposal         json                        -- of a confirmed one: what it would be now; null: the same
);

create index work_session_machine_day on work_session (machine_id, working_day);
create index work_session_day on work_session (working_day);
create index work_session_field on work_session (field_id, working_day) where field_id is not null;

-- What stood before: the figures of earlier revisions, and of sessions that are no more.
create table work_session_revision (
    work_session_id  bigint      not null,
    revision         integer     not null,
    machine_id       bigint      not null,
    working_day      date        not null,
    computed_at      timestamptz not null,
    replaced_at      timestamptz not null default now(),
    is_withdrawn     boolean     not null,  -- computed anew, there was no such session
    figures          json        not null,
    primary key (work_session_id, revision)
);
