//! The door of the step `prepare-account`.

use prepare_account::PrepareAccount;

#[tokio::main]
async fn main() -> Result<(), entry::Error> {
    entry::step(|sessions, means| PrepareAccount { sessions, means: means.clone() }).await
}
