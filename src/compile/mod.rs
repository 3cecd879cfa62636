//! A definition as it is meant: from the written form to the model, and from the model to the plan.
//!
//! In charge of lowering, of resolving types and permissions, of judging the
//! whole (collisions, captures, positions, names), of binding handlers, and of
//! making the plan. Collects every fault; tells none that only follows from
//! another. Must not know text, nor more of dialects than their manners say.

mod api;
mod bind;
mod collision;
mod cors;
mod fit;
mod format;
mod function;
mod input;
mod jsonp;
mod key;
mod lower;
mod method;
mod module;
mod name;
mod named;
mod option;
mod output;
mod parameter;
mod parts;
mod path;
mod plan;
mod reserved;
mod room;
mod scope;
mod setting;
mod term;
mod value;

pub use api::{Answers, Lowered, lower, table};
pub use bind::{Bound, bind};
pub use function::{Wanted, unknown_functions};
pub use plan::{Surroundings, plan};

use plan::default_value;
