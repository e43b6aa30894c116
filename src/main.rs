//! Starts the program; everything is in the library.

#[tokio::main]
async fn main() -> std::process::ExitCode {
    semainier::cli::main().await
}
