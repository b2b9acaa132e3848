//! The door of `start-due`.

#[tokio::main]
async fn main() -> Result<(), entry::Error> {
    entry::door(start_due::handle).await
}
