//! The one port that is every AWS endpoint.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use parking_lot::{Mutex, RwLock};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::Notify;

use crate::authorization::{Api, World};
use crate::chance::Chance;
use crate::clock::{Clock, Speed};
use crate::decisions::Decisions;
use crate::deployment::Deployment;
use crate::error::Error;
use crate::events::delivery::Delivery;
use crate::events::schedules::Schedules;
use crate::faults::Faults;
use crate::identity::Identity;
use crate::judge::{Judge, MANAGEMENT, ORGANIZATION};
use crate::lambda::instance::Outcome;
use crate::lambda::output::Output;
use crate::lambda::pool::Pool;
use crate::lambda::{Lambda, Refusal};
use crate::latency::Latency;
use crate::lineage::Lineage;
use crate::log::Log;
use crate::moto::{Answer, Moto};
use crate::points::Points;
use crate::staleness::{self, Staleness};
use crate::throttle::Throttle;
use crate::wire::{Scope, document};
use crate::{call, control, http_api};

/// Largest request body that is read at all.
const GREATEST_BODY: usize = 64 * 1024 * 1024;

/// How long what was read of the deployment is taken as present.
const FRESH: Duration = Duration::from_secs(1);

/// What the sandbox is started with.
#[derive(Debug)]
pub struct Settings {
    /// How fast time passes.
    pub speed: Speed,
    /// Seed of everything random.
    pub seed: u64,
    /// Folder with the functions' programs.
    pub binaries: PathBuf,
    /// File of the call log.
    pub log: Option<PathBuf>,
    /// File for decisions with what they were made from.
    pub decisions: Option<PathBuf>,
    /// Folder for what functions write.
    pub output: Option<PathBuf>,
    /// Whether every read sees every write at once, and every policy is in force at once.
    pub consistent: bool,
}

/// The sandbox's state, shared by all requests.
#[derive(Debug)]
pub struct Gateway {
    /// Address as clients use it.
    pub endpoint: String,
    /// Seed of everything random.
    pub seed: u64,
    /// Virtual time.
    pub clock: Clock,
    /// All calls.
    pub log: Log,
    /// Holders of access keys.
    pub identity: Arc<Identity>,
    /// The process behind.
    pub moto: Moto,
    /// Functions.
    pub lambda: Lambda,
    /// Faults to inject.
    pub faults: Faults,
    /// Where faults can be injected.
    pub points: Points,
    /// Set when the sandbox is to end.
    pub ending: Notify,
    /// How reliably events arrive.
    pub delivery: Delivery,
    /// Decisions with what they were made from.
    pub decisions: Decisions,
    /// What IAM knows.
    pub judge: Judge,
    /// Published limits.
    pub throttle: Throttle,
    /// Reads from before the last write.
    pub staleness: Staleness,
    /// How long operations take.
    pub latency: Latency,
    /// Rules with a schedule.
    pub schedules: Schedules,
    deployment: RwLock<Arc<Deployment>>,
    read: Mutex<Option<Instant>>,
}

/// A request whose caller gets no answer: the connection is closed.
#[derive(Debug, thiserror::Error)]
#[error("the response is lost")]
pub struct Dropped;

impl Gateway {
    /// A gateway in front of moto, to be served at `endpoint`.
    pub fn new(
        endpoint: &str,
        clock: Clock,
        moto: Moto,
        settings: &Settings,
    ) -> Result<Self, Error> {
        let output = Output::new(settings.output.clone())?;
        let staleness = if settings.consistent {
            staleness::Settings::NONE
        } else {
            staleness::Settings::default()
        };
        Ok(Self {
            endpoint: endpoint.to_owned(),
            seed: settings.seed,
            clock: clock.clone(),
            log: Log::open(settings.log.as_deref())?,
            identity: Arc::default(),
            moto,
            lambda: Lambda::new(endpoint, settings.binaries.clone(), clock, output),
            faults: Faults::default(),
            points: Points::default(),
            ending: Notify::new(),
            delivery: Delivery::new(Chance::new(settings.seed, 1)),
            decisions: Decisions::open(settings.decisions.as_deref())?,
            judge: Judge::default(),
            throttle: Throttle::default(),
            staleness: Staleness::new(Chance::new(settings.seed, 2), staleness),
            latency: Latency::new(Chance::new(settings.seed, 3)),
            schedules: Schedules::default(),
            deployment: RwLock::default(),
            read: Mutex::default(),
        })
    }

