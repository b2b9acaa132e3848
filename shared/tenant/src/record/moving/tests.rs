//! A move by itself; and every order in which moves, new wishes and forgetting can meet over three names.
//!
//! What is enumerated is what really happens: each hand reads what stands by a name, then the tenant that it leads to,
//! and writes last, in a transaction that holds only if what it was decided from is still so.

use std::collections::{BTreeMap, HashSet, VecDeque};

use super::*;
use crate::{AccountId, Entry, Names, TenantSpec, Versions};

fn now() -> Timestamp {
    "2026-01-01T00:00:00Z".parse().expect("a timestamp")
}

fn wish() -> TenantSpec {
    serde_json::from_value(serde_json::json!({ "landingZone": "production" })).expect("a wish")
}

fn named(project: &str) -> Name {
    Name::new("payments", project, "aws")
}

/// A tenant with an account, and a run that has ended.
fn settled() -> Tenant {
    let requested = Tenant::requested(named("a"), 1, wish(), "ada", now()).tenant;
    let running = requested.started(Versions::default(), now()).expect("nothing runs").tenant;
    let names = Names {
        email: "a@example.com".to_owned(),
        account_name: "payments.a".to_owned(),
        alias: Some("acme-a".to_owned()),
        number: 7,
        project_number: 3,
    };
    let account = AccountId::try_from("444455556666".to_owned()).expect("an account");
    let landed = running.named(names, now()).tenant.landed(account, "create-account", now()).tenant;
    let execution = landed.running.clone().expect("a run");
    landed.completed(&execution, None, 0.0, now()).expect("it ran").tenant
}

#[test]
fn a_tenant_that_moves_stays_who_it_is_and_is_run_at_once() {
    let before = settled();
    let to = Name::new("shipping", "b", "aws");
    let moved = before.moved(&to, 4, "oscar", now()).expect("it stays").expect("it moves");
    let after = &moved.tenant;
    assert_eq!(
        (after.id, &after.account, after.run, &after.wish),
        (before.id, &before.account, before.run, &before.wish)
    );
    assert_eq!((&after.name, after.incarnation, after.next_run), (&to, 4, Some(now())));
    assert_eq!((after.generation, after.settled), (before.generation + 1, false));
    let kept = before.names.as_ref().map(|names| Names { project_number: 0, ..names.clone() });
    assert_eq!(after.names, kept, "only the project's number is another project's");
    assert_eq!(moved.entry.event, "moved from payments.a.aws to shipping.b.aws");
    assert_eq!((moved.entry.author.as_str(), moved.entry.version), ("oscar", before.version + 1));
    assert_eq!(before.moved(&before.name, 2, "oscar", now()), Ok(None));
}

#[test]
fn a_move_during_a_run_is_for_the_next_one() {
    let running = settled().started(Versions::default(), now()).expect("nothing runs").tenant;
    let execution = running.running.clone().expect("a run");
    let moved = running.moved(&named("b"), 1, "oscar", now()).expect("it stays").expect("it moves");
    assert!(moved.tenant.is_running(&execution));
    let ended = moved.tenant.completed(&execution, None, 0.0, now()).expect("it ran").tenant;
    assert_eq!((ended.next_run, ended.settled), (Some(now()), false));
}

#[test]
fn who_goes_does_not_move() {
    let marked = settled().marked("ada", None, now()).expect("it stays").tenant;
    assert_eq!(marked.moved(&named("b"), 1, "oscar", now()), Err(Refused::Marked));
    let purged = settled().purged("ada", now()).expect("it is there").tenant;
    assert_eq!(purged.moved(&named("b"), 1, "oscar", now()), Err(Refused::Deleted));
}

