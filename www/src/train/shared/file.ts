/** What is in a file of the visitor's. */

/** Why nothing is: it cannot be read, as a folder, or is no text, or one in another encoding. */
export type NoText = "unread" | "encoding";

/** Characters of which one may be none of UTF-8, as where an editor of old has written a few quotation marks. */
const SOUND = 100;

/** Whether what was decoded from a file is a text, and not an image or an archive. */
export function isText(decoded: string): boolean {
  return !decoded.includes("\0") && (decoded.match(/\uFFFD/g)?.length ?? 0) * SOUND <= decoded.length;
}

/** The text of a file, of a long one that of so many bytes; with the line ends that it has where it is pasted. */
export async function textOf(file: File, most = Infinity): Promise<{ readonly text: string } | { readonly reason: NoText }> {
  try {
    const text = await (file.size > most ? file.slice(0, most) : file).text();
    return isText(text) ? { text: text.replace(/\r\n?/g, "\n") } : { reason: "encoding" };
  } catch {
    return { reason: "unread" };
  }
}
