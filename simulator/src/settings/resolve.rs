//! From settings to a run.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::Settings;
use super::types::SeasonSetting;
use crate::device::Flash;
use crate::fleet::{FleetConfig, Identities, Options, SimulatorError, State, tls_config};
use crate::machine::Season;

/// How far back an accelerated run without an end begins.
const CATCH_UP_FROM: SignedDuration = SignedDuration::from_hours(24);

/// What to run, and against what.
#[derive(Clone)]
pub struct Plan {
    /// The fleet.
    pub fleet: FleetConfig,
    /// Broker, files, patience.
    pub options: Options,
}

/// Why settings do not make a run.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// No broker is named.
    #[error(
        "no broker: give --broker mqtt://HOST:PORT, or set POLEVOD_MQTT_URL or broker.url.\n\
         One for this machine, with a database, nothing installed:\n\n    \
         cargo run -p embedded --bin stack -- up\n\n\
         It prints two lines; put `export` before each in another terminal. Then something has to store and confirm\n\
         what machines send:\n\n    \
         cargo run --release -- run --migrate"
    )]
    NoBroker,
    /// As fast as possible, but until when?
    #[error(
        "time.accelerate = 0 needs a beginning and an end: give --from and --to, as --from 2026-08-01 --to 2026-10-01"
    )]
    NoEnd,
    /// A certificate cannot be used.
    #[error(transparent)]
    Identity(#[from] SimulatorError),
}

impl Settings {
    /// The fleet that these settings describe, when it is `now`.
    ///
    /// # Errors
    /// When a backfill has no beginning or no end.
    pub fn fleet(&self, now: Timestamp) -> Result<FleetConfig, PlanError> {
        let (fleet, time) = (&self.fleet, &self.time);
        if time.accelerate == 0.0 && (time.from.is_none() || time.to.is_none()) {
            return Err(PlanError::NoEnd);
        }
        let season = match fleet.season {
            SeasonSetting::Always(season) => Some(season),
            SeasonSetting::Auto if time.from.is_none() => Some(Season::Harvest),
            SeasonSetting::Auto | SeasonSetting::Calendar => None,
        };
        let starts_at = time.from.unwrap_or_else(|| self.start_before(now));
        Ok(FleetConfig {
            seed: fleet.seed,
            machines: fleet.machines,
            starts_at,
            until: time.to,
            accelerate: time.accelerate,
            // A beginning in the future is wanted so.
            stay_behind: starts_at <= now,
            frame_samples: self.unit.frame_samples,
            frame_wait: Duration::from_millis(self.unit.frame_wait_ms),
            sample_period_ms: fleet.sample_period_ms,
            json_share: fleet.json_share,
            serial_prefix: fleet.serial_prefix.clone(),
            impairments: self.conditions.frames,
            conditions: self.conditions.conditions(),
            models: fleet.models.clone(),
            models_folder: fleet.models_folder.clone(),
            work: fleet.work,
            season,
            faults: self.faults.clone(),
            buffer_records: None,
        })
    }

    /// The run that these settings describe, when it is `now`. `environment_url` is the broker of the environment.
    ///
    /// # Errors
    /// When no broker is named, a certificate cannot be used, or a backfill has no end.
    pub fn plan(&self, now: Timestamp, environment_url: Option<String>) -> Result<Plan, PlanError> {
        let fleet = self.fleet(now)?;
        let (broker, unit, output) = (&self.broker, &self.unit, &self.output);
        let broker_url = broker.url.clone().or(environment_url).ok_or(PlanError::NoBroker)?;
        let identity = broker.client_certificate_file.as_deref().zip(broker.client_key_file.as_deref());
        let is_encrypted = broker_url.starts_with("mqtts://") || broker_url.starts_with("ssl://");
        let tls = if is_encrypted && broker.certificates_folder.is_none() {
            Some(Arc::new(tls_config(broker.ca_file.as_deref(), identity)?))
        } else {
            None
        };
        let has_own = broker.certificates_folder.is_some() || broker.passwords_file.is_some();
        let identities = has_own.then(|| Identities {
            authorities: broker.ca_file.clone(),
            certificates: broker.certificates_folder.clone(),
            passwords: broker.passwords_file.clone(),
        });
        let flash = Flash { ring_bytes: unit.buffer_bytes, sync: unit.buffer_sync };
        let options = Options {
            broker_url,
            username: broker.username.clone(),
            password: broker.password.clone(),
            tls,
            // An identity of one's own needs a connection of one's own.
            connections: if has_own { broker.connections.max(self.fleet.machines) } else { broker.connections },
            identities,
            ledger: output.ledger_file.clone(),
            truth: output.truth_folder.clone(),
            state: unit.buffer_folder.clone().map(|folder| State { folder, flash }),
            run_for: self.time.run_for,
            drain_timeout: Duration::from_secs(unit.drain_s),
            resend_after: Duration::from_secs(unit.resend_after_s),
        };
        Ok(Plan { fleet, options })
    }

