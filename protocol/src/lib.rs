//! The words on the wire and in the journal: messages, subjects, and their conversion to and from the types of core.
//!
//! Owns bytes and names. Decides nothing: what a message means is core's, what is done with it is the servers'.

pub mod messages;
pub mod payload;
pub mod proof;
pub mod refusals;
pub mod subjects;

/// Generated from `proto/`, one module per package.
#[allow(clippy::all, reason = "generated")]
pub mod v1 {
    pub mod register {
        tonic::include_proto!("backroom.register.v1");
    }
    pub mod clerk {
        tonic::include_proto!("backroom.clerk.v1");
    }
    pub mod console {
        tonic::include_proto!("backroom.console.v1");
    }
    pub mod journal {
        tonic::include_proto!("backroom.journal.v1");
    }
    pub mod directive {
        tonic::include_proto!("backroom.directive.v1");
    }
}

/// For gRPC reflection and for tools that read our messages without our code.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/backroom.bin"));
