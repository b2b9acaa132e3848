//! The door of `call-hooks`.

#[tokio::main]
async fn main() -> Result<(), entry::Error> {
    entry::door(call_hooks::handle).await
}
