//! The schemes as tables: which parts a name has, and how each of its tags lays them out in bits.
//!
//! Numbers are those of the GS1 Tag Data Standard 1.13, sections 6 (names) and 14 (bits). Holds no code that reads or
//! writes; that is `identity` (names) and `binary` (bits).

/// What kind of thing a name names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// One piece of goods: GTIN and serial number.
    Sgtin,
    /// A parcel or pallet.
    Sscc,
    /// A place.
    Sgln,
    /// A crate or keg that comes back.
    Grai,
    /// One asset.
    Giai,
    /// A name outside the GS1 keys.
    Gid,
    /// One document.
    Gdti,
    /// Somebody who receives a service.
    Gsrn,
    /// Somebody who provides a service.
    Gsrnp,
    /// One component or part.
    Cpi,
    /// One coupon.
    Sgcn,
    /// One piece of goods that comes in several pieces.
    Itip,
    /// A thing supplied to the US Department of Defense.
    Usdod,
    /// An aircraft part.
    Adi,
}

/// What one part of a name may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// The GS1 company prefix, 6 to 12 digits.
    Prefix,
    /// Digits that fill up the prefix to `total`; may be empty.
    Reference { total: usize },
    /// Text that may fill up the prefix to `total` characters.
    TextReference { total: usize },
    /// Part number of a component, up to `total` characters together with the prefix.
    Component { total: usize },
    /// Text of the 82 characters, from one to `max`.
    Text { max: usize },
    /// A number without leading zeros, of at most `digits` digits.
    Number { digits: usize },
    /// Exactly two digits.
    TwoDigits,
    /// Digits that may begin with zeros, from one to `max`.
    Digits { max: usize },
    /// A CAGE code or DoDAAC: five or six letters and digits.
    Cage,
    /// Part number of an aircraft part, up to `max` characters, may be empty.
    AircraftReference { max: usize },
    /// Serial of an aircraft part, up to `max` characters; `#` only in front.
    AircraftSerial { max: usize },
}

impl Kind {
    pub(super) const ALL: [Self; 14] = [
        Self::Sgtin,
        Self::Sscc,
        Self::Sgln,
        Self::Grai,
        Self::Giai,
        Self::Gid,
        Self::Gdti,
        Self::Gsrn,
        Self::Gsrnp,
        Self::Cpi,
        Self::Sgcn,
        Self::Itip,
        Self::Usdod,
        Self::Adi,
    ];

    /// The word in `urn:epc:id:<word>:`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sgtin => "sgtin",
            Self::Sscc => "sscc",
            Self::Sgln => "sgln",
            Self::Grai => "grai",
            Self::Giai => "giai",
            Self::Gid => "gid",
            Self::Gdti => "gdti",
            Self::Gsrn => "gsrn",
            Self::Gsrnp => "gsrnp",
            Self::Cpi => "cpi",
            Self::Sgcn => "sgcn",
            Self::Itip => "itip",
            Self::Usdod => "usdod",
            Self::Adi => "adi",
        }
    }

    /// The parts of the name in order, each with the word used for it in a refusal.
    pub(super) const fn parts(self) -> &'static [(&'static str, Part)] {
        use Part::{AircraftReference, AircraftSerial, Cage, Component, Digits, Number, Prefix, Reference, Text, TextReference, TwoDigits};
        const PREFIX: (&str, Part) = ("company prefix", Prefix);
        match self {
            Self::Sgtin => &[PREFIX, ("item reference", Reference { total: 13 }), ("serial", Text { max: 20 })],
            Self::Sscc => &[PREFIX, ("serial reference", Reference { total: 17 })],
            Self::Sgln => &[
                PREFIX,
                ("location reference", Reference { total: 12 }),
                ("extension", Text { max: 20 }),
            ],
            Self::Grai => &[PREFIX, ("asset type", Reference { total: 12 }), ("serial", Text { max: 16 })],
            Self::Giai => &[PREFIX, ("asset reference", TextReference { total: 30 })],
            Self::Gid => &[
                ("manager number", Number { digits: 9 }),
                ("object class", Number { digits: 8 }),
                ("serial", Number { digits: 11 }),
            ],
            Self::Gdti => &[PREFIX, ("document type", Reference { total: 12 }), ("serial", Text { max: 17 })],
            Self::Gsrn | Self::Gsrnp => &[PREFIX, ("service reference", Reference { total: 17 })],
            Self::Cpi => &[
                PREFIX,
                ("part reference", Component { total: 30 }),
                ("serial", Number { digits: 12 }),
            ],
            Self::Sgcn => &[
                PREFIX,
                ("coupon reference", Reference { total: 12 }),
                ("serial", Digits { max: 12 }),
            ],
            Self::Itip => &[
                PREFIX,
                ("item reference", Reference { total: 13 }),
                ("piece", TwoDigits),
                ("total", TwoDigits),
                ("serial", Text { max: 20 }),
            ],
            Self::Usdod => &[("CAGE code", Cage), ("serial", Number { digits: 11 })],
            Self::Adi => &[
                ("CAGE code", Cage),
                ("part number", AircraftReference { max: 32 }),
                ("serial", AircraftSerial { max: 30 }),
            ],
        }
    }

    /// The tags on which such a name can be written, the shortest first.
    pub(super) fn schemes(self) -> impl Iterator<Item = Scheme> {
        Scheme::ALL.into_iter().filter(move |scheme| scheme.kind() == self)
    }
}

