//! Which sandbox this folder has: `.sandbox/state.json`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::exit::{Exit, Trouble};

/// The folder, beside the user's documents, that a sandbox's state and log are kept in.
pub const FOLDER: &str = ".sandbox";

/// A sandbox as it announced itself.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct State {
    /// The URL of every AWS endpoint and of Landfall's API.
    pub endpoint: String,
    /// Its process.
    pub pid: u32,
    /// The seed of everything random.
    pub seed: u64,
    /// Virtual seconds in a real one.
    pub speed: f64,
    /// Its accounts by name.
    #[serde(default)]
    pub accounts: BTreeMap<String, String>,
}

impl State {
    /// The sandbox that this folder has.
    pub fn load() -> Result<Self, Trouble> {
        let none = || {
            Trouble::new(
                Exit::NotFound,
                "no sandbox was started here; start one: landfall sandbox up",
            )
        };
        let text = std::fs::read_to_string(file()).map_err(|_| none())?;
        serde_json::from_str(&text).map_err(|_| none())
    }

    /// Keeps a sandbox's state for the commands that follow.
    pub fn keep(&self) -> Result<(), Trouble> {
        std::fs::create_dir_all(FOLDER)?;
        let text = serde_json::to_string_pretty(self).unwrap_or_default();
        Ok(std::fs::write(file(), text + "\n")?)
    }

    /// Forgets the sandbox.
    pub fn forget() {
        let _ = std::fs::remove_file(file());
    }

    /// The id of an account that is named, or written as twelve digits.
    pub fn account(&self, wanted: &str) -> Result<String, Trouble> {
        if wanted.len() == 12 && wanted.bytes().all(|byte| byte.is_ascii_digit()) {
            return Ok(wanted.to_owned());
        }
        self.accounts.get(wanted).cloned().ok_or_else(|| {
            let known: Vec<&str> = self.accounts.keys().map(String::as_str).collect();
            let meant = tenant::nearest(wanted, known.iter().copied());
            let remedy = meant.map_or_else(
                || format!("write twelve digits or one of {}", known.join(", ")),
                |name| format!("did you mean `{name}`?"),
            );
            Trouble::new(
                Exit::NotFound,
                format!("`{wanted}` is no account of the sandbox: {remedy}"),
            )
        })
    }
}

fn file() -> PathBuf {
    Path::new(FOLDER).join("state.json")
}
