/** Marks a row that scrolls sideways with the class `more` while something of it is beyond its end; `app.css` fades that end. */
export function fading(element: HTMLElement): () => void {
  const tell = () => {
    const hidden = element.scrollWidth - element.clientWidth - Math.abs(element.scrollLeft);
    element.classList.toggle("more", hidden > 2);
  };
  const size = new ResizeObserver(tell);
  const watch = () => {
    size.disconnect();
    for (const each of [element, ...element.children]) size.observe(each);
  };
  const children = new MutationObserver(watch);
  children.observe(element, { childList: true });
  element.addEventListener("scroll", tell, { passive: true });
  watch();
  return () => {
    size.disconnect();
    children.disconnect();
    element.removeEventListener("scroll", tell);
  };
}
