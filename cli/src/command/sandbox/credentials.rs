//! `landfall sandbox credentials ACCOUNT [--role NAME]`: exports for any AWS client.

use clap::Args;
use serde::Deserialize;

use super::{Context, Control, State};
use crate::exit::{Exit, Trouble};

/// Arguments of `sandbox credentials`.
#[derive(Args, Debug)]
pub struct Arguments {
    /// The account: twelve digits, or a name such as `management`.
    account: String,
    /// A role of the account; without it, its administrator, of whom IAM asks nothing.
    #[arg(long, value_name = "NAME")]
    role: Option<String>,
}

/// A session's credentials.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Credentials {
    /// The access key's id.
    pub access_key_id: String,
    /// The secret key.
    pub secret_access_key: String,
    /// The session's token.
    pub session_token: String,
}

impl Credentials {
    /// What a shell evaluates to use them.
    #[must_use]
    pub fn exports(&self) -> String {
        format!(
            "export AWS_ACCESS_KEY_ID={}\nexport AWS_SECRET_ACCESS_KEY={}\nexport AWS_SESSION_TOKEN={}\n",
            self.access_key_id, self.secret_access_key, self.session_token
        )
    }
}

impl From<&Credentials> for aws_credential_types::Credentials {
    fn from(credentials: &Credentials) -> Self {
        let Credentials { access_key_id, secret_access_key, session_token } = credentials;
        Self::new(access_key_id, secret_access_key, Some(session_token.clone()), None, "sandbox")
    }
}

/// What a shell evaluates to work with a sandbox.
#[must_use]
pub fn exports(state: &State, credentials: &Credentials) -> String {
    let endpoint = &state.endpoint;
    format!(
        "export AWS_ENDPOINT_URL={endpoint}\nexport AWS_REGION=eu-central-1\n\
         export AWS_DEFAULT_REGION=eu-central-1\nexport LANDFALL_API={endpoint}\n{}",
        credentials.exports()
    )
}

/// Prints the exports.
pub async fn run(context: &Context, arguments: &Arguments) -> Result<Exit, Trouble> {
    let state = State::load()?;
    let account = state.account(&arguments.account)?;
    let credentials =
        Control::new(&state.endpoint).credentials(&account, arguments.role.as_deref()).await?;
    context.terminal.print(exports(&state, &credentials));
    Ok(Exit::Ok)
}