/// How a name is written on a tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scheme {
    Sgtin96,
    Sgtin198,
    Sscc96,
    Sgln96,
    Sgln195,
    Grai96,
    Grai170,
    Giai96,
    Giai202,
    Gid96,
    Gdti96,
    Gdti174,
    Gsrn96,
    Gsrnp96,
    Cpi96,
    CpiVar,
    Sgcn96,
    Itip110,
    Itip212,
    Usdod96,
    AdiVar,
}

/// How one or two parts of a name lie in the bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bits {
    /// Partition (3 bits), company prefix, and a reference; prefix and reference take `bits` together.
    /// `total` counts the digits or characters of both.
    Partition {
        bits: usize,
        total: usize,
        reference: ReferenceBits,
    },
    /// A whole number without leading zeros.
    Number { bits: usize },
    /// A whole number with a 1 before its digits, so that leading zeros survive.
    PrefixedDigits { bits: usize },
    /// Two digits in seven bits.
    TwoDigits,
    /// Seven bits for each character, then zeros.
    Text { bits: usize },
    /// Bits that have to be zero.
    Zeros { bits: usize },
    /// Six letters of eight bits, a blank before a code of five.
    Cage,
    /// Six letters of six bits, a blank before a code of five.
    PackedCage,
    /// Six bits for each character, ended by six zero bits.
    PackedText,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ReferenceBits {
    /// A number that always shows all its digits.
    Padded,
    /// A number without leading zeros.
    Unpadded,
    /// Text, seven bits for each character, then zeros.
    Text,
    /// Text, six bits for each character, ended by six zero bits.
    Packed,
}

impl Scheme {
    pub const ALL: [Self; 21] = [
        Self::Sgtin96,
        Self::Sgtin198,
        Self::Sscc96,
        Self::Sgln96,
        Self::Sgln195,
        Self::Grai96,
        Self::Grai170,
        Self::Giai96,
        Self::Giai202,
        Self::Gid96,
        Self::Gdti96,
        Self::Gdti174,
        Self::Gsrn96,
        Self::Gsrnp96,
        Self::Cpi96,
        Self::CpiVar,
        Self::Sgcn96,
        Self::Itip110,
        Self::Itip212,
        Self::Usdod96,
        Self::AdiVar,
    ];

