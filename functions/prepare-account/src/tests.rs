use std::collections::BTreeMap;

use proptest::prelude::*;
use region::DefaultVpc;
use serde_json::json;
use step::Task;
use tenant::{Failure, VpcFate};

use crate::{
    Change, Seen, TowerRole, Vpc, administration_trust, by_hand, plan, stacks_policy, tight_trust,
};

fn prepared(task: &Task, vpcs: BTreeMap<String, Vpc>) -> Seen {
    Seen {
        execution_trust: Some(administration_trust(&task.place())),
        execution_policy: Some(stacks_policy(task)),
        access_trust: tight_trust(&task.place()),
        tower_role: None,
        vpcs,
    }
}

fn without_default_vpcs(mut task: Task) -> Task {
    let baseline = json!({"regions": ["all"], "defaultVpc": "delete"});
    task.landing_zone.baseline = serde_json::from_value(baseline).expect("a baseline");
    task
}

fn found(used_by: Option<&str>) -> Vpc {
    Vpc::There(DefaultVpc {
        id: "vpc-1".to_owned(),
        used_by: used_by.map(ToOwned::to_owned),
        gateways: vec!["igw-1".to_owned()],
        subnets: vec!["subnet-1".to_owned()],
    })
}

#[test]
fn a_newborn_account_gets_its_execution_role_and_a_narrow_trust() {
    let task = example::landed();
    let born = Seen {
        execution_trust: None,
        execution_policy: None,
        access_trust: json!({"Statement": [{"Principal": {"AWS": "arn:aws:iam::111111111111:root"}}]}),
        tower_role: None,
        vpcs: BTreeMap::new(),
    };
    assert_eq!(
        plan(&task, Some(&born)),
        [Change::CreateExecutionRole, Change::AllowStacks, Change::TightenTrust]
    );
}

#[test]
fn a_prepared_account_needs_nothing() {
    let task = example::landed();
    assert_eq!(plan(&task, Some(&prepared(&task, BTreeMap::new()))), []);
}

#[test]
fn whoever_is_to_write_a_trust_by_hand_is_told_all_of_it() {
    let trust = tight_trust(&example::landed().place());
    let refused = Failure::blocked("No.", "iam:UpdateAssumeRolePolicy: AccessDenied (403)");
    let told = by_hand("Access", &trust, refused);
    assert_eq!(
        told.system_remark,
        format!(
            "write the trust of Access: {trust} (iam:UpdateAssumeRolePolicy: AccessDenied (403))"
        )
    );
    let passing = Failure::transient("iam:UpdateAssumeRolePolicy");
    assert_eq!(by_hand("Access", &trust, passing.clone()), passing);
}

#[test]
fn a_foreign_trust_of_the_execution_role_is_mended() {
    let task = example::landed();
    let drifted = Seen {
        execution_trust: Some(json!({"Statement": [{"Principal": "*"}]})),
        ..prepared(&task, BTreeMap::new())
    };
    assert_eq!(plan(&task, Some(&drifted)), [Change::TrustAdministration]);
}

#[test]
fn account_factory_finds_the_role_that_it_asks_for_and_keeps_it() {
    let task = example::by_account_factory(example::landed());
    let seen = |tower_role| Seen {
        execution_trust: Some(administration_trust(&task.place())),
        execution_policy: Some(stacks_policy(&task)),
        access_trust: tight_trust(&task.place()),
        tower_role: Some(tower_role),
        vpcs: BTreeMap::new(),
    };
    assert_eq!(
        plan(&task, Some(&seen(TowerRole::Missing))),
        [Change::CreateTowerRole, Change::EmpowerTowerRole]
    );
    assert_eq!(plan(&task, Some(&seen(TowerRole::Powerless))), [Change::EmpowerTowerRole]);
    assert_eq!(plan(&task, Some(&seen(TowerRole::Ready))), []);
    let lines: Vec<String> = plan(&task, None).iter().map(ToString::to_string).collect();
    assert_eq!(
        lines,
        [
            "make the StackSet execution role",
            "allow the execution role what the stacks contain",
            "make the role AWSControlTowerExecution for Control Tower",
            "let Control Tower do everything in the account",
            "let only Landfall's roles of the management account use the access role"
        ]
    );
}

