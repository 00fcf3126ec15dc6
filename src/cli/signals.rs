//! Being asked to stop.

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

/// Turns true at SIGTERM or SIGINT (Ctrl-C).
///
/// # Errors
/// When the system does not let us listen.
pub(super) fn stop_on_signal() -> std::io::Result<watch::Receiver<bool>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let (sender, receiver) = watch::channel(false);
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        sender.send_replace(true);
    });
    Ok(receiver)
}
