//! Lambda: the deployed functions as processes, invoked one event at a time.

pub mod asynchronous;
pub mod environment;
pub mod instance;
pub mod invoke;
pub mod output;
pub mod pool;
pub mod programs;
pub mod runtime_api;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use parking_lot::RwLock;
use serde_json::json;
use uuid::Uuid;

use crate::clock::Clock;
use crate::deployment::Function;
use crate::error::Error;
use crate::identity::Identity;
use crate::lambda::instance::{Event, Instance, Outcome};
use crate::lambda::output::Output;
use crate::lambda::pool::{Place, Pool};
use crate::lambda::programs::Programs;
use crate::lineage::Lineage;
use crate::moto::Moto;

/// How many invocations an account may run at once.
const ACCOUNT_CONCURRENCY: usize = 1_000;

/// The least real time that a function has, since computing is not sped up with the clock.
const LEAST_TIME: std::time::Duration = std::time::Duration::from_secs(3);

/// Virtual seconds that an instance may have nothing to do.
const LONGEST_IDLE: f64 = 600.0;

/// The least real time that an instance may have nothing to do.
const LEAST_IDLE: std::time::Duration = std::time::Duration::from_secs(5);

/// How an invocation is refused before a function sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// All places are taken: the function's reserved ones, or the account's.
    TooManyRequests {
        /// Whether the function's own limit was reached.
        reserved: bool,
    },
    /// The sandbox can't run the function.
    Broken(String),
}

/// The functions that are deployed now.
#[derive(Debug)]
pub struct Lambda {
    endpoint: String,
    /// The programs that they run.
    pub programs: Programs,
    clock: Clock,
    /// What functions wrote.
    pub output: Arc<Output>,
    deployed: RwLock<Deployed>,
    instances: Arc<RwLock<HashMap<String, Arc<Instance>>>>,
}

#[derive(Debug, Default)]
struct Deployed {
    /// Each pool once.
    pools: Vec<Arc<Pool>>,
    /// By ARN with `$LATEST`, a version's number, or an alias.
    named: HashMap<String, Arc<Pool>>,
}

impl Deployed {
    /// The pool of before under this name, if it would be the same, or a new one.
    fn kept_or_new(&self, function: &Function, programs: &Programs) -> Arc<Pool> {
        let known = self.named.get(&qualified(&function.arn, function.qualifier()));
        match known.filter(|pool| pool.function.is_like(function)) {
            Some(pool) => Arc::clone(pool),
            None => Arc::new(Pool::new(function.clone(), programs)),
        }
    }

    fn has(&self, pool: &Arc<Pool>) -> bool {
        self.pools.iter().any(|known| Arc::ptr_eq(known, pool))
    }

    fn add(&mut self, function: &Function, pool: &Arc<Pool>) {
        for name in function.aliases.iter().map(String::as_str).chain([function.qualifier()]) {
            self.named.insert(qualified(&function.arn, name), Arc::clone(pool));
        }
        if !self.has(pool) {
            self.pools.push(Arc::clone(pool));
        }
    }
}

impl Lambda {
    /// No functions yet; programs are looked for in `binaries`, and call AWS at `endpoint`.
    pub fn new(endpoint: &str, binaries: PathBuf, clock: Clock, output: Output) -> Self {
        Self {
            endpoint: endpoint.to_owned(),
            programs: Programs::of(binaries),
            clock,
            output: Arc::new(output),
            deployed: RwLock::default(),
            instances: Arc::default(),
        }
    }

