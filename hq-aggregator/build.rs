//! Puts the built portal into the binary.

#[path = "../protocol/web/embed.rs"]
mod embed;

fn main() -> std::io::Result<()> {
    // Migrations are embedded too, and a new one must be noticed.
    println!("cargo:rerun-if-changed=migrations");
    embed::embed_pages("web/dist")
}
