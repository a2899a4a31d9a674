//! A program with its arguments, run without a shell.

use std::path::Path;

use crate::node::Node;

/// Reads one. A program of the site's own folder is named by a path; others are found where the system looks for them.
pub(super) fn read(node: &Node<'_>, folder: &Path) -> Option<Vec<String>> {
    let key = node.key;
    let mut argv: Vec<String> = if node.value.is_str() {
        vec![node.text()?.value.to_owned()]
    } else {
        node.items()?.iter().filter_map(Node::text).map(|text| text.value.to_owned()).collect()
    };
    let Some(program) = argv.first_mut() else {
        return node.wrong(format!("`{key}` is an empty list"), None);
    };
    if program.contains('/') {
        *program = folder.join(&*program).display().to_string();
        if !is_executable(Path::new(program)) {
            return node.wrong(
                format!("`{key}`: {program} is not a file that can be run"),
                Some(format!("chmod +x {program}")),
            );
        }
    }
    Some(argv)
}

fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(path).is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}