/// What somebody wants.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
enum Want {
    Move(&'static str, &'static str),
    Wish(&'static str),
    Forget(&'static str),
}

const WANTS: [Want; 6] = [
    Want::Move("a", "c"),
    Want::Move("b", "c"),
    Want::Move("c", "a"),
    Want::Wish("a"),
    Want::Wish("c"),
    Want::Forget("c"),
];

/// How far somebody has come: what was read, in the order of reading.
#[derive(Clone, Debug)]
enum Hand {
    Begins,
    /// What stands by the first name.
    Found(Option<Holder>),
    /// The tenant that has the first name, or how often that has been used then.
    Knows(Option<Tenant>, u32),
    /// What stands by the name to move to.
    FoundTarget(Tenant, Option<Holder>),
    /// The move, decided.
    Decided(Box<Tenant>, Box<Transition>),
    Ended,
}

#[derive(Clone)]
struct World {
    names: BTreeMap<&'static str, Holder>,
    tenants: BTreeMap<Uuid, Tenant>,
    history: BTreeMap<Uuid, Vec<Entry>>,
    hands: Vec<Hand>,
}

impl World {
    fn new() -> Self {
        let mut world = Self {
            names: BTreeMap::new(),
            tenants: BTreeMap::new(),
            history: BTreeMap::new(),
            hands: vec![Hand::Begins; WANTS.len()],
        };
        for name in ["a", "b"] {
            assert!(world.create(name, 1), "nobody has it");
        }
        world
    }

    /// As the ledger does it: the name if it is as often used as was read, with the tenant and its history.
    fn claim(&mut self, name: &'static str, holder: Holder) -> bool {
        let stands = self.names.get(name).map(|holder| holder.incarnation);
        let free = stands == holder.follows();
        if free {
            self.names.insert(name, holder);
        }
        free
    }

    fn put(&mut self, Transition { tenant, entry }: Transition) {
        self.history.entry(tenant.id).or_default().push(entry);
        self.tenants.insert(tenant.id, tenant);
    }

    fn create(&mut self, name: &'static str, incarnation: u32) -> bool {
        let new = Tenant::requested(named(name), incarnation, wish(), "ada", now());
        let free = !self.tenants.contains_key(&new.tenant.id);
        let done = free && self.claim(name, new.tenant.holder());
        if done {
            self.put(new);
        }
        done
    }

    fn write(&mut self, before: &Tenant, transition: Transition, to: Option<&'static str>) -> bool {
        let fresh = self.tenants[&before.id].version == before.version;
        let done = fresh && to.is_none_or(|to| self.claim(to, transition.tenant.holder()));
        if done {
            self.put(transition);
        }
        done
    }

    fn read(&self, holder: Option<Holder>) -> Option<Named> {
        holder.map(|holder| Named { holder, tenant: self.tenants[&holder.tenant].clone() })
    }

    /// One reading or writing of somebody's.
    fn step(&mut self, number: usize) {
        let (first, second) = match WANTS[number] {
            Want::Move(from, to) => (from, Some(to)),
            Want::Wish(name) | Want::Forget(name) => (name, None),
        };
        let again = |done: bool| if done { Hand::Ended } else { Hand::Begins };
        let hand = std::mem::replace(&mut self.hands[number], Hand::Ended);
        self.hands[number] = match (hand, WANTS[number], second) {
            (Hand::Begins, _, _) => Hand::Found(self.names.get(first).copied()),
            (Hand::Found(holder), _, _) => {
                let (tenant, uses) = Named::living(self.read(holder), &named(first));
                Hand::Knows(tenant, uses)
            }
            (Hand::Knows(None, uses), Want::Wish(_), _) => again(self.create(first, uses)),
            (Hand::Knows(Some(tenant), _), Want::Forget(_), _) => {
                let purged = tenant.purged("ada", now()).expect("it lives");
                again(self.write(&tenant, purged, None))
            }
            (Hand::Knows(Some(tenant), _), Want::Move(..), Some(to)) => {
                Hand::FoundTarget(tenant, self.names.get(to).copied())
            }
            (Hand::FoundTarget(tenant, holder), _, Some(to)) => {
                let (taken, uses) = Named::living(self.read(holder), &named(to));
                let moved = tenant.moved(&named(to), uses, "oscar", now());
                match (taken, moved) {
                    (None, Ok(Some(moved))) => Hand::Decided(Box::new(tenant), Box::new(moved)),
                    _ => Hand::Ended,
                }
            }
            (Hand::Decided(before, moved), _, Some(to)) => {
                again(self.write(&before, *moved, Some(to)))
            }
            _ => Hand::Ended,
        };
    }

    fn check(&self) {
        let living = || self.tenants.values().filter(|tenant| tenant.phase != Phase::Deleted);
        let called: HashSet<&Name> = living().map(|tenant| &tenant.name).collect();
        assert_eq!(called.len(), living().count(), "two are called the same: {}", self.story());
        for tenant in living() {
            let by_name = self.names.get(tenant.name.project.as_str());
            assert_eq!(by_name, Some(&tenant.holder()), "not found by name: {}", self.story());
        }
        for name in ["a", "b", "c"] {
            let found = self.read(self.names.get(name).copied());
            let (tenant, _) = Named::living(found, &named(name));
            let meant = living().find(|tenant| tenant.name == named(name));
            assert_eq!(tenant.as_ref(), meant, "{name} leads elsewhere: {}", self.story());
        }
        for (id, tenant) in &self.tenants {
            let versions = self.history[id].iter().map(|entry| entry.version);
            assert!(versions.eq(1..=tenant.version), "history is lost: {}", self.story());
        }
    }

    fn key(&self) -> String {
        let tenants = self.tenants.values().map(|one| (&one.name, one.phase, one.version));
        let tenants: Vec<_> = tenants.collect();
        let hands = self.hands.iter().map(|hand| match hand {
            Hand::Begins => "begins".to_owned(),
            Hand::Found(holder) => format!("found {holder:?}"),
            Hand::Knows(tenant, uses) => {
                format!("knows {:?} {uses}", tenant.as_ref().map(|one| (one.id, one.version)))
            }
            Hand::FoundTarget(tenant, holder) => {
                format!("target {} {} {holder:?}", tenant.id, tenant.version)
            }
            Hand::Decided(before, moved) => {
                format!("decided {} {} {}", before.id, before.version, moved.tenant.incarnation)
            }
            Hand::Ended => "ended".to_owned(),
        });
        format!("{:?} {tenants:?} {:?}", self.names, hands.collect::<Vec<_>>())
    }

    fn story(&self) -> String {
        let events = self.history.values().flatten().map(|entry| entry.event.as_str());
        format!("{:?}, {:?}", events.collect::<Vec<_>>(), self.names)
    }
}

#[test]
fn no_order_of_moves_gives_a_name_twice_or_two_names_to_one_or_loses_history() {
    let mut seen = HashSet::new();
    let mut open = VecDeque::from([World::new()]);
    let mut moved = 0;
    while let Some(world) = open.pop_front() {
        if !seen.insert(world.key()) {
            continue;
        }
        world.check();
        moved += usize::from(world.names.contains_key("c"));
        for number in 0..WANTS.len() {
            if !matches!(world.hands[number], Hand::Ended) {
                let mut next = world.clone();
                next.step(number);
                open.push_back(next);
            }
        }
    }
    println!("{} states, {moved} of them after a move", seen.len());
    assert!(seen.len() > 10_000 && moved > 1_000, "{} states mean nothing", seen.len());
}
