//! What changed in figures that had stood, in words.

use jiff::Timestamp;

use crate::derive::fieldwork::{Proposal, Session};
use crate::exchange::export::Work;
use crate::locale::{Language, NO_BREAK_SPACE};
use crate::store::work::{Revision, SessionRow};

const M2_PER_HA: f64 = 10_000.0;
const S_PER_H: f64 = 3_600.0;
const KG_PER_T: f64 = 1_000.0;

/// A change of what a report says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Correction {
    /// When.
    pub at: Timestamp,
    /// Who; none: it was computed anew.
    pub by: Option<String>,
    /// What was changed, from what to what.
    pub change: String,
    /// Why.
    pub reason: Option<String>,
}

/// The corrections of a session: each revision of figures that people may have read, who confirmed them, and what they
/// would be now.
pub fn of(row: &SessionRow, earlier: &[Revision], work: &Work, language: Language) -> Vec<Correction> {
    let whose = format!("{}, {}", work.machine.label(), language.date(row.session.working_day));
    let at = |ms: i64| Timestamp::from_millisecond(ms).unwrap_or_default();
    let mut corrections = Vec::new();
    // The newest comes first: what replaced it is the one before it in the list, or what stands.
    for (number, revision) in earlier.iter().enumerate() {
        let replaced_by = number.checked_sub(1).map_or(&row.session, |newer| &earlier[newer].session);
        let changes = changes(&revision.session, replaced_by, language);
        if !changes.is_empty() {
            corrections.push(Correction {
                at: at(revision.replaced_at_ms),
                by: None,
                change: format!("{whose}: {changes}"),
                reason: Some(language.text("report.recomputed").to_owned()),
            });
        }
    }
    if let Some(confirmed) = &row.confirmed {
        corrections.push(Correction {
            at: at(confirmed.at_ms),
            by: Some(confirmed.by.clone()),
            change: format!("{whose}: {}", language.text("report.confirmed")),
            reason: None,
        });
    }
    if let Some(proposal) = &row.proposal {
        let change = match proposal {
            Proposal::Differs(session) => {
                format!("{whose}: {} {}", language.text("report.would_be"), changes(&row.session, session, language))
            }
            Proposal::Gone => format!("{whose}: {}", language.text("report.would_be_gone")),
        };
        let reason = Some(language.text("report.confirmed_stay").to_owned());
        corrections.push(Correction { at: at(row.computed_at_ms), by: None, change, reason });
    }
    corrections
}

/// The figures that differ where people can see it.
fn changes(old: &Session, new: &Session, language: Language) -> String {
    let figure = |key: &str, unit: &str, decimals: usize, value: &dyn Fn(&Session) -> Option<f64>| {
        let shown = |session| value(session).map_or_else(|| "–".to_owned(), |value| language.number(value, decimals));
        let (old, new) = (shown(old), shown(new));
        let (key, unit) = (language.word("report.figure", key).to_lowercase(), language.word("unit", unit));
        (old != new).then(|| format!("{key} {old} → {new}{NO_BREAK_SPACE}{unit}"))
    };
    let harvested = |session: &Session| session.harvest.as_ref().map(|harvest| harvest.wet_kg / KG_PER_T);
    let operation = (old.operation != new.operation).then(|| {
        let [old, new] = [old, new].map(|session| language.word("operation", session.operation.name()));
        format!("{old} → {new}")
    });
    let changed = [
        operation,
        figure("area", "ha", 2, &|session| session.area.union_m2.map(|m2| m2 / M2_PER_HA)),
        figure("fuel", "l", 1, &|session| session.fuel.map(|fuel| fuel.total_l)),
        figure("mass", "t", 2, &harvested),
        figure("time", "h", 2, &|session| Some(session.time.total_s / S_PER_H)),
    ];
    changed.into_iter().flatten().collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exchange::export::example;
    use crate::store::work::Confirmed;

    #[test]
    fn each_revision_says_what_it_changed_and_a_confirmation_who_made_it() {
        let work = example::work();
        let row = SessionRow {
            work_session_id: work.session_id,
            machine_id: 1,
            machine: work.machine.serial.clone(),
            machine_name: work.machine.name.clone(),
            revision: 3,
            computed_at_ms: 3_000,
            may_grow: false,
            confirmed: Some(Confirmed { by: "Агроном".into(), at_ms: 4_000 }),
            proposal: Some(Proposal::Gone),
            session: work.session.clone(),
        };
        let revision = |number: i32, area_m2: f64, fuel_l: f64| {
            let mut session = work.session.clone();
            session.area.union_m2 = Some(area_m2);
            session.fuel = session.fuel.map(|fuel| crate::derive::fieldwork::Fuel { total_l: fuel_l, ..fuel });
            Revision {
                revision: number,
                computed_at_ms: 0,
                replaced_at_ms: i64::from(number) * 1_000,
                is_withdrawn: false,
                session,
            }
        };
        let earlier = [revision(2, 31_000.0, 34.25), revision(1, 31_000.0, 30.0)];
        let told: Vec<_> = of(&row, &earlier, &work, Language::En)
            .into_iter()
            .map(|c| format!("{} {:?} {} {:?}", c.at, c.by, c.change, c.reason))
            .collect();
        expect_test::expect![[r#"
            1970-01-01T00:00:02Z None Комбайн 7, 20 Aug 2026: area worked 3.10 → 3.14 ha Some("computed anew: late data, boundary, width or implement")
            1970-01-01T00:00:01Z None Комбайн 7, 20 Aug 2026: fuel 30.0 → 34.2 L Some("computed anew: late data, boundary, width or implement")
            1970-01-01T00:00:04Z Some("Агроном") Комбайн 7, 20 Aug 2026: the figures are confirmed None
            1970-01-01T00:00:03Z None Комбайн 7, 20 Aug 2026: would not be there now Some("confirmed figures stay")"#]].assert_eq(&told.join("\n"));
    }
}
