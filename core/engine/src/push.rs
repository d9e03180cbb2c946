//! Push groups: what each grouping key holds, and the index that keeps groups from contradicting each other.
