//! Which labels make how many series: what a person looks at when memory grows. Source: Prometheus' `MemPostings.Stats`.

use super::Head;
use crate::labels::METRIC_NAME;

/// A name and how many there are of it.
pub type Count = (String, u64);

/// The largest counts of each kind, the largest first; of equal ones the first by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cardinality {
    /// Label names with a value, each counted once.
    pub label_pairs: u64,
    /// Series by metric name.
    pub series_by_metric: Vec<Count>,
    /// Values by label name.
    pub values_by_label: Vec<Count>,
    /// Bytes of the values of a label name in all series, as if none were shared.
    pub bytes_by_label: Vec<Count>,
    /// Series by `name=value`.
    pub series_by_pair: Vec<Count>,
}

impl Head {
    /// The `limit` largest counts of each kind.
    pub fn cardinality(&self, limit: usize) -> Cardinality {
        let (mut metrics, mut values, mut bytes, mut pairs) =
            (Top::new(limit), Top::new(limit), Top::new(limit), Top::new(limit));
        let mut label_pairs = 0;
        for name in self.index.names() {
            let mut size = 0;
            let of_name = self.index.values(name).into_iter().flatten();
            let mut count = 0;
            for (value, series) in of_name {
                let series = series.len() as u64;
                count += 1;
                size += value.len() as u64 * series;
                pairs.offer(series, || format!("{name}={value}"));
                if name == METRIC_NAME {
                    metrics.offer(series, || value.to_string());
                }
            }
            label_pairs += count;
            values.offer(count, || name.to_owned());
            bytes.offer(size, || name.to_owned());
        }
        Cardinality {
            label_pairs,
            series_by_metric: metrics.sorted(),
            values_by_label: values.sorted(),
            bytes_by_label: bytes.sorted(),
            series_by_pair: pairs.sorted(),
        }
    }
}

/// The largest of what is offered. Keeps twice as many before it sorts, so that an offer costs next to nothing.
struct Top {
    limit: usize,
    least: u64,
    kept: Vec<Count>,
}

impl Top {
    fn new(limit: usize) -> Self {
        Self {
            limit,
            least: 0,
            kept: Vec::new(),
        }
    }

    fn offer(&mut self, count: u64, name: impl FnOnce() -> String) {
        if count < self.least || self.limit == 0 {
            return;
        }
        self.kept.push((name(), count));
        if self.kept.len() >= 2 * self.limit {
            self.shrink();
        }
    }

    fn shrink(&mut self) {
        self.kept
            .sort_unstable_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        self.kept.truncate(self.limit);
        self.least = self.kept.last().map_or(0, |(_, count)| *count);
    }

    fn sorted(mut self) -> Vec<Count> {
        self.shrink();
        self.kept
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::Batch;
    use crate::labels::pack;

    #[test]
    fn the_largest_come_first_and_no_more_than_asked_for() {
        let mut head = Head::new();
        let mut batch = Batch::new(0);
        for n in 0..30 {
            let value = format!("{:02}", n % 10);
            let labels = &mut [
                ("__name__", if n < 20 { "a" } else { "b" }),
                ("n", &value),
                ("m", &n.to_string()),
            ];
            assert!(pack(labels, batch.arena()).is_ok());
            batch.push_float(1, 1.0);
        }
        let staged = head.stage(&batch).unwrap_or_else(|refused| unreachable!("{refused}"));
        assert!(head.commit(staged.id).is_ok());
        let found = head.cardinality(2);
        let count = |name: &str, count| (name.to_owned(), count);
        assert_eq!(found.label_pairs, 42);
        assert_eq!(found.series_by_metric, [count("a", 20), count("b", 10)]);
        assert_eq!(found.values_by_label, [count("m", 30), count("n", 10)]);
        assert_eq!(found.bytes_by_label, [count("n", 60), count("m", 50)]);
        assert_eq!(found.series_by_pair, [count("__name__=a", 20), count("__name__=b", 10)]);
        assert_eq!(head.cardinality(0).series_by_pair, []);
    }
}
