//! The messages of LLRP by number and by the name the standard gives them. A number without a name is carried as it is.

use std::fmt;

/// What a message is: ten bits on the wire.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageType(u16);

impl MessageType {
    /// `None` for a number that does not fit into the ten bits of the wire.
    pub fn new(number: u16) -> Option<Self> {
        (number < 1 << 10).then_some(Self(number))
    }

    /// The ten bits at the end of a header's first two bytes.
    pub(crate) fn of_header(first_two: [u8; 2]) -> Self {
        Self(u16::from_be_bytes(first_two) & 0x3ff)
    }

    pub fn number(self) -> u16 {
        self.0
    }
}

macro_rules! message_types {
    ($($name:ident = $number:literal,)*) => {
        impl MessageType {
            $(pub const $name: Self = Self($number);)*

            /// Every message of 1.0.1 and 1.1, in the order of their numbers.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The standard's own name, such as `RO_ACCESS_REPORT`.
            pub fn name(self) -> Option<&'static str> {
                match self.0 {
                    $($number => Some(stringify!($name)),)*
                    _ => None,
                }
            }
        }
    };
}

message_types! {
    GET_READER_CAPABILITIES = 1,
    GET_READER_CONFIG = 2,
    SET_READER_CONFIG = 3,
    CLOSE_CONNECTION_RESPONSE = 4,
    GET_READER_CAPABILITIES_RESPONSE = 11,
    GET_READER_CONFIG_RESPONSE = 12,
    SET_READER_CONFIG_RESPONSE = 13,
    CLOSE_CONNECTION = 14,
    ADD_ROSPEC = 20,
    DELETE_ROSPEC = 21,
    START_ROSPEC = 22,
    STOP_ROSPEC = 23,
    ENABLE_ROSPEC = 24,
    DISABLE_ROSPEC = 25,
    GET_ROSPECS = 26,
    ADD_ROSPEC_RESPONSE = 30,
    DELETE_ROSPEC_RESPONSE = 31,
    START_ROSPEC_RESPONSE = 32,
    STOP_ROSPEC_RESPONSE = 33,
    ENABLE_ROSPEC_RESPONSE = 34,
    DISABLE_ROSPEC_RESPONSE = 35,
    GET_ROSPECS_RESPONSE = 36,
    ADD_ACCESSSPEC = 40,
    DELETE_ACCESSSPEC = 41,
    ENABLE_ACCESSSPEC = 42,
    DISABLE_ACCESSSPEC = 43,
    GET_ACCESSSPECS = 44,
    CLIENT_REQUEST_OP = 45,
    GET_SUPPORTED_VERSION = 46,
    SET_PROTOCOL_VERSION = 47,
    ADD_ACCESSSPEC_RESPONSE = 50,
    DELETE_ACCESSSPEC_RESPONSE = 51,
    ENABLE_ACCESSSPEC_RESPONSE = 52,
    DISABLE_ACCESSSPEC_RESPONSE = 53,
    GET_ACCESSSPECS_RESPONSE = 54,
    CLIENT_REQUEST_OP_RESPONSE = 55,
    GET_SUPPORTED_VERSION_RESPONSE = 56,
    SET_PROTOCOL_VERSION_RESPONSE = 57,
    GET_REPORT = 60,
    RO_ACCESS_REPORT = 61,
    KEEPALIVE = 62,
    READER_EVENT_NOTIFICATION = 63,
    ENABLE_EVENTS_AND_REPORTS = 64,
    KEEPALIVE_ACK = 72,
    ERROR_MESSAGE = 100,
    CUSTOM_MESSAGE = 1023,
}

impl fmt::Display for MessageType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "message type {}", self.0),
        }
    }
}

impl fmt::Debug for MessageType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_46_messages_of_the_standard_have_one_number_and_one_name_each() {
        assert_eq!(MessageType::ALL.len(), 46);
        assert!(MessageType::ALL.is_sorted_by(|before, after| before < after));
        assert!(MessageType::ALL.iter().all(|kind| MessageType::new(kind.number()) == Some(*kind)));
        assert_eq!(MessageType::new(61).unwrap().name(), Some("RO_ACCESS_REPORT"));
    }

    #[test]
    fn a_number_without_a_name_is_carried_and_one_of_eleven_bits_is_refused() {
        assert_eq!(MessageType::new(500).unwrap().to_string(), "message type 500");
        assert_eq!(MessageType::new(1024), None);
    }
}
