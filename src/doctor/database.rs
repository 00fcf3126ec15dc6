//! The database side.

use super::Finding;
use crate::config::Config;
use crate::store::{self, Edition, InColumns, Server};
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
    let server = store::server(&client).await;
    let mut findings = match &server {
        Ok(server) => judge(server, (asked_at_ms + now_ms()) / 2, config),
        Err(error) => return vec![Finding::bad(SUBJECT, error.to_string(), "grant the user access to this database")],
    };
    if let Ok(server) = &server {
        findings.extend(columnstore(&server.edition, store::in_columns(&client).await.ok().flatten()));
    }
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

/// Whether old samples become columns. They need not: that costs space alone.
fn columnstore(edition: &Edition, in_columns: Option<InColumns>) -> Option<Finding> {
    edition.timescaledb.as_ref()?;
    if let Some(why) = edition.no_columnstore() {
        return Some(match in_columns.filter(|found| found.in_columns > 0) {
            Some(found) => Finding::bad(
                SUBJECT,
                format!("{} of {} chunks of samples cannot be read: {why}", found.in_columns, found.chunks),
                store::UNREADABLE_MEND,
            ),
            None => Finding::note(
                SUBJECT,
                format!("columnstore not available: {why}"),
                "everything works; with it (and after polevod migrate) old samples take a twelfth of the space",
            ),
        });
    }
    let found = in_columns?;
    Some(if found.switched_on {
        Finding::good(
            SUBJECT,
            format!("columnstore on: {} of {} chunks of samples are columns", found.in_columns, found.chunks),
        )
    } else {
        Finding::note(SUBJECT, "columnstore off: old samples stay rows", "run: polevod migrate")
    })
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

    #[test]
    fn what_becomes_of_old_samples_follows_from_the_edition_and_from_what_is_switched_on() {
        let check = |timescaledb: Option<&str>, community, in_columns, expected: expect_test::Expect| {
            let edition = Edition { postgres: "17.2".into(), timescaledb: timescaledb.map(str::to_owned), community };
            let finding = columnstore(&edition, in_columns);
            let said = |f: Finding| format!("{:?} {}; {}", f.weight, f.found, f.mend);
            expected.assert_eq(&finding.map_or_else(|| "nothing".into(), said));
        };
        let found = |switched_on, in_columns| Some(InColumns { switched_on, chunks: 14, in_columns });
        check(None, false, None, expect!["nothing"]);
        check(Some("2.29.2"), true, None, expect!["nothing"]);
        let all_well = expect![[r#"Good columnstore on: 8 of 14 chunks of samples are columns; "#]];
        check(Some("2.29.2"), true, found(true, 8), all_well);
        let not_yet = expect![[r#"Note columnstore off: old samples stay rows; run: polevod migrate"#]];
        check(Some("2.29.2"), true, found(false, 0), not_yet);
        let too_old = expect![[
            r#"Note columnstore not available: TimescaleDB 2.17.2 is older than 2.18, whose columnstore takes late rows; everything works; with it (and after polevod migrate) old samples take a twelfth of the space"#
        ]];
        check(Some("2.17.2"), true, found(false, 0), too_old);
        let apache = expect![[
            r#"Note columnstore not available: the Apache 2 edition of TimescaleDB has no columnstore, the Community edition has; everything works; with it (and after polevod migrate) old samples take a twelfth of the space"#
        ]];
        check(Some("2.19.3"), false, found(false, 0), apache);
        let left_behind = expect![[
            r#"Bad 8 of 14 chunks of samples cannot be read: the Apache 2 edition of TimescaleDB has no columnstore, the Community edition has; set timescaledb.license = 'timescale' with the Community edition installed, and restart the server (docs/operations.md says how to make them rows again)"#
        ]];
        check(Some("2.19.3"), false, found(true, 8), left_behind);
    }
}
