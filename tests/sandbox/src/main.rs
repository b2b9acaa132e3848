//! Starts an AWS Organization on one machine and serves it until its parent ends.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;
use sandbox::clock::Speed;
use sandbox::error::Error;
use sandbox::gateway::Settings;
use sandbox::identity::AUTOMATION;
use sandbox::judge::MANAGEMENT;
use sandbox::lambda::Chain;
use sandbox::process;
use sandbox::start::{Behind, Sandbox};
use serde_json::json;

/// Account of the seeded log archive.
const LOG_ARCHIVE: &str = "222222222222";

/// Account of the seeded security tooling.
const SECURITY: &str = "333333333333";

/// An AWS Organization on one machine. Prints one line of JSON when it is ready, and ends when its
/// standard input (a pipe) closes, its parent ends, or POST /_landfall/shutdown asks for it.
#[derive(Debug, Parser)]
#[command(name = "landfall-sandbox", version)]
struct Arguments {
    /// Port of every AWS endpoint; 0 takes a free one
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Virtual seconds in a real one while nobody works
    #[arg(long, default_value_t = 60.0)]
    speed: f64,
    /// Virtual seconds in a real one while a function or moto works
    #[arg(long, default_value_t = 8.0)]
    working_speed: f64,
    /// Seed of everything random
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Python interpreter with moto
    #[arg(long, default_value = ".venv/bin/python")]
    moto_python: PathBuf,
    /// Folder with the scripts that start moto with the plug-in, and deploy
    #[arg(long, default_value = "tests/sandbox/moto")]
    moto_scripts: PathBuf,
    /// Folder with the templates to deploy
    #[arg(long, default_value = "infra")]
    templates: PathBuf,
    /// Deploy nothing
    #[arg(long)]
    no_deploy: bool,
    /// Host and port of a moto that runs already, in place of one of its own
    #[arg(long)]
    moto: Option<String>,
    /// Keep moto as it is once all is deployed, for other sandboxes, until the parent ends
    #[arg(long, requires = "parent_pid")]
    keep_model: bool,
    /// Host and port of such a model, of which this sandbox's moto is a copy
    #[arg(long, conflicts_with = "moto")]
    model: Option<String>,
    /// Folder with the functions' programs; by default this program's own
    #[arg(long)]
    binaries: Option<PathBuf>,
    /// File of the call log
    #[arg(long)]
    log: Option<PathBuf>,
    /// File for IAM's decisions with everything they were made from
    #[arg(long)]
    decisions: Option<PathBuf>,
    /// Folder for what functions write
    #[arg(long)]
    output: Option<PathBuf>,
    /// Let every read see every write at once, and every policy be in force at once
    #[arg(long)]
    consistent: bool,
    /// Process whose end ends the sandbox
    #[arg(long)]
    parent_pid: Option<u32>,
}

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    if arguments.next().is_some_and(|first| first == process::BECOME) {
        return process::turn_into(arguments);
    }
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_env_filter(
            tracing_subscriber::EnvFilter::try_from_env("LANDFALL_SANDBOX_LOG")
                .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("warn")),
        )
        .init();
    match run(Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{}", Chain(&error));
            ExitCode::FAILURE
        }
    }
}

#[tokio::main]
async fn run(arguments: Arguments) -> Result<(), Error> {
    let this = std::env::current_exe().map_err(Error::io("finding this program"))?;
    let own = this.parent().map(PathBuf::from).unwrap_or_default();
    let settings = Settings {
        speed: Speed { idle: arguments.speed, working: arguments.working_speed },
        seed: arguments.seed,
        binaries: arguments.binaries.unwrap_or(own),
        log: arguments.log,
        decisions: arguments.decisions,
        output: arguments.output,
        consistent: arguments.consistent,
    };
    let behind = match (arguments.moto, arguments.model) {
        (Some(authority), _) => Behind::Running(authority),
        (None, Some(model)) => Behind::Copied(model),
        (None, None) => Behind::Started {
            python: arguments.moto_python,
            scripts: arguments.moto_scripts,
            templates: (!arguments.no_deploy).then_some(arguments.templates),
            model_for: arguments.parent_pid.filter(|_| arguments.keep_model),
        },
    };
    let orphaned = process::orphaned(arguments.parent_pid);
    let sandbox = Sandbox::start(arguments.port, &behind, &settings).await?;
    announce(&sandbox)?;
    let gateway = Arc::clone(&sandbox.gateway);
    tokio::select! {
        () = sandbox.ended() => {}
        () = orphaned => {}
        _ = tokio::signal::ctrl_c() => {}
    }
    // Functions and moto end with this process.
    gateway.clock.leave_nothing();
    gateway.lambda.programs.leave_nothing();
    Ok(())
}

/// Tells whoever started the sandbox where it is.
fn announce(sandbox: &Sandbox) -> Result<(), Error> {
    use std::io::Write;
    let gateway = &sandbox.gateway;
    let ready = json!({
        "endpoint": gateway.endpoint,
        "pid": std::process::id(),
        "seed": gateway.seed,
        "speed": gateway.clock.speed(),
        "accounts": {
            "management": MANAGEMENT,
            "automation": AUTOMATION,
            "logArchive": LOG_ARCHIVE,
            "security": SECURITY,
        },
        "outputs": sandbox.outputs,
        "model": sandbox.model,
    });
    let mut stdout = std::io::stdout();
    writeln!(stdout, "{ready}").and_then(|()| stdout.flush()).map_err(Error::io("saying so"))
}
