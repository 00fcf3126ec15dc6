//! Field work from end to end, without a database: made drives whose truth is known, and real recordings by the
//! machines' own totals.

mod drive;
mod made;
mod order;
mod recorded;
