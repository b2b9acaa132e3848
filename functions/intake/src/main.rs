//! The door of `intake`.

#[tokio::main]
async fn main() -> Result<(), entry::Error> {
    entry::door(intake::handle).await
}
