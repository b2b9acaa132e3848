//! Which operation of which service a request is.

use crate::authorization::{Call, Error, Protocol, RequestParts, World};
use crate::wire::parameter;

/// An operation as its request names it.
#[derive(Debug)]
pub struct Operation {
    /// Name on the wire, such as `MoveAccount`; method and path where the request does not tell.
    pub name: String,
    /// IAM action, such as `organizations:MoveAccount`.
    pub action: String,
    /// ARN that it acts on.
    pub resource: String,
    /// How requests and errors are written.
    pub protocol: Protocol,
    /// Whether it may change anything.
    pub write: bool,
    /// What IAM can be asked, or why it can't.
    pub call: Result<Call, Error>,
}

impl Operation {
    /// Reads the operation from a request.
    pub fn of(parts: &RequestParts, world: &World) -> Self {
        let protocol = Protocol::of(parts);
        match Call::of(parts, world) {
            Ok(call) => Self {
                name: call.operation.clone(),
                action: call.action().to_owned(),
                resource: call.resource().to_owned(),
                protocol: call.protocol,
                write: call.write,
                call: Ok(call),
            },
            Err(error) => {
                let name = name(parts, protocol);
                let action = format!("{}:{name}", parts.service);
                let write = !is_read(&name);
                let resource = "*".to_owned();
                Self { name, action, resource, protocol, write, call: Err(error) }
            }
        }
    }
}

/// The name of an operation that the table does not have.
fn name(parts: &RequestParts, protocol: Protocol) -> String {
    let target = parts.headers.get("x-amz-target").and_then(|target| target.to_str().ok());
    let last = |text: &str, separator| text.rsplit(separator).next().unwrap_or(text).to_owned();
    match (target, protocol) {
        (Some(target), _) => last(target, '.'),
        (None, Protocol::Cbor) => last(parts.path, '/'),
        (None, _) => {
            let form = std::str::from_utf8(parts.body).unwrap_or_default();
            let named = parameter(form, "Action").or_else(|| parameter(parts.query, "Action"));
            named.unwrap_or_else(|| format!("{} {}", parts.method, parts.path))
        }
    }
}

fn is_read(name: &str) -> bool {
    const READS: [&str; 10] = [
        "BatchGet", "Describe", "GET ", "Get", "HEAD ", "List", "Lookup", "Query", "Scan", "Search",
    ];
    READS.iter().any(|prefix| name.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;

    use super::*;

    fn read(service: &str, headers: &HeaderMap, body: &[u8]) -> Operation {
        let world = World {
            partition: "aws".into(),
            organization: "o-1".into(),
            management: "1".into(),
            api: None,
        };
        let parts = RequestParts {
            service,
            region: "us-east-1",
            account: "111111111111",
            method: "POST",
            path: "/",
            query: "",
            headers,
            body,
        };
        Operation::of(&parts, &world)
    }

    #[test]
    fn a_known_operation_is_read_with_its_action_and_resource() {
        let mut headers = HeaderMap::new();
        headers.insert("x-amz-target", "AWSOrganizationsV20161128.ListRoots".parse().unwrap());
        let roots = read("organizations", &headers, b"{}");
        assert_eq!((roots.action.as_str(), roots.write), ("organizations:ListRoots", false));
        assert!(roots.call.is_ok());
    }

    #[test]
    fn an_unknown_operation_still_has_a_name() {
        let mut headers = HeaderMap::new();
        headers.insert("content-type", "application/x-www-form-urlencoded".parse().unwrap());
        let unknown = read("rds", &headers, b"Action=ModifyOptionGroup&Version=1");
        assert_eq!(unknown.action, "rds:ModifyOptionGroup");
        assert!(unknown.write && unknown.call.is_err());
    }
}