    /// Replaces the functions; those that did not change keep their warm instances. A function that is what its
    /// newest version is shares the version's.
    pub fn deploy(&self, functions: &[Function]) {
        let mut deployed = self.deployed.write();
        let before = std::mem::take(&mut *deployed);
        let (versions, latest): (Vec<_>, Vec<_>) =
            functions.iter().partition(|function| function.version.is_some());
        let mut newest = HashMap::new();
        for version in versions {
            let pool = before.kept_or_new(version, &self.programs);
            deployed.add(version, &pool);
            newest.insert(&version.arn, pool);
        }
        for function in latest {
            let pool = match newest.remove(&function.arn) {
                Some(pool) if pool.function.is_like(function) => pool,
                _ => before.kept_or_new(function, &self.programs),
            };
            deployed.add(function, &pool);
        }
        for pool in before.pools.iter().filter(|pool| !deployed.has(pool)) {
            pool.retire();
        }
    }

    /// The function with this name or ARN as seen from an account and Region: as it is, or the version that the name
    /// or `qualifier` says.
    pub fn find(
        &self,
        name: &str,
        qualifier: Option<&str>,
        account: &str,
        region: &str,
    ) -> Option<Arc<Pool>> {
        let arn = arn(name, qualifier, account, region)?;
        self.deployed.read().named.get(&arn).cloned()
    }

    /// The instance with this name.
    pub fn instance(&self, id: &str) -> Option<Arc<Instance>> {
        self.instances.read().get(id).cloned()
    }

    /// Takes a place for an invocation among the function's and the account's.
    pub fn enter(&self, pool: &Arc<Pool>) -> Result<Place, Refusal> {
        let deployed = self.deployed.read();
        let of_account = || {
            deployed.pools.iter().filter(|other| other.function.account == pool.function.account)
        };
        if pool.function.reserved_concurrency.is_none() {
            // All versions of a function share what is reserved for it.
            let reserved: HashMap<_, _> = of_account()
                .filter_map(|pool| Some((&pool.function.arn, pool.function.reserved_concurrency?)))
                .collect();
            let busy: usize = of_account()
                .filter(|pool| pool.function.reserved_concurrency.is_none())
                .map(|pool| pool.busy())
                .sum();
            if busy + reserved.values().sum::<usize>() >= ACCOUNT_CONCURRENCY {
                return Err(Refusal::TooManyRequests { reserved: false });
            }
        }
        let others = deployed
            .pools
            .iter()
            .filter(|other| other.function.arn == pool.function.arn && !Arc::ptr_eq(other, pool));
        pool.enter(others.map(|other| other.busy()).sum())
            .ok_or(Refusal::TooManyRequests { reserved: true })
    }

    /// Runs one invocation in a place taken before.
    pub async fn run(
        &self,
        (moto, identity): (&Moto, &Arc<Identity>),
        pool: &Arc<Pool>,
        _place: Place,
        id: &str,
        payload: Bytes,
        mut lineage: Lineage,
    ) -> Result<Outcome, Refusal> {
        let broken = |error: Error| {
            tracing::error!(error = %Chain(&error), function = %pool.function.name, "no instance");
            Refusal::Broken(error.to_string())
        };
        let work = self.clock.work();
        let instance = match pool.warm() {
            Some(instance) => instance,
            None => self.start(moto, identity, pool).await.map_err(broken)?,
        };
        if let Err(outcome) = instance.initialised().await {
            return Ok(outcome);
        }
        lineage.invocation = Some(id.to_owned());
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "an epoch in milliseconds fits"
        )]
        let deadline = ((self.clock.now() + pool.function.timeout) * 1000.0) as u64;
        let event = Event {
            id: id.to_owned(),
            payload,
            lineage,
            deadline,
            trace: trace(id, self.clock.now()),
        };
        let limit = async {
            tokio::join!(self.clock.sleep(pool.function.timeout), tokio::time::sleep(LEAST_TIME));
        };
        let outcome = instance.run(event, limit, work).await;
        match outcome {
            Outcome::Answer(_) | Outcome::Failed(_) => pool.keep(instance),
            Outcome::Ended(_) | Outcome::TimedOut => {
                instance.stopped().await;
            }
        }
        Ok(outcome)
    }

    async fn start(
        &self,
        moto: &Moto,
        identity: &Arc<Identity>,
        pool: &Arc<Pool>,
    ) -> Result<Arc<Instance>, Error> {
        let session = environment::session(moto, &pool.function).await?;
        let id = instance::fresh_id();
        let variables =
            environment::variables(&pool.function, &session, &self.endpoint, &self.clock, &id);
        let instance = Instance::start(pool, id, variables, &self.output)?;
        identity.register(environment::principal(&session, &pool.function, &instance));
        self.instances.write().insert(instance.id.clone(), Arc::clone(&instance));
        let (instances, identity) = (Arc::clone(&self.instances), Arc::clone(identity));
        let ending = Arc::clone(&instance);
        tokio::spawn(async move {
            ending.over().await;
            instances.write().remove(&ending.id);
            identity.forget(&ending);
        });
        Ok(instance)
    }

    /// Ends instances that had nothing to do for long, for as long as the sandbox runs.
    pub async fn tidy(&self) {
        let longest = self.clock.least(LONGEST_IDLE).max(LEAST_IDLE);
        loop {
            tokio::time::sleep(LEAST_IDLE / 5).await;
            for pool in &self.deployed.read().pools {
                pool.cool(longest);
            }
        }
    }
}

