-- Diagnostic captures: who asked which machine for what, and what came of it. Rows are never deleted: it is the audit.
create table capture (
    capture_id      bigint      not null generated always as identity primary key,
    request         text        not null unique,  -- identity on the wire
    machine_id      bigint      not null,
    asked_by        text        not null,         -- name of the token or the user
    asked_at        timestamptz not null default now(),
    signals         text[]      not null,         -- by name
    rate_hz         real        not null,
    duration_s      integer     not null,
    state           text        not null default 'asked'
                    check (state in ('asked', 'accepted', 'refused', 'done', 'silent', 'failed')),
    state_at        timestamptz not null default now(),
    detail          text,                         -- why refused or failed
    missing         text[]      not null default '{}',  -- signals that the machine does not report
    boot_id         bigint,                       -- where its records are: from first_sequence up to end_sequence
    first_sequence  bigint,
    end_sequence    bigint,
    sample_count    integer
);

create index capture_machine on capture (machine_id, asked_at);
