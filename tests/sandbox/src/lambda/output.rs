//! What functions write to their standard output and error: the sandbox's log groups.

use std::collections::{HashMap, VecDeque};
use std::fs::OpenOptions;
use std::io::Write;
use std::path::PathBuf;

use parking_lot::Mutex;

use crate::error::Error;

/// How many lines are kept of each function.
const KEPT: usize = 5_000;

/// The last lines of every function, and a file for each if a folder is given.
#[derive(Debug)]
pub struct Output {
    folder: Option<PathBuf>,
    lines: Mutex<HashMap<String, VecDeque<String>>>,
}

impl Output {
    /// An empty output, with files in `folder`, which is made, if given.
    pub fn new(folder: Option<PathBuf>) -> Result<Self, Error> {
        if let Some(folder) = &folder {
            let doing = format!("creating {}", folder.display());
            std::fs::create_dir_all(folder).map_err(Error::io(doing))?;
        }
        Ok(Self { folder, lines: Mutex::default() })
    }

    /// Adds a line of a function.
    pub fn add(&self, function: &str, line: String) {
        if let Some(folder) = &self.folder {
            let file = folder.join(format!("{function}.log"));
            let opened = OpenOptions::new().create(true).append(true).open(file);
            if let Err(error) = opened.and_then(|mut file| writeln!(file, "{line}")) {
                tracing::warn!(%error, function, "a function's output can't be written");
            }
        }
        let mut lines = self.lines.lock();
        let lines = lines.entry(function.to_owned()).or_default();
        if lines.len() == KEPT {
            lines.pop_front();
        }
        lines.push_back(line);
    }

    /// The last lines of one function, or of all with its name before each line.
    pub fn of(&self, function: Option<&str>) -> String {
        let lines = self.lines.lock();
        let mut text = String::new();
        let mut names: Vec<_> = lines.keys().collect();
        names.sort();
        for name in names {
            if function.is_some_and(|function| function != name) {
                continue;
            }
            for line in &lines[name] {
                if function.is_none() {
                    text.push_str(name);
                    text.push_str(": ");
                }
                text.push_str(line);
                text.push('\n');
            }
        }
        text
    }
}
