//! What can go wrong with the database, sorted by who must act.

use tokio_postgres::error::SqlState;

use super::load::Loaded;

/// A failed database operation.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// No connection.
    #[error("cannot reach the database: {0}")]
    Connect(String),
    /// A connection that the server, or its certificate, forbids: it stays so until somebody mends it.
    #[error("the database cannot be used: {0}")]
    Refused(String),
    /// A statement failed.
    #[error("{}", describe(.0))]
    Database(#[from] tokio_postgres::Error),
    /// The link broke while COMMIT was under way: the transaction may or may not have happened.
    #[error("the connection broke during commit of transaction {transaction}: {source}")]
    CommitUnknown {
        /// `pg_current_xact_id()`, to ask about its fate.
        transaction: String,
        /// What broke.
        source: tokio_postgres::Error,
        /// What the batch amounts to if it did happen.
        loaded: Box<Loaded>,
    },
    /// It took longer than configured.
    #[error("no answer from the database within {0} s")]
    Timeout(u32),
    /// The database is not as the service needs it.
    #[error("{0}")]
    Setup(String),
    /// A row makes no sense.
    #[error("{table}: {message}")]
    Row {
        /// Where it stands.
        table: &'static str,
        /// Key and value.
        message: String,
    },
}

/// What to do about a failed statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorClass {
    /// Something in the batch cannot be stored: find it.
    Data,
    /// Another transaction was in the way; nobody is unwell. Try again.
    Conflict,
    /// The database is unwell, busy or not ready: try again.
    Retry,
}

/// Sorts an error. Unknown means retry: nothing is given up for a reason nobody has thought of.
pub fn classify(error: &StoreError) -> ErrorClass {
    let StoreError::Database(error) = error else { return ErrorClass::Retry };
    match error.code() {
        Some(code) if is_data_error(code) => ErrorClass::Data,
        Some(code) if is_conflict(code) => ErrorClass::Conflict,
        _ => ErrorClass::Retry,
    }
}

/// Whether the same may go well later without anybody's doing. A password stays wrong, a database that does not exist
/// stays away; a server that starts, stops or is full does not.
pub fn waiting_helps(error: &StoreError) -> bool {
    match error {
        StoreError::Connect(_) | StoreError::Timeout(_) | StoreError::CommitUnknown { .. } => true,
        StoreError::Database(error) => passes(error),
        StoreError::Refused(_) | StoreError::Setup(_) | StoreError::Row { .. } => false,
    }
}

/// Whether a failure passes by itself: the link broke, or the server says so by SQLSTATE class 08 connection exception,
/// 53 insufficient resources, 57 operator intervention (starting up, shutting down).
pub(super) fn passes(error: &tokio_postgres::Error) -> bool {
    if let Some(code) = error.code() {
        return matches!(&code.code()[..2], "08" | "53" | "57");
    }
    let broken_link = std::error::Error::source(error).and_then(|cause| cause.downcast_ref::<std::io::Error>());
    // A certificate that does not hold comes as data that makes no sense.
    error.is_closed() || broken_link.is_some_and(|cause| cause.kind() != std::io::ErrorKind::InvalidData)
}

/// SQLSTATE classes by which the database blames the row:
/// 22 data exception, 23 integrity constraint violation, 54 program limit exceeded (a row too large),
/// P0001 raised by a trigger or function of the operator.
fn is_data_error(code: &SqlState) -> bool {
    let code = code.code();
    matches!(&code[..2], "22" | "23" | "54") || code == "P0001"
}

/// SQLSTATE class 40, transaction rollback: deadlock, serialization failure.
fn is_conflict(code: &SqlState) -> bool {
    code.code().starts_with("40")
}

/// The server's message with its detail, or what broke on the way to it.
fn describe(error: &tokio_postgres::Error) -> String {
    match error.as_db_error() {
        Some(db) => {
            let detail = db.detail().map_or(String::new(), |detail| format!(" ({detail})"));
            format!("database: {}{detail} [{}]", db.message(), db.code().code())
        }
        None => match std::error::Error::source(error) {
            Some(cause) => format!("database connection: {error}: {cause}"),
            None => format!("database connection: {error}"),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_classes_that_blame_the_row_are_data_errors() {
        let data = ["22003", "22P02", "23514", "23502", "54000", "P0001"];
        let conflict = ["40001", "40P01"];
        let retry = ["08006", "53100", "53300", "55P03", "57P01", "57014", "42P01", "42501", "XX000", "58030"];
        let is_data = |code: &&str| is_data_error(&SqlState::from_code(code));
        let is_conflict = |code: &&str| is_conflict(&SqlState::from_code(code));
        assert!(data.iter().all(is_data) && !data.iter().any(is_conflict));
        assert!(conflict.iter().all(is_conflict) && !conflict.iter().any(is_data));
        assert!(!retry.iter().any(is_data) && !retry.iter().any(is_conflict));
        assert_eq!(classify(&StoreError::Timeout(30)), ErrorClass::Retry);
    }

    #[test]
    fn what_somebody_must_mend_is_not_waited_for() {
        assert!(waiting_helps(&StoreError::Connect("connection refused".into())));
        assert!(waiting_helps(&StoreError::Timeout(30)));
        assert!(!waiting_helps(&StoreError::Refused("password authentication failed".into())));
        assert!(!waiting_helps(&StoreError::Setup("schema/0002_sample.sql: syntax error".into())));
    }
}
