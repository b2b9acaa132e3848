//! `landfall sandbox up`: starts the sandbox in a process group of its own and says how to work with it.

use std::io::{BufRead as _, BufReader};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use clap::Args;

use super::state::FOLDER;
use super::{Context, Control, State, credentials};
use crate::exit::{Exit, Trouble};

/// How a sandbox is started.
#[derive(Args, Clone, Debug)]
pub struct Start {
    /// Virtual seconds in a real one while nobody works.
    #[arg(long, default_value_t = 60.0)]
    pub speed: f64,
    /// The seed of everything random.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// The port of every AWS endpoint; 0 takes a free one.
    #[arg(long, default_value_t = 0)]
    pub port: u16,
    /// The folder of Landfall's sources, which the sandbox deploys; found from here or from this program.
    #[arg(long, value_name = "DIR")]
    pub sources: Option<PathBuf>,
}

/// Arguments of `sandbox up`.
#[derive(Args, Debug)]
pub struct Arguments {
    #[command(flatten)]
    start: Start,
    /// Stays until Ctrl-C, and ends the sandbox then.
    #[arg(long)]
    foreground: bool,
}

/// Starts a sandbox, or finds the one that runs already, and prints its exports.
pub async fn run(context: &Context, arguments: &Arguments) -> Result<Exit, Trouble> {
    if let Ok(state) = State::load()
        && Control::new(&state.endpoint).is_ready().await
    {
        context.terminal.note(format!("a sandbox runs here already: {}", state.endpoint));
        tell(context, &state).await?;
        return Ok(Exit::Ok);
    }
    let (mut child, state) = start(&arguments.start, arguments.foreground)?;
    state.keep()?;
    context.terminal.note(format!(
        "the sandbox is ready: {} (process {}, up to {} times as fast as real time, seed {})",
        state.endpoint, state.pid, state.speed, state.seed
    ));
    tell(context, &state).await?;
    if arguments.foreground {
        context.terminal.note("Ctrl-C ends it");
        let _ = tokio::signal::ctrl_c().await;
        let _ = Control::new(&state.endpoint).shut_down().await;
        let _ = child.wait();
        State::forget();
    }
    Ok(Exit::Ok)
}

async fn tell(context: &Context, state: &State) -> Result<(), Trouble> {
    let automation = state.account("automation")?;
    let keys = Control::new(&state.endpoint).credentials(&automation, None).await?;
    context.terminal.print(credentials::exports(state, &keys));
    Ok(())
}

/// Starts a sandbox and waits until it is ready. One that is bound ends with this process.
pub fn start(arguments: &Start, bound: bool) -> Result<(Child, State), Trouble> {
    let sources = sources(arguments.sources.as_deref())?;
    std::fs::create_dir_all(FOLDER)?;
    let messages = Path::new(FOLDER).join("messages.log");
    let python = sources.join(".venv/bin/python");
    if !python.exists() {
        return Err(Trouble::new(
            Exit::NotFound,
            format!(
                "{} is missing: run `make setup` in {} first",
                python.display(),
                sources.display()
            ),
        ));
    }
    let program = program()?;
    let mut command = Command::new(&program);
    command
        .args(["--speed", &arguments.speed.to_string()])
        .args(["--seed", &arguments.seed.to_string()])
        .args(["--port", &arguments.port.to_string()])
        .arg("--moto-python")
        .arg(python)
        .arg("--moto-scripts")
        .arg(sources.join("tests/sandbox/moto"))
        .arg("--templates")
        .arg(sources.join("infra"))
        .arg("--log")
        .arg(Path::new(FOLDER).join("calls.jsonl"))
        .stdin(if bound { Stdio::piped() } else { Stdio::null() })
        .stdout(Stdio::piped())
        .stderr(std::fs::File::create(&messages)?)
        .process_group(0);
    for name in [
        "AWS_ENDPOINT_URL",
        "AWS_PROFILE",
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
    ] {
        command.env_remove(name);
    }
    if bound {
        command.args(["--parent-pid", &std::process::id().to_string()]);
    }
    let mut child = command.spawn().map_err(|error| {
        Trouble::new(Exit::Failed, format!("{} can't be started: {error}", program.display()))
    })?;
    let mut line = String::new();
    if let Some(output) = child.stdout.take() {
        BufReader::new(output).read_line(&mut line)?;
    }
    if let Ok(state) = serde_json::from_str(&line) {
        return Ok((child, state));
    }
    let _ = child.kill();
    let _ = child.wait();
    let said = std::fs::read_to_string(&messages).unwrap_or_default();
    let skipped = said.lines().count().saturating_sub(12);
    let last: Vec<&str> = said.lines().skip(skipped).collect();
    Err(Trouble::new(
        Exit::Failed,
        format!(
            "the sandbox ended before it was ready; {} says:\n{}",
            messages.display(),
            last.join("\n")
        ),
    ))
}

/// The sandbox's program: beside this one.
fn program() -> Result<PathBuf, Trouble> {
    let program = std::env::current_exe()?.with_file_name("landfall-sandbox");
    if program.exists() {
        return Ok(program);
    }
    Err(Trouble::new(
        Exit::NotFound,
        format!(
            "{} is missing: the sandbox comes with Landfall's sources; run `make build`",
            program.display()
        ),
    ))
}

/// The folder of Landfall's sources: named, or above the working folder or this program.
pub fn sources(named: Option<&Path>) -> Result<PathBuf, Trouble> {
    const MARK: &str = "tests/sandbox/moto/serve.py";
    let above = |path: PathBuf| {
        path.ancestors().find(|folder| folder.join(MARK).exists()).map(Path::to_path_buf)
    };
    let found = match named {
        Some(named) => named.join(MARK).exists().then(|| std::path::absolute(named)).transpose()?,
        None => above(std::env::current_dir()?).or_else(|| above(std::env::current_exe().ok()?)),
    };
    found.ok_or_else(|| {
        Trouble::new(
            Exit::NotFound,
            format!("Landfall's sources ({MARK}) are not here: name them with --sources"),
        )
    })
}
