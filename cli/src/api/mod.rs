//! The one conversation with Landfall's API: signed requests, answers read, refusals turned into exits.

mod routes;
mod sign;

use std::time::Duration;

use aws_config::{BehaviorVersion, Region};
use aws_credential_types::Credentials;
use aws_credential_types::provider::ProvideCredentials as _;
use reqwest::{Method, StatusCode};
use serde::de::DeserializeOwned;
use tenant::Problems;

use crate::exit::{Exit, Trouble};
use crate::options::Common;

pub use routes::{Applied, name};

/// How often a request that may be repeated is sent at the most while the API answers that it is busy: over some
/// twelve seconds.
const ATTEMPTS: u32 = 7;

/// The same while nobody answers, which a wrong endpoint does for ever.
const CALLS: u32 = 4;

/// Where configuration is checked; that changes nothing, however often it is asked for.
const CHECKS: &str = "/operator/checks";

/// A conversation with Landfall's API.
#[derive(Clone, Debug)]
pub struct Api {
    http: reqwest::Client,
    endpoint: String,
    region: String,
    credentials: Credentials,
}

/// What the API answered.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: StatusCode,
    body: Vec<u8>,
}

impl Answer {
    /// Reads the answer.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, Trouble> {
        serde_json::from_slice(&self.body).map_err(|error| {
            Trouble::new(
                Exit::NotReachable,
                format!("the answer is not one of Landfall's API: {error}"),
            )
        })
    }
}

/// The AWS configuration that the command line asks for.
pub async fn aws_config(profile: Option<&str>, region: Option<&str>) -> aws_config::SdkConfig {
    let mut loader = aws_config::defaults(BehaviorVersion::latest());
    if let Some(profile) = profile {
        loader = loader.profile_name(profile);
    }
    if let Some(region) = region {
        loader = loader.region(Region::new(region.to_owned()));
    }
    loader.load().await
}

impl Api {
    /// Finds the endpoint, the Region and credentials; nothing is sent yet.
    pub async fn connect(common: &Common) -> Result<Self, Trouble> {
        let Some(endpoint) = &common.endpoint else {
            return Err(Trouble::new(
                Exit::BadInput,
                "where is Landfall? Set LANDFALL_API or --endpoint to the API's URL, as the stack's output `Api` \
                 shows it; with a sandbox: eval \"$(landfall sandbox up)\"",
            ));
        };
        let config = aws_config(common.profile.as_deref(), common.region.as_deref()).await;
        let region = config.region().map(ToString::to_string).ok_or_else(|| {
            Trouble::new(
                Exit::BadInput,
                "which Region is it? Set AWS_REGION, LANDFALL_REGION or --region",
            )
        })?;
        let provider = config.credentials_provider().ok_or_else(no_credentials)?;
        let credentials = provider.provide_credentials().await.map_err(|_| no_credentials())?;
        Self::new(endpoint, &region, credentials)
    }

