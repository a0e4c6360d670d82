/**
 * The text without what moves the cursor of a terminal: names and reasons come from files, from
 * daemons and from other people.
 */
export function printable(text: string): string {
  // eslint-disable-next-line no-control-regex -- control characters are what this is about
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, '\uFFFD')
}
