//! From episodes to what people work on: each trouble is told once, whatever is computed again.
//!
//! Records that come late may move the beginning of an episode, join two, or split one. So an episode is the same as a
//! known one of its subject when both cover the same time; only what covers the time of none is new.

use super::episode::Episode;
use super::text::Severity;

/// Trouble that returns after this time is told again, also while its alert is still open.
pub const TOLD_AGAIN_AFTER_MS: i64 = 12 * 3_600_000;
/// Episodes this close are the same one, seen a little differently.
const SAME_WITHIN_MS: i64 = 60_000;

/// An episode as it is stored.
#[derive(Debug, Clone, PartialEq)]
pub struct Known {
    /// Its number in the store.
    pub id: i64,
    /// What was stored.
    pub episode: Episode,
    /// It was withdrawn since.
    pub withdrawn: bool,
}

/// What has to change in the store.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Changes {
    /// Episodes that are new; whether they are worth telling, or only a part of what is known.
    pub new: Vec<(Episode, bool)>,
    /// Known episodes that look different now.
    pub changed: Vec<(i64, Episode)>,
    /// Known episodes that nothing bears out any more.
    pub withdrawn: Vec<i64>,
}

impl Changes {
    /// Whether nothing changes.
    pub fn is_empty(&self) -> bool {
        self.new.is_empty() && self.changed.is_empty() && self.withdrawn.is_empty()
    }
}

/// Compares what is known with what has been computed: `known` are all episodes that the computation could have
/// found, the withdrawn ones too; `found` are those that it found.
pub fn reconcile(known: &[Known], found: &[Episode]) -> Changes {
    let mut changes = Changes::default();
    let mut taken = vec![false; known.len()];
    let mut found: Vec<&Episode> = found.iter().collect();
    found.sort_by_key(|episode| (episode.subject.clone(), episode.opened_at_ms));
    for episode in found {
        let same = |index: &usize| is_same(&known[*index].episode, episode);
        let candidates: Vec<usize> = (0..known.len()).filter(same).collect();
        // Rather one that still stands than one that was withdrawn; rather one that begins at the same time.
        let distance = |index: usize| (known[index].episode.opened_at_ms - episode.opened_at_ms).abs();
        let best = candidates
            .iter()
            .copied()
            .filter(|index| !taken[*index])
            .min_by_key(|index| (known[*index].withdrawn, distance(*index), known[*index].id));
        match best {
            Some(index) => {
                taken[index] = true;
                if known[index].withdrawn || known[index].episode != *episode {
                    changes.changed.push((known[index].id, episode.clone()));
                }
            }
            // A part of something that is known has been told with it.
            None => changes.new.push((episode.clone(), candidates.is_empty())),
        }
    }
    let gone = known.iter().zip(taken).filter(|(known, taken)| !taken && !known.withdrawn);
    changes.withdrawn = gone.map(|(known, _)| known.id).collect();
    changes
}

fn is_same(known: &Episode, episode: &Episode) -> bool {
    let until_ms = episode.closed_at_ms.unwrap_or(i64::MAX - SAME_WITHIN_MS);
    known.subject == episode.subject
        && known.overlaps(episode.opened_at_ms - SAME_WITHIN_MS, until_ms.saturating_add(SAME_WITHIN_MS))
}

/// Where an alert stands with people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum WorkState {
    /// Nobody has seen it.
    New,
    /// Somebody has.
    Acknowledged,
    /// Somebody is at it.
    InWork,
    /// It has been dealt with.
    Closed,
}

impl WorkState {
    /// The word in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Acknowledged => "acknowledged",
            Self::InWork => "in_work",
            Self::Closed => "closed",
        }
    }

    /// Reads the word of the database.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::New, Self::Acknowledged, Self::InWork, Self::Closed].into_iter().find(|state| state.as_str() == word)
    }
}

/// What an alert is before an episode joins it.
#[derive(Debug, Clone, PartialEq)]
pub struct AlertBefore {
    /// Where it stands.
    pub state: WorkState,
    /// Of its latest episode.
    pub severity: Severity,
    /// Beginning of its latest episode.
    pub opened_at_ms: i64,
    /// End of its latest episode; none: it lasts.
    pub gone_at_ms: Option<i64>,
}

/// What a new episode does to the alert of its subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Joined {
    /// It was dealt with, and needs people again.
    pub reopens: bool,
    /// Receivers are told.
    pub is_told: bool,
}

