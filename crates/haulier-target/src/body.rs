//! Puts a request's body together from the record's encoded fields, without parsing them where nothing is left out.

use haulier_core::port::Push;
use haulier_core::{Failure, TargetId};

use crate::json;
use crate::program::{Program, RefField, Step};

/// The body of a request for one record, wrapped as the plan says.
pub(crate) fn body(program: &Program, step: &Step, push: &Push<'_>) -> Result<String, Failure> {
    let mut out = String::with_capacity(push.record.body.len() + step.constants.len() + 64);
    if let Some(wrap) = &step.wrap {
        out.push_str(&wrap.open);
    }
    write_object(program, step, push, &mut out)?;
    if let Some(wrap) = &step.wrap {
        out.push_str(&wrap.close);
    }
    Ok(out)
}

/// The body of a request for many records: a list, wrapped as the plan says.
pub(crate) fn list(program: &Program, step: &Step, pushes: &[Push<'_>]) -> Result<String, Failure> {
    let size: usize = pushes.iter().map(|push| push.record.body.len() + step.constants.len() + 32).sum();
    let mut out = String::with_capacity(size + 32);
    if let Some(wrap) = &step.wrap {
        out.push_str(&wrap.open);
    }
    out.push('[');
    for (index, push) in pushes.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        write_object(program, step, push, &mut out)?;
    }
    out.push(']');
    if let Some(wrap) = &step.wrap {
        out.push_str(&wrap.close);
    }
    Ok(out)
}

/// Appends one record's object.
pub(crate) fn write_object(
    program: &Program,
    step: &Step,
    push: &Push<'_>,
    out: &mut String,
) -> Result<(), Failure> {
    let body = push.record.body.trim();
    let inner = body.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
    let Some(inner) = inner else {
        return Err(Program::unfit("the record's body is not a JSON object"));
    };
    out.push('{');
    let start = out.len();
    let whole = step.only.is_empty() && (!step.omit_nulls || !inner.contains("null"));
    if whole {
        out.push_str(inner);
    } else {
        filter(body, "", program, step, out);
    }
    for (field, id) in program.refs.iter().zip(push.refs) {
        if field.in_body && (step.only.is_empty() || step.only.contains(&field.name)) {
            write_reference(field, id.as_ref(), step, start, out)?;
        }
    }
    if !step.constants.is_empty() {
        comma(out, start);
        out.push_str(&step.constants);
    }
    out.push('}');
    Ok(())
}

fn write_reference(
    field: &RefField,
    id: Option<&TargetId>,
    step: &Step,
    start: usize,
    out: &mut String,
) -> Result<(), Failure> {
    match id {
        None if step.omit_nulls => {}
        None => {
            comma(out, start);
            out.push_str(&field.key);
            out.push_str("null");
        }
        Some(id) => {
            comma(out, start);
            out.push_str(&field.key);
            if !field.numeric {
                json::push_string(out, id.as_str());
            } else if json::is_number(id.as_str()) {
                out.push_str(id.as_str());
            } else {
                let problem = format!("the id of the referenced record in `{}` is not a number", field.name);
                return Err(Program::unfit(&problem));
            }
        }
    }
    Ok(())
}

/// Appends the members that are sent; `path` is the dotted name of the object they stand in.
fn filter(object: &str, path: &str, program: &Program, step: &Step, out: &mut String) {
    let start = out.len();
    for (raw, value) in json::members(object) {
        let name = if path.is_empty() { raw.to_owned() } else { format!("{path}.{raw}") };
        let inside =
            value.starts_with('{') && program.nested.iter().any(|outer| json::same_name(&name, outer));
        let wanted = |field: &String| {
            json::same_name(&name, field)
                || field.strip_prefix(&name).is_some_and(|rest| rest.starts_with('.'))
        };
        let under =
            |field: &String| name.strip_prefix(field.as_str()).is_some_and(|rest| rest.starts_with('.'));
        if !step.only.is_empty() && !step.only.iter().any(|field| wanted(field) || under(field)) {
            continue;
        }
        if step.omit_nulls && value == "null" {
            continue;
        }
        let back = out.len();
        comma(out, start);
        out.push('"');
        out.push_str(raw);
        out.push_str("\":");
        if inside {
            out.push('{');
            let opened = out.len();
            filter(value, &name, program, step, out);
            if out.len() == opened && value != "{}" {
                // Nothing of it is sent, so neither is the object.
                out.truncate(back);
                continue;
            }
            out.push('}');
        } else {
            out.push_str(value);
        }
    }
}

fn comma(out: &mut String, start: usize) {
    if out.len() > start {
        out.push(',');
    }
}