    /// A conversation with this endpoint.
    pub fn new(endpoint: &str, region: &str, credentials: Credentials) -> Result<Self, Trouble> {
        let http = reqwest::Client::builder()
            .connect_timeout(Duration::from_secs(10))
            .timeout(Duration::from_secs(35))
            .user_agent(concat!("landfall/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| Trouble::new(Exit::NotReachable, error.to_string()))?;
        Ok(Self {
            http,
            endpoint: endpoint.trim_end_matches('/').to_owned(),
            region: region.to_owned(),
            credentials,
        })
    }

    async fn get(&self, path: &str) -> Result<Answer, Trouble> {
        self.send(Method::GET, path, None, &[]).await
    }

    /// Sends a request; one that may be repeated is repeated while the API is busy or can't be reached.
    async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<Vec<u8>>,
        headers: &[(&str, String)],
    ) -> Result<Answer, Trouble> {
        let repeatable = method != Method::POST || path == CHECKS;
        let mut attempt = 1;
        loop {
            let answer = self.send_once(&method, path, body.clone(), headers).await;
            let attempts = match &answer {
                Ok(answer) if busy(answer.status) => ATTEMPTS,
                Err(trouble) if trouble.exit == Exit::NotReachable => CALLS,
                _ => 1,
            };
            if repeatable && attempt < attempts {
                tokio::time::sleep(Duration::from_millis(100 << attempt)).await;
                attempt += 1;
                continue;
            }
            let answer = answer?;
            return if answer.status.is_success() {
                Ok(answer)
            } else {
                Err(refusal(path, &answer))
            };
        }
    }

    async fn send_once(
        &self,
        method: &Method,
        path: &str,
        body: Option<Vec<u8>>,
        headers: &[(&str, String)],
    ) -> Result<Answer, Trouble> {
        let url = format!("{}{path}", self.endpoint);
        let body = body.unwrap_or_default();
        let mut request = self.http.request(method.clone(), &url);
        for (name, value) in sign::headers(method, &url, &body, &self.region, &self.credentials)? {
            request = request.header(name, value);
        }
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        if !body.is_empty() {
            request = request.header("content-type", "application/json").body(body);
        }
        let unreachable = |error: reqwest::Error| {
            let why = std::error::Error::source(&error)
                .map_or_else(|| error.to_string(), ToString::to_string);
            Trouble::new(Exit::NotReachable, format!("{} can't be reached: {why}", self.endpoint))
        };
        let response = request.send().await.map_err(unreachable)?;
        let status = response.status();
        let body = response.bytes().await.map_err(unreachable)?.to_vec();
        Ok(Answer { status, body })
    }
}

fn no_credentials() -> Trouble {
    Trouble::new(
        Exit::NotAllowed,
        "there are no AWS credentials: sign in, name a --profile, or set AWS_ACCESS_KEY_ID and its kin",
    )
}

/// Whether the same request may well be answered a moment later.
fn busy(status: StatusCode) -> bool {
    status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error()
}

fn refusal(path: &str, answer: &Answer) -> Trouble {
    let problems = serde_json::from_slice::<Problems>(&answer.body).unwrap_or_else(|_| {
        // API Gateway itself refuses with {"message": …}.
        let said: serde_json::Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        let message =
            said["message"].as_str().or(said["Message"].as_str()).unwrap_or("no reason was given");
        let status = answer.status;
        Problems::new("gateway", "refused", status.as_u16(), format!("{message} (HTTP {status})"))
    });
    Trouble::answer(&about(path), problems)
}

/// What a path is about, as users name it.
fn about(path: &str) -> String {
    let parts: Vec<&str> =
        path.split('?').next().unwrap_or_default().trim_matches('/').split('/').collect();
    let parts = parts.strip_prefix(&["operator"]).unwrap_or(&parts);
    match parts {
        ["workspaces", workspace, "projects", project, "tenants" | "plans", platform, ..] => {
            format!("Tenant {workspace}.{project}.{platform}")
        }
        ["workspaces", workspace, ..] => format!("workspace {workspace}"),
        ["landing-zones", name, ..] => format!("LandingZone {name}"),
        ["limits", platform, ..] => format!("the limits of platform {platform}"),
        ["letters", id, ..] => format!("letter {id}"),
        ["platforms", name, ..] => format!("Platform {name}"),
        parts => parts.join(" "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trouble_names_things_as_users_do() {
        let cases = [
            ("/workspaces/a/projects/b/tenants/aws/history", "Tenant a.b.aws"),
            ("/operator/workspaces/a/projects/b/tenants/aws", "Tenant a.b.aws"),
            ("/workspaces/a/tenants?after=a.b.aws", "workspace a"),
            ("/landing-zones/production", "LandingZone production"),
            ("/platforms/aws/history?after=3", "Platform aws"),
            ("/operator/tenants", "tenants"),
        ];
        for (path, expected) in cases {
            assert_eq!(about(path), expected, "{path}");
        }
    }
}
