//! What becomes of the sessions of a day when they are computed anew: which one is which, and what changed.

use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

use super::{Operation, Place, Session};

/// A session as it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Standing {
    /// Its number.
    pub id: i64,
    /// Its figures.
    pub session: Session,
    /// Whether a person confirmed it: its figures then stay.
    pub is_confirmed: bool,
    /// What computing anew gave last, where that differs from confirmed figures.
    pub proposal: Option<Proposal>,
}

/// What computing anew gives for a confirmed session.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Proposal {
    /// Other figures.
    Differs(Box<Session>),
    /// No such session.
    Gone,
}

/// What becomes of one session.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// A new one.
    Enter(Box<Session>),
    /// Its figures are replaced, by a new revision.
    Revise(i64, Box<Session>),
    /// It is no more.
    Withdraw(i64),
    /// It is confirmed and stays; what it would be now is shown beside it, or nothing where it agrees again.
    Propose(i64, Option<Proposal>),
}

/// What must change so that `standing` becomes `computed`. What is equal to the bit is left alone.
///
/// A session is the same as one that stood when they share time; of several, first those of the same place and
/// operation, then those that share most.
pub fn changes(standing: &[Standing], computed: Vec<Session>) -> Vec<Change> {
    let mut pairs: Vec<(bool, i64, usize, usize)> = Vec::new();
    for (old, stood) in standing.iter().enumerate() {
        for (new, session) in computed.iter().enumerate() {
            let shared_ms = shared_ms(&stood.session, session);
            if shared_ms > 0 {
                pairs.push((identity(&stood.session) == identity(session), shared_ms, old, new));
            }
        }
    }
    pairs.sort_by_key(|(same, shared_ms, old, new)| (!same, -shared_ms, *old, *new));
    let (mut of_old, mut is_taken) = (vec![None; standing.len()], vec![false; computed.len()]);
    for (_, _, old, new) in pairs {
        if of_old[old].is_none() && !is_taken[new] {
            of_old[old] = Some(new);
            is_taken[new] = true;
        }
    }
    let mut computed: Vec<Option<Session>> = computed.into_iter().map(Some).collect();
    let mut changes = Vec::new();
    for (stood, new) in standing.iter().zip(of_old) {
        let session = new.and_then(|new| computed[new].take());
        changes.extend(change(stood, session));
    }
    changes.extend(computed.into_iter().flatten().map(|session| Change::Enter(Box::new(session))));
    changes
}

fn change(stood: &Standing, session: Option<Session>) -> Option<Change> {
    let is_same = session.as_ref() == Some(&stood.session);
    match (stood.is_confirmed, session) {
        (false, _) if is_same => None,
        (false, Some(session)) => Some(Change::Revise(stood.id, Box::new(session))),
        (false, None) => Some(Change::Withdraw(stood.id)),
        (true, session) => {
            let proposal = match session {
                _ if is_same => None,
                Some(session) => Some(Proposal::Differs(Box::new(session))),
                None => Some(Proposal::Gone),
            };
            (proposal != stood.proposal).then_some(Change::Propose(stood.id, proposal))
        }
    }
}

fn identity(session: &Session) -> (Option<i64>, Operation) {
    let field = match &session.place {
        Place::Field { field_id, .. } => Some(*field_id),
        Place::Outside { .. } => None,
    };
    (field, session.operation)
}

fn shared_ms(a: &Session, b: &Session) -> i64 {
    let period = |s: &Session| -> RangeInclusive<i64> { s.started_at.as_millisecond()..=s.ended_at.as_millisecond() };
    let (a, b) = (period(a), period(b));
    a.end().min(b.end()) - a.start().max(b.start())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::derive::fieldwork::testing::session;

    fn standing(id: i64, session: Session, is_confirmed: bool) -> Standing {
        Standing { id, session, is_confirmed, proposal: None }
    }

    fn check(standing: &[Standing], computed: Vec<Session>, expected: &[&str]) {
        let text: Vec<_> = changes(standing, computed)
            .iter()
            .map(|change| match change {
                Change::Enter(session) => format!("enter {}", session.started_at.as_second()),
                Change::Revise(id, session) => format!("revise {id} to {}", session.started_at.as_second()),
                Change::Withdraw(id) => format!("withdraw {id}"),
                Change::Propose(id, None) => format!("{id} agrees"),
                Change::Propose(id, Some(Proposal::Gone)) => format!("{id} would be gone"),
                Change::Propose(id, Some(Proposal::Differs(_))) => format!("{id} would differ"),
            })
            .collect();
        assert_eq!(text, expected);
    }

    #[test]
    fn what_did_not_change_is_left_alone() {
        check(&[standing(1, session(7, 0..100), false)], vec![session(7, 0..100)], &[]);
    }

    #[test]
    fn a_session_that_grew_is_revised_and_another_enters() {
        let computed = vec![session(7, 0..200), session(7, 5000..6000)];
        check(&[standing(1, session(7, 0..100), false)], computed, &["revise 1 to 0", "enter 5000"]);
    }

    #[test]
    fn two_that_become_one_keep_the_number_of_the_longer() {
        let stood = [standing(1, session(7, 0..100), false), standing(2, session(7, 200..900), false)];
        check(&stood, vec![session(7, 0..900)], &["withdraw 1", "revise 2 to 0"]);
    }

    #[test]
    fn a_new_boundary_that_moves_a_session_to_another_field_keeps_its_number() {
        check(&[standing(1, session(7, 0..100), false)], vec![session(8, 0..100)], &["revise 1 to 0"]);
        // Where another of the same field is there, that one is it.
        let computed = vec![session(8, 0..100), session(7, 90..100)];
        check(&[standing(1, session(7, 0..100), false)], computed, &["revise 1 to 90", "enter 0"]);
    }

    #[test]
    fn a_confirmed_session_keeps_its_figures_and_shows_the_difference() {
        let stood = [standing(1, session(7, 0..100), true)];
        check(&stood, vec![session(7, 0..100)], &[]);
        check(&stood, vec![session(7, 0..150)], &["1 would differ"]);
        check(&stood, vec![], &["1 would be gone"]);
        let mut told = stood.clone();
        told[0].proposal = Some(Proposal::Gone);
        check(&told, vec![], &[]);
        check(&told, vec![session(7, 0..100)], &["1 agrees"]);
    }
}
