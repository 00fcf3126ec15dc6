//! Metrics in the Prometheus text format.

use std::fmt::Write as _;

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;

use super::Shared;
use crate::ingest::Totals;
use crate::store::Edition;

/// Content type of the text format, version 0.0.4.
const TEXT_FORMAT: &str = "text/plain; version=0.0.4; charset=utf-8";

pub(super) async fn render(State(shared): State<Shared>) -> impl IntoResponse {
    let mut text = shared.ingest.map_or_else(String::new, |counters| text(&counters.totals()));
    if let Some(edition) = shared.edition.get() {
        text.push_str(&database(edition));
    }
    ([(CONTENT_TYPE, TEXT_FORMAT)], text)
}

/// What the database is, as labels.
fn database(edition: &Edition) -> String {
    format!(
        "# HELP polevod_database_info The database server when this process started.\n\
         # TYPE polevod_database_info gauge\n\
         polevod_database_info{{postgresql=\"{}\",timescaledb=\"{}\",edition=\"{}\"}} 1\n",
        edition.postgres,
        edition.timescaledb.as_deref().unwrap_or_default(),
        edition.word()
    )
}

fn text(totals: &Totals) -> String {
    let mut text = String::new();
    let counters = [
        ("messages", "Messages taken from the broker, repeats included.", totals.messages),
        ("bytes", "Bytes of those messages.", totals.bytes),
        ("records", "Records in frames that could be read.", totals.records),
        ("stored", "Records that are new in the store.", totals.stored),
        ("duplicate", "Records that were in the store already.", totals.duplicate),
        ("refused", "Records refused for good; they are in quarantine.", totals.refused),
        ("values_refused", "Single values left out of stored records.", totals.values_refused),
        ("rejected_messages", "Messages refused whole; they are in quarantine.", totals.rejected_messages),
        ("late", "Records stored later than clock.late_after_s after they were made.", totals.late),
        ("batches", "Transactions.", totals.batches),
        ("sessions", "Connections to the broker.", totals.sessions),
        ("stored_messages", "Confirmations sent to machines.", totals.stored_messages),
    ];
    for (name, help, value) in counters {
        let _ = write!(
            text,
            "# HELP polevod_ingest_{name}_total {help}\n# TYPE polevod_ingest_{name}_total counter\n\
             polevod_ingest_{name}_total {value}\n"
        );
    }
    let gauges = [
        ("database_up", "Whether the database answers.", totals.database_up),
        ("broker_up", "Whether the broker is connected.", totals.broker_up),
    ];
    for (name, help, value) in gauges {
        let _ = write!(
            text,
            "# HELP polevod_ingest_{name} {help}\n# TYPE polevod_ingest_{name} gauge\npolevod_ingest_{name} {}\n",
            u8::from(value)
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    #[test]
    fn versions_and_edition_are_labels() {
        let edition = Edition { postgres: "17.12".into(), timescaledb: Some("2.29.2".into()), community: true };
        expect![[r#"
            # HELP polevod_database_info The database server when this process started.
            # TYPE polevod_database_info gauge
            polevod_database_info{postgresql="17.12",timescaledb="2.29.2",edition="community"} 1
        "#]]
        .assert_eq(&database(&edition));
    }
}
