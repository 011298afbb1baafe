/** Where a pointer is in a drawing, in units of which the drawing is so many wide: pixels of its own, which a lecture enlarges, or others. */
export function placed({ clientX, clientY }: MouseEvent, drawing: Element | undefined, width: number): readonly [x: number, y: number] {
  const { left, top, width: shown } = drawing?.getBoundingClientRect() ?? { left: 0, top: 0, width };
  return [((clientX - left) * width) / shown, ((clientY - top) * width) / shown];
}
