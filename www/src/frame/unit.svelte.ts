import { innerWidth } from "svelte/reactivity/window";

const USUAL_PX = 16;

/**
 * How large the page's type is beside the usual 16 pixels, which follows the width of the window (`app.css`). A chart has this
 * many pixels a unit, so that its letters and marks grow with the text around it.
 */
export function pxPerUnit(): number {
  if (innerWidth.current === undefined) return 1;
  return Number.parseFloat(getComputedStyle(document.documentElement).fontSize) / USUAL_PX;
}
