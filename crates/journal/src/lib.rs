//! The commit point: durable frames, sealed blobs and data keys.