    /// What ARNs need besides a request itself, with the API that is asked, if any.
    pub fn world(&self, api: Option<Api>) -> World {
        World {
            partition: "aws".to_owned(),
            organization: ORGANIZATION.to_owned(),
            management: MANAGEMENT.to_owned(),
            api,
        }
    }

    /// What is deployed now.
    pub fn deployment(&self) -> Arc<Deployment> {
        Arc::clone(&self.deployment.read())
    }

    /// Reads again what is deployed.
    pub async fn refresh(self: &Arc<Self>) -> Result<(), Error> {
        let known = self.deployment().version;
        let path = format!("/landfall/deployment?known={known}");
        let deployment: Deployment = self.moto.read(&path).await?;
        *self.read.lock() = Some(Instant::now());
        if deployment.version < self.deployment().version {
            // It is as it was, or a later reading overtook this one.
            return Ok(());
        }
        self.lambda.deploy(&deployment.functions);
        self.schedules.deploy(self, &deployment.rules);
        *self.deployment.write() = Arc::new(deployment);
        Ok(())
    }

    /// Reads again what is deployed unless that was done a moment ago: stack sets deploy without a
    /// call through the gateway.
    pub async fn refresh_if_old(self: &Arc<Self>) {
        if self.read.lock().is_some_and(|read| read.elapsed() < FRESH) {
            return;
        }
        if let Err(error) = self.refresh().await {
            tracing::warn!(%error, "what is deployed can't be read");
        }
    }

    /// Runs one invocation of a function.
    pub async fn run(
        &self,
        pool: &Arc<Pool>,
        id: &str,
        payload: Bytes,
        lineage: Lineage,
    ) -> Result<Outcome, Refusal> {
        let place = self.lambda.enter(pool)?;
        self.lambda.run((&self.moto, &self.identity), pool, place, id, payload, lineage).await
    }

    /// Serves all connections until the sandbox ends.
    pub async fn serve(self: Arc<Self>, listener: TcpListener) {
        loop {
            let connection = tokio::select! {
                connection = listener.accept() => connection,
                () = self.ending.notified() => return,
            };
            let Ok((stream, _)) = connection else { continue };
            if let Err(error) = stream.set_nodelay(true) {
                tracing::debug!(%error, "a connection keeps Nagle's algorithm");
            }
            let gateway = Arc::clone(&self);
            tokio::spawn(async move {
                let service = service_fn(move |request| {
                    let gateway = Arc::clone(&gateway);
                    async move { gateway.answer(request).await }
                });
                let connection = http1::Builder::new()
                    .timer(TokioTimer::new())
                    .header_read_timeout(None)
                    .serve_connection(TokioIo::new(stream), service);
                if let Err(error) = connection.await {
                    tracing::debug!(%error, "a connection ended early");
                }
            });
        }
    }

    async fn answer(
        self: Arc<Self>,
        request: Request<Incoming>,
    ) -> Result<Response<Full<Bytes>>, Dropped> {
        let (parts, body) = request.into_parts();
        let Ok(body) = Limited::new(body, GREATEST_BODY).collect().await else {
            let message = json!({"message": "Request Entity Too Large"});
            return Ok(document(StatusCode::PAYLOAD_TOO_LARGE, &message).map(Full::new));
        };
        let body = body.to_bytes();
        let answer = if let Some(path) = parts.uri.path().strip_prefix("/_landfall/") {
            let path = path.to_owned();
            control::serve(&self, &parts, &path, body).await
        } else {
            match Scope::of(&parts.headers, parts.uri.query()) {
                Some(scope) if scope.service == "execute-api" => {
                    http_api::serve(&self, &parts, scope, body).await
                }
                // A call goes on even when its caller does not wait for the answer.
                Some(scope) => {
                    let call = async move { call::serve(&self, parts, scope, body).await };
                    tokio::spawn(call).await.unwrap_or(Err(Dropped))?
                }
                None if http_api::has(&self, &parts) => http_api::forbidden(),
                None => self.pass(&parts, body).await,
            }
        };
        Ok(answer.map(Full::new))
    }

    /// Passes a request on that no one signed.
    async fn pass(&self, parts: &http::request::Parts, body: Bytes) -> Answer {
        match self.moto.forward(&parts.method, &parts.uri, &parts.headers, body).await {
            Ok(answer) => answer,
            Err(error) => unreachable_moto(&error),
        }
    }
}

/// The answer when moto gave none.
pub fn unreachable_moto(error: &Error) -> Answer {
    tracing::error!(%error, "moto did not answer");
    document(StatusCode::BAD_GATEWAY, &json!({"message": error.to_string()}))
}
