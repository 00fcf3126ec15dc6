//! The same faults, longer and at random. `cargo xtask soak` runs them; `POLEVOD_SOAK_S` says how many seconds (300),
//! `POLEVOD_SOAK_SEED` which day.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use simulator::{FleetConfig, Impairments, Options};

use crate::harness::{Broker, Database, Fleet, Process, Settings, blocking, check, fleet_of, unit_options};

/// A unit that has tried often waits up to two and a half minutes before it tries again.
const PATIENCE: Duration = Duration::from_secs(600);

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes minutes: cargo xtask soak"]
async fn a_long_day_on_which_anything_fails_at_any_time() {
    let clock = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let seed = number("POLEVOD_SOAK_SEED").unwrap_or(clock);
    let seconds = u32::try_from(number("POLEVOD_SOAK_S").unwrap_or(300)).unwrap();
    println!("POLEVOD_SOAK_SEED={seed} POLEVOD_SOAK_S={seconds}");
    let mut random = StdRng::seed_from_u64(seed);
    let (mut database, mut broker) = (Database::own().await, Broker::start());
    let settings = Settings::new(&database.url, &broker.url()).with("mqtt.share_group", "ingest");
    let start = |worker: usize| Process::start(&settings.clone().with("mqtt.client_id", format!("worker-{worker}")));
    let mut workers = [start(0), start(1)];
    let impairments = Impairments { duplicate_share: 0.05, ..Impairments::TSBS };
    // The faults may take longer than the day.
    let options = Options { drain_timeout: Duration::from_secs(1_800), ..unit_options(&broker.url()) };
    let fleet = Fleet::start_with(FleetConfig { impairments, ..fleet_of(seed % 1_000_000, seconds) }, options);
    let began = Instant::now();
    let mut confirmed = 0;
    loop {
        confirmed += random.random_range(500..8_000);
        if !fleet.told_of_or_ended(confirmed, PATIENCE).await {
            break;
        }
        let fault = random.random_range(0..7);
        println!("{} s, {confirmed} confirmed: fault {fault}", began.elapsed().as_secs());
        match fault {
            0 => {
                let worker = random.random_range(0..workers.len());
                drop(std::mem::replace(&mut workers[worker], start(worker)));
            }
            1 => broker.crash(false),
            2 => broker.crash(true),
            3 => blocking(|| {
                let server = database.server();
                let backends = server.backend_pids().unwrap();
                if let Some(backend) = backends.get(random.random_range(0..backends.len().max(1))) {
                    server.kill_backend(*backend).unwrap();
                }
            }),
            4 => blocking(|| {
                database.server().kill_postmaster().unwrap();
                database.server().start_again().unwrap();
            }),
            5 => {
                let held = database.hold_ledger().await;
                tokio::time::sleep(Duration::from_secs(random.random_range(1..8))).await;
                held.release().await;
            }
            _ => {
                blocking(|| database.server().stop());
                tokio::time::sleep(Duration::from_secs(random.random_range(1..20))).await;
                blocking(|| database.server().start_again().unwrap());
            }
        }
        for (number, worker) in workers.iter_mut().enumerate() {
            // One that has just started refuses a database that is not there; a service manager starts it again.
            if worker.has_ended() {
                let log = worker.log();
                assert!(log.contains("polevod: ") && !log.contains("panicked"), "{log}");
                println!("worker {number} did not find its database");
                *worker = start(number);
                continue;
            }
            let used = worker.memory_mib_max();
            assert!(used <= 128, "{used} MiB in use");
        }
    }
    let outcome = fleet.finish().await;
    let verdict = check(&outcome, &database).await;
    println!("{verdict}");
    verdict.assert_complete();
}
