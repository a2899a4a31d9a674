//! Why a change is not made. Nothing is changed then.

use super::{Knob, Limit};

/// What is wrong with what was typed.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum TuneError {
    /// No such knob.
    #[error("there is no knob `{word}`")]
    UnknownKnob {
        /// What was typed.
        word: String,
        /// What was probably meant.
        near: Option<Knob>,
    },
    /// Nothing to set it to.
    #[error("`{knob}` is given no value")]
    Empty {
        /// The knob.
        knob: Knob,
    },
    /// A number in quotes, which a shell would have taken away.
    #[error("the value of `{knob}` stands in quotes: {text}")]
    Quoted {
        /// The knob.
        knob: Knob,
        /// What was typed.
        text: String,
    },
    /// Something else than a number.
    #[error("`{text}` is not a value for `{knob}`")]
    NotANumber {
        /// The knob.
        knob: Knob,
        /// What was typed.
        text: String,
    },
    /// Less than nothing.
    #[error("`{knob}` cannot be negative: {text}")]
    Negative {
        /// The knob.
        knob: Knob,
        /// What was typed.
        text: String,
    },
    /// Nothing at all, which is a pause.
    #[error("`{knob}` cannot be 0")]
    Zero {
        /// The knob.
        knob: Knob,
    },
    /// A fraction of a whole thing.
    #[error("`{knob}` is a whole number: {text}")]
    NotWhole {
        /// The knob.
        knob: Knob,
        /// What was typed.
        text: String,
    },
    /// More than haulier takes at all.
    #[error("`{knob}` is at most {most}: {value}")]
    TooLarge {
        /// The knob.
        knob: Knob,
        /// What it would become.
        value: f64,
        /// The most.
        most: f64,
    },
    /// A step from something that is no number.
    #[error("`{knob}` has no limit now, so there is nothing to add to or to multiply")]
    NoBase {
        /// The knob.
        knob: Knob,
    },
    /// The same knob twice in one command.
    #[error("`{knob}` is given twice")]
    Twice {
        /// The knob.
        knob: Knob,
    },
}

impl TuneError {
    /// What to do.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::UnknownKnob { near: Some(near), .. } => format!("did you mean `{near}`?"),
            Self::UnknownKnob { near: None, .. } => {
                let names: Vec<&str> = Knob::ALL.iter().map(|knob| knob.as_str()).collect();
                format!("the knobs are {}", names.join(", "))
            }
            Self::Empty { knob } | Self::NotANumber { knob, .. } | Self::NoBase { knob } => forms(*knob),
            Self::Quoted { knob, .. } => format!("without quotes, such as `{knob}=8`"),
            Self::Negative { knob, .. } => {
                format!("say the value to go to, such as `{knob}=2`, or a share, such as `{knob}=x0.5`")
            }
            Self::Zero { knob } => {
                let side = knob.side();
                format!("`haulier pause {side}` stops it, `haulier resume {side}` goes on")
            }
            Self::NotWhole { knob, .. } => format!("such as `{knob}=8`"),
            Self::TooLarge { .. } => "this bound is haulier's own, and cannot be forced".to_owned(),
            Self::Twice { .. } => "say each knob once".to_owned(),
        }
    }
}

fn forms(knob: Knob) -> String {
    let none = if knob.is_rate() { ", `none` for no limit" } else { "" };
    format!(
        "`{knob}=8`, `{knob}=+2`, `{knob}=x1.5`, `{knob}=?` to read it, `default` for the site's value{none}"
    )
}

/// Why a raise needs `--force`.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Refusal {
    /// More than twice what it is.
    #[error("`{knob}` would go from {from} to {to}: a command raises it at most to its double, {most}")]
    Doubled {
        /// The knob.
        knob: Knob,
        /// What it is.
        from: Limit,
        /// What it would be.
        to: Limit,
        /// The most.
        most: f64,
    },
    /// More than the site allows.
    #[error("`{knob}` would be {to}, and the site's ceiling is {ceiling}")]
    Ceiling {
        /// The knob.
        knob: Knob,
        /// What it would be.
        to: Limit,
        /// The ceiling.
        ceiling: f64,
    },
    /// No GREEN window stands behind it.
    #[error("`{knob}` would go from {from} to {to}, and the target is not seen GREEN: {why}")]
    NotGreen {
        /// The knob.
        knob: Knob,
        /// What it is.
        from: Limit,
        /// What it would be.
        to: Limit,
        /// The last judgement, or that there is none.
        why: String,
    },
}
