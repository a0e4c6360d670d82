import { InvalidArgumentError, Option } from 'commander'
import { adminUrlDefault } from './admin-client.ts'

/*
 * Flags that several commands have. Each has a twin in the environment. None of those is called
 * SLUICE_PORT or SLUICE_SERVICE_..: Kubernetes sets such names for a service called sluice.
 */

export function configOption(): Option {
  return new Option(
    '-c, --config <file>',
    'settings; without it ./config.yaml if it is there, else the defaults',
  ).env('SLUICE_CONFIG')
}

export function adminOption(): Option {
  return new Option('--admin <url>', `where the daemon listens (default: ${adminUrlDefault})`)
    .argParser(adminUrl)
    .env('SLUICE_ADMIN')
}

export function tokenOption(): Option {
  return new Option(
    '--token <token>',
    'token of the admin API; other users of this machine see flags, so better in the environment',
  ).env('SLUICE_TOKEN')
}

export function jsonOption(description: string): Option {
  return new Option('--json', description).env('SLUICE_JSON')
}

/** Collects `--set`; the twin in the environment holds one a line. */
export function setOption(): Option {
  return new Option('--set <path=value>', 'one setting, over the file; may be given several times')
    .argParser((text: string, before: readonly string[] = []) => [
      ...before,
      ...text.split('\n').filter((line) => line.trim() !== ''),
    ])
    .env('SLUICE_SET')
}

function adminUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null
  if (url === null || !['http:', 'https:'].includes(url.protocol)) {
    throw new InvalidArgumentError('write it as http://host:port')
  }
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') {
    throw new InvalidArgumentError('only host, port and path count; a token goes into --token')
  }
  return text
}

/** A whole number from `min` to `max`. */
export function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN
    if (value >= min && value <= max) return value
    throw new InvalidArgumentError(`a whole number from ${min} to ${max} is expected`)
  }
}
