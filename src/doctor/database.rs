//! The database side.

use super::Finding;
use crate::config::Config;
use crate::store::{self, Server};
use crate::time::now_ms;

const SUBJECT: &str = "database";
/// Multiranges, which the ledger is made of, came with PostgreSQL 14.
const VERSION_MIN: i32 = 140_000;
/// Clocks further apart than this make "late" and "silent" wrong.
const SKEW_MAX_MS: i64 = 2_000;
/// Connections beside the lanes: recomputing, housekeeping, the pulse, a person with psql.
const CONNECTIONS_BESIDE: i64 = 6;

pub(super) async fn examine(config: &Config) -> Vec<Finding> {
    let client = match store::connect(&config.database).await {
        Ok(client) => client,
        Err(error) => return vec![Finding::bad(SUBJECT, error.to_string(), "nothing can be stored until it answers")],
    };
    let asked_at_ms = now_ms();
    let mut findings = match store::server(&client).await {
        Ok(server) => judge(&server, (asked_at_ms + now_ms()) / 2, config),
        Err(error) => return vec![Finding::bad(SUBJECT, error.to_string(), "grant the user access to this database")],
    };
    findings.push(match store::pending_migrations(&client).await {
        Ok(pending) if pending.is_empty() => Finding::good(SUBJECT, "the schema is up to date"),
        Ok(pending) => {
            let names: Vec<_> = pending.iter().map(|migration| migration.name).collect();
            Finding::bad(SUBJECT, format!("migrations to be applied: {}", names.join(", ")), "run: polevod migrate")
        }
        Err(error) => Finding::bad(SUBJECT, error.to_string(), "restore the schema files of this version"),
    });
    findings
}

fn judge(server: &Server, our_ms: i64, config: &Config) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut check = |good: bool, found: String, otherwise: fn(&'static str, String, String) -> Finding, mend: &str| {
        findings.push(if good { Finding::good(SUBJECT, found) } else { otherwise(SUBJECT, found, mend.into()) });
    };
    let bad = |subject, found: String, mend: String| Finding::bad(subject, found, mend);
    let note = |subject, found: String, mend: String| Finding::note(subject, found, mend);
    let on = |is: bool| if is { "on" } else { "off" };
    let edition = &server.edition;
    check(server.version_number >= VERSION_MIN, edition.to_string(), bad, "use PostgreSQL 14 or later");
    check(
        edition.timescaledb.is_some(),
        format!("extension timescaledb: {}", edition.timescaledb.as_deref().unwrap_or("not in this database")),
        bad,
        "install TimescaleDB for this server, add it to shared_preload_libraries, restart, run: polevod migrate",
    );
    if edition.timescaledb.is_some() {
        check(
            edition.community,
            format!("columnstore {}", if edition.community { "available" } else { "not available (Apache 2 edition)" }),
            note,
            "everything works; old samples would take a sixth of the space with the Community edition",
        );
    }
    check(server.fsync, format!("fsync = {}", on(server.fsync)), bad, "set fsync = on: a crash now loses everything");
    check(
        server.full_page_writes,
        format!("full_page_writes = {}", on(server.full_page_writes)),
        bad,
        "set full_page_writes = on: a crash now can leave torn pages",
    );
    check(
        server.synchronous_commit != "off",
        format!("synchronous_commit = {}", server.synchronous_commit),
        note,
        "polevod sets it on for its own sessions; set it on for the others too",
    );
    check(
        !server.in_recovery,
        format!("the server is {}", if server.in_recovery { "a read-only standby" } else { "writable" }),
        bad,
        "name the primary in database.url",
    );
    let wanted = i64::from(config.ingest.lanes) + CONNECTIONS_BESIDE;
    let free = i64::from(server.max_connections) - server.connections;
    check(
        free >= wanted,
        format!("{free} of {} connections free, {wanted} wanted", server.max_connections),
        note,
        "raise max_connections or lower ingest.lanes",
    );
    let skew_ms = server.now_ms - our_ms;
    check(
        skew_ms.abs() <= SKEW_MAX_MS,
        format!("its clock differs from ours by {skew_ms} ms"),
        note,
        "let both follow a time server: \"late\" and \"silent\" are counted by these clocks",
    );
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Weight;
    use crate::store::Edition;
    use expect_test::expect;

    #[test]
    fn settings_that_lose_rows_are_named_with_their_mend() {
        let server = Server {
            edition: Edition { postgres: "13.1".into(), timescaledb: None, community: false },
            version_number: 130_001,
            fsync: false,
            full_page_writes: false,
            synchronous_commit: "off".into(),
            max_connections: 10,
            connections: 9,
            in_recovery: true,
            now_ms: 10_000,
        };
        let config = crate::config::load(None, []).expect("the defaults are valid");
        let findings = judge(&server, 0, &config);
        let lines: Vec<_> = findings.iter().map(|f| format!("{:?} {}; {}", f.weight, f.found, f.mend)).collect();
        expect![[r#"
            Bad PostgreSQL 13.1 without TimescaleDB; use PostgreSQL 14 or later
            Bad extension timescaledb: not in this database; install TimescaleDB for this server, add it to shared_preload_libraries, restart, run: polevod migrate
            Bad fsync = off; set fsync = on: a crash now loses everything
            Bad full_page_writes = off; set full_page_writes = on: a crash now can leave torn pages
            Note synchronous_commit = off; polevod sets it on for its own sessions; set it on for the others too
            Bad the server is a read-only standby; name the primary in database.url
            Note 1 of 10 connections free, 8 wanted; raise max_connections or lower ingest.lanes
            Note its clock differs from ours by 10000 ms; let both follow a time server: "late" and "silent" are counted by these clocks"#]]
        .assert_eq(&lines.join("\n"));
    }

    #[test]
    fn a_sound_server_gives_no_finding() {
        let server = Server {
            edition: Edition { postgres: "17.2".into(), timescaledb: Some("2.29.1".into()), community: true },
            version_number: 170_002,
            fsync: true,
            full_page_writes: true,
            synchronous_commit: "on".into(),
            max_connections: 100,
            connections: 3,
            in_recovery: false,
            now_ms: 500,
        };
        let config = crate::config::load(None, []).expect("the defaults are valid");
        assert!(judge(&server, 0, &config).iter().all(|finding| finding.weight == Weight::Good));
    }
}
