//! Nodes that wait to run, as plain numbers: who needs whom, and which may run together.

#[cfg(test)]
thread_local! {
    /// How many [`looked`] counted on this thread.
    pub(super) static LOOKS: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

/// Counts looks at nodes, operands, users and types while tests hold planning to its order; otherwise nothing.
#[inline]
pub(super) fn looked(times: usize) {
    #[cfg(test)]
    LOOKS.set(LOOKS.get() + times);
    #[cfg(not(test))]
    let _ = times;
}

/// Numbers in buckets, end to end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::graph) struct Buckets {
    /// Where each bucket begins, and where the last ends.
    pub(super) starts: Vec<u32>,
    pub(super) items: Vec<u32>,
}

impl Buckets {
    /// Puts items into so many buckets, given pairs of a bucket and an item; those of a bucket keep their order.
    pub(super) fn new(buckets: usize, pairs: impl Iterator<Item = (u32, u32)> + Clone) -> Self {
        let mut starts = vec![0; buckets + 2];
        looked(buckets);
        for (bucket, _) in pairs.clone() {
            starts[bucket as usize + 2] += 1;
        }
        for bucket in 2..starts.len() {
            starts[bucket] += starts[bucket - 1];
        }
        // `starts[bucket + 1]` is where the next item of the bucket goes, and at last where the bucket ends.
        let mut items = vec![0; starts[buckets + 1] as usize];
        looked(items.len());
        for (bucket, item) in pairs {
            let next = &mut starts[bucket as usize + 1];
            items[*next as usize] = item;
            *next += 1;
        }
        starts.pop();
        Self { starts, items }
    }

    pub(in crate::graph) fn len(&self) -> usize {
        self.starts.len() - 1
    }

    pub(in crate::graph) fn get(&self, bucket: usize) -> &[u32] {
        let items = &self.items[self.starts[bucket] as usize..self.starts[bucket + 1] as usize];
        looked(1 + items.len());
        items
    }
}

/// Nodes that wait to run, numbered from 0; a node's operands come before it.
#[derive(Clone, Debug)]
pub(in crate::graph) struct Dag {
    /// The type of every node, numbered from 0: nodes of one type may run together.
    pub(super) types: Vec<u32>,
    /// How many types there are.
    pub(super) kinds: usize,
    /// Operands that wait to run as well, by node.
    operands: Buckets,
}

impl Dag {
    /// Without nodes.
    pub(in crate::graph) fn with_capacity(nodes: usize) -> Self {
        let mut starts = Vec::with_capacity(nodes + 1);
        starts.push(0);
        let operands = Buckets { starts, items: Vec::with_capacity(2 * nodes) };
        Self { types: Vec::with_capacity(nodes), kinds: 0, operands }
    }

    /// Adds a node of a type that there is already, or of the next.
    pub(in crate::graph) fn push(&mut self, kind: u32, operands: impl Iterator<Item = u32>) {
        self.kinds = self.kinds.max(kind as usize + 1);
        self.types.push(kind);
        self.operands.items.extend(operands);
        self.operands.starts.push(self.operands.items.len() as u32);
    }

    pub(in crate::graph) fn len(&self) -> usize {
        self.types.len()
    }

    /// Of how many types the nodes are.
    pub(in crate::graph) fn kinds(&self) -> usize {
        self.kinds
    }

    pub(in crate::graph) fn operands(&self, node: usize) -> &[u32] {
        self.operands.get(node)
    }

    pub(in crate::graph) fn nodes(&self) -> std::ops::Range<u32> {
        0..self.len() as u32
    }

    /// The nodes of every type.
    pub(super) fn by_type(&self) -> Buckets {
        Buckets::new(self.kinds, self.types.iter().copied().zip(0..))
    }

    /// The nodes of every type, those of the least depth first.
    pub(in crate::graph) fn by_type_and_depth(&self, depth: &[u32]) -> Buckets {
        let deepest = depth.iter().copied().max().map_or(0, |depth| depth as usize + 1);
        let by_depth = Buckets::new(deepest, depth.iter().copied().zip(0..)).items;
        Buckets::new(self.kinds, by_depth.iter().map(|&node| (self.types[node as usize], node)))
    }

    /// Who needs every node.
    pub(in crate::graph) fn users(&self) -> Buckets {
        let edges =
            self.nodes().flat_map(|node| self.operands(node as usize).iter().map(move |&of| (of, node)));
        Buckets::new(self.len(), edges)
    }

    /// The longest way from a node that waits for nothing, for every node.
    pub(in crate::graph) fn depths(&self) -> Vec<u32> {
        let mut depth: Vec<u32> = Vec::with_capacity(self.len());
        for node in 0..self.len() {
            depth.push(self.operands(node).iter().map(|&of| depth[of as usize] + 1).max().unwrap_or(0));
        }
        depth
    }

    /// The longest way to a node that nobody needs, for every node.
    pub(super) fn heights(&self) -> Vec<u32> {
        let mut height = vec![0; self.len()];
        for node in (0..self.len()).rev() {
            for &of in self.operands(node) {
                height[of as usize] = height[of as usize].max(height[node] + 1);
            }
        }
        height
    }
}
