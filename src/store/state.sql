-- Instants come as microseconds since 2000.
with new as (
    select machine_id,
           timestamptz '2000-01-01Z' + received * interval '1 microsecond' as received_at,
           timestamptz '2000-01-01Z' + recorded * interval '1 microsecond' as recorded_at,
           link,
           timestamptz '2000-01-01Z' + link_at * interval '1 microsecond' as link_changed_at,
           firmware, latitude_deg, longitude_deg, heading_deg, ground_speed_kmh, engine_speed_rpm, fuel_level_pct,
           engine_hours_h, coolant_temp_c
    from unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::text[], $5::bigint[], $6::text[],
                $7::double precision[], $8::double precision[], $9::double precision[], $10::double precision[],
                $11::double precision[], $12::double precision[], $13::double precision[], $14::double precision[])
         as new (machine_id, received, recorded, link, link_at, firmware, latitude_deg, longitude_deg, heading_deg,
                 ground_speed_kmh, engine_speed_rpm, fuel_level_pct, engine_hours_h, coolant_temp_c)
    order by machine_id  -- one direction of waiting between processes
)
insert into machine_state as old
       (machine_id, received_at, recorded_at, link, link_changed_at, firmware, latitude_deg, longitude_deg,
        heading_deg, ground_speed_kmh, engine_speed_rpm, fuel_level_pct, engine_hours_h, coolant_temp_c)
select machine_id, received_at, recorded_at, link, link_changed_at, firmware, latitude_deg, longitude_deg,
       heading_deg, ground_speed_kmh, engine_speed_rpm, fuel_level_pct, engine_hours_h, coolant_temp_c
from new
on conflict (machine_id) do update
set received_at = greatest(old.received_at, excluded.received_at),
    recorded_at = greatest(old.recorded_at, excluded.recorded_at),
    -- The link is what was said last, and changed when it was first said.
    link = coalesce(excluded.link, old.link),
    link_changed_at = case when excluded.link is distinct from old.link
                           then coalesce(excluded.link_changed_at, old.link_changed_at)
                           else old.link_changed_at end,
    firmware = coalesce(excluded.firmware, old.firmware),
    -- A backlog must not overwrite what is newer.
    latitude_deg     = case when excluded.recorded_at < old.recorded_at then coalesce(old.latitude_deg, excluded.latitude_deg)
                            else coalesce(excluded.latitude_deg, old.latitude_deg) end,
    longitude_deg    = case when excluded.recorded_at < old.recorded_at then coalesce(old.longitude_deg, excluded.longitude_deg)
                            else coalesce(excluded.longitude_deg, old.longitude_deg) end,
    heading_deg      = case when excluded.recorded_at < old.recorded_at then coalesce(old.heading_deg, excluded.heading_deg)
                            else coalesce(excluded.heading_deg, old.heading_deg) end,
    ground_speed_kmh = case when excluded.recorded_at < old.recorded_at then coalesce(old.ground_speed_kmh, excluded.ground_speed_kmh)
                            else coalesce(excluded.ground_speed_kmh, old.ground_speed_kmh) end,
    engine_speed_rpm = case when excluded.recorded_at < old.recorded_at then coalesce(old.engine_speed_rpm, excluded.engine_speed_rpm)
                            else coalesce(excluded.engine_speed_rpm, old.engine_speed_rpm) end,
    fuel_level_pct   = case when excluded.recorded_at < old.recorded_at then coalesce(old.fuel_level_pct, excluded.fuel_level_pct)
                            else coalesce(excluded.fuel_level_pct, old.fuel_level_pct) end,
    engine_hours_h   = case when excluded.recorded_at < old.recorded_at then coalesce(old.engine_hours_h, excluded.engine_hours_h)
                            else coalesce(excluded.engine_hours_h, old.engine_hours_h) end,
    coolant_temp_c   = case when excluded.recorded_at < old.recorded_at then coalesce(old.coolant_temp_c, excluded.coolant_temp_c)
                            else coalesce(excluded.coolant_temp_c, old.coolant_temp_c) end
