//! The programs that functions run, each kept as it was when it was deployed: a new build takes the place of its file,
//! and a version of a function is what it was.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};

use parking_lot::Mutex;
use rustix::process::{Pid, test_kill_process};
use uuid::Uuid;

use crate::error::Error;

/// What a sandbox's own folder is called, before its process id.
const FOLDER: &str = ".deployed-";

/// The folder with the functions' programs, and those of them that are deployed.
#[derive(Debug)]
pub struct Programs {
    binaries: PathBuf,
    folder: PathBuf,
    deployed: Mutex<HashMap<(String, String), Weak<Program>>>,
}

/// A program as it was when it was deployed.
#[derive(Debug)]
pub struct Program {
    path: PathBuf,
    mark: String,
}

impl Programs {
    /// The programs in a folder; takes away what sandboxes left there that were killed.
    pub fn of(binaries: PathBuf) -> Self {
        for entry in fs::read_dir(&binaries).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let owner = name.to_str().and_then(|name| name.strip_prefix(FOLDER)?.parse().ok());
            let lives = |pid| test_kill_process(pid).is_ok() && pid != rustix::process::getpid();
            if owner.and_then(Pid::from_raw).is_some_and(|pid| !lives(pid)) {
                let _ = fs::remove_dir_all(entry.path());
            }
        }
        let folder = binaries.join(format!("{FOLDER}{}", std::process::id()));
        Self { binaries, folder, deployed: Mutex::default() }
    }

    /// The name of a function's program: the function's, or what follows one of its hyphens.
    pub fn name<'a>(&self, function: &'a str) -> Option<&'a str> {
        suffixes(function).find(|suffix| self.binaries.join(suffix).is_file())
    }

    /// Every program with what tells it from an earlier or a later build.
    pub fn marks(&self) -> BTreeMap<String, String> {
        let entries = fs::read_dir(&self.binaries).into_iter().flatten().flatten();
        entries
            .filter_map(|entry| {
                let name = entry.file_name().into_string().ok()?;
                let runs =
                    fs::metadata(entry.path()).ok().filter(|found| found.mode() & 0o111 != 0);
                runs.filter(fs::Metadata::is_file).map(|found| (name, mark(&found)))
            })
            .collect()
    }

    /// The program of this name that came with this code: as it is now, if the code was not met before.
    pub fn deployed(&self, name: &str, code: &str) -> Result<Arc<Program>, Error> {
        let mut deployed = self.deployed.lock();
        let key = (name.to_owned(), code.to_owned());
        if let Some(program) = deployed.get(&key).and_then(Weak::upgrade) {
            return Ok(program);
        }
        let (from, path) = (self.binaries.join(name), self.folder.join(Uuid::new_v4().to_string()));
        let doing = || format!("keeping {}", from.display());
        fs::create_dir_all(&self.folder).map_err(Error::io(doing()))?;
        // A link takes no room and no time; a folder on another disk wants a copy.
        let source = fs::canonicalize(&from).map_err(Error::io(doing()))?;
        fs::hard_link(&source, &path)
            .or_else(|_| fs::copy(&source, &path).map(drop))
            .map_err(Error::io(doing()))?;
        let mark = mark(&fs::metadata(&path).map_err(Error::io(doing()))?);
        let program = Arc::new(Program { path, mark });
        deployed.retain(|_, program| program.strong_count() > 0);
        deployed.insert(key, Arc::downgrade(&program));
        Ok(program)
    }

    /// The folder that is searched.
    pub fn searched(&self) -> &Path {
        &self.binaries
    }

    /// Takes all that is kept away when the process ends.
    pub fn leave_nothing(&self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

impl Program {
    /// The program's file, which must be what was deployed: a linker may write into the old file.
    pub fn file(&self) -> Result<&Path, Error> {
        let doing = || format!("looking at {}", self.path.display());
        let found = fs::metadata(&self.path).map_err(Error::io(doing()))?;
        if mark(&found) == self.mark {
            Ok(&self.path)
        } else {
            Err(Error::Overwritten(self.path.display().to_string()))
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

/// Size and time: reading all programs would take longer than all else that a deployment does.
fn mark(found: &fs::Metadata) -> String {
    format!("{:x}-{:x}-{:x}", found.len(), found.mtime(), found.mtime_nsec())
}

/// The name itself and what follows each of its hyphens, longest first.
fn suffixes(name: &str) -> impl Iterator<Item = &str> {
    std::iter::once(name).chain(name.match_indices('-').map(|(at, _)| &name[at + 1..]))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn folder(programs: &[(&str, &str)]) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("landfall-{}", Uuid::new_v4().simple()));
        fs::create_dir(&folder).unwrap();
        for (name, text) in programs {
            write(&folder, name, text);
        }
        folder
    }

    /// As a linker does it: the old file is gone, not changed.
    fn write(folder: &Path, name: &str, text: &str) {
        let file = folder.join(name);
        let _ = fs::remove_file(&file);
        fs::write(&file, text).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
    }

    #[test]
    fn a_functions_program_is_named_by_what_follows_the_stacks_name() {
        let all: Vec<_> = suffixes("my-stack-create-account").collect();
        assert_eq!(
            all,
            ["my-stack-create-account", "stack-create-account", "create-account", "account"]
        );
    }

    #[test]
    fn a_program_stays_what_was_deployed_when_another_is_built() {
        let folder = folder(&[("admit", "one")]);
        let programs = Programs::of(folder.clone());
        let (before, first) = (programs.marks(), programs.deployed("admit", "1").unwrap());
        write(&folder, "admit", "the second");
        assert_ne!(programs.marks()["admit"], before["admit"]);
        let second = programs.deployed("admit", "2").unwrap();
        let again = programs.deployed("admit", "1").unwrap();
        let read = |program: &Program| fs::read_to_string(program.file().unwrap()).unwrap();
        assert_eq!((read(&first), read(&again)), ("one".to_owned(), "one".to_owned()));
        assert_eq!(read(&second), "the second");
        programs.leave_nothing();
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_program_that_was_written_into_is_refused() {
        let folder = folder(&[("admit", "one")]);
        let programs = Programs::of(folder.clone());
        let program = programs.deployed("admit", "1").unwrap();
        fs::write(folder.join("admit"), "the second").unwrap();
        assert!(matches!(program.file(), Err(Error::Overwritten(_))));
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn what_a_killed_sandbox_kept_is_taken_away() {
        let folder = folder(&[]);
        // No process has this number: Linux counts to four million.
        let left = folder.join(format!("{FOLDER}2000000000"));
        let own = folder.join(format!("{FOLDER}1"));
        fs::create_dir(&left).unwrap();
        fs::create_dir(&own).unwrap();
        let _programs = Programs::of(folder.clone());
        assert!(!left.exists(), "its sandbox is gone");
        fs::remove_dir_all(folder).unwrap();
    }
}