/// The whole ARN of a function with its qualifier.
pub fn arn(name: &str, qualifier: Option<&str>, account: &str, region: &str) -> Option<String> {
    let parts: Vec<_> = name.split(':').collect();
    let (arn, named) = match parts.as_slice() {
        ["arn", partition, "lambda", region, account, "function", name, named @ ..] => {
            (format!("arn:{partition}:lambda:{region}:{account}:function:{name}"), named)
        }
        [account, "function", name, named @ ..] => {
            (format!("arn:aws:lambda:{region}:{account}:function:{name}"), named)
        }
        [name, named @ ..] => (format!("arn:aws:lambda:{region}:{account}:function:{name}"), named),
        [] => return None,
    };
    let qualifier = named.first().copied().or(qualifier).unwrap_or(Function::LATEST);
    Some(qualified(&arn, qualifier))
}

fn qualified(arn: &str, qualifier: &str) -> String {
    format!("{arn}:{qualifier}")
}

/// The error document of an invocation that ended without the function's own answer.
pub fn failure(outcome: &Outcome, id: &str, timeout: f64) -> Option<Bytes> {
    let (kind, message) = match outcome {
        Outcome::Answer(_) => return None,
        Outcome::Failed(document) => return Some(document.clone()),
        Outcome::Ended(reason) => ("Runtime.ExitError", reason.clone()),
        Outcome::TimedOut => {
            ("Sandbox.Timedout", format!("Task timed out after {timeout:.2} seconds"))
        }
    };
    let message = format!("RequestId: {id} Error: {message}");
    Some(Bytes::from(json!({"errorType": kind, "errorMessage": message}).to_string()))
}

/// A fresh request id.
pub fn request_id() -> String {
    Uuid::new_v4().to_string()
}

fn trace(id: &str, now: f64) -> String {
    #[expect(clippy::cast_possible_truncation, reason = "an epoch in seconds fits")]
    let seconds = now as i64;
    let hex: String = id.chars().filter(char::is_ascii_hexdigit).collect();
    let (root, parent) = (hex.get(..24).unwrap_or(&hex), hex.get(16..).unwrap_or(&hex));
    format!("Root=1-{seconds:08x}-{root};Parent={parent};Sampled=1")
}

/// An error with its sources, for a log line.
#[derive(Debug)]
pub struct Chain<'a>(pub &'a dyn std::error::Error);

