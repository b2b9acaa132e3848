//! The door of the step `create-account`.

use create_account::CreateAccount;

#[tokio::main]
async fn main() -> Result<(), entry::Error> {
    entry::step(|sessions, means| CreateAccount { sessions, means: means.clone() }).await
}
