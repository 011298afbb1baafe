/**
 * The loops of the roofline in WebAssembly text: as plain as their work allows, with static offsets and ten or so
 * accumulators, so that what they reach is what the machine gives. Assembled once with `f32x4.mul` and `add`, once with
 * `f32x4.relaxed_madd`.
 */

/** The instruction that multiplies and adds. */
export type Flavour = "simd128" | "relaxed-simd";

/** Accumulators of the matrix-vector product: with the number they are multiplied by, and what is loaded, they fit 15 registers. */
export const ACCUMULATORS = 10;
/** Chains of the loop in registers, which needs no other operands than two. */
export const CHAINS = 13;
/** Rows of a matrix-vector panel: four to an accumulator. */
export const PANEL = 4 * ACCUMULATORS;
/** The product's register block: rows by columns. */
export const BLOCK = { rows: 5, columns: 8 };
/** How often the loop in registers repeats its accumulators in one turn. */
export const REPEATS = 4;

const times = <T>(count: number, make: (i: number) => T) => Array.from({ length: count }, (_, i) => make(i));
const lines = (parts: string[]) => parts.join("\n");

/** The module's text. Its memory is filled by the caller. */
export function wat(flavour: Flavour, pages: number): string {
  const madd = (a: string, b: string, c: string) =>
    flavour === "relaxed-simd" ? `(f32x4.relaxed_madd ${a} ${b} ${c})` : `(f32x4.add (f32x4.mul ${a} ${b}) ${c})`;
  return `(module
  (memory (export "memory") ${pages})
  ${registers(flavour)}
  ${matvec(madd)}
  ${product(madd)}
)`;
}

type Madd = (a: string, b: string, c: string) => string;

/**
 * `registers(turns)`: acc = acc * a + b in chains, or acc = a * b + acc where that is one instruction, whose target is the
 * addend; the other way about, an engine could take the product out of the loop. The address 0 takes the chains' sum.
 */
function registers(flavour: Flavour): string {
  const acc = (i: number) => `(local.get $acc${i})`;
  const [a, b] = ["(local.get $a)", "(local.get $b)"];
  const step = (i: number) =>
    flavour === "relaxed-simd" ? `(f32x4.relaxed_madd ${a} ${b} ${acc(i)})` : `(f32x4.add (f32x4.mul ${acc(i)} ${a}) ${b})`;
  return `(func (export "registers") (param $turns i32)
    (local $a v128) (local $b v128)
    ${lines(times(CHAINS, (i) => `(local $acc${i} v128)`))}
    (local.set $a (f32x4.splat (f32.const 0.5)))
    (local.set $b (f32x4.splat (f32.const 0.25)))
    (loop $next
      ${lines(times(REPEATS * CHAINS, (n) => {
        const i = n % CHAINS;
        return `(local.set $acc${i} ${step(i)})`;
      }))}
      (br_if $next (local.tee $turns (i32.sub (local.get $turns) (i32.const 1)))))
    (v128.store (i32.const 0) ${times(CHAINS, acc).reduce((a, b) => `(f32x4.add ${a} ${b})`)}))`;
}

/** `matvec(matrix, panels, columns, vector, out)`: panels of ${PANEL} rows, stored column after column; `columns` is even. */
function matvec(madd: Madd): string {
  const bytes = 4 * PANEL;
  const column = (at: number) => lines([
    `(local.set $x (v128.load32_splat offset=${4 * at} (local.get $k)))`,
    ...times(ACCUMULATORS, (i) =>
      `(local.set $acc${i} ${madd(`(v128.load offset=${at * bytes + 16 * i} (local.get $matrix))`, "(local.get $x)", `(local.get $acc${i})`)})`),
  ]);
  return `(func (export "matvec") (param $matrix i32) (param $panels i32) (param $columns i32) (param $vector i32) (param $out i32)
    (local $k i32) (local $end i32) (local $x v128)
    ${lines(times(ACCUMULATORS, (i) => `(local $acc${i} v128)`))}
    (local.set $end (i32.add (local.get $vector) (i32.shl (local.get $columns) (i32.const 2))))
    (loop $panel
      ${lines(times(ACCUMULATORS, (i) => `(local.set $acc${i} (v128.const i32x4 0 0 0 0))`))}
      (local.set $k (local.get $vector))
      (loop $columns_left
        ${column(0)}
        ${column(1)}
        (local.set $matrix (i32.add (local.get $matrix) (i32.const ${2 * bytes})))
        (br_if $columns_left (i32.lt_u (local.tee $k (i32.add (local.get $k) (i32.const 8))) (local.get $end))))
      ${lines(times(ACCUMULATORS, (i) => `(v128.store offset=${16 * i} (local.get $out) (local.get $acc${i}))`))}
      (local.set $out (i32.add (local.get $out) (i32.const ${bytes})))
      (br_if $panel (local.tee $panels (i32.sub (local.get $panels) (i32.const 1))))))`;
}

/**
 * `product(a, aPanels, b, bPanels, depth, out)`: both operands in panels of the block's rows or columns, stored step after
 * step of the sum; every block is written to `out`.
 */
function product(madd: Madd): string {
  const { rows, columns } = BLOCK;
  const vectors = columns / 4;
  const acc = (r: number, c: number) => `$acc${r * vectors + c}`;
  return `(func (export "product") (param $a i32) (param $aPanels i32) (param $b i32) (param $bPanels i32) (param $depth i32) (param $out i32)
    (local $ai i32) (local $bi i32) (local $i i32) (local $end i32) (local $x v128)
    ${lines(times(vectors, (c) => `(local $b${c} v128)`))}
    ${lines(times(rows * vectors, (i) => `(local $acc${i} v128)`))}
    (loop $bPanel
      (local.set $ai (local.get $a))
      (local.set $i (local.get $aPanels))
      (loop $aPanel
        ${lines(times(rows * vectors, (i) => `(local.set $acc${i} (v128.const i32x4 0 0 0 0))`))}
        (local.set $bi (local.get $b))
        (local.set $end (i32.add (local.get $b) (i32.mul (local.get $depth) (i32.const ${4 * columns}))))
        (loop $step
          ${lines(times(vectors, (c) => `(local.set $b${c} (v128.load offset=${16 * c} (local.get $bi)))`))}
          ${lines(times(rows, (r) => lines([
            `(local.set $x (v128.load32_splat offset=${4 * r} (local.get $ai)))`,
            ...times(vectors, (c) => `(local.set ${acc(r, c)} ${madd("(local.get $x)", `(local.get $b${c})`, `(local.get ${acc(r, c)})`)})`),
          ])))}
          (local.set $ai (i32.add (local.get $ai) (i32.const ${4 * rows})))
          (br_if $step (i32.lt_u (local.tee $bi (i32.add (local.get $bi) (i32.const ${4 * columns}))) (local.get $end))))
        ${lines(times(rows, (r) => lines(times(vectors, (c) => `(v128.store offset=${4 * (r * columns + 4 * c)} (local.get $out) (local.get ${acc(r, c)}))`))))}
        (local.set $out (i32.add (local.get $out) (i32.const ${4 * rows * columns})))
        (br_if $aPanel (local.tee $i (i32.sub (local.get $i) (i32.const 1)))))
      (local.set $b (local.get $bi))
      (br_if $bPanel (local.tee $bPanels (i32.sub (local.get $bPanels) (i32.const 1))))))`;
}
