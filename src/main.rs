//! Starts the program; everything is in the library.

/// A fifth of the processor that sends went into the allocator of glibc (docs/speed.md).
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> std::process::ExitCode {
    semainier::cli::main().await
}
