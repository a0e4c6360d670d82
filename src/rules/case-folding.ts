/*
 * Unicode's simple case folding, so that `ci` means the same as the `i` flag of a Unicode regex:
 * one letter becomes one letter, and no length changes (`ß` is not `ss`). The engine has no call for
 * it; two of its calls, one after the other, come to the same, but for the letters named here.
 */

/**
 * The last text that was folded: rules of one topic tend to fold the same value one after the
 * other, and comparing two references costs nothing.
 */
let lastText = ''
let lastFolded = ''

/** Equal for texts that differ in case only. Hot: texts of ASCII go through one call. */
export function foldCase(text: string): string {
  if (text === lastText) return lastFolded
  const folded = isAscii(text)
    ? text.toLowerCase()
    : text.replace(letters, (letter) => foldLetter(letter))
  lastText = text
  lastFolded = folded
  return folded
}

const letters = /[\p{Changes_When_Casemapped}\p{Changes_When_Casefolded}]/gu

function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7f) return false
  return true
}

/** Filled as letters turn up; bounded by the letters that have a case, some three thousand. */
const folds = new Map<string, string>([
  // No case of their own: the dotless i is no `i`, and the dotted I is no `i` either.
  ['\u0131', '\u0131'],
  ['\u0130', '\u0130'],
  // The same letter at two places, whose capital is more than one letter.
  ['\u1fd3', '\u0390'],
  ['\u1fe3', '\u03b0'],
  ['\ufb05', '\ufb06'],
])

function foldLetter(letter: string): string {
  let folded = folds.get(letter)
  if (folded === undefined) {
    folded = oneLetter(oneLetter(letter, 'toUpperCase'), 'toLowerCase')
    folds.set(letter, folded)
  }
  return folded
}

/** The other case of a letter; the letter itself where that is more than one. */
function oneLetter(letter: string, change: 'toUpperCase' | 'toLowerCase'): string {
  const changed = letter[change]()
  return isOneLetter(changed) ? changed : letter
}

function isOneLetter(text: string): boolean {
  return text.length === String.fromCodePoint(text.codePointAt(0) ?? 0).length
}
