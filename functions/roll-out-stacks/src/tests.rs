use step::Task;
use tenant::FailureName;

use crate::wanted;

fn task(text: &str) -> Task {
    let mut task = example::landed();
    task.part = Some("landfall-audit-role".to_owned());
    task.landing_zone.stack_sets[0].parameters = [("Owner".to_owned(), text.to_owned())].into();
    task
}

#[test]
fn parameters_are_filled_with_the_accounts_facts() {
    let wanted = wanted(&task("${ProductName}-${tagCostCenter}")).expect("known").expect("named");
    assert_eq!(wanted.parameters["Owner"], "payments-4711");
}

#[test]
fn a_fact_that_the_tenant_lacks_is_the_requesters_to_add() {
    let failure = wanted(&task("${tagOwner}")).expect_err("there is no such tag");
    assert_eq!(failure.name, FailureName::Rejected);
    assert!(failure.user_remark.contains("tagOwner"), "{failure}");
}

#[test]
fn a_stack_set_that_the_landing_zone_no_longer_names_is_none() {
    let mut task = task("x");
    task.part = Some("gone".to_owned());
    assert_eq!(wanted(&task), Ok(None));
}
