/**
 * The text without what moves the cursor of a terminal, tabs and ends of lines included: names and
 * reasons come from files, from daemons and from other people.
 */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\u2028\u2029]/gu, '\uFFFD')
}
