-- Sums over the sessions of one machine and working day that agree in all that people group by. A day of a machine is
-- the bucket: it is summed anew, whole, in the transaction that changes one of its sessions.
create table work_total (
    machine_id   bigint           not null,
    working_day  date             not null,
    season       smallint         not null,
    field_id     bigint,
    field_name   text,
    operation    text             not null,
    crop         text,
    operator     text,
    sessions     bigint           not null,
    confirmed    bigint           not null,  -- sessions of these that a person confirmed
    union_m2     double precision not null,
    swept_m2     double precision not null,
    total_s      double precision not null,
    working_s    double precision not null,
    idle_s       double precision not null,
    working_m    double precision not null,
    fuel_l       double precision,           -- null: nothing told it
    fuel_m2      double precision not null,  -- area of the sessions whose fuel is known: what litres per hectare divide by
    wet_kg       double precision,
    dry_kg       double precision,
    standard_kg  double precision,
    crop_m2      double precision not null   -- area of the sessions whose crop was weighed
);

create index work_total_machine_day on work_total (machine_id, working_day);
create index work_total_day on work_total (working_day);
