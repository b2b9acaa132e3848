use serde_json::json;

use crate::{Change, Seen, TowerRole, administration_trust, plan, stacks_policy, tight_trust};

#[test]
fn a_newborn_account_gets_its_execution_role_and_a_narrow_trust() {
    let task = example::landed();
    let born = Seen {
        execution_trust: None,
        execution_policy: None,
        access_trust: json!({"Statement": [{"Principal": {"AWS": "arn:aws:iam::111111111111:root"}}]}),
        tower_role: None,
    };
    assert_eq!(
        plan(&task, Some(&born)),
        [Change::CreateExecutionRole, Change::AllowStacks, Change::TightenTrust]
    );
}

#[test]
fn a_prepared_account_needs_nothing() {
    let task = example::landed();
    let prepared = Seen {
        execution_trust: Some(administration_trust(&task.place())),
        execution_policy: Some(stacks_policy(&task)),
        access_trust: tight_trust(&task.place()),
        tower_role: None,
    };
    assert_eq!(plan(&task, Some(&prepared)), []);
}

#[test]
fn a_foreign_trust_of_the_execution_role_is_mended() {
    let task = example::landed();
    let drifted = Seen {
        execution_trust: Some(json!({"Statement": [{"Principal": "*"}]})),
        execution_policy: Some(stacks_policy(&task)),
        access_trust: tight_trust(&task.place()),
        tower_role: None,
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
