-- What a machine did in a working day, field work or not: where its time, its way and its fuel went, and why there is
-- no session where there is none.
create table work_day (
    machine_id   bigint           not null,
    working_day  date             not null,
    samples      bigint           not null,
    off_s        double precision not null,
    idle_s       double precision not null,
    transport_s  double precision not null,
    turning_s    double precision not null,
    working_s    double precision not null,
    unloading_s  double precision not null,
    distance_m   double precision not null,
    fuel_l       double precision,
    no_session   text,                       -- why there is none; null: there is one
    figures      json             not null,  -- everything
    computed_at  timestamptz      not null default now(),
    primary key (machine_id, working_day)
);

create index work_day_day on work_day (working_day);
