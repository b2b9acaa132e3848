//! Every order in which wishes, a move, requests, deletions, approvals, refusals of both, start-due, dying executions
//! and lost calls can meet one tenant.
//!
//! The transitions are the production ones. Around them stands what else moves: hands that have read the row and
//! not written yet, calls of `StartExecution` that are under way, executions, and time. All states that so many moves
//! can lead to are visited, and in each it must hold that no run is beside another, no wish and no request is
//! forgotten, no history is lost, and that everything ends well once nothing more goes wrong.

use std::{
    collections::{BTreeMap, HashSet, VecDeque},
    fmt::Write as _,
};

use super::*;
use crate::Failure;

/// Moves in a row that are tried in every order.
const DEPTH: usize = 11;
/// Moves in which everything must have ended well once nothing more goes wrong.
const PATIENCE: usize = 60;

/// One tenant and everything that moves around it.
#[derive(Clone)]
struct World {
    row: Tenant,
    history: Vec<Entry>,
    now: Timestamp,
    /// Whether each execution that was ever started still runs, by its name.
    executions: BTreeMap<String, bool>,
    hands: Vec<Hand>,
    wishes: u32,
    requests: u32,
    removals: u32,
    deaths: u32,
}

/// Somebody who has read the row and has yet to act on it.
#[expect(
    clippy::large_enum_variant,
    reason = "there are a few hands at a time, and they are compared as they are"
)]
#[derive(Clone)]
enum Hand {
    /// Writes a transition if nobody has written since.
    Write { read: u64, transition: Transition, who: Who },
    /// Calls `StartExecution`.
    Start { execution: String },
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Who {
    /// Wishes, and tries again when somebody else was faster.
    Wisher,
    /// Asks for a replication, and tries again likewise.
    Asker,
    /// Deletes, approves or declines, and tries again likewise.
    Remover(Decision),
    /// Starts a run that is due.
    Starter,
    /// Says that an execution ended without a word.
    Mourner,
    /// The execution itself, in its last state.
    Run,
}

/// What somebody may want of a deletion.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Decision {
    Mark,
    Approve,
    Decline,
}

fn wish(landing_zone: &str) -> TenantSpec {
    serde_json::from_value(serde_json::json!({ "landingZone": landing_zone })).expect("a wish")
}

impl World {
    fn new() -> Self {
        let name = Name::new("a", "b", "aws");
        let now: Timestamp = "2026-01-01T00:00:00Z".parse().expect("a timestamp");
        let Transition { tenant, entry } = Tenant::requested(name, 1, wish("zone-0"), "ada", now);
        Self {
            row: tenant,
            history: vec![entry],
            now,
            executions: BTreeMap::new(),
            hands: Vec::new(),
            wishes: 2,
            requests: 1,
            removals: 1,
            deaths: 2,
        }
    }

    /// All worlds that one move leads to.
    fn moves(&self) -> Vec<Self> {
        let mut worlds = Vec::new();
        let mut add = |change: &dyn Fn(&mut Self)| {
            let mut world = self.clone();
            change(&mut world);
            worlds.push(world);
        };
        if self.wishes > 0 {
            add(&|world| {
                world.wishes -= 1;
                world.wish();
            });
        }
        if self.requests > 0 {
            add(&|world| {
                world.requests -= 1;
                world.ask();
            });
        }
        if self.removals > 0 && self.row.removal.is_none() {
            add(&|world| {
                world.removals -= 1;
                world.decide(Decision::Mark);
            });
        }
        if self.row.removal.as_ref().is_some_and(|removal| removal.approval.is_none()) {
            add(&|world| world.decide(Decision::Approve));
            add(&|world| world.decide(Decision::Decline));
        }
        if self.is_due() {
            add(&|world| world.start());
        }
        for number in 0..self.hands.len() {
            add(&|world| world.act(number));
            // Whoever holds the call dies, or the call gets lost on its way.
            add(&|world| drop(world.hands.remove(number)));
        }
        for execution in self.alive() {
            add(&|world| world.complete(&execution));
            add(&|world| {
                world.close();
                world.complete(&execution);
            });
            add(&|world| world.fail(&execution));
            if self.deaths > 0 {
                add(&|world| {
                    world.deaths -= 1;
                    world.executions.insert(execution.clone(), false);
                });
            }
        }
        // An event tells of an execution that died.
        if self.row.running.as_ref().is_some_and(|name| self.executions.get(name) == Some(&false)) {
            add(&|world| world.start());
        }
        if self.row.next_run.is_some_and(|next_run| next_run > self.now) {
            add(&|world| world.wait());
        }
        worlds.retain(|world| world.hands.len() <= 3);
        worlds
    }