    /// Where a run begins that is to reach `now` at its end.
    fn start_before(&self, now: Timestamp) -> Timestamp {
        let time = &self.time;
        if time.accelerate <= 1.0 {
            return now;
        }
        let back = match time.run_for {
            Some(run_for) => SignedDuration::try_from(run_for.mul_f64(time.accelerate - 1.0)).unwrap_or(CATCH_UP_FROM),
            None => CATCH_UP_FROM,
        };
        now.checked_sub(back).unwrap_or(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::load;
    use expect_test::{Expect, expect};
    use toml::Value;

    fn check(overrides: Vec<(&'static str, Value)>, expected: Expect) {
        let now: Timestamp = "2026-11-24T12:00:00Z".parse().expect("a time");
        let settings = load(None, overrides).expect("good settings");
        let outcome = match settings.plan(now, None) {
            Ok(Plan { fleet, options }) => format!(
                "{} to {:?}, season {:?}, stays behind {}, {} connections",
                fleet.starts_at,
                fleet.until.map(|until| until.to_string()),
                fleet.season,
                fleet.stay_behind,
                options.connections
            ),
            Err(error) => error.to_string().lines().next().unwrap_or_default().to_string(),
        };
        expected.assert_eq(&outcome);
    }

    #[test]
    fn a_run_begins_where_it_has_to_so_that_its_end_is_now() {
        let broker = || ("broker.url", Value::from("mqtt://h"));
        check(
            vec![broker()],
            expect!["2026-11-24T12:00:00Z to None, season Some(Harvest), stays behind true, 200 connections"],
        );
        check(
            vec![broker(), ("time.accelerate", 61.0.into()), ("time.for", "60s".into())],
            expect!["2026-11-24T11:00:00Z to None, season Some(Harvest), stays behind true, 200 connections"],
        );
        check(
            vec![broker(), ("time.accelerate", 60.0.into())],
            expect!["2026-11-23T12:00:00Z to None, season Some(Harvest), stays behind true, 200 connections"],
        );
        check(
            vec![
                broker(),
                ("time.accelerate", 0.0.into()),
                ("time.from", "2026-08-01".into()),
                ("time.to", "2026-10-01".into()),
            ],
            expect![[
                r#"2026-07-31T17:00:00Z to Some("2026-09-30T17:00:00Z"), season None, stays behind true, 200 connections"#
            ]],
        );
        check(
            vec![broker(), ("broker.passwords_file", "p".into()), ("fleet.machines", 500.into())],
            expect!["2026-11-24T12:00:00Z to None, season Some(Harvest), stays behind true, 500 connections"],
        );
    }

    #[test]
    fn what_a_run_lacks_is_said_with_the_mend() {
        check(vec![], expect!["no broker: give --broker mqtt://HOST:PORT, or set POLEVOD_MQTT_URL or broker.url."]);
        check(
            vec![("time.accelerate", 0.0.into())],
            expect![
                "time.accelerate = 0 needs a beginning and an end: give --from and --to, as --from 2026-08-01 --to 2026-10-01"
            ],
        );
    }
}
