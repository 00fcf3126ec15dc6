//! Telling a run to stop.

use tokio::sync::watch;

/// How far a run is to be stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Phase {
    /// Record and send.
    Run,
    /// Record no more; wait until the buffers are empty.
    Drain,
    /// End now; what is pending stays pending.
    End,
}

/// The side that tells. Dropping it without a word lets the run go on.
#[derive(Debug)]
pub struct StopSwitch(watch::Sender<Phase>);

/// The side that listens.
#[derive(Debug, Clone)]
pub struct Stop(watch::Receiver<Phase>);

/// A switch and its listener.
pub fn stop_switch() -> (StopSwitch, Stop) {
    let (sender, receiver) = watch::channel(Phase::Run);
    (StopSwitch(sender), Stop(receiver))
}

impl StopSwitch {
    /// Ends recording; the run goes on until its buffers are empty or the drain time is over.
    pub fn stop(&self) {
        self.raise(Phase::Drain);
    }

    /// Ends the run at once.
    pub fn end(&self) {
        self.raise(Phase::End);
    }

    fn raise(&self, phase: Phase) {
        self.0.send_if_modified(|now| std::mem::replace(now, phase.max(*now)) != *now);
    }
}

impl Stop {
    /// A listener that is never told.
    pub fn never() -> Self {
        stop_switch().1
    }

    pub(super) fn phase(&self) -> Phase {
        *self.0.borrow()
    }

    /// Waits for the next phase; for ever when the switch is gone.
    pub(super) async fn changed(&mut self) -> Phase {
        if self.0.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
        *self.0.borrow_and_update()
    }
}
