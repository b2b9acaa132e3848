use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use super::*;
use crate::{AccountId, Amount, Failure, Name, TenantSpec, Versions};

const ZONE: &str = "production";

fn noon() -> Timestamp {
    "2026-01-01T12:00:00Z".parse().expect("a timestamp")
}

fn wish(zone: &str) -> TenantSpec {
    serde_json::from_value(serde_json::json!({ "landingZone": zone })).expect("a wish")
}

fn rules(first: u32, size: u32, tolerance: u32) -> RollOutRules {
    RollOutRules {
        first_wave: Amount::Count(first),
        wave_size: Amount::Count(size),
        failure_tolerance: Amount::Count(tolerance),
    }
}

/// Tenants of a landing zone, its version, its roll-out, and time; what a row of the ledger would keep.
#[derive(Clone, Debug)]
struct World {
    tenants: Vec<Tenant>,
    version: u64,
    roll_out: Option<RollOut>,
    rules: RollOutRules,
    now: Timestamp,
}

/// How a run ends.
#[derive(Clone, Copy, Debug)]
enum End {
    Well,
    Waiting,
    Blocked,
    Passing,
}

/// What happens next to the world, to whichever tenant.
#[derive(Clone, Copy, Debug)]
enum Move {
    Minute { dies: bool },
    Start,
    End(End),
    ByItself,
    Wish,
    Leave,
    Delete,
    Change,
    Set(RollOutState),
}

impl World {
    /// So many tenants that are Ready with the first version.
    fn new(tenants: usize, rules: RollOutRules) -> Self {
        let mut world =
            Self { tenants: Vec::new(), version: 1, roll_out: None, rules, now: noon() };
        for number in 0..tenants {
            let name = Name::new("a", format!("t{number}"), "aws");
            let tenant = Tenant::requested(name, 1, wish(ZONE), "ada", noon()).tenant;
            let account = AccountId::try_from(format!("{number:012}")).expect("an id");
            world.tenants.push(tenant.landed(account, "create-account", noon()).tenant);
            world.start(number);
            world.end(number, End::Well);
        }
        world
    }

    fn versions(&self, tenant: &Tenant) -> Versions {
        let here = tenant.wish.landing_zone == ZONE;
        Versions { landing_zone: if here { self.version } else { 1 }, platform: 1 }
    }

    fn start(&mut self, number: usize) {
        let versions = self.versions(&self.tenants[number]);
        let tenant = &mut self.tenants[number];
        if tenant.running.is_none()
            && tenant.next_run.is_some_and(|next| next <= self.now)
            && let Ok(transition) = tenant.started(versions, self.now)
        {
            *tenant = transition.tenant;
        }
    }

    fn end(&mut self, number: usize, end: End) {
        let tenant = &mut self.tenants[number];
        let Some(execution) = tenant.running.clone() else { return };
        let waiting = crate::Waiting {
            step: "raise-quotas".to_owned(),
            r#for: "AWS".to_owned(),
            since: self.now,
            until: None,
            asks: None,
        };
        let ended = match end {
            End::Well => tenant.completed(&execution, None, 0.0, self.now),
            End::Waiting => tenant.completed(&execution, Some(waiting), 0.0, self.now),
            End::Blocked => {
                let failure = Failure::blocked("It is in the way.", "");
                tenant.failed(&execution, "roll-out-stacks", failure, 0.0, self.now)
            }
            End::Passing => {
                let failure = Failure::transient("it broke off");
                tenant.failed(&execution, "roll-out-stacks", failure, 0.0, self.now)
            }
        };
        *tenant = ended.expect("it runs").tenant;
    }

    fn change(&mut self) {
        self.version += 1;
        let change = (Kind::LandingZone, ZONE, self.version);
        let begun = RollOut::begun(change, self.roll_out.as_ref(), "ada", self.now);
        self.roll_out = Some(begun.roll_out);
    }

    fn rows(&self) -> HashMap<Uuid, Tenant> {
        self.tenants.iter().map(|tenant| (tenant.id, tenant.clone())).collect()
    }

    fn set(&mut self, state: RollOutState) {
        let Some(roll_out) = &self.roll_out else { return };
        if let Ok(Some(set)) = roll_out.set(state, &self.rows(), "so", "ada", self.now) {
            self.roll_out = Some(set.roll_out);
        }
    }

