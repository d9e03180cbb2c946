//! The head: all series in memory, their newest samples, and the index over their labels.
