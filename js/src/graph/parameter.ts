/** A parameter: a named matrix or vector of numbers that are learned. */

import type { Access } from "./access.js";

/** Who has parameters. */
export interface Owner {
  /** Who may use them when. */
  readonly access: Access;
  /** The engine's number of a parameter. */
  numberOf(parameter: unknown, at: string): number;
}

/** Stands for a parameter while expressions are recorded. */
export class Parameter {
  /** In files it has this name. */
  readonly name: string;
  readonly rows: number;
  /** 0 of a vector. */
  readonly columns: number;
  /** Whose it is. @internal */
  readonly owner: Owner;
  /** The engine's number, once it has one. @internal */
  number = -1;

  /** @internal */
  constructor(owner: Owner, name: string, rows: number, columns: number) {
    this.owner = owner;
    this.name = name;
    this.rows = rows;
    this.columns = columns;
  }

  /** How many numbers it has. */
  get size(): number {
    return this.columns === 0 ? this.rows : this.rows * this.columns;
  }
}
