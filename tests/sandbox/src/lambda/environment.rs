//! What a function's process finds in its environment: its variables, its role's session.

use std::sync::Arc;

use crate::clock::Clock;
use crate::deployment::Function;
use crate::error::Error;
use crate::identity::{self, Origin, Principal};
use crate::lambda::instance::Instance;
use crate::moto::{Moto, element};
use crate::wire::encoded;

/// Credentials of a session of a function's role.
#[derive(Clone, Debug)]
pub struct Session {
    principal: Principal,
    token: String,
}

/// Takes a session of the function's role, as Lambda does before it starts an instance.
pub async fn session(moto: &Moto, function: &Function) -> Result<Session, Error> {
    let form = format!(
        "Action=AssumeRole&Version=2011-06-15&RoleArn={}&RoleSessionName={}",
        encoded(&function.role_arn),
        encoded(&function.name),
    );
    let answer = moto.query("sts", &form).await?;
    let refused = || Error::Moto(format!("no session of {} in {answer}", function.role_arn));
    Ok(Session {
        principal: identity::session(&answer).ok_or_else(refused)?,
        token: element(&answer, "SessionToken").ok_or_else(refused)?.to_owned(),
    })
}

/// The principal that an instance is.
pub fn principal(session: &Session, function: &Function, instance: &Arc<Instance>) -> Principal {
    Principal { origin: Origin::Instance(Arc::clone(instance)), ..holder(session, function) }
}

/// The principal as which Lambda itself works for a function.
pub fn holder(session: &Session, function: &Function) -> Principal {
    Principal { role: Some(function.role_arn.clone()), ..session.principal.clone() }
}

/// The environment variables of an instance.
pub fn variables(
    function: &Function,
    session: &Session,
    endpoint: &str,
    clock: &Clock,
    instance: &str,
) -> Vec<(String, String)> {
    let own = function.environment.iter().map(|(name, value)| (name.as_str(), value.clone()));
    let group = format!("/aws/lambda/{}", function.name);
    let given = [
        ("AWS_ACCESS_KEY_ID", session.principal.key.clone()),
        ("AWS_DEFAULT_REGION", function.region.clone()),
        ("AWS_ENDPOINT_URL", endpoint.to_owned()),
        ("AWS_EXECUTION_ENV", "AWS_Lambda_provided.al2023".to_owned()),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", function.memory.max(128).to_string()),
        ("AWS_LAMBDA_FUNCTION_NAME", function.name.clone()),
        ("AWS_LAMBDA_FUNCTION_VERSION", function.qualifier().to_owned()),
        ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand".to_owned()),
        ("AWS_LAMBDA_LOG_FORMAT", "JSON".to_owned()),
        ("AWS_LAMBDA_LOG_GROUP_NAME", group),
        ("AWS_LAMBDA_LOG_LEVEL", "INFO".to_owned()),
        ("AWS_LAMBDA_LOG_STREAM_NAME", format!("[{}]{instance}", function.qualifier())),
        ("AWS_LAMBDA_RUNTIME_API", format!("{endpoint}/_landfall/runtime/{instance}")),
        ("AWS_REGION", function.region.clone()),
        ("AWS_SECRET_ACCESS_KEY", session.principal.secret.clone().unwrap_or_default()),
        ("AWS_SESSION_TOKEN", session.token.clone()),
        ("LANDFALL_CLOCK", clock.file().display().to_string()),
        ("LANG", "en_US.UTF-8".to_owned()),
        ("PATH", "/usr/local/bin:/usr/bin:/bin".to_owned()),
        ("TZ", ":UTC".to_owned()),
        ("_HANDLER", "bootstrap".to_owned()),
    ];
    own.chain(given).map(|(name, value)| (name.to_owned(), value)).collect()
}
