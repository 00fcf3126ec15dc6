-- How far health has come on each machine, and where it can be taken up again. A checkpoint is a cache: deleting all
-- of them makes the next run begin at the first sample.
create table health_progress (
    machine_id   bigint      not null primary key,
    dirty_from   timestamptz,                   -- earliest record not yet followed; null: all are
    judged_at    timestamptz not null           -- last look at what depends on the clock alone: silence, dates
);

create index health_progress_dirty on health_progress (machine_id) where dirty_from is not null;
create index health_progress_judged on health_progress (judged_at);

create table health_checkpoint (
    machine_id  bigint      not null,
    at          timestamptz not null,  -- every record before this has been followed, none after
    rules       bigint      not null,  -- digest of rules and model: a state of others is not taken up
    state       bytea       not null,
    primary key (machine_id, at)
);

-- What a local day of a machine amounts to: its use, and the figures that trends compare.
create table health_day (
    machine_id  bigint      not null,
    day         date        not null,  -- in the configured time zone, from midnight
    first_at    timestamptz not null,
    last_at     timestamptz not null,
    figures     jsonb       not null,  -- running time, engine hours and fuel at both ends, figures by trend and class
    primary key (machine_id, day)
);

create index health_day_day on health_day (day);

-- What has been usual on a machine lately, by trend and class: what the others of its model are compared with.
create table health_usual (
    machine_id  bigint  not null primary key,
    model       text    not null,
    day         date    not null,  -- last day that counts
    figures     jsonb   not null
);

create index health_usual_model on health_usual (model);
