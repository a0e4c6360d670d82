import type { Environment } from '../config/environment.ts'
import type { Output } from './program-deps.ts'

export type Style = (text: string) => string

export interface Styles {
  readonly bold: Style
  readonly dim: Style
  readonly red: Style
  readonly green: Style
  readonly yellow: Style
}

const plain: Style = (text) => text

/** For files and pipes. */
export const plainStyles: Styles = {
  bold: plain,
  dim: plain,
  red: plain,
  green: plain,
  yellow: plain,
}

/** Colour on a terminal only, and never where NO_COLOR is set (no-color.org: to anything not empty). */
export function stylesFor(output: Pick<Output, 'isTerminal'>, env: Environment): Styles {
  const noColor = env['NO_COLOR']
  if (!output.isTerminal || (noColor !== undefined && noColor !== '')) return plainStyles
  const style =
    (on: number, off: number): Style =>
    (text) =>
      `\u001b[${on}m${text}\u001b[${off}m`
  return {
    bold: style(1, 22),
    dim: style(2, 22),
    red: style(31, 39),
    green: style(32, 39),
    yellow: style(33, 39),
  }
}
