//! One file that holds many: the ustar form of `tar`, so that a person can look into a backup with what every system has.
//!
//! Plain files with plain names only: no links, owners or devices are written, and none are believed. Trusts no length it reads.

use std::io::{self, Read, Write};

const BLOCK: usize = 512;
/// The longest name the form holds in one field.
const LONGEST_NAME: usize = 100;

/// Why a file is not an archive of ours.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error("it ends in the middle; copy it again from where it came from")]
    Short,
    #[error("it is not a backup, or a part of it was changed: {0}")]
    Form(&'static str),
}

/// A file in the archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    pub name: String,
    pub size: u64,
}

/// Whether a name stays inside the folder it is unpacked to.
pub fn is_plain(name: &str) -> bool {
    let letter = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-' | b'/');
    name.len() <= LONGEST_NAME && name.bytes().all(letter) && name.split('/').all(|part| !part.is_empty() && !part.starts_with('.'))
}

/// Puts a file of a known size at the end.
pub fn put(out: &mut impl Write, name: &str, size: u64, from: &mut impl Read) -> io::Result<()> {
    out.write_all(&header(name, size)?)?;
    let copied = io::copy(&mut from.take(size), out)?;
    if copied != size {
        return Err(io::Error::other(format!("{name} became shorter while it was copied")));
    }
    out.write_all(&[0; BLOCK][..padding(size)])
}

/// Two empty blocks end an archive.
pub fn finish(out: &mut impl Write) -> io::Result<()> {
    out.write_all(&[0; 2 * BLOCK])?;
    out.flush()
}

/// The next file's name and size; its content follows in `from` and must be read to its end with [`content`]. `None` at the end.
pub fn next(from: &mut impl Read) -> Result<Option<Member>, ArchiveError> {
    let block = block(from)?;
    if block.iter().all(|byte| *byte == 0) {
        return Ok(None);
    }
    if number(&block[148..156])? != checksum(&block) {
        return Err(ArchiveError::Form("the sum over a file's name does not hold"));
    }
    if block[257..263] != *b"ustar\0" || !matches!(block[156], b'0' | 0) || block[345] != 0 {
        return Err(ArchiveError::Form("it holds something that is no plain file"));
    }
    let name = block[..LONGEST_NAME].split(|byte| *byte == 0).next().unwrap_or_default();
    let name = std::str::from_utf8(name).ok().filter(|name| is_plain(name));
    let name = name.ok_or(ArchiveError::Form("a file in it has a name no backup has"))?;
    Ok(Some(Member {
        name: name.to_owned(),
        size: number(&block[124..136])?,
    }))
}

/// Copies a member's content and skips what fills its last block.
pub fn content(from: &mut impl Read, size: u64, to: &mut impl Write) -> Result<(), ArchiveError> {
    if io::copy(&mut from.take(size), to)? != size {
        return Err(ArchiveError::Short);
    }
    let mut rest = [0; BLOCK];
    from.read_exact(&mut rest[..padding(size)]).map_err(short)?;
    Ok(())
}

fn padding(size: u64) -> usize {
    let over = (size % BLOCK as u64) as usize;
    if over == 0 { 0 } else { BLOCK - over }
}

fn block(from: &mut impl Read) -> Result<[u8; BLOCK], ArchiveError> {
    let mut block = [0; BLOCK];
    from.read_exact(&mut block).map_err(short)?;
    Ok(block)
}

fn short(error: io::Error) -> ArchiveError {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => ArchiveError::Short,
        _ => error.into(),
    }
}

fn header(name: &str, size: u64) -> io::Result<[u8; BLOCK]> {
    if !is_plain(name) {
        return Err(io::Error::other(format!("{name:?} can not be kept in a backup under this name")));
    }
    let mut block = [0; BLOCK];
    block[..name.len()].copy_from_slice(name.as_bytes());
    block[100..108].copy_from_slice(b"0000600\0");
    block[108..116].copy_from_slice(b"0000000\0");
    block[116..124].copy_from_slice(b"0000000\0");
    match size < 1 << 33 {
        true => block[124..136].copy_from_slice(format!("{size:011o}\0").as_bytes()),
        // Eleven octal digits end at 8 GiB; beyond, the number itself stands there behind a marked byte.
        false => {
            block[124] = 0x80;
            block[128..136].copy_from_slice(&size.to_be_bytes());
        }
    }
    block[136..148].copy_from_slice(b"00000000000\0");
    block[156] = b'0';
    block[257..265].copy_from_slice(b"ustar\x0000");
    let sum = checksum(&block);
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    Ok(block)
}

