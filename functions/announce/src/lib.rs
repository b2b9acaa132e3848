//! Tells programs and people of what became of tenants, and people of roll-outs that stopped.
//!
//! What it does: asks the ledger for history entries that are still to be told, puts changes of phase and drift on the bus and
//! sends what needs a person to the topic, then takes the marks away.
//! What it leaves on the record: that an entry is told.
//! Why repeating is safe: whoever hears an event twice knows it by the tenant's id and version. A mark goes only after
//! the event is taken, and a tenant's next entry is told only once the one before is: nothing is lost, nothing overtakes.
//! Whether it can be undone: what is told is told.

use std::collections::HashSet;

use announcement::{Announcer, MOST};
use entry::Means;
use ledger::Untold;
use serde_json::{Value, json};
use tenant::{Failure, Happening};

/// Entries read at once.
const PAGE: i32 = 50;
/// How often one invocation reads, so that it ends before the next one comes.
const ROUNDS: usize = 40;

/// Tells what is still to be told.
pub async fn handle(means: Means, _event: Value) -> Result<Value, Failure> {
    let announcer = Announcer::new(&means.config, &means.environment.topic);
    let mut told: HashSet<(String, String)> = HashSet::new();
    for _ in 0..ROUNDS {
        let mut untold = means.ledger.untold(PAGE).await?;
        // An index shows for a moment what was told already.
        untold.retain(|entry| !told.contains(&key(entry)));
        let batch = next(&untold);
        if batch.is_empty() {
            break;
        }
        let Round { taken, failure } = tell(&announcer, &batch).await;
        told.extend(taken.iter().map(|entry| key(entry)));
        means.ledger.told(&taken).await?;
        if let Some(failure) = failure {
            return Err(failure);
        }
    }
    Ok(json!({ "told": told.len() }))
}

/// What came of one round.
struct Round<'a> {
    taken: Vec<&'a Untold>,
    failure: Option<Failure>,
}

fn key(entry: &Untold) -> (String, String) {
    (entry.whose().to_owned(), entry.place().to_owned())
}

/// The first entry of each tenant's history: the ones after it wait until that is told.
fn next(untold: &[Untold]) -> Vec<&Untold> {
    let mut sorted: Vec<&Untold> = untold.iter().collect();
    sorted.sort_by_key(|entry| entry.place());
    let mut histories = HashSet::new();
    sorted.retain(|entry| histories.insert(entry.whose()));
    sorted.truncate(MOST);
    sorted
}

async fn tell<'a>(announcer: &Announcer, batch: &[&'a Untold]) -> Round<'a> {
    let (changes, others): (Vec<&'a Untold>, Vec<&'a Untold>) =
        batch.iter().copied().partition(|entry| entry.notice.change().is_some());
    let mut round = Round { taken: Vec::new(), failure: None };
    let details: Vec<&Happening> =
        changes.iter().filter_map(|entry| entry.notice.change()).collect();
    let mut heard = others;
    match announcer.put(&details).await {
        Ok(put) => {
            if put.contains(&false) {
                round.failure =
                    Some(Failure::transient("events:PutEvents: not every event was taken"));
            }
            heard.extend(changes.into_iter().zip(put).filter(|(_, put)| *put).map(|(one, _)| one));
        }
        Err(failure) => round.failure = Some(failure),
    }
    for entry in heard {
        let Some(message) = entry.notice.message() else {
            round.taken.push(entry);
            continue;
        };
        match announcer.publish(message).await {
            Ok(()) => round.taken.push(entry),
            Err(failure) => round.failure = Some(failure),
        }
    }
    round
}
