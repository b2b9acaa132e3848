//! The door of `announce`.

#[tokio::main]
async fn main() -> Result<(), entry::Error> {
    entry::door(announce::handle).await
}