    /// What start-due does each minute, which may die before everybody has become due. Names of those that did.
    fn minute(&mut self, dies: bool) -> Vec<String> {
        self.now += SignedDuration::from_mins(1);
        let Some(before) = self.roll_out.clone().filter(|it| it.state == RollOutState::Rolling)
        else {
            return Vec::new();
        };
        let mut roll_out = before.looked_at(&self.rows());
        if roll_out.tenants.is_none() {
            let concerned = self.tenants.iter().filter(|tenant| roll_out.concerns(tenant)).count();
            roll_out.tenants = u32::try_from(concerned).ok();
        }
        let transition = match roll_out.next(&self.rules) {
            Next::Wait => None,
            Next::Stop => Some(roll_out.clone().overcome(&self.rules, self.now)),
            Next::Wave(size) => {
                assert!(roll_out.wave.is_empty(), "one wave at a time");
                for tenant in &self.tenants {
                    let is_met =
                        roll_out.after.as_ref().is_some_and(|it| *it >= tenant.name.to_string());
                    let enough =
                        roll_out.wave.len() >= size || roll_out.next(&self.rules) == Next::Stop;
                    if !is_met && !enough {
                        roll_out.meet(tenant);
                    }
                }
                assert!(roll_out.wave.len() <= size, "no more than a wave abreast");
                Some(roll_out.clone().gathered(&self.rules, self.now))
            }
        };
        roll_out = match transition {
            Some(transition) => transition.roll_out,
            None if roll_out != before => roll_out.touched(),
            None => before.clone(),
        };
        let tolerated = self.rules.failure_tolerance.as_tolerance(0);
        assert!(
            roll_out.failures() <= tolerated || roll_out.state != RollOutState::Rolling,
            "it never goes on beyond its tolerance"
        );
        let mut due = Vec::new();
        for tenant in &mut self.tenants {
            if let Some(transition) = roll_out.in_turn(tenant, self.now) {
                *tenant = transition.tenant;
                due.push(tenant.name.project.clone());
                if dies {
                    break;
                }
            }
        }
        assert!(due.is_empty() || roll_out.state == RollOutState::Rolling);
        self.roll_out = Some(roll_out);
        due
    }

    fn make(&mut self, what: Move, number: usize) {
        let number = number % self.tenants.len();
        let tenant = &self.tenants[number];
        let next = match what {
            Move::Minute { dies } => return drop(self.minute(dies)),
            Move::Start => return self.start(number),
            Move::End(end) => return self.end(number, end),
            Move::Change => return self.change(),
            Move::Set(state) => return self.set(state),
            Move::ByItself => Some(tenant.asked("schedule", self.now)),
            Move::Wish | Move::Leave => {
                let here = tenant.wish.landing_zone == ZONE;
                let leaves = matches!(what, Move::Leave) && here;
                let mut wish = wish(if leaves { "elsewhere" } else { ZONE });
                wish.tags.insert("n".to_owned(), tenant.generation.to_string());
                tenant.wished(wish, "ada", self.now).ok().flatten()
            }
            Move::Delete => tenant.purged("ada", self.now).ok(),
        };
        if let Some(next) = next {
            self.tenants[number] = next.tenant;
        }
    }

    /// Everything goes well from now on; what stopped is resumed.
    fn settle(&mut self) {
        for _ in 0..40 {
            self.set(RollOutState::Rolling);
            self.minute(false);
            for number in 0..self.tenants.len() {
                self.start(number);
                self.end(number, End::Well);
            }
        }
    }

    fn state(&self) -> Option<RollOutState> {
        self.roll_out.as_ref().map(|it| it.state)
    }

    fn has_changed(&self) -> Vec<u64> {
        self.tenants.iter().map(|tenant| tenant.versions.landing_zone).collect()
    }
}

