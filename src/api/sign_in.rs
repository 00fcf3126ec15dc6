//! Who is asking: a bearer token in the header, or a client's id and secret for one.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::header::{AUTHORIZATION, CACHE_CONTROL, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use percent_encoding::percent_decode_str;
use serde_json::json;

use super::Shared;
use super::answer::{ApiError, too_many};
use crate::store::{self, ApiToken, Scope};

/// Longest form of a token request.
const FORM_BYTES_MAX: usize = 4_096;
/// All that ask for tokens share one limit: a secret cannot be guessed, but asking costs.
const EVERYBODY: i64 = 0;

/// The caller behind a request, when his token may do `scope`.
///
/// # Errors
/// 401 without a valid token, 403 when it may not, 503 when the database is away.
pub(super) async fn caller(shared: &Shared, headers: &HeaderMap, scope: Scope) -> Result<ApiToken, ApiError> {
    let bearer = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).and_then(bearer_of);
    let bearer = bearer.ok_or(ApiError::Unauthorized)?;
    let client = shared.pool.get().await?;
    let token = store::token_by_bearer(&client, bearer).await?.ok_or(ApiError::Unauthorized)?;
    if !token.may(scope) {
        return Err(ApiError::Forbidden(format!("this token may not do {}", scope.word())));
    }
    store::note_use(&client, token.api_token_id).await?;
    Ok(token)
}

fn bearer_of(header: &str) -> Option<&str> {
    let (scheme, token) = header.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// The token endpoint of OAuth 2: client credentials (RFC 6749, 4.4), in the header or in the form.
pub(super) async fn token(State(shared): State<Shared>, headers: HeaderMap, body: Bytes) -> Response {
    if let Err(wait) = shared.token_limit.take(EVERYBODY, std::time::Instant::now()) {
        return too_many(wait).into_response();
    }
    let form = if body.len() <= FORM_BYTES_MAX { std::str::from_utf8(&body).unwrap_or_default() } else { "" };
    if field(form, "grant_type").as_deref() != Some("client_credentials") {
        return refuse(StatusCode::BAD_REQUEST, "unsupported_grant_type");
    }
    let in_header = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).and_then(basic_of);
    let in_form = || Some((field(form, "client_id")?, field(form, "client_secret")?));
    let Some((client_id, secret)) = in_header.or_else(in_form) else {
        return refuse(StatusCode::UNAUTHORIZED, "invalid_client");
    };
    match grant(&shared, &client_id, &secret).await {
        Ok(Some(access_token)) => {
            let answer =
                json!({ "access_token": access_token, "token_type": "Bearer", "expires_in": store::ACCESS_LIFETIME_S });
            ([(CACHE_CONTROL, "no-store")], Json(answer)).into_response()
        }
        Ok(None) => refuse(StatusCode::UNAUTHORIZED, "invalid_client"),
        Err(error) => error.into_response(),
    }
}

async fn grant(shared: &Shared, client_id: &str, secret: &str) -> Result<Option<String>, ApiError> {
    let client = shared.pool.get().await?;
    match store::token_by_secret(&client, client_id, secret).await? {
        Some(token) => Ok(Some(store::grant_access(&client, token.api_token_id).await?)),
        None => Ok(None),
    }
}

fn refuse(status: StatusCode, error: &str) -> Response {
    let answer = Json(json!({ "error": error }));
    match status {
        StatusCode::UNAUTHORIZED => (status, [(WWW_AUTHENTICATE, "Basic realm=\"polevod\"")], answer).into_response(),
        _ => (status, answer).into_response(),
    }
}

/// A field of a form.
fn field(form: &str, name: &str) -> Option<String> {
    let pairs = form.split('&').filter_map(|pair| pair.split_once('='));
    let value = pairs.into_iter().find(|(key, _)| *key == name)?.1.replace('+', " ");
    Some(percent_decode_str(&value).decode_utf8().ok()?.into_owned())
}

/// Id and secret of `Basic` sign-in.
fn basic_of(header: &str) -> Option<(String, String)> {
    let (scheme, encoded) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = base64::engine::general_purpose::STANDARD.decode(encoded.trim()).ok()?;
    let (id, secret) = std::str::from_utf8(&decoded).ok()?.split_once(':')?;
    let plain = |text: &str| Some(percent_decode_str(text).decode_utf8().ok()?.into_owned());
    Some((plain(id)?, plain(secret)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn id_and_secret_are_found_in_header_and_form() {
        assert_eq!(basic_of("Basic YTpiOmM="), Some(("a".into(), "b:c".into())));
        assert_eq!(basic_of("basic !!!"), None);
        assert_eq!(basic_of("Bearer YTpi"), None);
        let form = "grant_type=client_credentials&client_id=a%2Bb&client_secret=x+y";
        assert_eq!(field(form, "client_id").as_deref(), Some("a+b"));
        assert_eq!(field(form, "client_secret").as_deref(), Some("x y"));
        assert_eq!(field(form, "scope"), None);
        assert_eq!(bearer_of("bearer pvt_1_2"), Some("pvt_1_2"));
        assert_eq!(bearer_of("pvt_1_2"), None);
    }
}
