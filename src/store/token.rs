//! API tokens: made, listed, revoked, recognised. The database knows a secret by its digest alone.
//!
//! A token reads `pvt_CLIENT_SECRET`; client and secret are also the two halves of OAuth 2 client credentials, for
//! which a bearer token `pva_SECRET` of an hour is given.

use rand::TryRngCore;
use rand::rngs::OsRng;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use tokio_postgres::{Client, Row};

use super::instant::Instant;
use super::{Reach, StoreError};

/// Random bytes of a secret: 256 bits.
const SECRET_BYTES: usize = 32;
/// Random bytes of a client id.
const CLIENT_BYTES: usize = 6;
const TOKEN_PREFIX: &str = "pvt_";
const ACCESS_PREFIX: &str = "pva_";
/// How long a bearer token is valid.
pub const ACCESS_LIFETIME_S: u32 = 3_600;
/// Longest text that is looked at as a token.
const MAX_TOKEN_BYTES: usize = 256;

/// What a token may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// Read the fleet by ISO 15143-3.
    Aemp,
    /// Ask machines for diagnostic captures.
    Capture,
}

/// A token as it is listed.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct ApiToken {
    /// Its number.
    #[serde(skip)]
    pub api_token_id: i64,
    /// First part of the token and client id.
    pub client: String,
    /// Whom or what it is for.
    pub name: String,
    /// What it may do, by word.
    pub scopes: Vec<String>,
    /// Unix milliseconds.
    pub created_at_ms: i64,
    /// Unix milliseconds; none: when it is revoked.
    pub expires_at_ms: Option<i64>,
    /// Unix milliseconds.
    pub revoked_at_ms: Option<i64>,
    /// Unix milliseconds, to the minute.
    pub last_used_at_ms: Option<i64>,
    /// Number of the organisation that it is limited to.
    #[serde(skip)]
    pub organisation_id: Option<i64>,
    /// Name of that organisation; none: it sees every machine.
    pub organisation: Option<String>,
}

impl Scope {
    /// Every scope.
    pub const ALL: [Self; 2] = [Self::Aemp, Self::Capture];

    /// The word in the database and on the command line.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Aemp => "aemp",
            Self::Capture => "capture",
        }
    }
}

impl std::str::FromStr for Scope {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|scope| scope.word() == word).ok_or_else(|| {
            let known = Self::ALL.map(Self::word).join(", ");
            format!("{word:?} is no scope; {known} are known")
        })
    }
}

impl ApiToken {
    /// Whether the token may do something.
    pub fn may(&self, scope: Scope) -> bool {
        self.scopes.iter().any(|word| word == scope.word())
    }

    /// Whose machines it sees.
    pub fn reach(&self) -> Reach {
        self.organisation_id.map_or(Reach::Everything, Reach::Organisation)
    }
}

/// The digest of a secret. A plain hash is enough: there is nothing to guess in 256 random bits.
fn digest_of(secret: &str) -> [u8; 32] {
    Sha256::digest(secret.as_bytes()).into()
}

