/** A library that learns. */

export interface Learner {
  /** Learns from the next batch; its loss, nats a letter. */
  step(): Promise<number>;
}
