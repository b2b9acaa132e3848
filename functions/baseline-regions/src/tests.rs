use std::collections::BTreeMap;

use proptest::prelude::*;
use region::OptIn;
use serde_json::{Value, json};
use step::Task;
use tenant::VpcFate;

use crate::{Change, Reading, Seen, Setting, Settings, Where, enabled_by_default, plan};

const HELD: Settings = Settings {
    encrypts_volumes: true,
    uses_key: true,
    blocks_snapshots: true,
    blocks_images: true,
};
const BARE: Settings = Settings {
    encrypts_volumes: false,
    uses_key: false,
    blocks_snapshots: false,
    blocks_images: false,
};

fn with(mut task: Task, baseline: Value) -> Task {
    task.landing_zone.baseline = serde_json::from_value(baseline).expect("a baseline");
    task
}

fn everything() -> Value {
    json!({
        "regions": ["eu-central-1", "us-east-1"], "optInRegions": ["ap-east-1"], "defaultVpc": "delete",
        "ebsEncryption": true, "ebsKey": "arn:aws:kms:#{region}:222222222222:key/mrk-1",
        "s3PublicAccessBlock": true, "snapshotPublicAccessBlock": true, "imagePublicAccessBlock": true,
        "passwordPolicy": {"minimumLength": 14}
    })
}

fn world(reading: Reading) -> Seen {
    let regions = [
        ("ap-east-1", OptIn::Disabled),
        ("eu-central-1", OptIn::Enabled),
        ("eu-west-3", OptIn::Enabled),
        ("us-east-1", OptIn::Enabled),
    ];
    Seen {
        regions: regions.map(|(region, status)| (region.to_owned(), status)).into(),
        readings: [("eu-central-1", reading.clone()), ("us-east-1", reading)]
            .map(|(region, reading)| (region.to_owned(), reading))
            .into(),
        ..Seen::default()
    }
}

fn lines(changes: &[Change]) -> Vec<String> {
    changes.iter().map(ToString::to_string).collect()
}

#[test]
fn an_account_is_asked_which_regions_it_can_use_unless_every_account_can_use_all_that_are_named() {
    let named = |regions: Value| {
        let baseline = json!({"regions": regions, "ebsEncryption": true});
        let task = with(example::landed(), baseline);
        enabled_by_default(&task.landing_zone.baseline, "aws")
    };
    let known = named(json!(["eu-central-1", "us-east-1"])).expect("both are old");
    assert_eq!(
        known,
        [("eu-central-1", OptIn::Enabled), ("us-east-1", OptIn::Enabled)]
            .map(|(region, status)| (region.to_owned(), status))
            .into()
    );
    assert_eq!(named(json!(["eu-central-1", "eu-central-2"])), None, "one is opted in to");
    assert_eq!(named(json!(["all"])), None, "only the account knows which those are");
    let opts_in = with(example::landed(), everything());
    assert_eq!(enabled_by_default(&opts_in.landing_zone.baseline, "aws"), None);
}

#[test]
fn a_landing_zone_without_a_baseline_touches_nothing() {
    assert_eq!(plan(&example::landed(), None), []);
}

#[test]
fn a_plan_before_birth_says_where_it_will_hold() {
    let everywhere =
        json!({"regions": ["all"], "ebsEncryption": true, "s3PublicAccessBlock": true});
    assert_eq!(
        lines(&plan(&with(example::newborn(), everywhere), None)),
        [
            "encrypt EBS volumes by default in every enabled Region",
            "block public access to everything in S3"
        ]
    );
}

#[test]
fn a_bare_account_gets_everything_in_one_line_for_each_setting() {
    let task = with(example::landed(), everything());
    assert_eq!(
        lines(&plan(&task, Some(&world(Reading::Settings(BARE))))),
        [
            "ask for Region ap-east-1",
            "encrypt EBS volumes by default in eu-central-1, us-east-1",
            "use the landing zone's key for EBS volumes in eu-central-1, us-east-1",
            "block public snapshots in eu-central-1, us-east-1",
            "block public images in eu-central-1, us-east-1",
            "block public access to everything in S3",
            "set the password policy: 14 characters at least",
            "go on without what takes longer: AWS to enable Region ap-east-1"
        ]
    );
}

#[test]
fn a_setting_that_drifted_is_brought_back_where_it_did() {
    let task = with(example::landed(), json!({"regions": ["all"], "ebsEncryption": true}));
    let mut seen = world(Reading::Settings(HELD));
    let drifted = Settings { encrypts_volumes: false, ..HELD };
    seen.readings.insert("us-east-1".to_owned(), Reading::Settings(drifted));
    assert_eq!(lines(&plan(&task, Some(&seen))), ["encrypt EBS volumes by default in us-east-1"]);
}

#[test]
fn a_region_that_is_not_ready_is_waited_for_and_keeps_no_other_from_its_baseline() {
    let task = with(example::landed(), json!({"regions": ["all"], "ebsEncryption": true}));
    let mut seen = world(Reading::Settings(Settings { encrypts_volumes: false, ..HELD }));
    seen.readings.insert("us-east-1".to_owned(), Reading::NotReady);
    assert_eq!(
        plan(&task, Some(&seen)),
        [
            Change::Set(Setting::Encryption, Where::In(vec!["eu-central-1".to_owned()])),
            Change::AwaitReady(vec!["us-east-1".to_owned()])
        ]
    );
}

