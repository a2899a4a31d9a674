//! The way from a row to its tenant: its parents, joined.

use haulier_core::plan::TenantPath;

use crate::catalogue::{Described, DescribedColumn};
use crate::driver::Driver;
use crate::fault::Fault;
use crate::relation::{describe, find, refused};

/// What a tenant path comes to.
pub(crate) enum Parents {
    /// No tenant.
    None,
    /// The row itself.
    Own,
    /// The key of the last of these.
    Joined {
        /// The joins.
        from: String,
        /// The root's key columns, as operands.
        root: Vec<(DescribedColumn, String)>,
        /// Whether no parent can double a row.
        proven: bool,
    },
}

/// Follows a tenant path.
pub(crate) async fn parents(
    driver: &dyn Driver,
    child: &Described,
    path: &TenantPath,
) -> Result<Parents, Fault> {
    match end(path) {
        TenantPath::None | TenantPath::Parent { .. } => return Ok(Parents::None),
        TenantPath::Own if *path == TenantPath::Own => return Ok(Parents::Own),
        TenantPath::Own => {}
    }
    let dialect = driver.dialect();
    let (mut from, mut root, mut proven) = (String::new(), Vec::new(), true);
    let (mut child, mut alias) = (child.clone(), "r".to_owned());
    let (mut path, mut level) = (path, 0);
    while let TenantPath::Parent { entity, relation, key, by, next } = path {
        let parent = describe(driver, relation, Some(entity.as_str())).await?;
        if key.is_empty() || key.len() != by.len() {
            let problem =
                format!("its parent `{entity}` has {} key columns, and {} refer to it", key.len(), by.len());
            return Err(refused(problem, None));
        }
        level += 1;
        let name = format!("t{level}");
        let mut pairs = Vec::new();
        root.clear();
        for (there, here) in key.iter().zip(by) {
            let column = find(&parent, there)?.clone();
            find(&child, here)?;
            let operand = format!("{name}.{}", dialect.quoted(there));
            pairs.push(format!("{operand} = {alias}.{}", dialect.quoted(here)));
            root.push((column, operand));
        }
        from.push_str(" left join ");
        from.push_str(&parent.from);
        from.push_str(" as ");
        from.push_str(&name);
        from.push_str(" on ");
        from.push_str(&pairs.join(" and "));
        proven &= parent.proves_unique(key);
        (child, alias, path) = (parent, name, &**next);
    }
    Ok(Parents::Joined { from, root, proven })
}

fn end(path: &TenantPath) -> &TenantPath {
    match path {
        TenantPath::Parent { next, .. } => end(next),
        TenantPath::None | TenantPath::Own => path,
    }
}
