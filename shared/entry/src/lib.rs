//! The door of every function: environment, clock, driver, outcome.
//!
//! Nobody else reads the environment, the clock or randomness. A step's door is [`step`], which runs the one driver;
//! every other function's door is [`door`], which hands its event to a plain function.

mod clock;
mod driver;
mod environment;
mod event;

use std::future::Future;
use std::pin::Pin;

use aws_config::{BehaviorVersion, SdkConfig, retry::RetryConfig};
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use execution::{Executions, Start};
use jiff::{SignedDuration, Timestamp};
pub use lambda_runtime::Error;
use lambda_runtime::{Diagnostic, LambdaEvent, service_fn};
use ledger::{Ledger, Waiter};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use session::{ExternalId, Opening, Sessions};
use step::{Permission, Place, Step};
use tenant::{AccountId, Failure, Mode, Platform, Seats, Tenant, Ticket, Transition};
use tracing::Instrument;

pub use environment::Environment;

use crate::clock::Clock;

/// What a function works with, made once while it starts.
#[derive(Clone, Debug)]
pub struct Means {
    /// What clients are made of that one function alone needs: all share its connections.
    pub config: SdkConfig,
    /// What the template tells the function.
    pub environment: Environment,
    external_id: ExternalId,
    clock: Clock,
    /// The ledger.
    pub ledger: Ledger,
    /// The replication's state machine.
    pub executions: Executions,
}

impl Means {
    async fn load() -> Result<Self, Error> {
        let environment = Environment::read()?;
        // The state machine tries again too, with longer pauses: here only what passes within a breath.
        let retry = RetryConfig::standard()
            .with_max_attempts(2)
            .with_initial_backoff(std::time::Duration::from_millis(200));
        // Every client shares its connections and the certificates that it trusts: reading those costs more than a call.
        let connections = aws_smithy_http_client::Builder::new()
            .tls_provider(Provider::Rustls(CryptoMode::AwsLc))
            .build_https();
        let config = aws_config::defaults(BehaviorVersion::latest())
            .retry_config(retry)
            .http_client(connections)
            .load()
            .await;
        let clock = Clock::new(environment.clock.clone());
        let ledger = Ledger::new(&config, &environment.table);
        let executions = Executions::new(&config, &environment.state_machine);
        let external_id = ExternalId::new(&config, &environment.external_id);
        tokio::join!(ledger.warm(), external_id.warm());
        Ok(Self { config, environment, external_id, clock, ledger, executions })
    }

    /// Now.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Passes less than a second; whatever takes longer is the state machine's to wait for.
    pub async fn pause(&self, time: SignedDuration) {
        self.clock.pause(time).await;
    }

    /// A random number from 0 to 1.
    #[must_use]
    pub fn chance(&self) -> f64 {
        rand::random()
    }

    /// A new random id.
    #[must_use]
    pub fn new_id(&self) -> tenant::Uuid {
        tenant::Uuid::from_u128(rand::random())
    }

    /// Starts a tenant's next run, or asks after the one that is said to be under way. Safe to repeat: whoever comes
    /// second finds the run named, and starting a named run again finds it running or ended.
    pub async fn start(&self, tenant: &Tenant) -> Result<(), Failure> {
        let now = self.now();
        let Some(execution) = &tenant.running else {
            // It stays due, so that start-due starts it once somebody resumes the platform.
            if self.ledger.breaker(&tenant.name.platform).await?.is_paused() {
                return Ok(());
            }
            let (zone, platform) = (&tenant.wish.landing_zone, &tenant.name.platform);
            let versions = self.ledger.versions(zone, platform).await?;
            let Ok(transition) = tenant.started(versions, now) else { return Ok(()) };
            return match self.ledger.write(tenant, &transition).await {
                Ok(()) => self.executions.start(&transition.tenant.ticket()).await.map(|_| ()),
                Err(ledger::Error::Conflict) => Ok(()),
                Err(ledger::Error::Failure(failure)) => Err(failure),
            };
        };
        let written = match self.executions.start(&tenant.ticket()).await? {
            Start::Running => self.ledger.touch(tenant, &tenant.checked(now)).await,
            Start::Ended => {
                let failure =
                    Failure::transient(format!("execution {execution} ended without a word"));
                let ended = tenant.failed(execution, "the run", failure, self.chance(), now);
                let Ok(transition) = ended else { return Ok(()) };
                self.ledger.write(tenant, &transition).await
            }
        };
        match written {
            Ok(()) | Err(ledger::Error::Conflict) => Ok(()),
            Err(ledger::Error::Failure(failure)) => Err(failure),
        }
    }

    /// Writes a transition of the tenant as it is by now: an earlier change of the same turn may have written one.
    pub async fn change(
        &self,
        tenant: &Tenant,
        transition: impl Fn(&Tenant, Timestamp) -> Transition,
    ) -> Result<(), Failure> {
        let now = self.now();
        let change = |tenant: &Tenant| Some(transition(tenant, now));
        self.ledger.change(tenant.clone(), change).await?;
        Ok(())
    }

