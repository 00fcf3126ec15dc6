-- The last known state of each machine, for lists and maps: one row a machine, updated with each batch.
create table machine_state (
    machine_id        bigint      not null primary key references machine,
    recorded_at       timestamptz,  -- newest sample
    received_at       timestamptz,  -- last contact of any kind
    link              text check (link in ('online', 'offline')),
    link_changed_at   timestamptz,
    firmware          text,
    -- Newest reported value of each; null: never reported.
    latitude_deg      double precision,
    longitude_deg     double precision,
    heading_deg       real,
    ground_speed_kmh  real,
    engine_speed_rpm  real,
    fuel_level_pct    real,
    engine_hours_h    double precision,
    coolant_temp_c    real
) with (fillfactor = 50);
