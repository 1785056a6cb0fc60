//! Compiles the `.proto` files with a compiler written in Rust, so that nobody has to install protoc.

use std::error::Error;
use std::path::PathBuf;

use prost::Message;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=proto");
    let packages = ["register", "clerk", "console", "journal", "directive"].map(|name| format!("backroom/{name}/v1/{name}.proto"));
    // The journal's payloads fill more than one file.
    let more = [
        "accounts",
        "chain",
        "customers",
        "day",
        "fiscal",
        "receipt",
        "staff",
        "stock",
        "ticket",
        "till",
    ]
    .map(|name| format!("backroom/journal/v1/{name}.proto"));
    let files = packages.into_iter().chain(more);
    let descriptors = protox::compile(files, ["proto"])?;
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    std::fs::write(out.join("backroom.bin"), descriptors.encode_to_vec())?;
    tonic_prost_build::configure().compile_fds(descriptors)?;
    Ok(())
}
