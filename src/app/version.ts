import { readFileSync } from 'node:fs'

/** The version in package.json, which lies beside `src` and beside `dist`. */
export const version: string = versionIn(new URL('../../package.json', import.meta.url))

function versionIn(file: URL): string {
  const { version } = JSON.parse(readFileSync(file, 'utf8')) as { version: string } // as: our own file
  return version
}
