//! On whose behalf a call is made: machine, step, tenant, run and invocation.

use serde_json::Value;

/// Where a call comes from in terms of Landfall.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Lineage {
    /// Name of the state machine.
    pub machine: Option<String>,
    /// Step or door.
    pub step: Option<String>,
    /// Part of the step, for steps that run once for each part.
    pub part: Option<String>,
    /// Tenant id.
    pub tenant: Option<String>,
    /// Run of the tenant's replication.
    pub run: Option<u64>,
    /// Mode of the replication.
    pub mode: Option<String>,
    /// Request id of the function invocation.
    pub invocation: Option<String>,
}

impl Lineage {
    /// The lineage of an invocation of `step` by `machine` with this payload.
    pub fn of_payload(machine: Option<&str>, step: &str, payload: &[u8]) -> Self {
        let payload: Value = serde_json::from_slice(payload).unwrap_or_default();
        let text = |key: &str| payload.get(key).and_then(Value::as_str).map(str::to_owned);
        Self {
            machine: machine.map(str::to_owned),
            step: Some(step.to_owned()),
            part: text("part"),
            tenant: text("tenant"),
            run: payload.get("run").and_then(Value::as_u64),
            mode: text("mode"),
            invocation: None,
        }
    }

    /// The lineage of a call that `machine` makes itself on a step's row of the ledger: that of the
    /// state that waits for the step.
    pub fn of_row(machine: &str, request: &Value) -> Self {
        let key = |name: &str| request.pointer(&format!("/Key/{name}/S")).and_then(Value::as_str);
        let row = key("sk").and_then(|row| row.strip_prefix("STEP#"));
        let (step, part) = match row.map(|row| row.split_once('#')) {
            Some(Some((step, part))) => (Some(step), Some(part)),
            Some(None) => (row, None),
            None => (None, None),
        };
        Self {
            machine: Some(machine.to_owned()),
            step: step.map(|step| format!("await-{step}")),
            part: part.map(str::to_owned),
            tenant: key("pk").and_then(|id| id.strip_prefix("TENANT#")).map(str::to_owned),
            ..Self::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_invocation_is_attributed_by_its_payload() {
        let payload = br#"{"tenant":"t-1","run":7,"mode":"plan","part":"audit"}"#;
        let lineage = Lineage::of_payload(Some("replicate-tenant"), "roll-out-stacks", payload);
        assert_eq!(lineage.tenant.as_deref(), Some("t-1"));
        assert_eq!((lineage.run, lineage.part.as_deref()), (Some(7), Some("audit")));
    }

    #[test]
    fn a_machines_own_write_is_attributed_to_the_state_that_waits_for_the_row() {
        let request = json!({"Key": {"pk": {"S": "TENANT#t-1"}, "sk": {"S": "STEP#stacks#audit"}}});
        let lineage = Lineage::of_row("replicate-tenant", &request);
        assert_eq!(lineage.tenant.as_deref(), Some("t-1"));
        assert_eq!(lineage.step.as_deref(), Some("await-stacks"));
        assert_eq!(lineage.part.as_deref(), Some("audit"));
    }
}
