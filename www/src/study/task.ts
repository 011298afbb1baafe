/** What the model in a file is asked, as its config names it: `classify`, `predict` …; null where there is no such model. */
export async function taskOf(file: Blob): Promise<string | null> {
  try {
    const [size = 0, more = 0] = new Uint32Array(await file.slice(0, 8).arrayBuffer());
    if (more > 0 || size > file.size) return null;
    const header = JSON.parse(await file.slice(8, 8 + size).text()) as { __metadata__: { saccade: string } };
    const { task } = JSON.parse(header.__metadata__.saccade) as { task: string | Record<string, unknown> };
    return typeof task === "string" ? task : (Object.keys(task)[0] ?? null);
  } catch {
    return null;
  }
}
