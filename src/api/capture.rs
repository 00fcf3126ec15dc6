//! Diagnostic captures for programs and pages: ask, and look how far it is. A token with the scope `capture` is needed.

use axum::extract::{Path, State};
use axum::http::header::LOCATION;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use tracing::warn;
use wire::MachineSerial;

use super::answer::ApiError;
use super::{Shared, sign_in};
use crate::capture::{self, CaptureError, Wanted};
use crate::store::{self, CaptureRow, Reach, Scope};

/// Captures that one process follows at a time.
pub(super) const CAPTURES_MAX: usize = 16;

/// What is asked for.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    signals: Vec<String>,
    rate_hz: f32,
    duration_s: u32,
}

/// The routes of captures.
pub(super) fn routes() -> Router<Shared> {
    Router::new().route("/api/v1/machines/{serial}/captures", post(ask)).route("/api/v1/captures/{request}", get(look))
}

/// 202 with the capture as it is entered; the conversation with the machine goes on without the caller.
async fn ask(
    State(shared): State<Shared>,
    Path(serial): Path<String>,
    headers: HeaderMap,
    body: String,
) -> Result<Response, ApiError> {
    let caller = sign_in::caller(&shared, &headers, Scope::Capture).await?;
    let asked: Asked = serde_json::from_str(&body).map_err(|error| ApiError::BadRequest(error.to_string()))?;
    let machine = MachineSerial::parse(&serial).map_err(|error| ApiError::BadRequest(error.to_string()))?;
    let place = shared.captures.clone().try_acquire_owned();
    let place = place.map_err(|_| ApiError::Busy(format!("{CAPTURES_MAX} captures are under way; try again")))?;
    let wanted = Wanted {
        machine,
        signals: asked.signals,
        rate_hz: asked.rate_hz,
        duration_s: asked.duration_s,
        reach: caller.reach(),
        asked_by: caller.name,
    };
    let entered = capture::enter(&shared.pool, &wanted).await.map_err(|error| match error {
        CaptureError::UnknownMachine(_) => ApiError::NotFound(error.to_string()),
        CaptureError::Store(cause) => ApiError::Unwell(cause),
        CaptureError::Malformed(_) | CaptureError::Broker(_) => ApiError::BadRequest(error.to_string()),
    })?;
    let request = entered.request.request.clone();
    let row = find(&shared, Reach::Everything, &request).await?;
    tokio::spawn(async move {
        let _place = place;
        let outcome = capture::run(&shared.pool, &shared.config.mqtt, &entered, |_| {}).await;
        if let Err(error) = outcome {
            warn!(capture.request = entered.request.request, "capture of {} ended: {error}", entered.machine);
        }
    });
    let location = format!("/api/v1/captures/{request}");
    Ok((StatusCode::ACCEPTED, [(LOCATION, location)], Json(row)).into_response())
}

async fn look(
    State(shared): State<Shared>,
    Path(request): Path<String>,
    headers: HeaderMap,
) -> Result<Json<CaptureRow>, ApiError> {
    let caller = sign_in::caller(&shared, &headers, Scope::Capture).await?;
    Ok(Json(find(&shared, caller.reach(), &request).await?))
}

/// A capture of a machine within `reach`.
async fn find(shared: &Shared, reach: Reach, request: &str) -> Result<CaptureRow, ApiError> {
    let client = shared.pool.get().await?;
    let mut row = store::capture_by_request(&client, request).await?;
    if let Some(found) = &row
        && store::machine_by_serial(&*client, reach, &found.machine).await?.is_none()
    {
        row = None;
    }
    row.ok_or_else(|| ApiError::NotFound(format!("there is no capture {request:?}")))
}
