//! What is answered, and every way to say no.

use std::collections::BTreeMap;

use serde::Serialize;
use tenant::{Failure, Problem, Problems, Refused};

use crate::configuration::Users;
use crate::passes;
use crate::request::LARGEST_BODY;

/// An answer as API Gateway takes it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Response {
    /// The HTTP status.
    pub status_code: u16,
    /// The headers.
    pub headers: BTreeMap<&'static str, String>,
    /// The body.
    pub body: String,
}

impl Response {
    /// An answer with a JSON body.
    #[must_use]
    pub fn json(status_code: u16, body: &impl Serialize) -> Self {
        let headers = BTreeMap::from([
            ("content-type", "application/json".to_owned()),
            ("cache-control", "no-store".to_owned()),
        ]);
        Self { status_code, headers, body: serde_json::to_string(body).unwrap_or_default() }
    }

    /// The same with a version.
    #[must_use]
    pub fn tagged(self, version: u64) -> Self {
        self.with("etag", format!("\"{version}\""))
    }

    /// The same with one more header.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: String) -> Self {
        self.headers.insert(name, value);
        self
    }
}

/// Why a request is not done.
#[derive(Clone, Debug, PartialEq)]
pub enum Refusal {
    /// API Gateway named no caller.
    Nobody,
    /// The body can't be read.
    Unreadable(String),
    /// The query can't be followed.
    WrongQuery(&'static str),
    /// There is no such thing.
    Missing(String),
    /// The path is known, the method is not; these are.
    WrongMethod(Vec<&'static str>),
    /// Others change it at the same time.
    Busy,
    /// The tenant is not in a phase in which that is done.
    NotNow(Refused),
    /// These use what is to be deleted.
    InUse(Users),
    /// Nothing waits for an answer.
    Unasked,
    /// The letter with this id names no function of ours.
    Undeliverable(String),
    /// It is not as the request asks for; its present version.
    Stale(Option<u64>),
    /// The body has so many bytes.
    TooLarge(usize),
    /// The body is in another format.
    WrongFormat(String),
    /// The document has these problems.
    Invalid(Vec<Problem>),
    /// AWS or Landfall failed.
    Failed(Failure),
}

impl From<Failure> for Refusal {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl From<ledger::Error> for Refusal {
    fn from(error: ledger::Error) -> Self {
        match error {
            ledger::Error::Conflict => Self::Busy,
            ledger::Error::Failure(failure) => Self::Failed(failure),
        }
    }
}

impl Refusal {
    /// The refusal as an answer.
    #[must_use]
    pub fn response(&self) -> Response {
        let problems = self.problems();
        let mut response = Response::json(problems.status, &problems)
            .with("content-type", "application/problem+json".to_owned());
        match self {
            Self::Stale(Some(version)) => response = response.tagged(*version),
            Self::WrongMethod(known) => response = response.with("allow", known.join(", ")),
            _ if problems.status == 503 => response = response.with("retry-after", "1".to_owned()),
            _ => {}
        }
        response
    }

    /// What it says, in a sentence or two.
    #[must_use]
    pub fn reason(&self) -> String {
        self.problems().detail
    }

    fn problems(&self) -> Problems {
        match self {
            Self::Nobody => Problems::new(
                "nobody",
                "No caller",
                403,
                "The request names no caller. Sign it with AWS credentials (service execute-api).",
            ),
            Self::Unreadable(why) => Problems::new(
                "unreadable",
                "The body can't be read",
                400,
                format!("Send one JSON document: {why}."),
            ),
            Self::WrongQuery(why) => {
                Problems::new("wrong-query", "The query can't be followed", 400, *why)
            }
            Self::Missing(what) => {
                Problems::new("missing", "Not found", 404, format!("There is no {what}."))
            }
            Self::WrongMethod(known) => Problems::new(
                "wrong-method",
                "Method not allowed",
                405,
                format!("This path takes {}.", known.join(", ")),
            ),
            Self::Busy => Problems::new(
                "busy",
                "Conflict",
                409,
                "Others are changing it at the same time. Read it again and repeat.",
            ),
            Self::NotNow(why) => {
                let mut detail = why.to_string();
                detail.replace_range(..1, &detail[..1].to_uppercase());
                Problems::new("not-now", "Not in this phase", 409, format!("{detail}."))
            }
            Self::InUse(users) => Problems::new("in-use", "In use", 409, users.reason()),
            Self::Unasked => Problems::new(
                "unasked",
                "Nothing is asked",
                409,
                "The tenant waits for no answer. `landfall describe` says what it waits for.",
            ),
            Self::Undeliverable(id) => Problems::new(
                "undeliverable",
                "Nobody to send it to",
                409,
                format!(
                    "Letter `{id}` is none that a function of Landfall takes: it can't be redriven. Read it with \
                     `landfall get letters {id} -o yaml`, then discard it."
                ),
            ),
            Self::Stale(None) => Problems::new(
                "stale",
                "Precondition failed",
                412,
                "It does not exist, so it has no version to match.",
            ),
            Self::Stale(Some(version)) => Problems::new(
                "stale",
                "Precondition failed",
                412,
                format!(
                    "Its version is {version}: somebody changed or made it. Read it again and repeat."
                ),
            ),
            Self::TooLarge(bytes) => Problems::new(
                "too-large",
                "The body is too large",
                413,
                format!("The body has {bytes} bytes; {LARGEST_BODY} are allowed."),
            ),
            Self::WrongFormat(format) => Problems::new(
                "wrong-format",
                "Unsupported media type",
                415,
                format!("The body is `{format}`. Send application/json."),
            ),
            Self::Invalid(problems) => {
                let count = problems.len();
                let said =
                    if count == 1 { "1 problem".to_owned() } else { format!("{count} problems") };
                Problems::new(
                    "invalid",
                    "The document is not valid",
                    422,
                    format!("The document has {said}; nothing was changed."),
                )
                .with(problems.clone())
            }
            Self::Failed(failure) if passes(failure) => Problems::new(
                "unavailable",
                "Not available at present",
                503,
                "AWS does not answer as it should at present. Repeat the request in a moment.",
            ),
            Self::Failed(failure) => {
                Problems::new("failed", "Failed", 500, failure.user_remark.clone())
            }
        }
    }
}
