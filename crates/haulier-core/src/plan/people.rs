//! Who has a name in the plan, and what nobody has answered yet.

use crate::calendar::Span;

/// Somebody with a name in the plan.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Person {
    /// The name.
    pub name: String,
    /// Roles.
    pub roles: Vec<String>,
    /// When they are away; `None` where nobody asked them.
    pub away: Option<Vec<Span>>,
    /// When they promised to be there; where it says nothing, whenever they are not away.
    pub cover: Vec<Span>,
}

/// Something that is not known yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// What.
    pub ask: String,
    /// Who finds it out.
    pub owner: Option<String>,
    /// Whether nothing begins before it is answered.
    pub blocks: bool,
}
