//! Prints how the signals of working machines are distributed: one block a model, quantiles of every signal that moves.
//!
//! `cargo run -p simulator --release --example distributions -- [model …]`

use std::collections::BTreeMap;

use simulator::machine::{Catalogue, Fleet, Season};
use simulator::{FleetConfig, Work};
use wire::{Record, SignalId, catalogue as signal};

fn main() -> anyhow::Result<()> {
    let catalogue = Catalogue::load(None)?;
    let mut models: Vec<String> = std::env::args().skip(1).collect();
    if models.is_empty() {
        models = catalogue.models().map(|(code, ..)| code.to_string()).collect();
    }
    for model in models {
        let config = FleetConfig {
            machines: 3,
            models: vec![model.clone()],
            starts_at: "2026-08-20T00:00:00Z".parse()?,
            work: Work::AroundTheClock,
            season: Some(Season::Harvest),
            ..FleetConfig::default()
        };
        let fleet = Fleet::plan(&config, &catalogue)?;
        let until_ms = config.starts_at.as_millisecond() + 20 * 3_600_000;
        let mut values: BTreeMap<SignalId, Vec<f64>> = BTreeMap::new();
        for index in 0..fleet.len() {
            let (_, mut machine) = fleet.machine(index);
            let (mut out, mut truth) = (Vec::new(), Vec::new());
            while machine.next_at_ms() < until_ms {
                machine.advance(&mut out, &mut truth);
                for record in out.drain(..) {
                    let Record::Sample(sample) = record else { continue };
                    let moves = sample.physical(signal::GROUND_SPEED_KMH).unwrap_or(0.0) > 1.0;
                    let works = sample.physical(signal::ACTUAL_WORK_STATE).is_none_or(|state| state == 1.0);
                    if moves && works {
                        for (id, raw) in sample.values {
                            values.entry(id).or_default().push(id.physical(raw));
                        }
                    }
                }
            }
        }
        println!("\n{model}, moving and (where it tells) in work");
        println!("{:<26} {:>9} {:>9} {:>9} {:>9} {:>9}", "signal", "5 %", "25 %", "50 %", "75 %", "95 %");
        for (id, mut values) in values {
            values.sort_by(f64::total_cmp);
            let at = |share: f64| values[((values.len() - 1) as f64 * share) as usize];
            if at(0.05) < at(0.95) && signal::find(id).is_some_and(|row| row.behaviour != wire::Behaviour::Counter) {
                let row = [0.05, 0.25, 0.5, 0.75, 0.95].map(at);
                println!(
                    "{:<26} {:>9.2} {:>9.2} {:>9.2} {:>9.2} {:>9.2}",
                    id.to_string(),
                    row[0],
                    row[1],
                    row[2],
                    row[3],
                    row[4]
                );
            }
        }
    }
    Ok(())
}
