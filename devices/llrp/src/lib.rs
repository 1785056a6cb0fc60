//! Placeholder header, replaced by the first real line.
