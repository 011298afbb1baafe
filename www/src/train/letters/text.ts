/** What letters are learned from. */

import address from "./shakespeare.txt?url";

/** Characters of which one may be none of UTF-8, as where an editor of old has written a few quotation marks. */
const SOUND = 100;

/** Whether what was decoded from a file is a text, and not an image or an archive. */
export function isText(decoded: string): boolean {
  return !decoded.includes("\0") && (decoded.match(/\uFFFD/g)?.length ?? 0) * SOUND <= decoded.length;
}

/** The beginning of Shakespeare's plays as “Tiny Shakespeare” has them, which is in the public domain; fetched when it is learned from. */
export async function shakespeare(): Promise<string> {
  const answer = await fetch(address);
  if (!answer.ok) throw new Error(`${address}: ${answer.status}`);
  return answer.text();
}
