//! Runs a fleet for some days without any network and prints what it did: one line a machine, then its truth.
//!
//! `cargo run -p simulator --release --example world_day -- [machines] [days] [start] [season|calendar] [period ms]`

use std::collections::BTreeMap;
use std::time::Instant;

use simulator::machine::{Catalogue, Fleet, Season};
use simulator::truth::Event;
use simulator::{FleetConfig, Work};
use wire::Record;

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let argument = |index: usize, default: &str| arguments.get(index).cloned().unwrap_or_else(|| default.to_string());
    let machines: usize = argument(0, "20").parse()?;
    let days: i64 = argument(1, "1").parse()?;
    let mode = argument(3, "around");
    let config = FleetConfig {
        machines,
        starts_at: argument(2, "2026-08-20T00:00:00Z").parse()?,
        work: if mode == "around" { Work::AroundTheClock } else { Work::ByDay },
        season: (mode == "around").then_some(Season::Harvest),
        sample_period_ms: argument(4, "5000").parse()?,
        ..FleetConfig::default()
    };
    let until_ms = config.starts_at.as_millisecond() + days * 86_400_000;
    let began = Instant::now();
    let catalogue = Catalogue::load(config.models_folder.as_deref())?;
    let fleet = Fleet::plan(&config, &catalogue)?;
    println!("planned in {:?}", began.elapsed());
    let (mut samples, mut values, mut faults, mut tasks, mut events) = (0usize, 0usize, 0usize, 0usize, 0usize);
    let mut busy = std::time::Duration::ZERO;
    for index in (0..machines).filter(|i| std::env::var("ONLY").map_or(true, |o| o == i.to_string())) {
        let began = Instant::now();
        let (serial, mut machine) = fleet.machine(index);
        let (mut out, mut truth) = (Vec::new(), Vec::new());
        let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
        let mut own = 0;
        while machine.next_at_ms() < until_ms {
            machine.advance(&mut out, &mut truth);
            for record in out.drain(..) {
                match record {
                    Record::Sample(sample) => {
                        own += 1;
                        values += sample.values.len();
                    }
                    Record::Faults(_) => faults += 1,
                    Record::Task(_) => tasks += 1,
                }
            }
        }
        machine.close(until_ms, &mut truth);
        busy += began.elapsed();
        samples += own;
        events += truth.len();
        for event in &truth {
            let name = match event {
                Event::State(_) => "state",
                Event::Session(_) => "session",
                Event::FieldDone(_) => "done",
                Event::Unloading(_) => "unload",
                Event::Refuel(_) => "refuel",
                Event::FuelTheft(_) => "theft",
                Event::Fault(_) => "fault",
                Event::Outage(_) | Event::Clock(_) | Event::Receiver(_) | Event::Recorded(_) => "unit",
                Event::Day(_) => "day",
            };
            *kinds.entry(name.to_string()).or_default() += 1;
        }
        if machines <= 60 {
            println!("{serial}  {}  {own} samples {kinds:?}", fleet.info(index).farm);
            for event in &truth {
                match event {
                    Event::Session(s) => println!(
                        "   session {} {} {} w {:.1}: {:.2} h, {:.2} ha union, {:.2} ha w*d, double {:.1} %, {:.1} L/ha, {:.1} km/h, {:?}",
                        s.field,
                        s.operation,
                        s.implement,
                        s.width_m,
                        (s.to.0 - s.from.0) as f64 / 3.6e6,
                        s.area.worked_ha,
                        s.area.width_distance_ha,
                        100.0 * s.area.double_worked_ha / s.area.worked_ha,
                        s.working_fuel_l / s.area.worked_ha,
                        s.working_distance_m / s.working_s * 3.6,
                        s.harvest.map(|h| (h.mass_t, h.mass_t / s.area.worked_ha, h.moisture_pct))
                    ),
                    Event::FieldDone(d) => println!("   done {d:?}"),
                    Event::Day(d) => println!(
                        "   day {} h {:.2?} L {:.1?} km {:.1?} refuelled {:.0} tank {:.0} -> {:.0}",
                        d.day,
                        [
                            d.seconds.off,
                            d.seconds.idle,
                            d.seconds.transport,
                            d.seconds.turning,
                            d.seconds.working,
                            d.seconds.unloading
                        ]
                        .map(|s| s / 3600.0),
                        d.fuel_l.total(),
                        d.distance_m.total() / 1000.0,
                        d.refuelled_l,
                        d.at_start.tank_l,
                        d.at_end.tank_l
                    ),
                    Event::Fault(f) => println!("   fault {f:?}"),
                    _ => {}
                }
            }
        }
    }
    println!(
        "{samples} samples of {:.1} values, {faults} fault reports, {tasks} task records, {events} truth events in {busy:?}: {:.0} samples/s",
        values as f64 / samples as f64,
        samples as f64 / busy.as_secs_f64()
    );
    Ok(())
}
