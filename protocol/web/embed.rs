//! Puts built pages into a binary: a module of the build.rs of each server, which calls `embed_pages("web/dist")`.
//!
//! Owns the list of files, their kinds and their marks (ETags). What a request is answered with stands in serve.rs beside this file.
//! Without built pages the list is empty and the binary still builds; serve.rs then says how to build them.

/// Copies every file of `dist` to where the compiler finds it and writes `OUT_DIR/pages.rs`: the value of `PAGES` in serve.rs.
pub fn embed_pages(dist: &str) -> std::io::Result<()> {
    let (dist, out) = (
        std::path::Path::new(dist),
        std::env::var_os("OUT_DIR").map(std::path::PathBuf::from),
    );
    let out = out.ok_or_else(|| std::io::Error::other("OUT_DIR is not set; this runs in a build.rs"))?;
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=../protocol/web/embed.rs");
    // A name that does not exist would make cargo run this for ever, so while there is no `dist` the folder around it is watched.
    let watched = if dist.is_dir() { dist } else { dist.parent().unwrap_or(dist) };
    println!("cargo:rerun-if-changed={}", watched.display());

    let mut files = Vec::new();
    if dist.is_dir() {
        files_below(dist, &mut files)?;
    }
    files.sort();
    let copies = out.join("pages");
    if copies.exists() {
        std::fs::remove_dir_all(&copies)?;
    }
    let mut list = String::from("&[\n");
    for file in &files {
        let name = file
            .strip_prefix(dist)
            .map_err(std::io::Error::other)?
            .to_string_lossy()
            .replace('\\', "/");
        let copy = copies.join(&name);
        std::fs::create_dir_all(copy.parent().unwrap_or(&copies))?;
        std::fs::copy(file, &copy)?;
        if name.ends_with(".br") || name.ends_with(".gz") {
            continue;
        }
        let packed = |ending: &str| match files
            .iter()
            .any(|other| other.to_string_lossy() == format!("{}.{ending}", file.display()))
        {
            true => format!("Some(include_bytes!({:?}))", format!("{}.{ending}", copy.display())),
            false => "None".to_owned(),
        };
        let mark = mark_of(&std::fs::read(file)?);
        list.push_str(&format!(
            "    Page {{ path: {:?}, kind: {:?}, mark: \"{mark:016x}\", for_ever: {}, plain: include_bytes!({:?}), brotli: {}, gzip: {} }},\n",
            format!("/{name}"),
            kind_of(&name),
            // Files in assets/ carry a mark of their content in their name.
            name.starts_with("assets/"),
            copy.display().to_string(),
            packed("br"),
            packed("gz"),
        ));
    }
    list.push_str("]\n");
    std::fs::write(out.join("pages.rs"), list)
}

fn files_below(folder: &std::path::Path, files: &mut Vec<std::path::PathBuf>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            files_below(&path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}

fn kind_of(name: &str) -> &'static str {
    match name.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" => "application/json",
        "webmanifest" => "application/manifest+json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

/// FNV-1a: tells two versions of one file apart, which is all that an ETag is for.
fn mark_of(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |mark, byte| {
        (mark ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
