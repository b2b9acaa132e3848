//! What more than one command is told alike.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use jiff::SignedDuration;

/// What holds for every command.
#[derive(Args, Clone, Debug)]
pub struct Common {
    /// Base URL of Landfall's API.
    #[arg(
        long,
        env = "LANDFALL_API",
        global = true,
        value_name = "URL",
        help_heading = "Connection"
    )]
    pub endpoint: Option<String>,
    /// Region of Landfall's API; without it, whatever the AWS configuration says.
    #[arg(
        long,
        env = "LANDFALL_REGION",
        global = true,
        value_name = "REGION",
        help_heading = "Connection"
    )]
    pub region: Option<String>,
    /// Profile of the AWS configuration whose credentials are used.
    #[arg(long, global = true, value_name = "NAME", help_heading = "Connection")]
    pub profile: Option<String>,
    /// When to use colours.
    #[arg(long, global = true, value_enum, default_value_t = Colour::Auto, value_name = "WHEN")]
    pub color: Colour,
}

/// When to use colours.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub enum Colour {
    /// On a terminal, unless the environment says no (`NO_COLOR`).
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// How results are printed.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub enum Format {
    /// For people; its columns may change.
    Table,
    /// The same as JSON.
    Yaml,
    /// For programs; fields are only ever added.
    Json,
}

/// Files and directories with documents.
#[derive(Args, Debug)]
pub struct Files {
    /// A file or a directory with YAML or JSON documents; `-` is standard input.
    #[arg(short, long = "file", required = true, num_args = 1.., value_name = "FILE|DIR")]
    pub files: Vec<PathBuf>,
}

/// How long a command stays.
#[derive(Args, Clone, Debug)]
pub struct Waiting {
    /// Ends as soon as the wishes are taken.
    #[arg(long, overrides_with = "wait")]
    pub no_wait: bool,
    /// Stays until the tenants' runs have ended; the default.
    #[arg(long, overrides_with = "no_wait")]
    pub wait: bool,
    /// Stays no longer than this, as in `90s`, `30m`, `2h`.
    #[arg(long, value_name = "TIME")]
    pub timeout: Option<SignedDuration>,
}
