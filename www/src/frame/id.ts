/** A name that nothing else has. On a page that was not fetched securely, browsers have no `randomUUID`. */
export const freshId = (): string => crypto.getRandomValues(new Uint32Array(4)).join("-");
