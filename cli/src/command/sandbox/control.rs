//! The sandbox's own API, under `/_landfall/`.

use std::time::Duration;

use reqwest::Method;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::Credentials;
use crate::exit::{Exit, Trouble};

/// A conversation with a sandbox.
#[derive(Clone, Debug)]
pub struct Control {
    http: reqwest::Client,
    endpoint: String,
}

/// The virtual clock.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct Clock {
    /// Virtual seconds since the epoch.
    pub epoch: f64,
}

impl Control {
    /// A conversation with the sandbox at this URL.
    #[must_use]
    pub fn new(endpoint: &str) -> Self {
        Self { http: reqwest::Client::new(), endpoint: endpoint.to_owned() }
    }

    /// Whether it answers.
    pub async fn is_ready(&self) -> bool {
        self.ask(Method::GET, "ready", None).await.is_ok()
    }

    /// The virtual time.
    pub async fn clock(&self) -> Result<Clock, Trouble> {
        self.json(Method::GET, "clock", None).await
    }

    /// Asks it to end.
    pub async fn shut_down(&self) -> Result<(), Trouble> {
        self.ask(Method::POST, "shutdown", None).await.map(drop)
    }

    /// Credentials of an account's administrator, or of one of its roles.
    pub async fn credentials(
        &self,
        account: &str,
        role: Option<&str>,
    ) -> Result<Credentials, Trouble> {
        let mut body = json!({"account": account});
        if let Some(role) = role {
            body["role"] = role.into();
        }
        self.json(Method::POST, "credentials", Some(body)).await
    }

    /// The calls after this position, one JSON text a line.
    pub async fn log(&self, since: u64) -> Result<Vec<Value>, Trouble> {
        let text = self.ask(Method::GET, &format!("log?since={since}"), None).await?;
        Ok(text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect())
    }

    /// Sets a fault.
    pub async fn set_fault(&self, fault: Value) -> Result<Value, Trouble> {
        self.json(Method::POST, "faults", Some(fault)).await
    }

    /// The faults that are set, with how often each was met.
    pub async fn faults(&self) -> Result<Vec<Value>, Trouble> {
        self.json(Method::GET, "faults", None).await
    }

    /// Takes a fault away, or all.
    pub async fn clear_faults(&self, id: Option<u64>) -> Result<(), Trouble> {
        let path = id.map_or_else(|| "faults".to_owned(), |id| format!("faults/{id}"));
        self.ask(Method::DELETE, &path, None).await.map(drop)
    }

    async fn json<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> Result<T, Trouble> {
        let text = self.ask(method, path, body).await?;
        serde_json::from_str(&text).map_err(|error| {
            Trouble::new(
                Exit::NotReachable,
                format!("the sandbox answered something else: {error}"),
            )
        })
    }

    async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> Result<String, Trouble> {
        let unreachable = |error: reqwest::Error| {
            let endpoint = &self.endpoint;
            Trouble::new(
                Exit::NotReachable,
                format!("the sandbox at {endpoint} does not answer: {error}"),
            )
        };
        let mut request = self
            .http
            .request(method, format!("{}/_landfall/{path}", self.endpoint))
            .timeout(Duration::from_secs(20));
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body.to_string());
        }
        let response = request.send().await.map_err(unreachable)?;
        let status = response.status();
        let text = response.text().await.map_err(unreachable)?;
        if status.is_success() {
            return Ok(text);
        }
        let said: Value = serde_json::from_str(&text).unwrap_or_default();
        let message = said["message"].as_str().unwrap_or(&text).to_owned();
        Err(Trouble::new(
            Exit::of_status(status.as_u16()),
            format!("the sandbox refuses: {message}"),
        ))
    }
}
