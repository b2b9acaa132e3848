//! What users wrote: documents from files and directories, all of their problems at once, before anything is sent.

mod problem;
mod set;
mod source;
mod template;
mod tree;

pub use problem::Found;
pub use set::{Wish, Wishes};
pub use source::Source;
pub use template::Template;
pub use tree::{Node, Place};
