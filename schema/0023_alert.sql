-- What people work on: one row for each subject of a machine, for ever. Nothing vanishes by itself: an alert whose
-- trouble is gone stays until a person closes it, and comes back with its history when the trouble does.
create table alert (
    alert_id        bigint      not null generated always as identity primary key,
    machine_id      bigint      not null,
    subject         text        not null,  -- as in health_episode
    severity        smallint    not null,  -- of the latest episode
    opened_at       timestamptz not null,  -- beginning of the latest episode, machine clock
    active          boolean     not null,  -- whether an episode lasts
    gone_at         timestamptz,           -- end of the latest episode, where none lasts
    episode_count   integer     not null,
    state           text        not null check (state in ('new', 'acknowledged', 'in_work', 'closed')),
    state_at        timestamptz not null,  -- when a person, or a return of the trouble, set it
    assignee        text,
    raised_at       timestamptz not null default now(),
    unique (machine_id, subject)
);

create index alert_worklist on alert (severity desc, opened_at desc) where state <> 'closed';

-- Everything that happened to an alert, by machine and by people. Append-only.
create table alert_history (
    alert_history_id   bigint      not null generated always as identity primary key,
    alert_id           bigint      not null references alert,
    at                 timestamptz not null default now(),
    actor              text        not null,  -- a person, or 'machine'
    action             text        not null check (action in
                           ('opened', 'returned', 'raised', 'gone', 'withdrawn', 'reopened',
                            'acknowledged', 'in_work', 'closed', 'assigned', 'noted')),
    device_at          timestamptz,           -- when it happened by the machine's clock
    health_episode_id  bigint,
    note               text
);

create index alert_history_alert on alert_history (alert_id, alert_history_id);
