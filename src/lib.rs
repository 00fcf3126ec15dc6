//! Polevod.
