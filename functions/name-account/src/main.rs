//! The door of the step `name-account`.

use name_account::NameAccount;

#[tokio::main]
async fn main() -> Result<(), entry::Error> {
    entry::step(|sessions, means| NameAccount { sessions, means: means.clone() }).await
}
