/** What letters are learned from. */

import address from "./shakespeare.txt?url";

/** The first letters of a text, without a half of the last one. */
export const beginning = (text: string, letters: number): string => text.slice(0, letters).replace(/[\uD800-\uDBFF]$/, "");

/** The beginning of Shakespeare's plays as “Tiny Shakespeare” has them, which is in the public domain; fetched when it is learned from. */
export async function shakespeare(): Promise<string> {
  const answer = await fetch(address);
  if (!answer.ok) throw new Error(`${address}: ${answer.status}`);
  return answer.text();
}