    /// The word in `urn:epc:tag:<word>:`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sgtin96 => "sgtin-96",
            Self::Sgtin198 => "sgtin-198",
            Self::Sscc96 => "sscc-96",
            Self::Sgln96 => "sgln-96",
            Self::Sgln195 => "sgln-195",
            Self::Grai96 => "grai-96",
            Self::Grai170 => "grai-170",
            Self::Giai96 => "giai-96",
            Self::Giai202 => "giai-202",
            Self::Gid96 => "gid-96",
            Self::Gdti96 => "gdti-96",
            Self::Gdti174 => "gdti-174",
            Self::Gsrn96 => "gsrn-96",
            Self::Gsrnp96 => "gsrnp-96",
            Self::Cpi96 => "cpi-96",
            Self::CpiVar => "cpi-var",
            Self::Sgcn96 => "sgcn-96",
            Self::Itip110 => "itip-110",
            Self::Itip212 => "itip-212",
            Self::Usdod96 => "usdod-96",
            Self::AdiVar => "adi-var",
        }
    }

    #[must_use]
    pub const fn kind(self) -> Kind {
        match self {
            Self::Sgtin96 | Self::Sgtin198 => Kind::Sgtin,
            Self::Sscc96 => Kind::Sscc,
            Self::Sgln96 | Self::Sgln195 => Kind::Sgln,
            Self::Grai96 | Self::Grai170 => Kind::Grai,
            Self::Giai96 | Self::Giai202 => Kind::Giai,
            Self::Gid96 => Kind::Gid,
            Self::Gdti96 | Self::Gdti174 => Kind::Gdti,
            Self::Gsrn96 => Kind::Gsrn,
            Self::Gsrnp96 => Kind::Gsrnp,
            Self::Cpi96 | Self::CpiVar => Kind::Cpi,
            Self::Sgcn96 => Kind::Sgcn,
            Self::Itip110 | Self::Itip212 => Kind::Itip,
            Self::Usdod96 => Kind::Usdod,
            Self::AdiVar => Kind::Adi,
        }
    }

    /// The first eight bits of the tag.
    #[must_use]
    pub const fn header(self) -> u8 {
        match self {
            Self::Gdti96 => 0x2c,
            Self::Gsrn96 => 0x2d,
            Self::Gsrnp96 => 0x2e,
            Self::Usdod96 => 0x2f,
            Self::Sgtin96 => 0x30,
            Self::Sscc96 => 0x31,
            Self::Sgln96 => 0x32,
            Self::Grai96 => 0x33,
            Self::Giai96 => 0x34,
            Self::Gid96 => 0x35,
            Self::Sgtin198 => 0x36,
            Self::Grai170 => 0x37,
            Self::Giai202 => 0x38,
            Self::Sgln195 => 0x39,
            Self::AdiVar => 0x3b,
            Self::Cpi96 => 0x3c,
            Self::CpiVar => 0x3d,
            Self::Gdti174 => 0x3e,
            Self::Sgcn96 => 0x3f,
            Self::Itip110 => 0x40,
            Self::Itip212 => 0x41,
        }
    }

    #[must_use]
    pub const fn from_header(header: u8) -> Option<Self> {
        Some(match header {
            0x2c => Self::Gdti96,
            0x2d => Self::Gsrn96,
            0x2e => Self::Gsrnp96,
            0x2f => Self::Usdod96,
            0x30 => Self::Sgtin96,
            0x31 => Self::Sscc96,
            0x32 => Self::Sgln96,
            0x33 => Self::Grai96,
            0x34 => Self::Giai96,
            0x35 => Self::Gid96,
            0x36 => Self::Sgtin198,
            0x37 => Self::Grai170,
            0x38 => Self::Giai202,
            0x39 => Self::Sgln195,
            0x3b => Self::AdiVar,
            0x3c => Self::Cpi96,
            0x3d => Self::CpiVar,
            0x3e => Self::Gdti174,
            0x3f => Self::Sgcn96,
            0x40 => Self::Itip110,
            0x41 => Self::Itip212,
            _ => return None,
        })
    }

    /// How many bits the tag has; `None` where the name decides.
    #[must_use]
    pub const fn bits(self) -> Option<usize> {
        match self {
            Self::Sgtin198 => Some(198),
            Self::Sgln195 => Some(195),
            Self::Grai170 => Some(170),
            Self::Giai202 => Some(202),
            Self::Gdti174 => Some(174),
            Self::Itip110 => Some(110),
            Self::Itip212 => Some(212),
            Self::CpiVar | Self::AdiVar => None,
            _ => Some(96),
        }
    }

    /// How many bits the filter value has. A GID has none.
    pub(super) const fn filter_bits(self) -> usize {
        match self {
            Self::Gid96 => 0,
            Self::Usdod96 => 4,
            Self::AdiVar => 6,
            _ => 3,
        }
    }

    /// What follows header and filter.
    pub(super) const fn layout(self) -> &'static [Bits] {
        use Bits::{Cage, Number, PackedCage, PackedText, Partition, PrefixedDigits, Text, TwoDigits, Zeros};
        use ReferenceBits::{Packed, Padded, Unpadded};
        const GTIN: Bits = Partition {
            bits: 44,
            total: 13,
            reference: Padded,
        };
        const GLN: Bits = Partition {
            bits: 41,
            total: 12,
            reference: Padded,
        };
        const ASSET_TYPE: Bits = Partition {
            bits: 44,
            total: 12,
            reference: Padded,
        };
        const EIGHTEEN: Bits = Partition {
            bits: 58,
            total: 17,
            reference: Padded,
        };
        match self {
            Self::Sgtin96 => &[GTIN, Number { bits: 38 }],
            Self::Sgtin198 => &[GTIN, Text { bits: 140 }],
            Self::Sscc96 | Self::Gsrn96 | Self::Gsrnp96 => &[EIGHTEEN, Zeros { bits: 24 }],
            Self::Sgln96 | Self::Gdti96 => &[GLN, Number { bits: 41 }],
            Self::Sgln195 => &[GLN, Text { bits: 140 }],
            Self::Grai96 => &[ASSET_TYPE, Number { bits: 38 }],
            Self::Grai170 => &[ASSET_TYPE, Text { bits: 112 }],
            Self::Giai96 => &[Partition {
                bits: 82,
                total: 25,
                reference: Unpadded,
            }],
            Self::Giai202 => &[Partition {
                bits: 188,
                total: 30,
                reference: ReferenceBits::Text,
            }],
            Self::Gid96 => &[Number { bits: 28 }, Number { bits: 24 }, Number { bits: 36 }],
            Self::Gdti174 => &[GLN, Text { bits: 119 }],
            Self::Cpi96 => &[
                Partition {
                    bits: 51,
                    total: 15,
                    reference: Unpadded,
                },
                Number { bits: 31 },
            ],
            Self::CpiVar => &[
                Partition {
                    bits: 0,
                    total: 30,
                    reference: Packed,
                },
                Number { bits: 40 },
            ],
            Self::Sgcn96 => &[GLN, PrefixedDigits { bits: 41 }],
            Self::Itip110 => &[GTIN, TwoDigits, TwoDigits, Number { bits: 38 }],
            Self::Itip212 => &[GTIN, TwoDigits, TwoDigits, Text { bits: 140 }],
            Self::Usdod96 => &[Cage, Number { bits: 36 }],
            Self::AdiVar => &[PackedCage, PackedText, PackedText],
        }
    }
}

