//! Starts the program; everything is in the library.

/// With glibc's allocator, a fifth of the CPU time of sending was spent in it (docs/speed.md).
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> std::process::ExitCode {
    semainier::cli::main().await
}
