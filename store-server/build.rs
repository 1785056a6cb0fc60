//! Puts the built pages of the box into the binary.

#[path = "../protocol/web/embed.rs"]
mod embed;

fn main() -> std::io::Result<()> {
    embed::embed_pages("web/dist")
}
