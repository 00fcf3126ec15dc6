//! What goes wrong with a request, as a status and one line of text. Inner causes are logged, not sent.

use std::time::Duration;

use axum::http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use tracing::error;

use crate::store::StoreError;

/// Why a request is not answered as asked.
#[derive(Debug, thiserror::Error)]
pub(super) enum ApiError {
    /// Asked wrongly; the text says how to ask.
    #[error("{0}")]
    BadRequest(String),
    /// Nobody knows who asks.
    #[error("a valid token is needed: Authorization: Bearer …")]
    Unauthorized,
    /// Known, and not allowed.
    #[error("{0}")]
    Forbidden(String),
    /// There is no such thing.
    #[error("{0}")]
    NotFound(String),
    /// Too often; come back later.
    #[error("too many requests; come back in {} s", .0.as_secs())]
    TooMany(Duration),
    /// All hands are full.
    #[error("{0}")]
    Busy(String),
    /// The database is unwell.
    #[error("the database does not answer; try again")]
    Unwell(#[from] StoreError),
}

/// The answer to who asks too often: whole seconds, rounded up.
pub(super) fn too_many(wait: Duration) -> ApiError {
    ApiError::TooMany(Duration::from_secs(wait.as_secs_f64().ceil().max(1.0) as u64))
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let status = match &self {
            Self::BadRequest(_) => StatusCode::BAD_REQUEST,
            Self::Unauthorized => StatusCode::UNAUTHORIZED,
            Self::Forbidden(_) => StatusCode::FORBIDDEN,
            Self::NotFound(_) => StatusCode::NOT_FOUND,
            Self::TooMany(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::Busy(_) | Self::Unwell(_) => StatusCode::SERVICE_UNAVAILABLE,
        };
        if let Self::Unwell(cause) = &self {
            error!(%cause, "a request was not answered: {cause}");
        }
        let mut response = (status, format!("{self}\n")).into_response();
        match &self {
            Self::Unauthorized => {
                response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"polevod\""));
            }
            Self::TooMany(wait) => {
                response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(wait.as_secs()));
            }
            _ => {}
        }
        response
    }
}
