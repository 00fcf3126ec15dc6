//! Metrics in the Prometheus text format.

use std::fmt::Write as _;

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;

use super::Shared;
use crate::ingest::Totals;

/// Content type of the text format, version 0.0.4.
const TEXT_FORMAT: &str = "text/plain; version=0.0.4; charset=utf-8";

pub(super) async fn render(State(shared): State<Shared>) -> impl IntoResponse {
    let text = shared.ingest.map_or_else(String::new, |counters| text(&counters.totals()));
    ([(CONTENT_TYPE, TEXT_FORMAT)], text)
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
