//! Every decision with everything it was made from, so that others can make it again.

use std::collections::HashSet;
use std::collections::hash_map::DefaultHasher;
use std::fs::File;
use std::hash::{Hash, Hasher};
use std::io::Write;
use std::path::Path;

use parking_lot::Mutex;
use serde_json::{Map, Value, json};

use crate::authorization::{self, Call, Demand, RoleFacts, Target, Verdict};
use crate::error::Error;
use crate::identity::Principal;

/// Condition keys that differ in each call and decide nothing here.
const VOLATILE: [&str; 2] = ["aws:currenttime", "aws:epochtime"];

/// A file with one JSON line for each different decision.
#[derive(Debug)]
pub struct Decisions(Option<Mutex<(File, HashSet<u64>)>>);

/// Whose call is decided, and with what.
#[derive(Debug)]
pub struct Asked<'a> {
    /// The caller.
    pub principal: &'a Principal,
    /// What is attached to the caller.
    pub facts: &'a RoleFacts,
    /// The same, compiled.
    pub compiled: &'a authorization::Principal,
    /// What is called.
    pub target: &'a Target,
    /// The resource or trust policy of what is called.
    pub resource_policy: Option<&'a Value>,
}

impl Decisions {
    /// Opens the file, if one is wanted.
    pub fn open(path: Option<&Path>) -> Result<Self, Error> {
        let file = path.map(|path| {
            let file = File::create(path);
            file.map_err(Error::io(format!("creating {}", path.display())))
        });
        Ok(Self(file.transpose()?.map(|file| Mutex::new((file, HashSet::new())))))
    }

    /// Notes the decisions on a call, up to the one that denied it.
    pub fn note(&self, call: &Call, asked: &Asked, verdict: &Verdict, now: jiff::Timestamp) {
        let Some(state) = &self.0 else { return };
        if call.free {
            return;
        }
        for demand in &call.demands {
            let denied = !verdict.allowed
                && demand.action == verdict.action
                && demand.resource == verdict.resource;
            let decision = if denied { verdict.decision } else { "allowed" };
            let line = record(call, demand, asked, decision, now).to_string();
            let mut hasher = DefaultHasher::new();
            line.hash(&mut hasher);
            let (file, seen) = &mut *state.lock();
            if seen.insert(hasher.finish())
                && let Err(error) = writeln!(file, "{line}")
            {
                tracing::warn!(%error, "a decision can't be noted");
            }
            if denied {
                return;
            }
        }
    }
}

fn record(
    call: &Call,
    demand: &Demand,
    asked: &Asked,
    decision: &str,
    now: jiff::Timestamp,
) -> Value {
    let context = authorization::context(demand, call, asked.compiled, asked.target, now);
    let context: Map<String, Value> = context
        .entries()
        .into_iter()
        .filter(|(key, _)| !VOLATILE.contains(key))
        .map(|(key, values)| (key.to_owned(), json!(values)))
        .collect();
    let Asked { principal, facts, .. } = asked;
    json!({
        "principal": principal.arn,
        "role": principal.role,
        "account": principal.account,
        "action": demand.action,
        "resource": demand.resource,
        "context": context,
        "identity": facts.identity,
        "boundary": facts.boundary,
        "session": principal.session_policy,
        "scps": facts.scps,
        "resourcePolicy": asked.resource_policy,
        "decision": decision,
    })
}