    fn is_due(&self) -> bool {
        self.row.next_run.is_some_and(|next_run| next_run <= self.now)
    }

    fn alive(&self) -> Vec<String> {
        self.executions.iter().filter(|(_, runs)| **runs).map(|(name, _)| name.clone()).collect()
    }

    fn hand(&mut self, transition: Transition, who: Who) {
        self.hands.push(Hand::Write { read: self.row.version, transition, who });
    }

    fn wish(&mut self) {
        // The last wish is to be in another project.
        let changed = if self.wishes == 0 {
            self.row.moved(&Name::new("a", "c", "aws"), 1, "oscar", self.now)
        } else {
            let wish = wish(&format!("zone-{}", self.row.generation));
            self.row.wished(wish, "ada", self.now)
        };
        if let Ok(Some(transition)) = changed {
            self.hand(transition, Who::Wisher);
        }
    }

    fn decide(&mut self, decision: Decision) {
        let transition = match decision {
            Decision::Mark => self.row.marked("ada", None, self.now),
            Decision::Approve => self.row.approved("bob", "", self.now),
            Decision::Decline => self.row.declined("bob", "", self.now),
        };
        if let Ok(transition) = transition {
            self.hand(transition, Who::Remover(decision));
        }
    }

    /// What the step that closes accounts does in a run that is for it, once somebody has agreed.
    fn close(&mut self) {
        let agreed = self
            .row
            .removal
            .as_ref()
            .is_some_and(|removal| removal.approval.is_some() && removal.gone_since.is_none());
        if agreed && self.row.mode == Mode::Remove && self.row.running.is_some() {
            let left = self.row.left("the account is closed".to_owned(), "close-account", self.now);
            self.row = left.tenant;
            self.history.push(left.entry);
        }
    }

    fn ask(&mut self) {
        self.hand(self.row.asked("ada", self.now), Who::Asker);
    }

    /// What the door does with a tenant whose run is to begin, or is to be asked after.
    fn start(&mut self) {
        match self.row.running.clone() {
            None => {
                if let Ok(transition) = self.row.started(Versions::default(), self.now) {
                    self.hand(transition, Who::Starter);
                }
            }
            Some(execution) => self.hands.push(Hand::Start { execution }),
        }
    }

    fn act(&mut self, number: usize) {
        match self.hands.remove(number) {
            Hand::Write { read, transition, who } if read == self.row.version => {
                self.row = transition.tenant;
                self.history.push(transition.entry);
                match who {
                    Who::Wisher | Who::Asker | Who::Remover(_) if self.row.running.is_none() => {
                        self.start();
                    }
                    Who::Starter => {
                        let execution = self.row.running.clone().expect("it has just begun");
                        self.hands.push(Hand::Start { execution });
                    }
                    Who::Run => {
                        for runs in self.executions.values_mut() {
                            *runs = false;
                        }
                    }
                    Who::Wisher | Who::Asker | Who::Remover(_) | Who::Mourner => {}
                }
            }
            Hand::Write { who: Who::Wisher, .. } => self.wish(),
            Hand::Write { who: Who::Asker, .. } => self.ask(),
            Hand::Write { who: Who::Remover(decision), .. } => self.decide(decision),
            // Others find out what became of it another time.
            Hand::Write { .. } => {}
            Hand::Start { execution } => match self.executions.get(&execution) {
                None => drop(self.executions.insert(execution, true)),
                Some(true) if self.row.is_running(&execution) => {
                    self.row = self.row.checked(self.now);
                }
                Some(true) => {}
                Some(false) => {
                    let failure = Failure::transient("it ended without a word");
                    let ended = self.row.failed(&execution, "the run", failure, 0.0, self.now);
                    if let Ok(transition) = ended {
                        self.hand(transition, Who::Mourner);
                    }
                }
            },
        }
    }

    fn complete(&mut self, execution: &str) {
        self.end(execution, self.row.completed(execution, None, 0.0, self.now));
    }

    fn fail(&mut self, execution: &str) {
        let failure = Failure::transient("something broke");
        self.end(execution, self.row.failed(execution, "a step", failure, 0.0, self.now));
    }

