//! Which operation of which service a request is.

use bytes::Bytes;
use http::{HeaderMap, Method, Uri};

use crate::wire::{Protocol, parameter};

/// An operation as its request names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation {
    /// Name on the wire, such as `MoveAccount`; method and path where the wire has no name.
    pub name: String,
    /// IAM action, such as `organizations:MoveAccount`.
    pub action: String,
    /// How requests and errors are written.
    pub protocol: Protocol,
    /// Whether it may change anything.
    pub write: bool,
}

impl Operation {
    /// Reads the operation from a request.
    pub fn of(
        service: &str,
        method: &Method,
        uri: &Uri,
        headers: &HeaderMap,
        body: &Bytes,
    ) -> Self {
        let target = headers.get("x-amz-target").and_then(|target| target.to_str().ok());
        let path = uri.path();
        let (name, protocol) = if let Some(target) = target {
            (target.rsplit('.').next().unwrap_or(target).to_owned(), Protocol::Json)
        } else if let Some(named) = path.strip_prefix("/service/") {
            (named.rsplit('/').next().unwrap_or(named).to_owned(), Protocol::Cbor)
        } else if service == "lambda" && crate::lambda::invoke::function_of(path).is_some() {
            ("Invoke".to_owned(), Protocol::RestJson)
        } else {
            let form = std::str::from_utf8(body).unwrap_or_default();
            match parameter(form, "Action").or_else(|| parameter(uri.query()?, "Action")) {
                Some(action) => (action, Protocol::Query),
                None if service == "s3" => (format!("{method} {path}"), Protocol::RestXml),
                None => (format!("{method} {path}"), Protocol::RestJson),
            }
        };
        let action = match (service, name.as_str()) {
            ("lambda", "Invoke") => "lambda:InvokeFunction".to_owned(),
            _ => format!("{service}:{name}"),
        };
        let write = !is_read(&name);
        Self { name, action, protocol, write }
    }
}

fn is_read(name: &str) -> bool {
    const READS: [&str; 12] = [
        "AssumeRole",
        "BatchGet",
        "Describe",
        "GET ",
        "Get",
        "HEAD ",
        "List",
        "Lookup",
        "Query",
        "Scan",
        "Search",
        "Simulate",
    ];
    READS.iter().any(|prefix| name.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operation_is_named_by_target_form_or_path() {
        let mut headers = HeaderMap::new();
        let root = Uri::from_static("/");
        let form = Bytes::from_static(b"Action=AssumeRole&Version=2011-06-15");
        let sts = Operation::of("sts", &Method::POST, &root, &headers, &form);
        assert_eq!((sts.action.as_str(), sts.write), ("sts:AssumeRole", false));
        let uri = Uri::from_static("/2015-03-31/functions/f/invocations");
        let invoke = Operation::of("lambda", &Method::POST, &uri, &headers, &Bytes::new());
        assert_eq!(invoke.action, "lambda:InvokeFunction");
        headers.insert("x-amz-target", "AWSOrganizationsV20161128.MoveAccount".parse().unwrap());
        let body = Bytes::from_static(b"{}");
        let moved = Operation::of("organizations", &Method::POST, &root, &headers, &body);
        assert_eq!((moved.action.as_str(), moved.write), ("organizations:MoveAccount", true));
    }
}
