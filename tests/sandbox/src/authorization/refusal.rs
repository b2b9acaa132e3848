//! Errors as each service writes them, byte for byte what its clients read.

use serde_json::{Map, Value, json};

use super::cbor;
use super::protocol::Protocol;

/// An HTTP answer that refuses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The HTTP status.
    pub status: u16,
    /// The headers.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// What went wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The HTTP status.
    pub status: u16,
    /// The error's code, such as `TooManyRequestsException`.
    pub code: String,
    /// The text for people.
    pub message: String,
    /// Further members, such as `Reason`.
    pub details: Vec<(String, String)>,
}

impl Fault {
    /// A fault without further members.
    pub fn new(status: u16, code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { status, code: code.into(), message: message.into(), details: Vec::new() }
    }

    /// The same fault with one more member.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.details.push((name.into(), value.into()));
        self
    }
}

/// The fault with which a service denies access.
pub fn denial(service: &str, protocol: Protocol, message: &str) -> Fault {
    let (status, code) = match (service, protocol) {
        ("ec2", _) => {
            let message = format!("You are not authorized to perform this operation. {message}");
            return Fault::new(403, "UnauthorizedOperation", message);
        }
        ("sns", _) => (403, "AuthorizationError"),
        ("sqs", _) | (_, Protocol::Query | Protocol::RestXml | Protocol::WrappedXml) => {
            (403, "AccessDenied")
        }
        (_, Protocol::RestJson) => (403, "AccessDeniedException"),
        (_, Protocol::HttpApi) => return Fault::new(403, "ForbiddenException", "Forbidden"),
        _ => (400, "AccessDeniedException"),
    };
    Fault::new(status, code, message)
}

/// Writes a fault as the service would.
pub fn refusal(service: &str, protocol: Protocol, fault: &Fault, request_id: &str) -> Refusal {
    let (content, body) = match protocol {
        Protocol::Json10 => ("application/x-amz-json-1.0", json_body(service, fault, "message")),
        Protocol::Json11 => ("application/x-amz-json-1.1", json_body(service, fault, "Message")),
        Protocol::RestJson => ("application/json", rest_json_body(service, fault)),
        Protocol::HttpApi => {
            ("application/json", json!({"message": fault.message}).to_string().into_bytes())
        }
        Protocol::Cbor => {
            let entries = [("__type", fault.code.as_str()), ("message", fault.message.as_str())];
            ("application/cbor", cbor::encode(&entries))
        }
        Protocol::Query => ("text/xml", query_body(service, fault, request_id).into_bytes()),
        Protocol::Ec2 => ("text/xml;charset=UTF-8", ec2_body(fault, request_id).into_bytes()),
        Protocol::RestXml => ("application/xml", s3_body(fault, request_id).into_bytes()),
        Protocol::WrappedXml => ("application/xml", control_body(fault, request_id).into_bytes()),
    };
    let id_header = match protocol {
        Protocol::HttpApi => "apigw-requestid",
        Protocol::RestXml | Protocol::WrappedXml => "x-amz-request-id",
        _ => "x-amzn-requestid",
    };
    let mut headers =
        vec![("content-type", content.to_owned()), (id_header, request_id.to_owned())];
    match protocol {
        Protocol::RestJson => headers.push(("x-amzn-errortype", fault.code.clone())),
        Protocol::Cbor => headers.push(("smithy-protocol", "rpc-v2-cbor".to_owned())),
        // SQS kept the codes of its older protocol in a header, and clients prefer it.
        _ if service == "sqs" => {
            headers.push(("x-amzn-query-error", format!("{};{}", fault.code, side(fault))));
        }
        _ => {}
    }
    Refusal { status: fault.status, headers, body }
}

fn side(fault: &Fault) -> &'static str {
    if fault.status >= 500 { "Receiver" } else { "Sender" }
}

fn json_body(service: &str, fault: &Fault, message: &str) -> Vec<u8> {
    let namespace = match service {
        "dynamodb" if fault.code == "AccessDeniedException" => "com.amazon.coral.service#",
        "dynamodb" => "com.amazonaws.dynamodb.v20120810#",
        "sqs" => "com.amazonaws.sqs#",
        _ => "",
    };
    let mut body = Map::new();
    body.insert("__type".to_owned(), Value::String(format!("{namespace}{}", fault.code)));
    members(body, message, fault)
}

fn rest_json_body(service: &str, fault: &Fault) -> Vec<u8> {
    match service {
        // Lambda says in the body who erred, and spells the message large in its own errors.
        "lambda" if fault.code == "AccessDeniedException" => members(Map::new(), "Message", fault),
        "lambda" => {
            let kind = if fault.status >= 500 { "Service" } else { "User" };
            let body = Map::from_iter([("Type".to_owned(), Value::String(kind.to_owned()))]);
            members(body, "Message", fault)
        }
        _ => members(Map::new(), "message", fault),
    }
}

fn members(mut body: Map<String, Value>, message: &str, fault: &Fault) -> Vec<u8> {
    body.insert(message.to_owned(), Value::String(fault.message.clone()));
    let details = fault.details.iter();
    body.extend(details.map(|(name, value)| (name.clone(), Value::String(value.clone()))));
    Value::Object(body).to_string().into_bytes()
}