    fn end(&mut self, execution: &str, transition: Result<Transition, Refused>) {
        match transition {
            Ok(transition) => self.hand(transition, Who::Run),
            Err(_) => drop(self.executions.insert(execution.to_owned(), false)),
        }
    }

    fn wait(&mut self) {
        self.now = self.row.next_run.map_or(self.now, |next_run| next_run.max(self.now));
    }

    /// What must hold at every moment.
    fn check(&self) {
        let story = || self.story();
        assert!(self.alive().len() <= 1, "two runs at once: {}", story());
        let unseen = self.row.generation > self.row.observed_generation;
        if unseen || self.row.asked || self.row.running.is_some() {
            assert!(self.row.next_run.is_some(), "nobody will look again: {}", story());
        }
        for pair in self.history.windows(2) {
            assert!(pair[0].version < pair[1].version, "history out of order: {}", story());
            assert_eq!(pair[1].from, Some(pair[0].to), "history does not join: {}", story());
        }
        assert_eq!(self.history.last().map(|entry| entry.to), Some(self.row.phase), "{}", story());
        let marked = matches!(self.row.phase, Phase::MarkedForDeletion | Phase::Deleted);
        assert_eq!(marked, self.row.removal.is_some(), "a removal is lost: {}", story());
        if self.row.phase == Phase::Deleted {
            assert!(self.row.removal.as_ref().is_some_and(Removal::is_over), "{}", story());
        }
    }

    /// Whether all is as wished and nothing is to come.
    fn is_settled(&self) -> bool {
        match &self.row.removal {
            None => self.row.phase == Phase::Ready,
            Some(Removal { approval: Some(_), .. }) => self.row.phase == Phase::Deleted,
            Some(_) => self.row.mode == Mode::Remove,
        }
    }

    /// Nothing more goes wrong: whoever has begun ends, who is due is started, runs succeed.
    fn ends_well(mut self) {
        let asked = self.row.asked.then_some(self.row.run);
        for _ in 0..PATIENCE {
            if !self.hands.is_empty() {
                self.act(0);
            } else if let Some(execution) = self.alive().first() {
                let execution = execution.clone();
                self.close();
                self.complete(&execution);
            } else if self.is_due() {
                self.start();
            } else if self.row.running.is_some() || !self.is_settled() {
                self.wait();
            } else {
                break;
            }
            self.check();
        }
        assert!(self.is_settled(), "it never ends: {}", self.story());
        assert_eq!(self.row.observed_generation, self.row.generation, "{}", self.story());
        let answered = asked.is_none_or(|run| self.row.run > run);
        assert!(
            answered || self.row.phase == Phase::Deleted,
            "a request is lost: {}",
            self.story()
        );
    }

    /// What tells this world from others, as far as that matters to what can still happen.
    fn key(&self) -> String {
        let row = &self.row;
        let due = row.next_run.map(|next_run| next_run <= self.now);
        let mut key = format!(
            "{:?} {:?} {:?} {} {} {} {} {:?} {} {due:?} {:?} {} {} {} {}",
            row.phase,
            row.mode,
            row.removal.as_ref().map(|it| (it.approval.is_some(), it.gone_since.is_some())),
            row.generation,
            row.admitted_generation,
            row.observed_generation,
            row.run,
            row.running,
            row.asked,
            self.executions,
            self.wishes,
            self.requests,
            self.removals,
            self.deaths
        );
        for hand in &self.hands {
            let _ = match hand {
                Hand::Write { read, who, transition } => {
                    let fresh = *read == row.version;
                    write!(key, " {who:?} {fresh} {:?}", transition.tenant.phase)
                }
                Hand::Start { execution } => write!(key, " start {execution}"),
            };
        }
        key
    }

    fn story(&self) -> String {
        let events: Vec<&str> = self.history.iter().map(|entry| entry.event.as_str()).collect();
        format!("{events:?}, {:?}", self.executions)
    }
}

#[test]
fn no_order_of_events_loses_a_wish_or_runs_twice_at_once_or_leaves_a_tenant_stuck() {
    let mut seen = HashSet::new();
    let mut open = VecDeque::from([(World::new(), 0)]);
    while let Some((world, depth)) = open.pop_front() {
        if !seen.insert(world.key()) {
            continue;
        }
        world.check();
        if depth < DEPTH {
            open.extend(world.moves().into_iter().map(|next| (next, depth + 1)));
        }
        world.ends_well();
    }
    println!("{} states within {DEPTH} moves", seen.len());
    assert!(seen.len() > 10_000, "{} states are too few to mean anything", seen.len());
}
