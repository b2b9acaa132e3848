//! The conversation with moto's process: AWS calls as they are, and the plug-in's own endpoints.

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode, Uri, header};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::error::Error;

/// A whole answer in memory.
pub type Answer = Response<Bytes>;

/// A client of the moto process at one address.
#[derive(Clone, Debug)]
pub struct Moto {
    authority: String,
    client: Client<HttpConnector, Full<Bytes>>,
}

impl Moto {
    /// A client for moto at `authority` (host and port).
    pub fn at(authority: &str) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let client = Client::builder(TokioExecutor::new())
            .pool_idle_timeout(std::time::Duration::from_secs(5))
            .build(connector);
        Self { authority: authority.to_owned(), client }
    }

    /// Host and port of moto.
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// Passes a request on, with its headers (Host and Authorization among them) unchanged.
    pub async fn forward(
        &self,
        method: &Method,
        uri: &Uri,
        headers: &HeaderMap,
        body: Bytes,
    ) -> Result<Answer, Error> {
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        let uri: Uri = format!("http://{}{path}", self.authority)
            .parse()
            .map_err(|error| Error::Moto(format!("the path {path} can't be passed on: {error}")))?;
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = method.clone();
        *request.uri_mut() = uri;
        *request.headers_mut() = headers.clone();
        for hop in [header::CONNECTION, header::TRANSFER_ENCODING, header::EXPECT] {
            request.headers_mut().remove(hop);
        }
        let response = self
            .client
            .request(request)
            .await
            .map_err(|error| Error::Moto(format!("no answer to {method} {path}: {error}")))?;
        let (mut parts, body) = response.into_parts();
        let body = body
            .collect()
            .await
            .map_err(|error| Error::Moto(format!("half an answer to {method} {path}: {error}")))?
            .to_bytes();
        parts.headers.remove(header::CONNECTION);
        parts.headers.remove(header::TRANSFER_ENCODING);
        Ok(Response::from_parts(parts, body))
    }

    /// Reads one of the plug-in's documents.
    pub async fn read<T: DeserializeOwned>(&self, path: &str) -> Result<T, Error> {
        let (status, body) = self.plain(Method::GET, path, Bytes::new()).await?;
        if !status.is_success() {
            return Err(Error::Moto(format!("GET {path} answered {status}")));
        }
        serde_json::from_slice(&body)
            .map_err(|error| Error::Moto(format!("GET {path} is not as agreed: {error}")))
    }

    /// Posts a document to the plug-in.
    pub async fn post(&self, path: &str, document: &Value) -> Result<Value, Error> {
        let (status, body) =
            self.plain(Method::POST, path, Bytes::from(document.to_string())).await?;
        if !status.is_success() {
            let body = String::from_utf8_lossy(&body).into_owned();
            return Err(Error::Moto(format!("POST {path} answered {status}: {body}")));
        }
        Ok(serde_json::from_slice(&body).unwrap_or_default())
    }

    /// Calls an operation of a query-protocol service in the automation account.
    pub async fn query(&self, service: &str, form: &str) -> Result<String, Error> {
        let headers = signed_for(service, "us-east-1", "application/x-www-form-urlencoded")?;
        let answer = self
            .forward(&Method::POST, &Uri::from_static("/"), &headers, Bytes::from(form.to_owned()))
            .await?;
        let body = String::from_utf8_lossy(answer.body()).into_owned();
        if answer.status().is_success() {
            Ok(body)
        } else {
            Err(Error::Moto(format!("{service} answered {}: {body}", answer.status())))
        }
    }

    async fn plain(
        &self,
        method: Method,
        path: &str,
        body: Bytes,
    ) -> Result<(StatusCode, Bytes), Error> {
        let uri: Uri =
            path.parse().map_err(|error| Error::Moto(format!("{path} is not a path: {error}")))?;
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, http::HeaderValue::from_static("application/json"));
        let answer = self.forward(&method, &uri, &headers, body).await?;
        Ok((answer.status(), answer.into_body()))
    }
}

/// Headers of a call that the sandbox itself makes in the automation account.
pub fn signed_for(service: &str, region: &str, content_type: &str) -> Result<HeaderMap, Error> {
    let invalid = |error| Error::Moto(format!("a header for {service} is not valid: {error}"));
    let authorization = format!(
        "AWS4-HMAC-SHA256 Credential=sandbox/20260101/{region}/{service}/aws4_request, \
         SignedHeaders=host, Signature=sandbox"
    );
    let mut headers = HeaderMap::new();
    headers.insert(header::AUTHORIZATION, authorization.parse().map_err(invalid)?);
    headers.insert(header::CONTENT_TYPE, content_type.parse().map_err(invalid)?);
    Ok(headers)
}

/// The text of the first element `name` of an XML answer.
pub fn element<'a>(xml: &'a str, name: &str) -> Option<&'a str> {
    let start = xml.find(&format!("<{name}>"))? + name.len() + 2;
    let length = xml[start..].find("</")?;
    Some(&xml[start..start + length])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_element_of_an_answer_is_found() {
        let xml = "<A><Credentials><AccessKeyId>ASIA1</AccessKeyId></Credentials></A>";
        assert_eq!(element(xml, "AccessKeyId"), Some("ASIA1"));
        assert_eq!(element(xml, "SecretAccessKey"), None);
    }
}
