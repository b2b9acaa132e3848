//! How AWS requests are signed and errors are written.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use uuid::Uuid;

use crate::authorization::{self, Fault, Protocol};
use crate::moto::Answer;

/// The access key, Region and service in a request's signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    /// Access key id.
    pub key: String,
    /// Region.
    pub region: String,
    /// Service name as in signatures.
    pub service: String,
}

impl Scope {
    /// Reads the scope from an `Authorization` header or from a presigned query.
    pub fn of(headers: &HeaderMap, query: Option<&str>) -> Option<Self> {
        let signed = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let credential = match signed {
            Some(value) => value.split_once("Credential=")?.1.split(',').next()?.trim().to_owned(),
            None => parameter(query?, "X-Amz-Credential")?,
        };
        let mut parts = credential.rsplitn(5, '/').skip(1);
        let service = parts.next()?.to_owned();
        let region = parts.next()?.to_owned();
        let _date = parts.next()?;
        Some(Self { key: parts.next()?.to_owned(), region, service })
    }
}

/// The decoded value of parameter `name` in a query or form.
pub fn parameter(form: &str, name: &str) -> Option<String> {
    form.split('&')
        .filter_map(|pair| pair.split_once('='))
        .find(|(key, _)| *key == name)
        .map(|(_, value)| decoded(&value.replace('+', " ")))
}

/// A text with its percent escapes resolved.
pub fn decoded(text: &str) -> String {
    percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// A text with everything escaped that a form or path segment can't hold.
pub fn encoded(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}

/// An error as the service would write it.
pub fn refusal(service: &str, protocol: Protocol, fault: &Fault) -> Answer {
    let id = Uuid::new_v4().to_string();
    let refusal = authorization::refusal(service, protocol, fault, &id);
    let mut answer = Response::new(Bytes::from(refusal.body));
    *answer.status_mut() = StatusCode::from_u16(refusal.status).unwrap_or(StatusCode::BAD_REQUEST);
    for (name, value) in refusal.headers {
        if let Ok(value) = HeaderValue::from_str(&value) {
            answer.headers_mut().insert(name, value);
        }
    }
    answer
}

/// A JSON document as an answer.
pub fn document(status: StatusCode, value: &serde_json::Value) -> Answer {
    let mut answer = Response::new(Bytes::from(value.to_string()));
    *answer.status_mut() = status;
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    answer
}

/// The error code that an answer carries, wherever its protocol puts it.
pub fn error_code(answer: &Answer) -> Option<String> {
    if answer.status().as_u16() < 400 {
        return None;
    }
    let last = |text: &str| {
        let text = text.split(':').next().unwrap_or(text);
        text.rsplit('#').next().unwrap_or(text).to_owned()
    };
    if let Some(code) = answer.headers().get("x-amzn-errortype").and_then(|v| v.to_str().ok()) {
        return Some(last(code));
    }
    let body = String::from_utf8_lossy(answer.body());
    if let Some(code) = crate::moto::element(&body, "Code") {
        return Some(code.to_owned());
    }
    let value: serde_json::Value = serde_json::from_str(&body).ok()?;
    let code = ["__type", "code", "Code"].iter().find_map(|key| value.get(key)?.as_str())?;
    Some(last(code))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scope_is_read_from_the_signature() {
        let mut headers = HeaderMap::new();
        headers.insert(
            header::AUTHORIZATION,
            HeaderValue::from_static(
                "AWS4-HMAC-SHA256 Credential=SFN.a/b/20261122/eu-central-1/lambda/aws4_request, \
                 SignedHeaders=host, Signature=00",
            ),
        );
        let scope = Scope::of(&headers, None).unwrap();
        assert_eq!(
            scope,
            Scope {
                key: "SFN.a/b".into(),
                region: "eu-central-1".into(),
                service: "lambda".into()
            }
        );
    }

    #[test]
    fn the_scope_of_a_presigned_request_is_in_its_query() {
        let query = "X-Amz-Credential=AKIA%2F20261122%2Fus-east-1%2Fexecute-api%2Faws4_request";
        let scope = Scope::of(&HeaderMap::new(), Some(query)).unwrap();
        assert_eq!((scope.key.as_str(), scope.service.as_str()), ("AKIA", "execute-api"));
    }

    #[test]
    fn an_error_is_recognised_in_every_protocol() {
        let all = [Protocol::Json11, Protocol::Query, Protocol::RestJson, Protocol::RestXml];
        for protocol in all.into_iter().chain([Protocol::WrappedXml]) {
            let fault = Fault::new(400, "Throttling", "Rate exceeded");
            let answer = refusal("iam", protocol, &fault);
            assert_eq!(error_code(&answer).as_deref(), Some("Throttling"));
        }
    }
}
