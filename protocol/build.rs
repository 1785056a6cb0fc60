//! Compiles the `.proto` files with a compiler written in Rust, so that nobody has to install protoc.

use std::error::Error;
use std::path::PathBuf;

use prost::Message;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=proto");
    let mut files = ["register", "clerk", "console", "journal", "directive"]
        .map(|name| format!("backroom/{name}/v1/{name}.proto"))
        .to_vec();
    files.extend(["till", "ticket"].map(|room| format!("backroom/journal/v1/{room}.proto")));
    let descriptors = protox::compile(files, ["proto"])?;
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    std::fs::write(out.join("backroom.bin"), descriptors.encode_to_vec())?;
    tonic_prost_build::configure().compile_fds(descriptors)?;
    Ok(())
}
