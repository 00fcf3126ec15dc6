//! The files an operator starts with: they parse, they agree with the service, and the broker's do what they say.

mod broker;
mod files;
