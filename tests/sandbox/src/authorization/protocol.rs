//! How a request reached the sandbox, and which operation it names.

use http::HeaderMap;

/// A request as the gateway received it.
#[derive(Debug, Clone, Copy)]
pub struct RequestParts<'a> {
    /// The service of the signature's credential scope, such as `organizations` or `states`.
    pub service: &'a str,
    /// The Region of the signature's credential scope.
    pub region: &'a str,
    /// The account of the caller.
    pub account: &'a str,
    /// The HTTP method.
    pub method: &'a str,
    /// The path, still percent-encoded, without the query.
    pub path: &'a str,
    /// The query without its question mark, empty if there is none.
    pub query: &'a str,
    /// The headers.
    pub headers: &'a HeaderMap,
    /// The body.
    pub body: &'a [u8],
}

/// What ARNs need besides the request itself.
#[derive(Debug, Clone)]
pub struct World {
    /// `aws`, `aws-us-gov` or `aws-cn`.
    pub partition: String,
    /// The organization's id.
    pub organization: String,
    /// The organization's management account.
    pub management: String,
    /// The HTTP API behind `execute-api` requests, if one is deployed.
    pub api: Option<Api>,
}

/// An HTTP API.
#[derive(Debug, Clone)]
pub struct Api {
    /// The account that owns the API.
    pub account: String,
    /// The API's id.
    pub id: String,
    /// The stage, `$default` unless named otherwise.
    pub stage: String,
}

/// What starts each path of S3's control plane.
const S3_CONTROL: &str = "/v20180820/";

/// The wire format of a request and of the answer to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// JSON with the operation in `X-Amz-Target`, version 1.0.
    Json10,
    /// JSON with the operation in `X-Amz-Target`, version 1.1.
    Json11,
    /// A form with the operation in `Action`, answered in XML.
    Query,
    /// The form of EC2, answered in XML of its own shape.
    Ec2,
    /// REST with JSON.
    RestJson,
    /// REST with XML, as S3 speaks it.
    RestXml,
    /// The same, as S3's control plane speaks it: what is wrong is wrapped once more.
    WrappedXml,
    /// CBOR with the operation in the path.
    Cbor,
    /// A request to a deployed HTTP API.
    HttpApi,
}

impl Protocol {
    /// The protocol that a request speaks, whether its operation is known or not.
    pub fn of(parts: &RequestParts) -> Self {
        let header = |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok());
        let content = header("content-type").unwrap_or_default();
        match parts.service {
            "execute-api" => Self::HttpApi,
            "ec2" => Self::Ec2,
            _ if header("x-amz-target").is_some() && content.ends_with("1.0") => Self::Json10,
            _ if header("x-amz-target").is_some() => Self::Json11,
            _ if cbor_operation(parts.path).is_some() => Self::Cbor,
            "s3" if parts.path.starts_with(S3_CONTROL) => Self::WrappedXml,
            "s3" => Self::RestXml,
            _ if content.starts_with("application/x-www-form-urlencoded") => Self::Query,
            _ if parts.query.split('&').any(|pair| pair.starts_with("Action=")) => Self::Query,
            _ => Self::RestJson,
        }
    }
}

/// The operation of `X-Amz-Target`, without the service's prefix.
pub(super) fn json_operation(headers: &HeaderMap) -> Option<&str> {
    headers.get("x-amz-target")?.to_str().ok()?.rsplit('.').next()
}

/// The operation of `/service/NAME/operation/OPERATION`.
pub(super) fn cbor_operation(path: &str) -> Option<&str> {
    let (_, operation) = path.strip_prefix("/service/")?.split_once("/operation/")?;
    Some(operation)
}