impl std::fmt::Display for Chain<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}", self.0)?;
        let mut source = self.0.source();
        while let Some(error) = source {
            write!(formatter, ": {error}")?;
            source = error.source();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Speed;

    fn lambda(functions: &[Function]) -> Lambda {
        let output = Output::new(None).unwrap();
        let clock = Clock::start(Speed { idle: 1.0, working: 1.0 }).unwrap();
        let lambda = Lambda::new("http://x", PathBuf::from("/none"), clock, output);
        lambda.deploy(functions);
        lambda
    }

    fn function(name: &str) -> Function {
        Function {
            name: name.to_owned(),
            arn: format!("arn:aws:lambda:eu-central-1:123456789012:function:{name}"),
            account: "123456789012".to_owned(),
            region: "eu-central-1".to_owned(),
            ..Function::default()
        }
    }

    #[test]
    fn a_function_is_found_by_name_and_by_arn() {
        let lambda = lambda(&[function("landfall-admit")]);
        for name in [
            "landfall-admit",
            "landfall-admit:$LATEST",
            "123456789012:function:landfall-admit",
            "arn:aws:lambda:eu-central-1:123456789012:function:landfall-admit",
            "arn:aws:lambda:eu-central-1:123456789012:function:landfall-admit:$LATEST",
        ] {
            assert!(lambda.find(name, None, "123456789012", "eu-central-1").is_some(), "{name}");
        }
        assert!(lambda.find("landfall-admit", None, "123456789012", "us-east-1").is_none());
    }

    fn version(number: &str, table: &str, aliases: &[&str]) -> Function {
        let mut version = function("landfall-admit");
        version.version = Some(number.to_owned());
        version.aliases = aliases.iter().map(|&alias| alias.to_owned()).collect();
        version.environment.insert("LANDFALL_TABLE".to_owned(), table.to_owned());
        version
    }

    /// A function that is what this version of it is.
    fn latest(of: Function) -> Function {
        Function { version: None, aliases: Vec::new(), ..of }
    }

    fn named(lambda: &Lambda, qualifier: Option<&str>) -> Arc<Pool> {
        lambda.find("landfall-admit", qualifier, "123456789012", "eu-central-1").expect("deployed")
    }

    #[test]
    fn a_version_and_the_function_have_one_pool_until_the_function_changes() {
        let first = version("1", "one", &["live"]);
        let lambda = lambda(&[latest(first.clone()), first.clone()]);
        let before = named(&lambda, None);
        assert!(Arc::ptr_eq(&before, &named(&lambda, Some("1"))));
        assert!(Arc::ptr_eq(&before, &named(&lambda, Some("live"))));
        let (first, second) = (version("1", "one", &[]), version("2", "two", &["live"]));
        lambda.deploy(&[latest(second.clone()), first, second]);
        assert!(Arc::ptr_eq(&before, &named(&lambda, Some("1"))), "it stays warm");
        let now = named(&lambda, Some("live"));
        assert_eq!(now.function.environment["LANDFALL_TABLE"], "two");
        assert!(Arc::ptr_eq(&now, &named(&lambda, None)));
        assert!(Arc::ptr_eq(&now, &named(&lambda, Some("2"))));
        let unknown = lambda.find("landfall-admit:3", None, "123456789012", "eu-central-1");
        assert!(unknown.is_none());
    }

    #[test]
    fn versions_share_what_is_reserved_for_their_function() {
        let reserved = |version| Function { reserved_concurrency: Some(1), ..version };
        let (first, second) = (version("1", "one", &[]), version("2", "two", &[]));
        let lambda = lambda(&[reserved(first), reserved(second)]);
        let place = lambda.enter(&named(&lambda, Some("1"))).expect("a free place");
        let refused = lambda.enter(&named(&lambda, Some("2")));
        assert_eq!(refused.err(), Some(Refusal::TooManyRequests { reserved: true }));
        drop(place);
        assert!(lambda.enter(&named(&lambda, Some("2"))).is_ok());
    }

    #[test]
    fn a_time_out_reads_as_on_aws() {
        let body = failure(&Outcome::TimedOut, "r-1", 30.0).unwrap();
        assert_eq!(
            serde_json::from_slice::<serde_json::Value>(&body).unwrap(),
            json!({"errorType": "Sandbox.Timedout",
                   "errorMessage": "RequestId: r-1 Error: Task timed out after 30.00 seconds"})
        );
    }
}
