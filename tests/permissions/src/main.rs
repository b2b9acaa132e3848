//! Writes policies and templates from what the steps declare.

use std::{fs, io, path::Path};

#[expect(clippy::print_stdout, reason = "whoever runs it wants to know what changed")]
fn main() -> io::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    for file in permissions::files(&root) {
        let path = root.join(&file.path);
        if fs::read_to_string(&path).ok().as_ref() != Some(&file.text) {
            fs::write(&path, file.text)?;
            println!("wrote {}", file.path);
        }
    }
    Ok(())
}