#[test]
fn aws_enables_six_regions_at_once_and_no_more_are_asked_for() {
    let wanted: Vec<String> = (1..=8).map(|number| format!("me-south-{number}")).collect();
    let mut seen = world(Reading::Settings(HELD));
    seen.regions.extend(wanted.iter().map(|region| (region.clone(), OptIn::Disabled)));
    seen.regions.insert("me-south-1".to_owned(), OptIn::Enabling);
    let task = with(example::landed(), json!({ "optInRegions": wanted }));
    assert_eq!(plan(&task, Some(&seen))[0], Change::Enable(wanted[1..6].to_vec()));
}

#[test]
fn a_region_that_nobody_can_use_is_said_to_whoever_can_mend_it() {
    let baseline = json!({
        "regions": ["mars-north-1", "ap-east-1", "us-east-1"], "snapshotPublicAccessBlock": true
    });
    let task = with(example::landed(), baseline);
    let mut seen = world(Reading::Settings(HELD));
    seen.readings.insert("us-east-1".to_owned(), Reading::Closed);
    let said = lines(&plan(&task, Some(&seen))).join("");
    for part in [
        "no Region mars-north-1 in this partition",
        "Region ap-east-1 is not enabled; name it under optInRegions",
        "a policy of the organization closes Region us-east-1",
    ] {
        assert!(said.contains(part), "{said}");
    }
}

#[test]
fn where_it_holds_everywhere_a_closed_region_needs_nobody() {
    let task = with(example::landed(), json!({"regions": ["all"], "ebsEncryption": true}));
    let mut seen = world(Reading::Settings(HELD));
    seen.readings.insert("us-east-1".to_owned(), Reading::Closed);
    assert_eq!(plan(&task, Some(&seen)), []);
}

#[test]
fn a_default_vpc_that_came_too_late_is_said_and_not_tried_again() {
    let baseline = json!({"regions": ["all"], "defaultVpc": "delete"});
    let mut task = with(example::landed(), baseline);
    let fates = [("us-east-1".to_owned(), VpcFate::NeedsWidening)];
    task.tenant = task.tenant.cleared(fates, "late".to_owned(), task.now).tenant;
    let said = lines(&plan(&task, Some(&world(Reading::Settings(HELD)))));
    assert_eq!(
        said,
        [
            "go on without what takes longer: an operator: the empty default VPC of us-east-1 needs widening, \
             since the access role may delete none any more; delete it by hand"
        ]
    );
}

/// The account after the changes.
fn acted(task: &Task, before: &Seen) -> Seen {
    let mut after = before.clone();
    for change in plan(task, Some(before)) {
        match change {
            Change::Enable(regions) => {
                after.regions.extend(regions.into_iter().map(|region| (region, OptIn::Enabling)));
            }
            Change::Set(setting, Where::In(regions)) => {
                for region in regions {
                    if let Some(Reading::Settings(settings)) = after.readings.get_mut(&region) {
                        match setting {
                            Setting::Encryption => settings.encrypts_volumes = true,
                            Setting::Key => settings.uses_key = true,
                            Setting::Snapshots => settings.blocks_snapshots = true,
                            Setting::Images => settings.blocks_images = true,
                        }
                    }
                }
            }
            Change::BlockPublicAccess => after.blocks_public_access = true,
            Change::WritePasswordPolicy(policy) => after.password_policy = Some(policy),
            Change::Set(_, Where::Everywhere) => unreachable!("the account is there"),
            Change::AwaitReady(_) | Change::AwaitOthers(_) => {}
        }
    }
    after
}

fn reading() -> impl Strategy<Value = Reading> {
    prop_oneof![
        6 => any::<[bool; 4]>().prop_map(|[encrypts_volumes, uses_key, blocks_snapshots, blocks_images]| {
            Reading::Settings(Settings { encrypts_volumes, uses_key, blocks_snapshots, blocks_images })
        }),
        1 => Just(Reading::NotReady),
        1 => Just(Reading::Closed),
    ]
}

proptest! {
    #[test]
    fn planning_after_acting_only_waits_and_other_regions_stay(
        readings in proptest::collection::btree_map("(eu|us|ap)-(west|east)-[1-3]", reading(), 0..6),
        blocks_public_access: bool,
        asked in proptest::bool::ANY,
    ) {
        let task = with(example::landed(), if asked { everything() } else {
            json!({"regions": ["all"], "ebsEncryption": true, "snapshotPublicAccessBlock": true,
                   "imagePublicAccessBlock": true, "ebsKey": "arn:aws:kms:#{region}:222222222222:key/mrk-1"})
        });
        let regions: BTreeMap<String, OptIn> =
            readings.keys().map(|region| (region.clone(), OptIn::Enabled)).collect();
        let seen = Seen { regions, readings, blocks_public_access, ..Seen::default() };
        let after = acted(&task, &seen);
        let again = plan(&task, Some(&after));
        prop_assert!(
            again.iter().all(|change| matches!(change, Change::AwaitReady(_) | Change::AwaitOthers(_))),
            "{again:?}"
        );
        for (region, reading) in &seen.readings {
            if !matches!(reading, Reading::Settings(_)) {
                prop_assert_eq!(after.readings.get(region), Some(reading));
            }
        }
    }
}
