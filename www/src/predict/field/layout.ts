/** Where the dots of a field lie: a block of rows for every cluster, in pixels of the screen. */

export interface Block {
  /** The number of its first dot, and how many it has. */
  readonly first: number;
  readonly count: number;
  /** The side of a dot with the gap beside it. */
  readonly cell: number;
  readonly columns: number;
  readonly top: number;
  readonly height: number;
}

export interface Layout {
  readonly width: number;
  readonly height: number;
  readonly blocks: readonly Block[];
}

/** Blocks of so many dots, each as large as its cell says, one below the other with a gap between. */
export function layoutOf(blocks: readonly { readonly count: number; readonly cell: number }[], width: number, gap: number): Layout {
  const laid: Block[] = [];
  let [first, top] = [0, 0];
  for (const { count, cell } of blocks) {
    const columns = Math.max(1, Math.floor(width / cell));
    const height = Math.ceil(count / columns) * cell;
    laid.push({ first, count, cell, columns, top, height });
    first += count;
    top += height + gap;
  }
  return { width, height: Math.max(0, top - gap), blocks: laid };
}

/** The upper left corner of a dot, and its side; null of one that is not there. */
export function placeOf({ blocks }: Layout, dot: number): { readonly x: number; readonly y: number; readonly cell: number } | null {
  const block = blocks.find(({ first, count }) => dot >= first && dot < first + count);
  if (!block) return null;
  const at = dot - block.first;
  return { x: (at % block.columns) * block.cell, y: block.top + Math.floor(at / block.columns) * block.cell, cell: block.cell };
}

/** The dot at a place; null beside all of them. */
export function dotAt({ blocks }: Layout, x: number, y: number): number | null {
  const block = blocks.find(({ top, height }) => y >= top && y < top + height);
  if (!block || x < 0) return null;
  const column = Math.floor(x / block.cell);
  const at = Math.floor((y - block.top) / block.cell) * block.columns + column;
  return column < block.columns && at < block.count ? block.first + at : null;
}
