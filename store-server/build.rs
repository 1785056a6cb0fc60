//! Puts the built pages of the box into the binary.

include!("../protocol/web/embed.rs");

fn main() -> std::io::Result<()> {
    embed_pages("web/dist")
}
