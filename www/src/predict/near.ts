/** Tells whether an element is in the window or close to it: what nobody sees need not be computed. */
export function near(tell: (near: boolean) => void): (element: Element) => () => void {
  return (element) => {
    const observer = new IntersectionObserver((entries) => tell(entries.at(-1)?.isIntersecting ?? false), { rootMargin: "50% 0px" });
    observer.observe(element);
    return () => observer.disconnect();
  };
}
