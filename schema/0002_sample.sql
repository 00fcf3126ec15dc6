-- What machines report, one wide row a sample. Append-only; late rows are normal, so nothing downstream may
-- assume order. There is no unique index: the ledger (0003) keeps repeats out before they come here, which
-- leaves COPY at full speed and columnstore possible. No foreign key either: it would lock the registry row
-- of a machine in every batch.
create table sample (
    machine_id               bigint            not null,
    boot_id                  bigint            not null,  -- changes when the unit restarts; sequence counts within it
    sequence                 bigint            not null,
    recorded_at              timestamptz       not null,  -- machine clock, corrected where it was wrong: event time everywhere
    recorded_at_raw          timestamptz,                 -- what the machine's clock said, where that was not believed
    time_quality             smallint          not null,  -- 0 machine clock, 1 GPS week rollover undone, 2 estimated
    received_at              timestamptz       not null,  -- ingest
    stored_at                timestamptz       not null default now(),  -- database
    -- Signals of the catalogue; null: not reported (zero is a value).
    latitude_deg             double precision,   -- geodetic latitude
    longitude_deg            double precision,   -- longitude
    altitude_m               real,               -- altitude above mean sea level
    heading_deg              real,               -- course over ground
    ground_speed_kmh         real,               -- speed over ground from the navigation receiver
    gnss_fix                 smallint,           -- position status by ISO 11783-10 PTN
    hdop                     real,               -- horizontal dilution of precision
    engine_speed_rpm         real,               -- engine speed
    engine_torque_pct        real,               -- actual engine torque
    engine_load_pct          real,               -- at current speed
    coolant_temp_c           real,               -- engine coolant temperature
    engine_oil_temp_c        real,               -- engine oil temperature
    oil_pressure_kpa         real,               -- engine oil pressure
    fuel_rate_lph            real,               -- fuel rate
    fuel_total_l             double precision,   -- fuel burned over the engine's life
    engine_hours_h           double precision,   -- engine hours
    fuel_level_pct           real,               -- fuel level of the first tank
    ambient_temp_c           real,               -- ambient air temperature
    battery_v                real,               -- battery voltage
    trans_oil_temp_c         real,               -- transmission oil temperature
    hyd_temp_c               real,               -- hydraulic oil temperature
    rear_hitch_pct           real,               -- rear hitch position
    rear_pto_rpm             real,               -- rear power take-off speed
    actual_work_state        smallint,           -- 0 off, 1 on, 2 error, 3 undefined
    actual_working_width_m   real,               -- working width now in use
    crop_flow_kgps           real,               -- crop mass flow
    crop_moisture_pct        real                -- crop moisture
);

select create_hypertable('sample', by_range('recorded_at', interval '1 day'), create_default_indexes => false);

-- The one access path: a machine over a period. Ascending, because rows arrive that way and it loads a tenth faster.
create index sample_machine_recorded_at on sample (machine_id, recorded_at);

-- Signals without a column of their own, and raw ones that only their maker understands.
create table signal_sample (
    machine_id   bigint           not null,
    recorded_at  timestamptz      not null,  -- as in sample
    signal_id    integer          not null,  -- catalogue number; 65536 + DDI and 1048576 + SPN are raw
    value        double precision not null   -- in the unit of the catalogue; raw ones as sent
);

select create_hypertable('signal_sample', by_range('recorded_at', interval '1 day'), create_default_indexes => false);

create index signal_sample_machine_recorded_at on signal_sample (machine_id, recorded_at);
