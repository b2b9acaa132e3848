//! The door of the step `grant-access`.

use grant_access::GrantAccess;

#[tokio::main]
async fn main() -> Result<(), entry::Error> {
    entry::step(|sessions, means| GrantAccess::new(sessions, means.clone())).await
}
