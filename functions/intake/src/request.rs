//! A request as API Gateway hands it over (payload format 2.0): only what we read.

use std::collections::HashMap;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::Deserialize;
use serde_json::Value;
use tenant::{Document, Problem, Spec, read};

use crate::Refusal;

/// The largest body that is read, in bytes.
pub const LARGEST_BODY: usize = 64 << 10;

/// A request.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Request {
    /// Method and path template of the route that was matched.
    pub route_key: String,
    /// The path as it was asked for.
    pub raw_path: String,
    /// What the path template's placeholders stand for.
    pub path_parameters: HashMap<String, String>,
    /// The query.
    pub query_string_parameters: HashMap<String, String>,
    /// The headers; their names are lower-case.
    pub headers: HashMap<String, String>,
    /// What API Gateway knows about the request.
    pub request_context: RequestContext,
    /// The body.
    pub body: Option<String>,
    /// Whether the body is base64.
    pub is_base64_encoded: bool,
}

/// What API Gateway knows about a request.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct RequestContext {
    /// Who was let in.
    pub authorizer: Authorizer,
}

/// Who was let in.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Authorizer {
    /// By IAM.
    pub iam: Iam,
}

/// Whom IAM let in.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Iam {
    /// The caller's ARN.
    pub user_arn: Option<String>,
}

/// What a request asks to be so before it is done.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Precondition {
    /// Only if the present version is one of these; an empty list stands for any.
    pub matches: Option<Vec<String>>,
    /// Only if there is nothing yet.
    pub is_new: bool,
}

impl Precondition {
    /// Whether the present version, if any, is as asked for.
    pub fn check(&self, present: Option<u64>) -> Result<(), Refusal> {
        let tag = present.map(|version| format!("\"{version}\""));
        let matches = match (&self.matches, &tag) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(wanted), Some(tag)) => wanted.is_empty() || wanted.contains(tag),
        };
        if matches && !(self.is_new && present.is_some()) {
            Ok(())
        } else {
            Err(Refusal::Stale(present))
        }
    }
}

impl Request {
    /// The caller's ARN, as API Gateway proved it.
    pub fn author(&self) -> Result<&str, Refusal> {
        let arn = self.request_context.authorizer.iam.user_arn.as_deref();
        arn.filter(|arn| !arn.is_empty()).ok_or(Refusal::Nobody)
    }

    /// A placeholder of the path.
    #[must_use]
    pub fn path(&self, name: &str) -> &str {
        self.path_parameters.get(name).map_or("", String::as_str)
    }

    /// What the request asks to be so before it is done.
    #[must_use]
    pub fn precondition(&self) -> Precondition {
        let header = |name: &str| self.headers.get(name).map(|value| value.trim());
        let matches = header("if-match").map(|value| match value {
            "*" => Vec::new(),
            tags => {
                tags.split(',').map(|tag| tag.trim().trim_start_matches("W/").to_owned()).collect()
            }
        });
        Precondition { matches, is_new: header("if-none-match") == Some("*") }
    }

    /// The document in the body.
    pub fn document<S: Spec>(&self) -> Result<Document<S>, Refusal> {
        read(self.json()?).map_err(Refusal::Invalid)
    }

    /// The JSON in the body.
    pub fn json(&self) -> Result<Value, Refusal> {
        let format = self.headers.get("content-type").map_or("application/json", String::as_str);
        let format = format.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        if format != "application/json" && !format.ends_with("+json") {
            return Err(Refusal::WrongFormat(format));
        }
        let body = self.body.as_deref().unwrap_or_default();
        if body.len() > LARGEST_BODY * 4 / 3 + 4 {
            return Err(Refusal::TooLarge(body.len()));
        }
        let bytes = if self.is_base64_encoded {
            STANDARD
                .decode(body)
                .map_err(|_| Refusal::Unreadable("the body is not base64".to_owned()))?
        } else {
            body.as_bytes().to_vec()
        };
        if bytes.len() > LARGEST_BODY {
            return Err(Refusal::TooLarge(bytes.len()));
        }
        serde_json::from_slice(&bytes).map_err(|error| Refusal::Unreadable(error.to_string()))
    }
}

/// A problem if a name in the document is not the one in the path.
#[must_use]
pub fn same(field: &str, written: &str, path: &str) -> Option<Problem> {
    (written != path).then(|| {
        Problem::new(
            field,
            written,
            format!("is not what the path says: `{path}`"),
            "Send the document to its own path.",
        )
    })
}
