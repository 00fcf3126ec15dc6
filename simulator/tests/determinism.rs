//! The same seed makes the same frames and the same truth, to the byte.

use std::collections::hash_map::DefaultHasher;
use std::hash::Hasher;

use simulator::conditions::{ByCoverage, ClockRules, EntryRules, NetworkRules, PowerRules, ReceiverRules};
use simulator::{Conditions, FleetConfig, Heard, rehearse};

fn fleet(seed: u64) -> FleetConfig {
    FleetConfig {
        seed,
        machines: 8,
        starts_at: "2026-08-20T19:00:00Z".parse().expect("a time"),
        until: Some("2026-08-20T23:00:00Z".parse().expect("a time")),
        json_share: 0.2,
        conditions: Conditions {
            network: NetworkRules {
                gaps_per_hour: ByCoverage::everywhere(0.3),
                hole_share: ByCoverage::everywhere(0.1),
                regional_outages_per_month: 4.0,
                ..NetworkRules::default()
            },
            clock: ClockRules { unset_share: 0.2, week_off_share: 0.1, drifting_share: 0.3, ..ClockRules::default() },
            receiver: ReceiverRules { jumps_per_hour: 0.5, drifts_per_hour: 1.0, ..ReceiverRules::default() },
            entries: EntryRules { missing_share: 0.1, out_of_order_share: 0.3 },
            power: PowerRules { restarts_per_day: 4.0, power_cut_share: 0.3 },
        },
        ..FleetConfig::default()
    }
}

/// Checksums over every byte of frames and of truth, and how many frames and events there were.
fn heard_of(fleet: &FleetConfig) -> (u64, u64, u64, u64) {
    let (mut frames, mut truth) = (DefaultHasher::new(), DefaultHasher::new());
    let (mut frame_count, mut event_count) = (0, 0);
    let rehearsed = rehearse(fleet, |heard| {
        match heard {
            Heard::Frame(machine, frame) => {
                frames.write(machine.as_str().as_bytes());
                frames.write(frame);
                frame_count += 1;
            }
            Heard::Truth(machine, events) => {
                truth.write(machine.as_str().as_bytes());
                for event in events {
                    truth.write(&serde_json::to_vec(event).expect("events are plain data"));
                    event_count += 1;
                }
            }
            Heard::MachineDone => {}
        }
        Ok(())
    });
    assert_eq!(rehearsed.expect("a rehearsal").frames, frame_count);
    (frames.finish(), truth.finish(), frame_count, event_count)
}

#[test]
fn the_same_seed_twice_gives_the_same_frames_and_truth_and_another_seed_others() {
    let (first, second, other) = (heard_of(&fleet(1)), heard_of(&fleet(1)), heard_of(&fleet(2)));
    assert_eq!(first, second);
    assert!(first.2 > 500 && first.3 > 50, "{first:?}");
    assert!(first.0 != other.0 && first.1 != other.1);
}

#[test]
fn a_machine_does_the_same_whatever_the_size_of_its_fleet() {
    let small = FleetConfig { machines: 3, ..fleet(1) };
    let mut frames = [DefaultHasher::new(), DefaultHasher::new()];
    for (fleet, hash) in [small, fleet(1)].iter().zip(&mut frames) {
        let mut machines = 0;
        let rehearsed = rehearse(fleet, |heard| {
            match heard {
                Heard::Frame(_, frame) if machines < 3 => hash.write(frame),
                Heard::MachineDone => machines += 1,
                _ => {}
            }
            Ok(())
        });
        rehearsed.expect("a rehearsal");
    }
    assert_eq!(frames[0].finish(), frames[1].finish());
}
