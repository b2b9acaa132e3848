//! Reads what a function is called with.

use serde::de::DeserializeOwned;
use serde_json::Value;
use tenant::Failure;

/// The event as the function takes it. What can't be read is named for who sent it: the type of a deserializer's
/// error would be a name that no state machine matches.
pub(crate) fn read<E: DeserializeOwned>(event: Value) -> Result<E, Failure> {
    serde_path_to_error::deserialize(event).map_err(|error| {
        let path = error.path().to_string();
        let field = if path == "." { "the ticket" } else { &path };
        Failure::rejected(format!(
            "{field}: {}. Start runs through the API, which writes their tickets.",
            error.inner()
        ))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use tenant::{FailureName, Ticket};

    use super::*;

    #[test]
    fn a_ticket_that_is_none_is_rejected_with_field_value_and_remedy() {
        let failure = read::<Ticket>(json!({"tenant": 7})).expect_err("no ticket");
        assert_eq!(failure.name, FailureName::Rejected);
        assert_eq!(
            failure.user_remark,
            "tenant: invalid type: integer `7`, expected a formatted UUID string. \
             Start runs through the API, which writes their tickets."
        );
        for event in [json!({}), json!([]), json!("text"), json!(null)] {
            let remark = read::<Ticket>(event).expect_err("no ticket").user_remark;
            assert!(remark.starts_with("the ticket: "), "{remark}");
        }
    }
}
