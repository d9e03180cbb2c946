//! Chunk encodings: many samples of one series in few bytes.
