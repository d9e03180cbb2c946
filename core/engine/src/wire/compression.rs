//! Request bodies: gzip and framed snappy, inflated up to a limit.
