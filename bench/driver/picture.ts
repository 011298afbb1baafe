export const picture = (r: unknown) => "";