/// Over the block, its own field taken for spaces.
fn checksum(block: &[u8; BLOCK]) -> u64 {
    let own = 148..156;
    let byte = |(at, byte): (usize, &u8)| if own.contains(&at) { u64::from(b' ') } else { u64::from(*byte) };
    block.iter().enumerate().map(byte).sum()
}

fn number(field: &[u8]) -> Result<u64, ArchiveError> {
    let wrong = || ArchiveError::Form("a number in it is none");
    if let [0x80, rest @ ..] = field {
        let (high, low) = rest.split_last_chunk::<8>().ok_or_else(wrong)?;
        return match high.iter().all(|byte| *byte == 0) {
            true => Ok(u64::from_be_bytes(*low)),
            false => Err(wrong()),
        };
    }
    let digits = field.iter().take_while(|byte| !matches!(byte, 0 | b' '));
    digits.clone().next().ok_or_else(wrong)?;
    digits.copied().try_fold(0, |sum: u64, digit| match digit {
        b'0'..=b'7' => sum
            .checked_mul(8)
            .and_then(|sum| sum.checked_add(u64::from(digit - b'0')))
            .ok_or_else(wrong),
        _ => Err(wrong()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads whatever it is given to its end.
    fn read(bytes: &[u8]) -> Result<Vec<(String, Vec<u8>)>, ArchiveError> {
        let mut from = bytes;
        let mut found = Vec::new();
        while let Some(member) = next(&mut from)? {
            let mut inside = Vec::new();
            content(&mut from, member.size, &mut inside)?;
            found.push((member.name, inside));
        }
        Ok(found)
    }

    fn sample() -> Vec<u8> {
        let mut out = Vec::new();
        for (name, inside) in [("store.json", &b"{}"[..]), ("catalogs/a.json", &[7; 512]), ("empty", b"")] {
            put(&mut out, name, inside.len() as u64, &mut &inside[..]).unwrap();
        }
        finish(&mut out).unwrap();
        out
    }

    #[test]
    fn what_was_put_in_comes_out() {
        let found = read(&sample()).unwrap();
        assert_eq!(found[0], ("store.json".to_owned(), b"{}".to_vec()));
        assert_eq!(found[1].1.len(), 512);
        assert_eq!(found[2], ("empty".to_owned(), Vec::new()));
    }

    #[test]
    fn no_cut_and_no_flipped_bit_of_the_names_is_taken_for_whole() {
        let whole = sample();
        // The second of the two last blocks says nothing the first did not.
        for length in 0..whole.len() - 2 * BLOCK {
            assert!(read(&whole[..length]).is_err(), "cut at {length}");
        }
        // The last byte of the sum's own field is a blank nobody reads.
        for at in (0..BLOCK).filter(|at| *at != 155) {
            let mut changed = whole.clone();
            changed[at] ^= 1;
            assert!(read(&changed).is_err(), "byte {at}");
        }
    }

    #[test]
    fn names_that_lead_out_of_the_folder_are_refused() {
        for name in ["../a", "/a", "a//b", ".hidden", "a/../b", "a b", "a\0b", ""] {
            assert!(!is_plain(name), "{name}");
            assert!(put(&mut Vec::new(), name, 0, &mut io::empty()).is_err(), "{name}");
        }
        assert!(is_plain(&format!("catalogs/{}.json", "a".repeat(64))));
    }

    #[test]
    fn large_sizes_read_back() {
        for size in [0, 511, (1 << 33) - 1, 1 << 33, u64::MAX] {
            let block = header("a", size).unwrap();
            assert_eq!(next(&mut &block[..]).unwrap().unwrap().size, size);
        }
    }

    #[test]
    fn any_bytes_are_an_archive_or_an_error_and_nothing_else() {
        let whole = sample();
        let mut seed = 7_u64;
        for _ in 0..20_000 {
            let mut bytes = whole.clone();
            for _ in 0..3 {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let at = (seed >> 33) as usize % bytes.len();
                bytes[at] = (seed >> 25) as u8;
            }
            let _ = read(&bytes);
        }
    }
}
