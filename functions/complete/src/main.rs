//! The door of `complete`.

#[tokio::main]
async fn main() -> Result<(), entry::Error> {
    entry::door(complete::handle).await
}
