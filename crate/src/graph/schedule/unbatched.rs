//! Every node by itself, in the order of recording.

use super::dag::{Buckets, Dag};

pub(super) fn plan(dag: &Dag) -> Buckets {
    Buckets { starts: (0..=dag.len() as u32).collect(), items: dag.nodes().collect() }
}
