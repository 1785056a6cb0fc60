//! The limits of this machine in this minute, measured with none of our code: flush, SQLite, a bare gRPC server, and whether somebody
//! else had the cores.

pub mod disk;
pub mod grpc;
pub mod spin;
pub mod sqlite;