/// Digits of the company prefix for partition 0 to 6.
pub(super) const fn prefix_digits(partition: usize) -> Option<usize> {
    if partition <= 6 { Some(12 - partition) } else { None }
}

/// Bits of a company prefix of so many digits.
pub(super) const fn prefix_bits(digits: usize) -> Option<usize> {
    match digits {
        12 => Some(40),
        11 => Some(37),
        10 => Some(34),
        9 => Some(30),
        8 => Some(27),
        7 => Some(24),
        6 => Some(20),
        _ => None,
    }
}

/// What a header that no scheme here has is given to (Tag Data Standard 2.3, table of headers).
pub(super) const fn what_header_means(header: u8) -> &'static str {
    match header {
        0x08 => "is of an SSCC-64, a tag withdrawn in 2009; replace the tag",
        0x09 => "is of an SGLN-64, a tag withdrawn in 2009; replace the tag",
        0x0a => "is of a GRAI-64, a tag withdrawn in 2009; replace the tag",
        0x0b => "is of a GIAI-64, a tag withdrawn in 2009; replace the tag",
        0x80..=0xbf => "is of an SGTIN-64, a tag withdrawn in 2009; replace the tag",
        0xce => "is of a DoD-64, a tag withdrawn in 2009; replace the tag",
        0x3a => "is of a GDTI-113, a tag withdrawn in favour of GDTI-174; replace the tag",
        0xe2 => "begins a chip's own number (TID), not what is written on it; read the tag's EPC memory",
        0xf0 => "is of a CPI+ tag (Tag Data Standard 2), which is not read here; scan the barcode",
        0xf1 => "is of a GRAI+ tag (Tag Data Standard 2), which is not read here; scan the barcode",
        0xf2 => "is of an SGLN+ tag (Tag Data Standard 2), which is not read here; scan the barcode",
        0xf3 => "is of an ITIP+ tag (Tag Data Standard 2), which is not read here; scan the barcode",
        0xf4 => "is of a GSRN+ tag (Tag Data Standard 2), which is not read here; scan the barcode",
        0xf5 => "is of a GSRNP+ tag (Tag Data Standard 2), which is not read here; scan the barcode",
        0xf6 => "is of a GDTI+ tag (Tag Data Standard 2), which is not read here; scan the barcode",
        0xf7 => "is of an SGTIN+ tag (Tag Data Standard 2), which is not read here; scan the barcode",
        0xf8 => "is of an SGCN+ tag (Tag Data Standard 2), which is not read here; scan the barcode",
        0xf9 => "is of an SSCC+ tag (Tag Data Standard 2), which is not read here; scan the barcode",
        0xfa => "is of a GIAI+ tag (Tag Data Standard 2), which is not read here; scan the barcode",
        0xfb => "is of a DSGTIN+ tag (Tag Data Standard 2), which is not read here; scan the barcode",
        0xff => "is kept for headers longer than eight bits; the tag is no GS1 tag, or is blank",
        _ => "belongs to no scheme; the tag is no GS1 tag, or was encoded wrongly",
    }
}
