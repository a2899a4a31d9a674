#![doc = include_str!("../README.md")]

mod agree;
mod ask;
mod entry;
mod error;
mod gather;
mod list;
mod naturals;
mod pages;
mod reader;
mod seen;
mod shelf;
mod source;
mod whole;

pub use agree::{Agreed, Types, agree};
pub use error::{RowProblem, SidesError};
pub use gather::Gather;
pub use list::Lists;
pub use naturals::Naturals;
pub use reader::{Batch, Job, Read, Reader};
pub use source::Database;
pub use whole::{FieldDifference, RecordSides, Whole};
