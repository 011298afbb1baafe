/** The chapters, in the order of the page; a later one is added here and in App.svelte. */
export const chapters = [
  { id: "read", name: "Read" },
  { id: "race", name: "Race" },
] as const;

export type ChapterId = (typeof chapters)[number]["id"];

export function isChapterId(id: string | null | undefined): id is ChapterId {
  return chapters.some((chapter) => chapter.id === id);
}
