//! What is not perfect in the seasons that accuracy is measured over.

use simulator::conditions::{Conditions, EntryRules, PowerRules, ReceiverRules};

/// Receivers and units as they are in the field; clocks are right, since setting them right is the work of ingest.
pub(crate) fn conditions() -> Conditions {
    Conditions {
        receiver: ReceiverRules {
            jumps_per_hour: 0.05,
            zeros_per_hour: 0.02,
            freezes_per_hour: 0.03,
            drifts_per_hour: 0.3,
            losses_per_hour: 0.02,
        },
        entries: EntryRules { missing_share: 0.0005, out_of_order_share: 0.001 },
        power: PowerRules { restarts_per_day: 0.3, power_cut_share: 0.5 },
        ..Conditions::default()
    }
}