    /// Wakes the step that waits for this, if one does.
    pub async fn wake(&self, kind: &str, id: &str) -> Result<Option<Waiter>, Failure> {
        let Some(waiter) = self.ledger.waiter(kind, id).await? else { return Ok(None) };
        let Waiter { tenant, step, part } = &waiter;
        if let Some(token) = self.ledger.hint(*tenant, step, part.as_deref()).await? {
            self.executions.wake(&token).await?;
        }
        Ok(Some(waiter))
    }

    /// Gives back what the tenant holds of a limit, and calls those whose turn it is then: they wait for `kind`.
    pub async fn leave_seat(
        &self,
        seats: &Seats,
        tenant: tenant::Uuid,
        kind: &str,
    ) -> Result<(), Failure> {
        let called = self.ledger.leave_seat(seats, &tenant.to_string(), self.now()).await?;
        for id in called {
            self.call(&id, kind).await?;
        }
        Ok(())
    }

    /// Wakes a tenant's run, or lets start-due start one. A call that gets lost costs time and nothing else: the place
    /// in line is kept.
    async fn call(&self, id: &str, kind: &str) -> Result<(), Failure> {
        let Ok(tenant) = id.parse() else { return Ok(()) };
        let Some(called) = self.ledger.tenant(tenant).await? else { return Ok(()) };
        if called.running.is_some() {
            return self.wake(kind, id).await.map(|_| ());
        }
        match self.ledger.change(called, |called| called.called(self.now())).await {
            Ok(_) | Err(ledger::Error::Conflict) => Ok(()),
            Err(ledger::Error::Failure(failure)) => Err(failure),
        }
    }

    /// Sessions that can do no more than these permissions, named for `tenant`.
    #[must_use]
    pub fn sessions(
        &self,
        permissions: &'static [Permission],
        platform: &Platform,
        tenant: tenant::Uuid,
        account: Option<(AccountId, Option<Timestamp>)>,
        mode: Mode,
    ) -> Sessions {
        Sessions::new(Opening {
            base: self.config.clone(),
            external_id: self.external_id.clone(),
            place: Place::of(platform, account.as_ref().map(|(account, _)| account)),
            tenant,
            mode,
            permissions,
            account,
            now: self.now(),
        })
    }
}

/// A failure on its way to the state machine, which matches its name.
#[derive(Debug)]
struct Refused(Failure);

impl From<Refused> for Diagnostic {
    fn from(Refused(failure): Refused) -> Self {
        Self { error_type: failure.name.to_string(), error_message: failure.to_string() }
    }
}

/// Says once that there was a failure, where it leaves the function.
fn refused(failure: Failure) -> Refused {
    tracing::error!(failure = %failure, name = %failure.name, "the event could not be handled");
    Refused(failure)
}

/// Runs a step as a function: `build` makes the step for one turn.
pub async fn step<S: Step + Sync>(
    build: impl Fn(Sessions, &Means) -> S + Sync,
) -> Result<(), Error> {
    start_log();
    let means = Means::load().await?;
    let turn = |event: LambdaEvent<Value>| {
        let (means, build) = (&means, &build);
        async move {
            let ticket: Ticket = event::read(event.payload).map_err(refused)?;
            let span = tracing::info_span!(
                "turn",
                step = S::NAME,
                tenant.id = %ticket.tenant,
                run = ticket.run,
                request.id = event.context.request_id,
            );
            written(driver::turn(means, build, &ticket).instrument(span).await.map_err(Refused)?)
        }
    };
    listen(&|event| Box::pin(turn(event))).await
}

/// Runs a function that is no step: `handle` gets the means and the event.
pub async fn door<E, A, H, F>(handle: H) -> Result<(), Error>
where
    E: DeserializeOwned + Send,
    A: Serialize + Send + 'static,
    H: Fn(Means, E) -> F,
    F: Future<Output = Result<A, Failure>> + Send,
{
    start_log();
    let means = Means::load().await?;
    let answer = |event: LambdaEvent<Value>| {
        let span = tracing::info_span!("event", request.id = event.context.request_id);
        let handled = event::read(event.payload).map(|event| handle(means.clone(), event));
        async {
            let answered = match handled {
                Ok(handled) => handled.await,
                Err(failure) => Err(failure),
            };
            written(answered.map_err(refused)?)
        }
        .instrument(span)
    };
    listen(&|event| Box::pin(answer(event))).await
}

/// Something that is still being worked on.
type Pending<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// Answers one event after the other. The runtime is compiled here, once, and not into each function anew.
fn listen<'a>(
    answer: &'a dyn Fn(LambdaEvent<Value>) -> Pending<'a, Result<Value, Refused>>,
) -> Pending<'a, Result<(), Error>> {
    Box::pin(lambda_runtime::run(service_fn(answer)))
}

/// An answer as Lambda takes it.
fn written(answer: impl Serialize) -> Result<Value, Refused> {
    serde_json::to_value(answer)
        .map_err(|error| refused(Failure::defect(format!("the answer can't be written: {error}"))))
}

fn start_log() {
    let level = environment::log_level();
    tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_current_span(true)
        .with_span_list(false)
        .with_target(false)
        .with_max_level(level)
        .init();
}