#[test]
fn a_good_change_reaches_everybody_wave_after_wave() {
    let mut world = World::new(6, rules(1, 2, 0));
    world.change();
    let mut waves = Vec::new();
    for _ in 0..5 {
        let due = world.minute(false);
        waves.push(due);
        assert_eq!(world.minute(false), Vec::<String>::new(), "it waits for the wave's runs");
        for number in 0..6 {
            world.start(number);
            world.end(number, End::Well);
        }
    }
    assert_eq!(waves, [vec!["t0"], vec!["t1", "t2"], vec!["t3", "t4"], vec!["t5"], vec![]]);
    assert_eq!(world.state(), Some(RollOutState::Done));
    assert_eq!(world.has_changed(), [2; 6]);
    let history = RollOutView::of(&world.roll_out.expect("it"), &HashMap::new(), vec![], noon());
    assert_eq!((history.done, history.waves, history.waiting), (6, 4, 0));
}

#[test]
fn a_bad_change_stops_after_its_first_wave_and_goes_on_once_resumed() {
    let mut world = World::new(6, rules(1, 3, 0));
    world.change();
    assert_eq!(world.minute(false), ["t0"]);
    world.start(0);
    world.end(0, End::Blocked);
    assert_eq!(world.minute(false), Vec::<String>::new());
    let stopped = world.roll_out.clone().expect("it");
    assert_eq!(stopped.reason.as_deref(), Some("1 tenant failed, 0 tolerated"));
    for _ in 0..10 {
        assert_eq!(world.minute(false), Vec::<String>::new());
    }
    assert_eq!(world.has_changed(), [2, 1, 1, 1, 1, 1]);
    world.set(RollOutState::Rolling);
    assert_eq!(world.minute(false), ["t0"], "who failed runs again before anybody else");
    world.start(0);
    world.end(0, End::Well);
    assert_eq!(world.minute(false), ["t1", "t2", "t3"]);
}

#[test]
fn who_failed_before_it_was_resumed_is_not_counted_again() {
    let mut world = World::new(2, rules(1, 1, 0));
    world.change();
    world.minute(false);
    world.start(0);
    world.end(0, End::Blocked);
    world.minute(false);
    world.make(Move::ByItself, 0);
    world.start(0);
    world.end(0, End::Blocked);
    world.set(RollOutState::Rolling);
    assert_eq!(world.minute(false), ["t0"]);
    assert_eq!(world.state(), Some(RollOutState::Rolling));
}

#[test]
fn what_passes_by_itself_is_no_failure_until_it_did_not() {
    let mut world = World::new(2, rules(1, 1, 0));
    world.change();
    world.minute(false);
    for attempt in 1..=3 {
        world.now += SignedDuration::from_hours(2);
        world.start(0);
        world.end(0, End::Passing);
        world.minute(false);
        let expected = if attempt < 3 { RollOutState::Rolling } else { RollOutState::Stopped };
        assert_eq!(world.state(), Some(expected), "after {attempt}");
    }
}

#[test]
fn a_closed_account_does_not_stop_a_change() {
    let mut world = World::new(2, rules(1, 1, 0));
    let closed = crate::Difference {
        field: DriftField::AccountState,
        subject: None,
        wished: "ACTIVE".to_owned(),
        actual: "SUSPENDED".to_owned(),
    };
    world.tenants[0].drift.push(crate::Deviation::first(&closed, noon()));
    world.change();
    world.minute(false);
    world.start(0);
    world.end(0, End::Blocked);
    assert_eq!(world.minute(false), ["t1"]);
}

#[test]
fn who_had_failed_before_does_not_stop_a_change() {
    let mut world = World::new(3, rules(1, 1, 0));
    world.make(Move::ByItself, 0);
    world.start(0);
    world.end(0, End::Blocked);
    world.change();
    assert_eq!(world.minute(false), ["t0"], "the change may be what mends it");
    world.start(0);
    world.end(0, End::Blocked);
    assert_eq!(world.minute(false), ["t1"]);
    world.start(1);
    world.end(1, End::Blocked);
    world.minute(false);
    let stopped = world.roll_out.expect("it");
    assert_eq!(stopped.reason.as_deref(), Some("1 tenant failed, 0 tolerated"));
    assert_eq!(stopped.failed.len(), 2, "whoever reads it sees both");
}

