//! Signs requests as API Gateway's IAM authorization asks for it (Signature Version 4, service `execute-api`).

use std::time::SystemTime;

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use reqwest::Method;

use crate::exit::{Exit, Trouble};

/// The headers that sign a request.
pub fn headers(
    method: &Method,
    url: &str,
    body: &[u8],
    region: &str,
    credentials: &Credentials,
) -> Result<Vec<(String, String)>, Trouble> {
    let unsigned = |error: String| {
        Trouble::new(Exit::BadInput, format!("the request can't be signed: {error}"))
    };
    let identity = credentials.clone().into();
    let parameters = v4::SigningParams::builder()
        .identity(&identity)
        .region(region)
        .name("execute-api")
        .time(SystemTime::now())
        .settings(SigningSettings::default())
        .build()
        .map_err(|error| unsigned(error.to_string()))?
        .into();
    let request =
        SignableRequest::new(method.as_str(), url, std::iter::empty(), SignableBody::Bytes(body))
            .map_err(|error| unsigned(error.to_string()))?;
    let signed = sign(request, &parameters).map_err(|error| unsigned(error.to_string()))?;
    let (instructions, _) = signed.into_parts();
    Ok(instructions.headers().map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_names_the_service_that_the_gateway_asks_for() {
        let credentials =
            Credentials::new("AKID", "secret", Some("token".to_owned()), None, "test");
        let url = "http://127.0.0.1:1/workspaces/a/tenants?after=a.b.aws";
        let headers =
            headers(&Method::GET, url, b"", "eu-central-1", &credentials).expect("signed");
        let value = |name: &str| {
            headers
                .iter()
                .find(|(header, _)| header == name)
                .map(|(_, value)| value.as_str())
                .unwrap_or_default()
        };
        assert!(value("authorization").contains("/eu-central-1/execute-api/aws4_request"));
        assert_eq!(value("x-amz-security-token"), "token");
    }
}
