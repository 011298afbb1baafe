export const report = (r: unknown) => JSON.stringify(r).slice(0, 10);
