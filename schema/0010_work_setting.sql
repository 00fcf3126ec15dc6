-- What is known of machines and implements beyond what they report: widths, offsets, tanks. Sessions are computed with it.
create table implement (
    implement_id    bigint           not null generated always as identity primary key,
    name            text             not null unique,
    operation       text,             -- what is done with it, ploughing; null: various
    width_m         double precision check (width_m between 0.1 and 100),
    offset_ahead_m  double precision not null default 0,  -- ahead of the antenna; negative: behind
    offset_right_m  double precision not null default 0   -- its middle right of the antenna
);

-- Which machine had which implement when. Of overlapping uses the one that began later counts.
create table implement_use (
    implement_use_id  bigint      not null generated always as identity primary key,
    machine_id        bigint      not null references machine,
    implement_id      bigint      not null references implement,
    from_at           timestamptz not null,
    to_at             timestamptz,             -- null: still on the machine
    check (to_at > from_at)
);

create index implement_use_machine on implement_use (machine_id, from_at);

create table machine_work (
    machine_id      bigint           not null primary key references machine,
    operation       text,             -- what the machine does when nothing else tells: a combine threshes
    width_m         double precision check (width_m between 0.1 and 100),  -- its own working width: a header
    tank_l          double precision check (tank_l between 1 and 5000),    -- makes litres of a fuel level
    fuel_source     text,             -- the only source to use; null: the best there is
    mass_factor     double precision check (mass_factor between 0.2 and 5),  -- weighbridge over monitor
    offset_ahead_m  double precision not null default 0,
    offset_right_m  double precision not null default 0
);
