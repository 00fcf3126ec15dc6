-- Times during which something was wrong, derived: trouble codes, rules, trends, service. Recomputing replaces them,
-- but a row that covers the same time keeps its number, so that what people and receivers were told stays tied to it.
create table health_episode (
    health_episode_id  bigint      not null generated always as identity primary key,
    machine_id         bigint      not null,
    subject            text        not null,  -- fault/0/110/16, rule/coolant_hot, trend/…, service/to_1
    severity           smallint    not null,
    opened_at          timestamptz not null,  -- machine clock
    fired_at           timestamptz not null,  -- when there was enough of it to say so
    closed_at          timestamptz,           -- null: it lasts
    settled_at         timestamptz,           -- record after which nothing earlier changes the end
    evidence           jsonb       not null,
    withdrawn_at       timestamptz,           -- records that came later do not bear it out; kept, for it was told
    first_stored_at    timestamptz not null default now()
);

create index health_episode_machine on health_episode (machine_id, subject, opened_at);
create index health_episode_unsettled on health_episode (machine_id) where settled_at is null;

-- All signals around the beginning and the end of an episode, pinned: retention does not touch them. Frames of the
-- wire format, as many as are needed, in order.
create table freeze_frame (
    health_episode_id  bigint      not null references health_episode on delete cascade,
    moment             text        not null check (moment in ('onset', 'end')),
    part               smallint    not null,
    at                 timestamptz not null,  -- the moment
    from_at            timestamptz not null,  -- half-open period
    to_at              timestamptz not null,
    sample_count       integer     not null,
    frame              bytea       not null,
    primary key (health_episode_id, moment, part)
);
