/** What is in a file of the visitor's. */

/** Why nothing is: it cannot be read, as a folder. */
export type NoText = "unread";

/** The text of a file, of a long one that of so many bytes. */
export async function textOf(file: File, most = Infinity): Promise<{ readonly text: string } | { readonly reason: NoText }> {
  try {
    return { text: await (file.size > most ? file.slice(0, most) : file).text() };
  } catch {
    return { reason: "unread" };
  }
}
