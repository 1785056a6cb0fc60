//! The tags within reach of the antennas, and the luck of reading them.

use std::collections::BTreeMap;

use backroom_core::epc::{Epc, EpcId};

/// The longest EPC memory that there is: 62 words of sixteen bits fill 496 of the bits that a tag's header can announce.
const MOST_HEX: usize = 124;

/// What is packed, for names that come without their tag: a piece for the till.
const FILTER: u8 = 1;

/// The same numbers for the same seed.
#[derive(Debug)]
pub struct Chance(u64);

impl Chance {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.0) % end.max(1)
    }
}

/// Spreads a number over all the bits.
fn mix(number: u64) -> u64 {
    let number = (number ^ number >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ number >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ number >> 31
}

/// Where a tag lies.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    pub antenna: u16,
    pub rssi_dbm: i8,
}

#[derive(Debug)]
pub struct Shelf {
    seed: u64,
    antennas: Vec<bool>,
    tags: BTreeMap<Vec<u8>, Place>,
}

impl Shelf {
    pub fn new(seed: u64, antennas: u16) -> Self {
        Self {
            seed,
            antennas: vec![true; usize::from(antennas)],
            tags: BTreeMap::new(),
        }
    }

    /// By number, from 1, and whether it is connected.
    pub fn antennas(&self) -> impl Iterator<Item = (u16, bool)> {
        (1..).zip(self.antennas.iter().copied())
    }

    pub fn antenna_count(&self) -> u16 {
        u16::try_from(self.antennas.len()).unwrap_or(u16::MAX)
    }

    /// Whether this changed anything; `None` when there is no such antenna.
    pub fn connect_antenna(&mut self, number: u16, connected: bool) -> Option<bool> {
        let place = usize::from(number).checked_sub(1)?;
        let antenna = self.antennas.get_mut(place)?;
        let changed = *antenna != connected;
        *antenna = connected;
        Some(changed)
    }

    /// Whether it is new here. Without an antenna it lies at one that follows from its bits, so always the same.
    pub fn add(&mut self, epc: Vec<u8>, antenna: Option<u16>) -> bool {
        let luck = epc.iter().fold(self.seed, |luck, byte| mix(luck ^ u64::from(*byte)));
        let place = Place {
            antenna: antenna.unwrap_or((luck % self.antennas.len().max(1) as u64) as u16 + 1),
            rssi_dbm: -45 - (luck >> 32 & 0x1f) as i8,
        };
        self.tags.insert(epc, place).is_none()
    }

    pub fn remove(&mut self, epc: &[u8]) -> bool {
        self.tags.remove(epc).is_some()
    }

    pub fn clear(&mut self) {
        self.tags.clear();
    }

    pub fn len(&self) -> usize {
        self.tags.len()
    }

    pub fn epcs(&self) -> impl Iterator<Item = &[u8]> {
        self.tags.keys().map(Vec::as_slice)
    }

    /// Where it lies, if one of these antennas reads it now. A 0 is all of them.
    pub fn in_reach(&self, epc: &[u8], antennas: &[u16]) -> Option<Place> {
        let place = *self.tags.get(epc)?;
        self.reads(place, antennas).then_some(place)
    }

    fn reads(&self, place: Place, antennas: &[u16]) -> bool {
        let wanted = antennas.contains(&0) || antennas.contains(&place.antenna);
        let connected = usize::from(place.antenna).checked_sub(1).and_then(|at| self.antennas.get(at));
        wanted && connected == Some(&true)
    }

    /// All that these antennas read now, in an order of chance.
    pub fn round(&self, antennas: &[u16], chance: &mut Chance) -> Vec<Vec<u8>> {
        let in_reach = self.tags.iter().filter(|(_, place)| self.reads(**place, antennas));
        let mut round: Vec<Vec<u8>> = in_reach.map(|(epc, _)| epc.clone()).collect();
        for last in (1..round.len()).rev() {
            round.swap(last, chance.below(last as u64 + 1) as usize);
        }
        round
    }
}