#[test]
fn what_the_execution_role_may_do_fits_into_an_inline_policy() {
    let length = stacks_policy(&example::landed()).to_string().len();
    assert!(
        length <= 10_240,
        "{length} characters; AWS takes 10,240 over all inline policies of a role"
    );
}

#[test]
fn a_plan_before_birth_says_that_default_vpcs_go() {
    let said: Vec<String> = plan(&without_default_vpcs(example::newborn()), None)
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(
        said.last().map(String::as_str),
        Some("delete the empty default VPC of every enabled Region")
    );
}

#[test]
fn an_empty_default_vpc_goes_one_in_use_stays_and_one_that_is_not_known_is_waited_for() {
    let task = without_default_vpcs(example::landed());
    let vpcs = [
        ("eu-central-1", found(None)),
        ("eu-west-1", found(Some("2 network interfaces"))),
        ("sa-east-1", Vpc::Missing),
        ("us-east-1", Vpc::NotReady),
        ("us-west-1", Vpc::Closed),
    ]
    .map(|(region, vpc)| (region.to_owned(), vpc))
    .into();
    let said: Vec<String> =
        plan(&task, Some(&prepared(&task, vpcs))).iter().map(ToString::to_string).collect();
    assert_eq!(
        said,
        [
            "delete the empty default VPCs of eu-central-1; leave the default VPC of eu-west-1, which is in use: \
             2 network interfaces; note that sa-east-1 has no default VPC",
            "wait until EC2 knows the account in us-east-1"
        ]
    );
}

#[test]
fn a_vpc_that_the_access_role_could_not_delete_is_not_tried_again() {
    let mut task = without_default_vpcs(example::landed());
    let fates = [("us-east-1".to_owned(), VpcFate::NeedsWidening)];
    task.tenant = task.tenant.cleared(fates, "late".to_owned(), task.now).tenant;
    let still = prepared(&task, [("us-east-1".to_owned(), found(None))].into());
    assert_eq!(plan(&task, Some(&still)), []);
    let gone = prepared(&task, [("us-east-1".to_owned(), Vpc::Missing)].into());
    assert!(matches!(plan(&task, Some(&gone)).as_slice(), [Change::SettleVpcs(_)]));
}

fn vpc() -> impl Strategy<Value = Vpc> {
    prop_oneof![
        Just(found(None)),
        Just(found(Some("1 network interfaces"))),
        Just(Vpc::Missing),
        Just(Vpc::NotReady),
        Just(Vpc::Closed),
    ]
}

proptest! {
    #[test]
    fn a_vpc_in_use_is_never_deleted_and_a_settled_region_needs_nothing(
        vpcs in proptest::collection::btree_map("[a-z]{2}-west-[1-9]", vpc(), 0..8)
    ) {
        let mut task = without_default_vpcs(example::landed());
        let seen = prepared(&task, vpcs.clone());
        let mut left = vpcs.clone();
        for change in plan(&task, Some(&seen)) {
            let Change::SettleVpcs(settling) = change else { continue };
            for region in settling.delete.keys() {
                prop_assert_eq!(vpcs.get(region), Some(&found(None)));
            }
            let gone = settling.delete.into_keys().chain(settling.missing);
            let fates: Vec<_> = gone
                .map(|region| (region, VpcFate::Gone))
                .chain(settling.keep.into_keys().map(|region| (region, VpcFate::Kept)))
                .collect();
            left.retain(|region, _| !fates.iter().any(|(settled, _)| settled == region));
            task.tenant = task.tenant.cleared(fates, "settled".to_owned(), task.now).tenant;
        }
        let again = plan(&task, Some(&prepared(&task, left)));
        prop_assert!(again.iter().all(|change| matches!(change, Change::AwaitRegions(_))), "{again:?}");
    }
}
