//! The door of the step `place-account`.

use place_account::PlaceAccount;

#[tokio::main]
async fn main() -> Result<(), entry::Error> {
    entry::step(|sessions, _| PlaceAccount { sessions }).await
}
