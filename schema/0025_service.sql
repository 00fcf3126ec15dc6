-- Services that were done. Append-only; a mistake is struck out, not deleted.
create table service_done (
    service_done_id  bigint           not null generated always as identity primary key,
    machine_id       bigint           not null references machine,
    item             text             not null,  -- item of the service plan
    done_at          timestamptz      not null,
    total_h          double precision,           -- engine hours in all, across replaced meters; null: told by the day
    meter_h          double precision,           -- what the meter showed, as noted
    actor            text             not null,
    note             text,
    entered_at       timestamptz      not null default now(),
    struck_at        timestamptz,
    struck_by        text
);

create index service_done_machine on service_done (machine_id, done_at);

-- The engine's hours as they are believed: a meter that jumped or was replaced does not show here.
create table machine_hours (
    machine_id  bigint           not null primary key,
    at          timestamptz      not null,  -- last report that was believed
    meter_h     double precision not null,  -- what it said
    total_h     double precision not null,  -- counted in all
    glitches    integer          not null   -- reports that were not believed
);
