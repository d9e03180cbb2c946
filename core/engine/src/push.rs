//! Push groups: what each grouping key holds, and the index that keeps groups from contradicting each other.
//!
//! A push is checked against an index of names and label sets, so it costs what it carries and not what is stored.
//! Group states are immutable and shared: a staged push makes a new state, a commit shows it, a rollback forgets it.

mod change;
mod check;
mod flatten;
mod group;
mod index;
mod page;
mod refusal;
mod render;
mod shared;
mod stage;
mod table;

pub use change::Change;
pub use group::{Group, GroupKey, Stored};
pub use page::Page;
pub use refusal::{Errors, Refusal};
pub use render::{Escaping, Format, Snapshot};
pub use stage::{PushOptions, Timestamps};
pub use table::{Table, Ticket};

/// When a group last changed; every group shows it, beside what was pushed.
pub const PUSH_TIME: &str = "push_time_seconds";
/// When a push to a group was last refused; 0 if never.
pub const PUSH_FAILURE_TIME: &str = "push_failure_time_seconds";
/// HELP of [`PUSH_TIME`], as Pushgateway words it.
pub const PUSH_TIME_HELP: &str = "Last Unix time when changing this group in the Pushgateway succeeded.";
/// HELP of [`PUSH_FAILURE_TIME`], as Pushgateway words it.
pub const PUSH_FAILURE_TIME_HELP: &str = "Last Unix time when changing this group in the Pushgateway failed.";
