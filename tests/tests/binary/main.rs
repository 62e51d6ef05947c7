//! Recipes and bad input through the built binary, against real hosts of the lab.

#![expect(clippy::disallowed_methods, reason = "a test reads its own environment")]

mod bad_input;
mod interrupted;
mod output;
mod site;
mod time_sync;
