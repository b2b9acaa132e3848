//! The door of the step `close-account`.

use close_account::CloseAccount;

#[tokio::main]
async fn main() -> Result<(), entry::Error> {
    entry::step(|sessions, means| CloseAccount { sessions, means: means.clone() }).await
}
