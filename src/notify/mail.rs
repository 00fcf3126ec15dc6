//! E-mail by SMTP.

use std::time::Duration;

use lettre::message::header::{ContentType, Header, HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message};
use lettre::{AsyncSmtpTransport, AsyncTransport, Tokio1Executor};

use super::Failure;
use crate::config::Notify;
use crate::store::health::Delivery;

/// The way out by mail; none where no server is set.
pub(super) struct Mail {
    transport: Result<AsyncSmtpTransport<Tokio1Executor>, String>,
    from: String,
}

/// Marks a mail as sent by a program, so that no holiday reply comes back (RFC 3834).
#[derive(Clone)]
struct AutoSubmitted;

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "auto-generated".into())
    }
}

impl Mail {
    pub(super) fn new(settings: &Notify) -> Self {
        let url = settings.mail_url.reveal();
        let transport = if url.is_empty() {
            Err("notify.mail_url is empty: name the mail server".into())
        } else {
            AsyncSmtpTransport::<Tokio1Executor>::from_url(url)
                .map(|builder| builder.timeout(Some(Duration::from_secs(settings.timeout_s.into()))).build())
                .map_err(|error| format!("notify.mail_url: {error}"))
        };
        Self { transport, from: settings.mail_from.clone() }
    }

    pub(super) async fn send(&self, delivery: &Delivery) -> Result<(), Failure> {
        let transport = self.transport.as_ref().map_err(Failure::retry)?;
        let message = compose(&self.from, delivery).map_err(Failure::for_good)?;
        match transport.send(message).await {
            Ok(_) => Ok(()),
            // What a server refuses for good it will refuse again: an unknown mailbox.
            Err(error) if error.is_permanent() => Err(Failure::for_good(error)),
            Err(error) => Err(Failure::retry(error)),
        }
    }
}

fn compose(from: &str, delivery: &Delivery) -> Result<Message, String> {
    let text = |key: &str| delivery.body[key].as_str().unwrap_or_default().to_owned();
    let from: Mailbox = from.parse().map_err(|error| format!("notify.mail_from = {from:?}: {error}"))?;
    let target = &delivery.channel.channel.target;
    let to: Mailbox = target.parse().map_err(|error| format!("{target:?} is no mailbox: {error}"))?;
    // The same alert of a machine is one conversation, and a repeat of a delivery has the same identity.
    let thread = format!("<alert-{}@{}>", delivery.body["alert"], from.email.domain());
    Message::builder()
        .message_id(Some(format!("<delivery-{}@{}>", delivery.id, from.email.domain())))
        .references(thread.clone())
        .in_reply_to(thread)
        .from(from)
        .to(to)
        .subject(text("headline"))
        .header(AutoSubmitted)
        .header(ContentType::TEXT_PLAIN)
        .body(text("text"))
        .map_err(|error| error.to_string())
}

/// Says what is wrong with a mailbox.
///
/// # Errors
/// The mend.
pub fn check_mailbox(text: &str) -> Result<(), String> {
    let parsed: Result<Mailbox, _> = text.parse();
    parsed.map(drop).map_err(|error| format!("{text:?} is no mailbox ({error}); write name@host"))
}
