/** What ran in a graph so far. */
export interface GraphReport {
  /** The kernel calls in their order. */
  readonly batches: readonly GraphBatch[];
  /** How many nodes ran. */
  readonly nodes: number;
  /** The least number of calls that these nodes need in any order. */
  readonly lowerBound: number;
}

/** One kernel call. */
export interface GraphBatch {
  /** The operation, or the name of the cell. */
  readonly op: string;
  /** Nodes that ran together. */
  readonly lanes: number;
  /** Of these nodes those that are expressions, by the number of their first result. */
  readonly expressions: readonly number[];
  /** Rows of the first result, all nodes together. */
  readonly rows: number;
  /** Operands that were copied to lie end to end. */
  readonly copied: number;
  /** Of a node that ran by itself: why. */
  readonly alone: string | null;
  /** Why it did not run with the call before of its kind; null of the first. */
  readonly split: string | null;
}
