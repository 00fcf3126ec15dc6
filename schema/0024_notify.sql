-- Where alerts are delivered to.
create table notify_channel (
    notify_channel_id  bigint      not null generated always as identity primary key,
    name               text        not null unique,
    kind               text        not null check (kind in ('webhook', 'mail', 'mqtt')),
    target             text        not null,  -- address of the webhook, of the mailbox, topic
    secret             text,                  -- key of the webhook's signature
    language           text        not null check (language in ('ru', 'en')),
    severity_min       smallint    not null,
    models             text[]      not null default '{}',  -- patterns, mtz-*; empty: every model
    tell_gone          boolean     not null,  -- also when the trouble is over
    enabled            boolean     not null default true,
    created_at         timestamptz not null default now()  -- what began before is not told
);

-- What is to be delivered, and what was. One row for each thing told to each receiver, whatever is recomputed.
create table delivery (
    delivery_id        bigint      not null generated always as identity primary key,
    notify_channel_id  bigint      not null references notify_channel on delete cascade,
    alert_id           bigint      not null references alert,
    health_episode_id  bigint      not null,
    event              text        not null,  -- opened, returned, raised_4, gone
    body               jsonb       not null,  -- what is told, the same at each attempt
    state              text        not null default 'waiting' check (state in ('waiting', 'delivered', 'dead')),
    attempts           integer     not null default 0,
    next_attempt_at    timestamptz not null default now(),
    delivered_at       timestamptz,
    last_error         text,
    created_at         timestamptz not null default now(),
    unique (notify_channel_id, health_episode_id, event)
);

create index delivery_waiting on delivery (next_attempt_at) where state = 'waiting';