/// What a new episode that is worth telling does to an alert.
pub fn join(before: &AlertBefore, episode: &Episode) -> Joined {
    let reopens = before.state == WorkState::Closed;
    let is_worse = episode.severity > before.severity;
    let is_rested = before.gone_at_ms.is_some_and(|gone| episode.opened_at_ms - gone >= TOLD_AGAIN_AFTER_MS);
    Joined { reopens, is_told: reopens || is_worse || is_rested }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::derive::health::Evidence;
    use expect_test::{Expect, expect};
    use proptest::prelude::*;

    /// An episode of minutes; an end of 0 is none.
    fn episode(subject: &str, from: i64, to: i64) -> Episode {
        Episode {
            subject: format!("rule/{subject}").parse().expect("a subject"),
            severity: Severity::Urgent,
            opened_at_ms: from * 60_000,
            fired_at_ms: from * 60_000,
            closed_at_ms: (to > 0).then_some(to * 60_000),
            settled_at_ms: (to > 0).then_some(to * 60_000),
            evidence: Evidence::new(),
        }
    }

    fn check(known: &[(i64, &str, i64, i64)], found: &[(&str, i64, i64)], expected: Expect) {
        let known: Vec<_> = known
            .iter()
            .map(|(id, subject, from, to)| {
                let (subject, withdrawn) = subject.strip_suffix('!').map_or((*subject, false), |name| (name, true));
                Known { id: *id, episode: episode(subject, *from, *to), withdrawn }
            })
            .collect();
        let found: Vec<_> = found.iter().map(|(subject, from, to)| episode(subject, *from, *to)).collect();
        let changes = reconcile(&known, &found);
        let show = |episode: &Episode| {
            let minutes = |ms: i64| ms / 60_000;
            format!("{} {}-{}", episode.subject, minutes(episode.opened_at_ms), episode.closed_at_ms.map_or(0, minutes))
        };
        let mut lines = Vec::new();
        lines.extend(
            changes
                .new
                .iter()
                .map(|(episode, told)| format!("new{} {}", if *told { "" } else { ", not told," }, show(episode))),
        );
        lines.extend(changes.changed.iter().map(|(id, episode)| format!("{id} is now {}", show(episode))));
        lines.extend(changes.withdrawn.iter().map(|id| format!("{id} is withdrawn")));
        expected.assert_eq(&lines.join("\n"));
    }

    #[test]
    fn what_covers_the_same_time_is_the_same() {
        check(&[(1, "hot", 100, 0)], &[("hot", 100, 0)], expect![""]);
        check(&[(1, "hot", 100, 0)], &[("hot", 90, 130)], expect!["1 is now rule/hot 90-130"]);
        check(&[(1, "hot", 100, 120)], &[("hot", 100, 120), ("hot", 300, 0)], expect!["new rule/hot 300-0"]);
        check(
            &[(1, "hot", 100, 120)],
            &[("oil", 100, 120)],
            expect![[r#"
            new rule/oil 100-120
            1 is withdrawn"#]],
        );
    }

    #[test]
    fn late_records_that_join_or_split_tell_nothing_twice() {
        check(
            &[(1, "hot", 100, 120), (2, "hot", 130, 150)],
            &[("hot", 100, 150)],
            expect![[r#"
            1 is now rule/hot 100-150
            2 is withdrawn"#]],
        );
        check(
            &[(1, "hot", 100, 150)],
            &[("hot", 100, 120), ("hot", 130, 150)],
            expect![[r#"
            new, not told, rule/hot 130-150
            1 is now rule/hot 100-120"#]],
        );
    }

    #[test]
    fn what_was_withdrawn_and_is_borne_out_after_all_stands_again() {
        check(&[(1, "hot!", 100, 120)], &[("hot", 100, 120)], expect!["1 is now rule/hot 100-120"]);
        check(&[(1, "hot!", 100, 120)], &[], expect![""]);
    }

    proptest! {
        #[test]
        fn applying_the_changes_leaves_exactly_what_was_found_and_a_second_time_changes_nothing(
            known in prop::collection::vec((0..3u8, 1i64..100, 0i64..40, any::<bool>()), 0..8),
            found in prop::collection::vec((0..3u8, 1i64..100, 0i64..40), 0..8),
        ) {
            let of = |subject: u8, from: i64, length: i64| {
                episode(["a", "b", "c"][usize::from(subject)], from, if length == 0 { 0 } else { from + length })
            };
            let mut known: Vec<_> = known
                .into_iter()
                .enumerate()
                .map(|(id, (subject, from, length, withdrawn))| {
                    Known { id: id as i64, episode: of(subject, from, length), withdrawn }
                })
                .collect();
            let mut found: Vec<_> = found.into_iter().map(|(subject, from, length)| of(subject, from, length)).collect();
            let changes = reconcile(&known, &found);
            for (id, episode) in changes.changed {
                let row = known.iter_mut().find(|known| known.id == id).expect("a known one");
                (row.episode, row.withdrawn) = (episode, false);
            }
            known.iter_mut().filter(|known| changes.withdrawn.contains(&known.id)).for_each(|known| known.withdrawn = true);
            known.extend(changes.new.into_iter().enumerate().map(|(index, (episode, _))| {
                Known { id: 1_000 + index as i64, episode, withdrawn: false }
            }));
            let mut left: Vec<_> = known.iter().filter(|known| !known.withdrawn).map(|known| known.episode.clone()).collect();
            let key = |episode: &Episode| (episode.subject.clone(), episode.opened_at_ms, episode.closed_at_ms);
            left.sort_by_key(key);
            found.sort_by_key(key);
            prop_assert_eq!(left, found.clone());
            prop_assert!(reconcile(&known, &found).new.is_empty(), "what is stored is never told again");
        }
    }
}
