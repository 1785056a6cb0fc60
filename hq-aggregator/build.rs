//! Puts the built portal into the binary.

include!("../protocol/web/embed.rs");

fn main() -> std::io::Result<()> {
    // Migrations are embedded too, and a new one must be noticed.
    println!("cargo:rerun-if-changed=migrations");
    embed_pages("web/dist")
}