fn query_body(service: &str, fault: &Fault, request_id: &str) -> String {
    let namespace = match service {
        "iam" => "https://iam.amazonaws.com/doc/2010-05-08/",
        "sts" => "https://sts.amazonaws.com/doc/2011-06-15/",
        "cloudformation" => "http://cloudformation.amazonaws.com/doc/2010-05-15/",
        "sns" => "http://sns.amazonaws.com/doc/2010-03-31/",
        "sqs" => "http://queue.amazonaws.com/doc/2012-11-05/",
        "monitoring" => "http://monitoring.amazonaws.com/doc/2010-08-01/",
        _ => "http://webservices.amazon.com/AWSFault/2005-15-09",
    };
    let (side, code, message) = (side(fault), escaped(&fault.code), escaped(&fault.message));
    let mut details = String::new();
    for (name, value) in &fault.details {
        details += "    <";
        details += name;
        details += ">";
        details += &escaped(value);
        details += "</";
        details += name;
        details += ">\n";
    }
    format!(
        "<ErrorResponse xmlns=\"{namespace}\">\n  <Error>\n    <Type>{side}</Type>\n    \
         <Code>{code}</Code>\n    <Message>{message}</Message>\n{details}  </Error>\n  \
         <RequestId>{request_id}</RequestId>\n</ErrorResponse>\n"
    )
}

fn ec2_body(fault: &Fault, request_id: &str) -> String {
    let (code, message) = (escaped(&fault.code), escaped(&fault.message));
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Response><Errors><Error><Code>{code}</Code>\
         <Message>{message}</Message></Error></Errors><RequestID>{request_id}</RequestID></Response>"
    )
}

fn s3_body(fault: &Fault, request_id: &str) -> String {
    let (code, message) = (escaped(&fault.code), escaped(&fault.message));
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code>\
         <Message>{message}</Message><RequestId>{request_id}</RequestId></Error>"
    )
}

fn control_body(fault: &Fault, request_id: &str) -> String {
    let (code, message) = (escaped(&fault.code), escaped(&fault.message));
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ErrorResponse><Error><Code>{code}</Code>\
         <Message>{message}</Message></Error><RequestId>{request_id}</RequestId></ErrorResponse>"
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(service: &str, protocol: Protocol, fault: &Fault) -> String {
        String::from_utf8_lossy(&refusal(service, protocol, fault, "id-1").body).into_owned()
    }

    fn read(text: &str) -> Value {
        serde_json::from_str(text).expect("JSON")
    }

    #[test]
    fn each_protocol_writes_errors_its_own_way() {
        let fault = Fault::new(400, "Throttling", "Rate < exceeded");
        assert_eq!(
            body("iam", Protocol::Query, &fault),
            "<ErrorResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\">\n  <Error>\n    \
             <Type>Sender</Type>\n    <Code>Throttling</Code>\n    \
             <Message>Rate &lt; exceeded</Message>\n  </Error>\n  <RequestId>id-1</RequestId>\n\
             </ErrorResponse>\n"
        );
        let fault = Fault::new(400, "ConstraintViolationException", "no").with("Reason", "QUOTA");
        assert_eq!(
            read(&body("organizations", Protocol::Json11, &fault)),
            json!({"Message": "no", "Reason": "QUOTA", "__type": "ConstraintViolationException"})
        );
        let fault = Fault::new(400, "ConditionalCheckFailedException", "no");
        assert_eq!(
            read(&body("dynamodb", Protocol::Json10, &fault)),
            json!({
                "__type": "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException",
                "message": "no"
            })
        );
        let fault = Fault::new(429, "TooManyRequestsException", "slow").with("Reason", "Caller");
        let answer = refusal("lambda", Protocol::RestJson, &fault, "id-1");
        assert_eq!(
            read(&String::from_utf8_lossy(&answer.body)),
            json!({"Message": "slow", "Reason": "Caller", "Type": "User"})
        );
        assert!(answer.headers.contains(&("x-amzn-errortype", "TooManyRequestsException".into())));
    }

    #[test]
    fn access_is_denied_by_the_code_that_the_service_uses() {
        let denied = |service, protocol| {
            let fault = denial(service, protocol, "no");
            (fault.status, fault.code)
        };
        assert_eq!(
            denied("organizations", Protocol::Json11),
            (400, "AccessDeniedException".into())
        );
        assert_eq!(denied("sts", Protocol::Query), (403, "AccessDenied".into()));
        assert_eq!(denied("sns", Protocol::Query), (403, "AuthorizationError".into()));
        assert_eq!(denied("ec2", Protocol::Ec2), (403, "UnauthorizedOperation".into()));
        assert_eq!(denied("lambda", Protocol::RestJson), (403, "AccessDeniedException".into()));
        let forbidden = denial("execute-api", Protocol::HttpApi, "no");
        assert_eq!(
            body("execute-api", Protocol::HttpApi, &forbidden),
            r#"{"message":"Forbidden"}"#
        );
    }
}