#[test]
fn a_run_that_began_before_the_change_does_not_count() {
    let mut world = World::new(1, rules(1, 1, 0));
    world.make(Move::ByItself, 0);
    world.start(0);
    world.change();
    assert_eq!(world.minute(false), ["t0"]);
    world.end(0, End::Well);
    assert_eq!(world.minute(false), Vec::<String>::new(), "it is due anyway");
    assert_eq!(world.state(), Some(RollOutState::Rolling));
    world.start(0);
    world.end(0, End::Well);
    world.minute(false);
    assert_eq!((world.state(), world.has_changed()), (Some(RollOutState::Done), vec![2]));
}

#[test]
fn who_ran_by_itself_has_had_its_turn_well_or_not() {
    for (end, expected) in [(End::Well, RollOutState::Done), (End::Blocked, RollOutState::Stopped)]
    {
        let mut world = World::new(2, rules(1, 1, 0));
        world.change();
        for number in 0..2 {
            world.make(Move::ByItself, number);
            world.start(number);
            world.end(number, if number == 1 { end } else { End::Well });
        }
        assert_eq!(world.minute(false), Vec::<String>::new());
        assert_eq!(world.state(), Some(expected));
    }
}

#[test]
fn what_is_over_is_not_set_again() {
    let mut world = World::new(1, rules(1, 1, 0));
    world.change();
    world.set(RollOutState::Abandoned);
    let abandoned = world.roll_out.clone().expect("it");
    let set = |state| abandoned.set(state, &world.rows(), "so", "ada", noon());
    assert_eq!(set(RollOutState::Rolling), Err(Refused::RolledOut));
    assert_eq!(set(RollOutState::Abandoned), Ok(None));
    assert_eq!(world.minute(false), Vec::<String>::new());
}

#[test]
fn a_person_is_told_who_failed_and_what_to_type() {
    let mut world = World::new(1, rules(1, 1, 0));
    world.change();
    world.minute(false);
    world.start(0);
    world.end(0, End::Blocked);
    let looked = world.roll_out.clone().expect("it").looked_at(&world.rows());
    let notice = looked.overcome(&world.rules, noon()).notice.expect("a notice");
    let written = serde_json::to_value(&notice).expect("JSON");
    let read: crate::Told = serde_json::from_value(written).expect("what is told");
    let message = read.message().expect("a person is needed");
    assert_eq!(message.subject, "Landfall: its roll-out stopped: landing zone production");
    for part in [
        "landfall describe a.t0.aws",
        "landfall rollout resume landing-zone production",
        "1 tenant failed, 0 tolerated",
    ] {
        assert!(message.text.contains(part), "{}", message.text);
    }
    assert_eq!(read.change(), None);
}

fn moves() -> impl Strategy<Value = Move> {
    prop_oneof![
        6 => any::<bool>().prop_map(|dies| Move::Minute { dies }),
        6 => Just(Move::Start),
        6 => Just(Move::End(End::Well)),
        1 => Just(Move::End(End::Waiting)),
        2 => Just(Move::End(End::Blocked)),
        1 => Just(Move::End(End::Passing)),
        1 => Just(Move::ByItself),
        1 => Just(Move::Wish),
        1 => Just(Move::Leave),
        1 => Just(Move::Delete),
        1 => Just(Move::Change),
        1 => Just(Move::Set(RollOutState::Stopped)),
        1 => Just(Move::Set(RollOutState::Rolling)),
    ]
}

proptest! {
    /// In whatever order runs begin, end and fail, tenants leave, come and go, changes follow each other, people stop and
    /// resume, and whoever advances it dies: never more than a wave abreast, never on beyond the tolerance (both are
    /// asserted each minute), and in the end nobody is forgotten.
    #[test]
    fn nobody_is_forgotten(
        tenants in 1..7_usize,
        (first, size, tolerance) in (1..3_u32, 1..4_u32, 0..3_u32),
        moves in prop::collection::vec((moves(), 0..7_usize), 0..120),
    ) {
        let mut world = World::new(tenants, rules(first, size, tolerance));
        world.change();
        for (what, number) in moves {
            world.make(what, number);
        }
        world.settle();
        prop_assert_eq!(world.state(), Some(RollOutState::Done));
        for tenant in &world.tenants {
            if tenant.wish.landing_zone == ZONE && tenant.phase != Phase::Deleted {
                prop_assert_eq!(tenant.versions.landing_zone, world.version, "{}", tenant.name);
            }
        }
    }
}