/// The bits of a tag from its text: hexadecimal digits, `urn:epc:tag:...`, or `urn:epc:id:...` on the shortest tag that holds it.
pub fn read_tag(text: &str) -> Result<Vec<u8>, String> {
    if text.starts_with("urn:epc:id:") {
        let id: EpcId = text.parse().map_err(|wrong| format!("{text}: {wrong}"))?;
        let filter = Epc::shortest(id.clone(), FILTER).or_else(|_| Epc::shortest(id, 0));
        return filter
            .map(|epc| epc.as_bytes().to_vec())
            .map_err(|wrong| format!("{text}: {wrong}"));
    }
    if text.starts_with("urn:") {
        let epc: Epc = text.parse().map_err(|wrong| format!("{text}: {wrong}"))?;
        return Ok(epc.as_bytes().to_vec());
    }
    // Strangers' tags lie on shelves too, so any bits are a tag.
    if text.is_empty() || text.len() > MOST_HEX || !text.len().is_multiple_of(4) {
        return Err(format!("{text}: a tag is 4 to {MOST_HEX} hexadecimal digits, in words of four"));
    }
    let digits: Option<Vec<u8>> = text.chars().map(|digit| Some(digit.to_digit(16)? as u8)).collect();
    let digits = digits.ok_or_else(|| format!("{text}: a tag is written in hexadecimal digits, or begins with urn:epc:"))?;
    Ok(digits
        .chunks(2)
        .map(|pair| pair.iter().fold(0, |byte, digit| (byte << 4) | digit))
        .collect())
}

/// The bits of a tag, and the antenna it lies before, if one is named.
pub type TagAt = (Vec<u8>, Option<u16>);

/// A line of a file of tags: nothing, or a tag and perhaps its antenna. What follows a # is for people.
pub fn read_line(line: &str) -> Result<Option<TagAt>, String> {
    let mut words = line.split('#').next().unwrap_or_default().split_whitespace();
    let Some(tag) = words.next() else { return Ok(None) };
    let antenna = words
        .next()
        .map(|number| number.parse().map_err(|_| format!("{number} is no antenna")));
    match words.next() {
        Some(more) => Err(format!("{more}: after a tag comes at most its antenna")),
        None => Ok(Some((read_tag(tag)?, antenna.transpose()?))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_read_in_all_its_writings() {
        let bits = vec![0x30, 0x74, 0x25, 0x7b, 0xf7, 0x19, 0x4e, 0x40, 0, 0, 0x1a, 0x85];
        assert_eq!(read_tag("3074257BF7194E4000001A85"), Ok(bits.clone()));
        assert_eq!(read_tag("urn:epc:tag:sgtin-96:3.0614141.812345.6789"), Ok(bits));
        let piece = read_tag("urn:epc:id:sgtin:0614141.812345.6789").unwrap();
        assert_eq!(
            Epc::from_bytes(&piece).unwrap().to_string(),
            "urn:epc:tag:sgtin-96:1.0614141.812345.6789"
        );
        assert_eq!(read_tag("e280"), Ok(vec![0xe2, 0x80]));
        for wrong in ["", "e28", "e2zz", "urn:epc:id:sgtin:x", &"0".repeat(128)] {
            assert!(read_tag(wrong).is_err(), "{wrong}");
        }
        assert_eq!(read_line("  # nothing"), Ok(None));
        assert_eq!(read_line("e280 2 # by the door"), Ok(Some((vec![0xe2, 0x80], Some(2)))));
        assert!(read_line("e280 2 3").is_err());
    }

    #[test]
    fn a_round_holds_each_tag_in_reach_once_and_follows_its_seed() {
        let mut shelf = Shelf::new(7, 2);
        for number in 0..100_u8 {
            assert!(shelf.add(vec![number, 0], None));
        }
        let round = |shelf: &Shelf, antennas: &[u16]| shelf.round(antennas, &mut Chance::new(3));
        let all = round(&shelf, &[0]);
        assert_eq!(all, round(&shelf, &[1, 2]));
        assert_eq!(all.iter().collect::<std::collections::BTreeSet<_>>().len(), 100);
        let (first, second) = (round(&shelf, &[1]).len(), round(&shelf, &[2]).len());
        assert!(first > 0 && second > 0 && first + second == 100);
        assert_eq!(shelf.connect_antenna(1, false), Some(true));
        assert_eq!((round(&shelf, &[0]).len(), shelf.connect_antenna(3, false)), (second, None));
    }
}
