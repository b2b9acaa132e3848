//! From nothing to a running sandbox: listen, start moto, seed it, read what is deployed.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::TcpListener;
use tokio::process::{Child, Command};

use crate::clock::Clock;
use crate::error::Error;
use crate::gateway::{Gateway, Settings};
use crate::moto::Moto;
use crate::process;

/// How moto is found.
#[derive(Debug)]
pub enum Behind {
    /// It runs already, at this host and port, seeded.
    Running(String),
    /// It is a copy of the model at this host and port, with everything that is deployed there.
    Copied(String),
    /// It is started and seeded.
    Started {
        /// The Python interpreter with moto.
        python: PathBuf,
        /// The folder with the scripts that start moto with the plug-in, and deploy.
        scripts: PathBuf,
        /// The folder with the templates to deploy, if any.
        templates: Option<PathBuf>,
        /// The process with which a model ends that other sandboxes are copies of, if one is kept.
        model_for: Option<u32>,
    },
}

/// A sandbox that serves.
#[derive(Debug)]
pub struct Sandbox {
    /// The gateway.
    pub gateway: Arc<Gateway>,
    /// Outputs of the deployed application.
    pub outputs: Value,
    /// Host and port of a copy of moto as it was when all was deployed, if one is kept.
    pub model: Option<String>,
    serving: tokio::task::JoinHandle<()>,
    _moto: Option<Child>,
}

impl Sandbox {
    /// Starts a sandbox on `port` (0 = any).
    pub async fn start(port: u16, behind: &Behind, settings: &Settings) -> Result<Self, Error> {
        let listener = TcpListener::bind(("127.0.0.1", port))
            .await
            .map_err(Error::io(format!("listening on port {port}")))?;
        let address = listener.local_addr().map_err(Error::io("asking for the port"))?;
        let endpoint = format!("http://{address}");
        // Python takes its time to start: the deployer does so beside moto, and then waits at the
        // gateway's door.
        let deploying = match behind {
            Behind::Started { python, scripts, templates: Some(templates), .. } => {
                let script = scripts.join("deploy.py");
                let deployer = deployer(python, &script, templates, &endpoint)?;
                Some(tokio::spawn(deploy(deployer)))
            }
            _ => None,
        };
        let clock = Clock::start(settings.speed)?;
        let (child, authority) = match behind {
            Behind::Running(authority) => (None, authority.clone()),
            Behind::Copied(model) => {
                let own = circumstances(address.port(), &clock, settings.seed);
                (None, copy(model, std::process::id(), &own).await?)
            }
            Behind::Started { python, scripts, .. } => {
                let script = scripts.join("serve.py");
                let own = circumstances(address.port(), &clock, settings.seed);
                let (child, authority) = start_moto(python, &script, own).await?;
                (Some(child), authority)
            }
        };
        let gateway = Arc::new(Gateway::new(&endpoint, clock, Moto::at(&authority), settings)?);
        if child.is_some() {
            gateway.moto.post("/landfall/seed", &json!({})).await?;
        }
        let serving = tokio::spawn(Arc::clone(&gateway).serve(listener));
        let tidied = Arc::clone(&gateway);
        tokio::spawn(async move { tidied.lambda.tidy().await });
        tokio::spawn(gateway.clock.clone().keep());
        let outputs = match deploying {
            Some(deploying) => {
                let joined = deploying.await;
                joined.map_err(|error| Error::Moto(format!("nothing was deployed: {error}")))??
            }
            None => Value::Null,
        };
        let model = match behind {
            // Before anything runs that is deployed.
            Behind::Started { model_for: Some(owner), .. } => {
                Some(copy(&authority, *owner, &BTreeMap::new()).await?)
            }
            _ => None,
        };
        gateway.refresh().await?;
        Ok(Self { gateway, outputs, model, serving, _moto: child })
    }

    /// Serves until someone asks for the end.
    pub async fn ended(self) {
        if let Err(error) = self.serving.await {
            tracing::error!(%error, "the gateway stopped serving");
        }
    }
}

/// The program that deploys the project's templates as an operator would.
fn deployer(
    python: &Path,
    script: &Path,
    templates: &Path,
    endpoint: &str,
) -> Result<Command, Error> {
    let mut command = process::command(python)?;
    command.arg(script).args(["--endpoint", endpoint]).arg("--templates").arg(templates);
    command.stdin(Stdio::null()).stderr(Stdio::inherit());
    Ok(command)
}

/// Deploys, and answers with the application's outputs.
async fn deploy(mut deployer: Command) -> Result<Value, Error> {
    let output = deployer.output().await.map_err(Error::io("starting deploy.py"))?;
    if !output.status.success() {
        return Err(Error::Moto("the templates can't be deployed".to_owned()));
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let last = text.lines().last().unwrap_or_default();
    serde_json::from_str(last)
        .map_err(|error| Error::Moto(format!("deploy.py said {last}: {error}")))
}

/// What moto knows of its gateway, as variables of its environment.
fn circumstances(gateway: u16, clock: &Clock, seed: u64) -> BTreeMap<&'static str, String> {
    BTreeMap::from([
        ("MOTO_PORT", gateway.to_string()),
        ("LANDFALL_GATEWAY", format!("http://127.0.0.1:{gateway}")),
        ("LANDFALL_START", clock.started().to_string()),
        ("LANDFALL_CLOCK", clock.mapped_file().display().to_string()),
        ("LANDFALL_WORKERS", clock.workers_file().display().to_string()),
        ("LANDFALL_SEED", seed.to_string()),
    ])
}

/// Takes a copy of a moto, which ends with the process `owner`; its host and port.
async fn copy(
    authority: &str,
    owner: u32,
    own: &BTreeMap<&'static str, String>,
) -> Result<String, Error> {
    let asked = json!({"owner": owner, "environment": own});
    let answer = Moto::at(authority).post("/landfall/copy", &asked).await?;
    let Ready { port } = serde_json::from_value(answer)
        .map_err(|error| Error::Moto(format!("a copy is not as agreed: {error}")))?;
    Ok(format!("127.0.0.1:{port}"))
}

#[derive(Deserialize)]
struct Ready {
    port: u16,
}

async fn start_moto(
    python: &Path,
    script: &Path,
    own: BTreeMap<&'static str, String>,
) -> Result<(Child, String), Error> {
    let mut child = process::command(python)?
        .arg(script)
        .args(["--port", "0"])
        .envs(own)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(Error::io(format!("starting {}", python.display())))?;
    let stdout = child.stdout.take().ok_or_else(|| Error::Moto("it has no output".to_owned()))?;
    let mut lines = BufReader::new(stdout).lines();
    while let Some(line) = lines.next_line().await.map_err(Error::io("reading moto's output"))? {
        if let Ok(ready) = serde_json::from_str::<Ready>(&line) {
            tokio::spawn(async move {
                while let Ok(Some(line)) = lines.next_line().await {
                    tracing::info!(target: "moto", "{line}");
                }
            });
            return Ok((child, format!("127.0.0.1:{}", ready.port)));
        }
    }
    Err(Error::Moto("it ended before it was ready".to_owned()))
}
