use jiff::SignedDuration;
use proptest::prelude::*;
use quota::{Progress, Request};
use serde_json::json;
use step::Task;

use crate::{Change, Reading, Waiting, Wish, awaited, plan, wishes};

fn with(mut task: Task, quotas: serde_json::Value) -> Task {
    task.landing_zone.quotas = serde_json::from_value(quotas).expect("quotas");
    task
}

fn processors() -> Task {
    let wish = json!([{"service": "ec2", "code": "L-1216C47A", "regions": ["eu-central-1"], "value": 300}]);
    with(example::landed(), wish)
}

fn request(task: &Task, progress: Progress, value: f64) -> Request {
    Request {
        id: "r-1".to_owned(),
        case: Some("170000000001".to_owned()),
        value,
        progress,
        since: task.now - SignedDuration::from_hours(2),
    }
}

fn lines(task: &Task, value: f64, last: Option<Request>) -> Vec<String> {
    let seen: Vec<_> = wishes(task)
        .into_iter()
        .map(|wish| (wish, Reading::Value { value, last: last.clone() }))
        .collect();
    plan(task, Some(&seen)).iter().map(ToString::to_string).collect()
}

#[test]
fn a_plan_before_birth_says_what_will_be_asked_for() {
    let task = processors();
    let said: Vec<String> = plan(&task, None).iter().map(ToString::to_string).collect();
    assert_eq!(said, ["ask for ec2 L-1216C47A of 300 in eu-central-1 if it is less"]);
}

#[test]
fn more_is_asked_for_where_less_applies_and_nothing_where_enough_does() {
    let task = processors();
    assert_eq!(
        lines(&task, 5.0, None),
        [
            "ask for ec2 L-1216C47A of 300 in eu-central-1 instead of 5",
            "go on without what takes longer: AWS to grant ec2 L-1216C47A of 300 in eu-central-1"
        ]
    );
    assert_eq!(lines(&task, 300.0, None), [""; 0]);
    assert_eq!(lines(&task, 1_000.0, None), [""; 0]);
}

#[test]
fn an_open_request_is_found_and_shown_with_its_case() {
    let task = processors();
    for progress in [Progress::Open, Progress::Granted] {
        assert_eq!(
            lines(&task, 5.0, Some(request(&task, progress, 300.0))),
            [
                "go on without what takes longer: AWS to grant ec2 L-1216C47A of 300 in eu-central-1 \
                 (case 170000000001, asked 2025-12-31 22:00 UTC)"
            ]
        );
    }
}

#[test]
fn a_region_that_is_not_ready_is_waited_for() {
    let task = processors();
    let seen: Vec<_> = wishes(&task).into_iter().map(|wish| (wish, Reading::NotReady)).collect();
    assert_eq!(plan(&task, Some(&seen)), [Change::AwaitReady(vec!["eu-central-1".to_owned()])]);
}

#[test]
fn what_aws_refused_is_said_and_only_another_value_is_asked_for() {
    let task = processors();
    let said = lines(&task, 5.0, Some(request(&task, Progress::Refused, 300.0)));
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(said[0].contains("AWS refused"), "{said:?}");
    let other = lines(&task, 5.0, Some(request(&task, Progress::Refused, 500.0)));
    assert!(other[0].starts_with("ask for"), "{other:?}");
    let little = lines(&task, 5.0, Some(request(&task, Progress::Granted, 100.0)));
    assert!(little[0].starts_with("ask for"), "{little:?}");
}

#[test]
fn what_is_awaited_is_so_since_the_oldest_request() {
    let task = processors();
    let wish = wishes(&task).remove(0);
    let asked = request(&task, Progress::Open, 300.0);
    let waiting = [Waiting::Turn(wish.clone()), Waiting::Answer(wish, Some(asked.clone()))];
    assert_eq!(awaited(&task, &waiting).since, asked.since);
    assert_eq!(awaited(&task, &waiting[..1]).since, task.now);
}

#[test]
fn a_region_has_two_open_requests_at_the_most_and_the_rest_takes_its_turn() {
    let quota = |code: &str| json!({"service": "ec2", "code": code, "regions": ["eu-central-1"], "value": 9});
    let task = with(
        example::landed(),
        json!([quota("L-00000001"), quota("L-00000002"), quota("L-00000003")]),
    );
    let seen: Vec<_> = wishes(&task)
        .into_iter()
        .map(|wish| {
            let open = wish.code == "L-00000003";
            let last = open.then(|| request(&task, Progress::Open, 9.0));
            (wish, Reading::Value { value: 1.0, last })
        })
        .collect();
    let changes = plan(&task, Some(&seen));
    let asked = changes.iter().filter(|change| matches!(change, Change::Ask { .. })).count();
    assert_eq!(asked, 1, "{changes:?}");
    assert!(changes.iter().any(|change| change.to_string().contains("earlier requests")));
}

fn seen() -> impl Strategy<Value = Vec<(Wish, Reading)>> {
    let progress =
        prop_oneof![Just(Progress::Open), Just(Progress::Granted), Just(Progress::Refused)];
    let last = proptest::option::of((progress, 1u32..40));
    proptest::collection::vec((0usize..4, 1u32..40, 1u32..40, last), 0..40).prop_map(|all| {
        let now = example::landed().now;
        all.into_iter()
            .enumerate()
            .map(|(number, (region, wished, value, last))| {
                let wish = Wish {
                    service: "ec2".to_owned(),
                    code: format!("L-{number:08}"),
                    region: format!("eu-west-{region}"),
                    value: f64::from(wished),
                };
                let last = last.map(|(progress, asked)| Request {
                    id: number.to_string(),
                    case: None,
                    value: f64::from(asked),
                    progress,
                    since: now,
                });
                (wish, Reading::Value { value: f64::from(value), last })
            })
            .collect()
    })
}

proptest! {
    #[test]
    fn no_region_gets_more_requests_than_aws_takes_and_planning_after_asking_asks_nothing(
        before in seen()
    ) {
        let task = example::landed();
        let changes = plan(&task, Some(&before));
        let asked: Vec<&Wish> = changes
            .iter()
            .filter_map(|change| match change {
                Change::Ask { wish, .. } => Some(wish),
                Change::AwaitReady(_) | Change::Await(_) => None,
            })
            .collect();
        let after: Vec<_> = before
            .iter()
            .map(|(wish, reading)| {
                let Reading::Value { value, last } = reading else { unreachable!("all are ready") };
                let open = asked.contains(&wish).then(|| request(&task, Progress::Open, wish.value));
                (wish.clone(), Reading::Value { value: *value, last: open.or(last.clone()) })
            })
            .collect();
        let is_open = |reading: &Reading| matches!(
            reading, Reading::Value { last: Some(Request { progress: Progress::Open, .. }), .. }
        );
        for region in (0..4).map(|number| format!("eu-west-{number}")) {
            let open = |all: &[(Wish, Reading)]| all
                .iter()
                .filter(|(wish, reading)| wish.region == region && is_open(reading))
                .count();
            prop_assert!(open(&after) <= open(&before).max(2));
        }
        for wish in &asked {
            let (_, reading) = before.iter().find(|(other, _)| other == *wish).expect("a wish");
            let less = matches!(reading, Reading::Value { value, .. } if *value < wish.value);
            prop_assert!(less, "{wish} is there already");
        }
        let again = plan(&task, Some(&after));
        prop_assert!(again.iter().all(|change| matches!(change, Change::Await(_))), "{:?}", again);
    }
}
