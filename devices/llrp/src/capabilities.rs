//! What a reader can do: its antennas, its tables of power and sensitivity, the modes of its radio, and its limits.

use crate::layout::{Custom, Reserved, flags, one_of, parameters, words};

words! {
    CapabilitiesWanted: u8 { All = 0, GeneralDevice = 1, Llrp = 2, Regulatory = 3, AirProtocol = 4 }

    ForwardModulation: u8 { PrAsk = 0, SsbAsk = 1, DsbAsk = 2 }

    BackscatterModulation: u8 { Fm0 = 0, Miller2 = 1, Miller4 = 2, Miller8 = 3 }

    SpectralMask: u8 { Unknown = 0, SingleInterrogator = 1, MultipleInterrogators = 2, DenseInterrogators = 3 }
}

flags! {
    DeviceAbilities: u16 { can_set_antenna_properties: 15, has_utc_clock: 14 }

    LlrpAbilities: u8 {
        can_survey: 7,
        can_warn_of_full_buffer: 6,
        supports_client_requests: 5,
        can_be_state_aware: 4,
        can_hold_events_and_reports: 3,
    }

    C1G2Abilities: u8 {
        can_block_erase: 7,
        can_block_write: 6,
        can_block_permalock: 5,
        can_recommission: 4,
        can_unmask_uid: 3,
        can_xpc: 2,
    }

    ModeAbilities: u8 { divide_ratio_64_3: 7, epc_hag_conformance: 6 }
}

one_of! {
    /// What the reader can do at the air.
    AirProtocolCapabilities { C1G2(C1G2LlrpCapabilities), }
}

parameters! {
    GeneralDeviceCapabilities = 137 {
        antennas: u16,
        abilities: DeviceAbilities,
        /// The maker, by its private enterprise number.
        maker: u32,
        model: u32,
        firmware: String;
        sensitivities: some ReceiveSensitivityTableEntry,
        sensitivity_ranges: many PerAntennaReceiveSensitivityRange,
        gpio: one GpioCapabilities,
        protocols: some PerAntennaAirProtocol,
    }

    /// In dB above the reader's best.
    ReceiveSensitivityTableEntry = 139 { index: u16, value: i16 }

    PerAntennaAirProtocol = 140 { antenna: u16, protocols: Vec<u8> }

    GpioCapabilities = 141 { inputs: u16, outputs: u16 }

    LlrpCapabilities = 142 {
        abilities: LlrpAbilities,
        priority_levels: u8,
        client_request_timeout_ms: u16,
        max_rospecs: u32,
        max_specs_per_rospec: u32,
        max_inventories_per_ai_spec: u32,
        max_access_specs: u32,
        max_op_specs_per_access_spec: u32,
    }

    RegulatoryCapabilities = 143 {
        /// ISO 3166, as a number.
        country: u16,
        standard: u16;
        uhf: maybe UhfBandCapabilities,
        custom: many Custom,
    }

    UhfBandCapabilities = 144 {;
        powers: some TransmitPowerLevelTableEntry,
        frequencies: one FrequencyInformation,
        modes: some UhfC1G2RfModeTable,
    }

    /// In hundredths of a dBm.
    TransmitPowerLevelTableEntry = 145 { index: u16, value: i16 }

    FrequencyInformation = 146 {
        hopping: bool;
        hop_tables: many FrequencyHopTable,
        fixed: maybe FixedFrequencyTable,
    }

    FrequencyHopTable = 147 { id: u8, reserved: Reserved, khz: Vec<u32> }

    FixedFrequencyTable = 148 { khz: Vec<u32> }

    PerAntennaReceiveSensitivityRange = 149 { antenna: u16, lowest: u16, highest: u16 }

    C1G2LlrpCapabilities = 327 { abilities: C1G2Abilities, max_filters_per_query: u16 }

    UhfC1G2RfModeTable = 328 {;
        modes: some UhfC1G2RfModeTableEntry,
    }

    UhfC1G2RfModeTableEntry = 329 {
        id: u32,
        abilities: ModeAbilities,
        backscatter: BackscatterModulation,
        forward: ForwardModulation,
        mask: SpectralMask,
        backscatter_rate: u32,
        pie: u32,
        min_tari_ns: u32,
        max_tari_ns: u32,
        tari_step_ns: u32,
    }
}
