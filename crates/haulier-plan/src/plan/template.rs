//! Text with `{name}` places, before the names are looked up.

use crate::node::{Node, Placed, Text};

/// A template as it is written.
#[derive(Debug, Clone, Default)]
pub(crate) struct TemplateDraft<'d> {
    pub(crate) at: usize,
    pub(crate) pieces: Vec<Piece<'d>>,
}

/// A part of a template.
#[derive(Debug, Clone)]
pub(crate) enum Piece<'d> {
    Literal(String),
    Place(Text<'d>),
}

impl<'d> TemplateDraft<'d> {
    /// The names between the braces.
    pub(crate) fn places(&self) -> impl Iterator<Item = Text<'d>> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Place(name) => Some(*name),
            Piece::Literal(_) => None,
        })
    }

    /// Whether it holds any place.
    pub(crate) fn has_place(&self) -> bool {
        self.places().next().is_some()
    }

    fn push_literal(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        match self.pieces.last_mut() {
            Some(Piece::Literal(last)) => last.push_str(text),
            Some(Piece::Place(_)) | None => self.pieces.push(Piece::Literal(text.to_owned())),
        }
    }

    /// Adds what another template holds.
    pub(crate) fn append(&mut self, other: Self) {
        for piece in other.pieces {
            match piece {
                Piece::Literal(text) => self.push_literal(&text),
                place @ Piece::Place(_) => self.pieces.push(place),
            }
        }
    }

    /// Escapes the literal parts for the inside of a JSON string.
    pub(crate) fn escape_json(&mut self) {
        for piece in &mut self.pieces {
            if let Piece::Literal(text) = piece {
                let quoted = serde_json::Value::from(text.as_str()).to_string();
                *text = quoted.trim_start_matches('"').to_owned();
                text.pop();
            }
        }
    }

    /// A template without places.
    pub(crate) fn literal(at: usize, text: &str) -> Self {
        let mut template = Self { at, pieces: Vec::new() };
        template.push_literal(text);
        template
    }
}

/// Reads a template. `{{` and `}}` stand for the braces themselves.
pub(crate) fn read<'d>(node: &Node<'d>) -> Option<TemplateDraft<'d>> {
    let text = node.text()?.value;
    let mut template = TemplateDraft { at: node.at, pieces: Vec::new() };
    let mut rest = text;
    let mut looked = node.at;
    while let Some(brace) = rest.find(['{', '}']) {
        let (before, from) = rest.split_at(brace);
        template.push_literal(before);
        if from.starts_with("{{") || from.starts_with("}}") {
            template.push_literal(&from[..1]);
            rest = &from[2..];
            continue;
        }
        let name = from.strip_prefix('{').and_then(|inside| inside.split_once('}'));
        let Some((name, after)) = name.filter(|(name, _)| !name.contains('{')) else {
            let stray = &from[..1];
            return node.wrong(
                format!("`{}`: \"{text}\" has a `{stray}` without its partner", node.key),
                Some(format!("write `{stray}{stray}` for a brace that is meant as such")),
            );
        };
        if name.is_empty() || name.contains(char::is_whitespace) {
            return node.wrong(
                format!("`{}`: \"{text}\" has a place without a proper name: `{{{name}}}`", node.key),
                Some("between the braces stands the name of a field or a column".to_owned()),
            );
        }
        // The place itself, where the text is written without escapes; else the whole value.
        let written = node.notes.text().get(looked..).and_then(|text| text.find(&format!("{{{name}}}")));
        let at = written.map_or(node.at, |offset| looked + offset + 1);
        looked = at;
        template.pieces.push(Piece::Place(Placed { at, value: name }));
        rest = after;
    }
    template.push_literal(rest);
    Some(template)
}

/// Reads a path with its query, relative to the target's base.
pub(crate) fn read_path<'d>(node: &Node<'d>) -> Option<TemplateDraft<'d>> {
    let text = node.text()?.value;
    if text.contains("://") {
        return node.wrong(
            format!("`{}`: \"{text}\" is a whole address", node.key),
            Some(
                "give the path only, such as \"/accounts\"; the target's address stands in the site"
                    .to_owned(),
            ),
        );
    }
    if !text.starts_with('/') {
        return node
            .wrong(format!("`{}`: \"{text}\" must start with `/`", node.key), Some(format!("\"/{text}\"")));
    }
    if text.contains(|c: char| c.is_control() || c == '#') {
        return node.wrong(
            format!("`{}`: a path cannot hold control characters or a `#`", node.key),
            Some("write a `#` as `%23`; values put in at a `{place}` are encoded by haulier".to_owned()),
        );
    }
    read(node)
}
