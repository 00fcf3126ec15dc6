-- Average load and highest speed of machines, each over the 24 hours before an instant of its own. Instants come as
-- microseconds since 2000.
with asked as (
    select machine_id, timestamptz '2000-01-01Z' + until_us * interval '1 microsecond' as until_at
    from unnest($1::bigint[], $2::bigint[]) as asked (machine_id, until_us)
)
select asked.machine_id,
       asked.until_at,
       -- Over the time that the engine ran: while it stands there is no load.
       sum(load_pct * held_s) / nullif(sum(held_s) filter (where load_pct is not null), 0),
       -- Only a speed that two samples in a row reached: a single one is a jump of the receiver.
       max(case when speed_kmh < speed_before_kmh then speed_kmh else speed_before_kmh end)
           filter (where speed_kmh is not null)
from asked
cross join lateral (
    select case when engine_speed_rpm > 0 then engine_load_pct::double precision end as load_pct,
           -- A sample stands for the time since the one before, unless the unit was silent.
           least(extract(epoch from recorded_at - coalesce(lag(recorded_at) over by_time, recorded_at)),
                 $3::double precision)::double precision as held_s,
           ground_speed_kmh::double precision as speed_kmh,
           (lag(ground_speed_kmh) over by_time)::double precision as speed_before_kmh
    from (
        -- The one access path of samples, from the newest back.
        select recorded_at, engine_speed_rpm, engine_load_pct, ground_speed_kmh
        from sample
        where sample.machine_id = asked.machine_id
          and recorded_at > asked.until_at - interval '24 hours' and recorded_at <= asked.until_at
        order by recorded_at desc
        limit $4
    ) as newest
    window by_time as (order by recorded_at)
) as used
group by asked.machine_id, asked.until_at
order by asked.machine_id, asked.until_at
