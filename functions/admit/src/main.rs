//! The door of `admit`.

#[tokio::main]
async fn main() -> Result<(), entry::Error> {
    entry::door(admit::handle).await
}
