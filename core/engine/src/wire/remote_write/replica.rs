//! Senders that come in pairs: two Prometheuses of one configuration, told apart by a label.

use super::request::{Pair, Request};
use super::{Rules, Version, WriteError};

/// Names of the labels that tell which cluster of senders a series is from, and which of its replicas sent it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ReplicaLabels {
    /// The same for all replicas.
    pub cluster: String,
    /// Different for each; it is taken off.
    pub replica: String,
}

/// Cluster and replica. Bytes that are no UTF-8 are replaced: their series will be refused anyway.
pub type Replica = (String, String);

impl ReplicaLabels {
    fn find<'p>(&self, pairs: &[Pair<'p>]) -> Option<(&'p [u8], &'p [u8])> {
        let value = |wanted: &str| {
            let found = pairs.iter().find(|(name, _)| *name == wanted.as_bytes());
            found.map(|(_, value)| *value).filter(|value| !value.is_empty())
        };
        Some((value(&self.cluster)?, value(&self.replica)?))
    }

    /// Take the replica's label off a series that has both.
    pub(super) fn take_off(&self, pairs: &mut Vec<Pair<'_>>) {
        if self.find(pairs).is_some() {
            pairs.retain(|(name, _)| *name != self.replica.as_bytes());
        }
    }

    /// Who sent a series; none when it has not both labels.
    pub(super) fn of(&self, pairs: &[Pair<'_>]) -> Option<Replica> {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        self.find(pairs)
            .map(|(cluster, replica)| (text(cluster), text(replica)))
    }
}

/// All who sent a series of this request, each once; empty where `rules` name no labels.
pub fn replicas(message: &[u8], version: Version, rules: &Rules) -> Result<Vec<Replica>, WriteError> {
    let mut found: Vec<Replica> = Vec::new();
    let Some(labels) = &rules.replicas else {
        return Ok(found);
    };
    let request = Request::parse(message, version, &rules.limits)?;
    let mut pairs = Vec::new();
    let mut last: Option<(&[u8], &[u8])> = None;
    for series in &request.series {
        let _ = request.labels(series, &mut pairs)?; // bad references are told of when the series are read
        let replica = labels.find(&pairs);
        if replica.is_none() || replica == last {
            continue;
        }
        last = replica;
        found.extend(labels.of(&pairs).filter(|replica| !found.contains(replica)));
    }
    Ok(found)
}