/// Random bytes of the system, as hexadecimal text.
fn random_text(bytes: usize) -> Result<String, StoreError> {
    let mut random = vec![0; bytes];
    OsRng.try_fill_bytes(&mut random).map_err(|error| StoreError::Setup(format!("no random numbers: {error}")))?;
    Ok(random.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Makes a token that sees the machines within `reach` and returns it: the one time that its secret is seen.
///
/// # Errors
/// When the database cannot be asked.
pub async fn create_token(
    client: &Client,
    name: &str,
    scopes: &[Scope],
    reach: Reach,
    expires_at_ms: Option<i64>,
) -> Result<String, StoreError> {
    let organisation_id = match reach {
        Reach::Everything => None,
        Reach::Organisation(organisation_id) => Some(organisation_id),
    };
    let (client_id, secret) = (random_text(CLIENT_BYTES)?, random_text(SECRET_BYTES)?);
    let words: Vec<&str> = scopes.iter().map(|scope| scope.word()).collect();
    client
        .execute(
            "insert into api_token (client, digest, name, scopes, expires_at, organisation_id)
             values ($1, $2, $3, $4, $5, $6)",
            &[&client_id, &digest_of(&secret).as_slice(), &name, &words, &expires_at_ms.map(Instant), &organisation_id],
        )
        .await?;
    Ok(format!("{TOKEN_PREFIX}{client_id}_{secret}"))
}

/// Every token, newest first.
///
/// # Errors
/// When the database cannot be asked.
pub async fn list_tokens(client: &Client) -> Result<Vec<ApiToken>, StoreError> {
    let query = format!("select {COLUMNS} from api_token order by created_at desc, api_token_id desc");
    Ok(client.query(&query, &[]).await?.iter().map(token).collect())
}

/// Revokes a token and everything that was given for it; false when there is none of that client id, or it was
/// revoked before.
///
/// # Errors
/// When the database cannot be asked.
pub async fn revoke_token(client: &Client, client_id: &str) -> Result<bool, StoreError> {
    let revoked = client
        .execute("update api_token set revoked_at = now() where client = $1 and revoked_at is null", &[&client_id])
        .await?;
    client
        .execute(
            "delete from api_access using api_token
             where api_access.api_token_id = api_token.api_token_id and client = $1",
            &[&client_id],
        )
        .await?;
    Ok(revoked > 0)
}

/// The valid token of a client, when `secret` is its secret.
///
/// # Errors
/// When the database cannot be asked.
pub async fn token_by_secret(client: &Client, client_id: &str, secret: &str) -> Result<Option<ApiToken>, StoreError> {
    if client_id.len() + secret.len() > MAX_TOKEN_BYTES {
        return Ok(None);
    }
    let query = format!("select {COLUMNS}, digest from api_token where client = $1 and {VALID}");
    let Some(row) = client.query_opt(&query, &[&client_id]).await? else { return Ok(None) };
    let is_known: bool = digest_of(secret).ct_eq(row.get::<_, &[u8]>("digest")).into();
    Ok(is_known.then(|| token(&row)))
}

/// The valid token behind what came as bearer token: the token itself, or one that was given for it.
///
/// # Errors
/// When the database cannot be asked.
pub async fn token_by_bearer(client: &Client, bearer: &str) -> Result<Option<ApiToken>, StoreError> {
    if bearer.len() > MAX_TOKEN_BYTES {
        return Ok(None);
    }
    if let Some((client_id, secret)) = bearer.strip_prefix(TOKEN_PREFIX).and_then(|rest| rest.split_once('_')) {
        return token_by_secret(client, client_id, secret).await;
    }
    let Some(secret) = bearer.strip_prefix(ACCESS_PREFIX) else { return Ok(None) };
    // The digest is the key of the row: how long the look-up takes tells nothing of the text that it was made of.
    let query = format!(
        "select {COLUMNS} from api_token join api_access using (api_token_id)
         where api_access.digest = $1 and api_access.expires_at > now() and {VALID}"
    );
    let row = client.query_opt(&query, &[&digest_of(secret).as_slice()]).await?;
    Ok(row.as_ref().map(token))
}

/// Gives a bearer token for a client, valid for [`ACCESS_LIFETIME_S`], and forgets those that are no longer.
///
/// # Errors
/// When the database cannot be asked.
pub async fn grant_access(client: &Client, api_token_id: i64) -> Result<String, StoreError> {
    let secret = random_text(SECRET_BYTES)?;
    client.execute("delete from api_access where expires_at <= now()", &[]).await?;
    client
        .execute(
            "insert into api_access (digest, api_token_id, expires_at)
             values ($1, $2, now() + $3::bigint * interval '1 second')",
            &[&digest_of(&secret).as_slice(), &api_token_id, &i64::from(ACCESS_LIFETIME_S)],
        )
        .await?;
    Ok(format!("{ACCESS_PREFIX}{secret}"))
}

/// Notes that a token was used, once a minute at most.
///
/// # Errors
/// When the database cannot be asked.
pub async fn note_use(client: &Client, api_token_id: i64) -> Result<(), StoreError> {
    client
        .execute(
            "update api_token set last_used_at = date_trunc('minute', now())
             where api_token_id = $1 and last_used_at is distinct from date_trunc('minute', now())",
            &[&api_token_id],
        )
        .await?;
    Ok(())
}

const COLUMNS: &str =
    "api_token.api_token_id, client, api_token.name, scopes, api_token.created_at, api_token.expires_at, revoked_at,
     last_used_at, api_token.organisation_id,
     (select organisation.name from organisation
      where organisation.organisation_id = api_token.organisation_id) as organisation";
const VALID: &str = "revoked_at is null and (api_token.expires_at is null or api_token.expires_at > now())";

fn token(row: &Row) -> ApiToken {
    let instant = |column: &str| row.get::<_, Option<Instant>>(column).map(|at| at.0);
    ApiToken {
        api_token_id: row.get("api_token_id"),
        client: row.get("client"),
        name: row.get("name"),
        scopes: row.get("scopes"),
        created_at_ms: row.get::<_, Instant>("created_at").0,
        expires_at_ms: instant("expires_at"),
        revoked_at_ms: instant("revoked_at"),
        last_used_at_ms: instant("last_used_at"),
        organisation_id: row.get("organisation_id"),
        organisation: row.get("organisation"),
    }
}
