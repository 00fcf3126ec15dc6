//! Whether the process lives, and whether it can do its work.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde_json::{Value, json};

use super::Shared;

/// The process answers; whether it can work is [`ready`]'s business.
pub(super) async fn alive() -> &'static str {
    "ok\n"
}

/// 200 when database and broker answer, 503 naming the one that does not.
pub(super) async fn ready(State(shared): State<Shared>) -> (StatusCode, Json<Value>) {
    let Some(totals) = shared.ingest.map(|counters| counters.totals()) else {
        return (StatusCode::OK, Json(json!({ "ready": true })));
    };
    let ready = totals.database_up && totals.broker_up;
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(json!({ "ready": ready, "database_up": totals.database_up, "broker_up": totals.broker_up })))
}
