//! Where documents come from: files, directories, standard input.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use crate::exit::{Exit, Trouble};

/// A text with documents.
#[derive(Clone, Debug)]
pub struct Source {
    /// The file's name as the user wrote it.
    pub name: String,
    /// Its content.
    pub text: String,
}

/// The most bytes of one file: a hundred times more than anybody writes by hand.
const LARGEST: u64 = 4 << 20;

impl Source {
    /// Reads files, the YAML and JSON files of directories below them in order of their names, and `-`.
    pub fn read_all(paths: &[PathBuf]) -> Result<Vec<Self>, Trouble> {
        let mut files = Vec::new();
        for path in paths {
            if path.is_dir() {
                let before = files.len();
                walk(path, &mut files)?;
                if files.len() == before {
                    return Err(Trouble::new(
                        Exit::BadInput,
                        format!("{}: holds no .yaml, .yml or .json file", path.display()),
                    ));
                }
            } else {
                files.push(path.clone());
            }
        }
        files.iter().map(|file| Self::read(file)).collect()
    }

    fn read(path: &Path) -> Result<Self, Trouble> {
        let trouble = |error: std::io::Error| unreadable(path, &error);
        if path == Path::new("-") {
            let mut text = String::new();
            std::io::stdin().take(LARGEST).read_to_string(&mut text).map_err(trouble)?;
            return Ok(Self { name: "(standard input)".to_owned(), text });
        }
        if std::fs::metadata(path).map_err(trouble)?.len() > LARGEST {
            return Err(Trouble::new(
                Exit::BadInput,
                format!("{}: is larger than {} MiB", path.display(), LARGEST >> 20),
            ));
        }
        let text = std::fs::read_to_string(path).map_err(trouble)?;
        Ok(Self { name: path.display().to_string(), text })
    }
}

fn walk(directory: &Path, files: &mut Vec<PathBuf>) -> Result<(), Trouble> {
    let entries = std::fs::read_dir(directory).map_err(|error| unreadable(directory, &error))?;
    let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.sort();
    for path in paths {
        let hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        let known = path
            .extension()
            .is_some_and(|end| ["yaml", "yml", "json"].iter().any(|known| end == *known));
        if path.is_dir() && !hidden {
            walk(&path, files)?;
        } else if known && !hidden {
            files.push(path);
        }
    }
    Ok(())
}

fn unreadable(path: &Path, error: &std::io::Error) -> Trouble {
    Trouble::new(Exit::BadInput, format!("{}: can't be read: {error}", path.display()))
}
