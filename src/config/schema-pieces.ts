import { z } from 'zod'
import { refuse } from '../schema/check-shape.ts'
import { quote } from '../schema/describe.ts'
import { parseHostPort } from './address.ts'

/* What several sections of the config are made of. */

/** Entries of any one list or map; each is far above what a person writes. */
export const entriesMax = 1_000

export const text = z.string().min(1).max(1_000)

/** `host:port`, taken apart. `example` stands in what is said of anything else. */
export function hostPort(example: string) {
  return z.string({ error: `an address such as \`${example}\`` }).transform((given, context) => {
    const parsed = parseHostPort(given)
    if (parsed !== null) return parsed
    refuse(context, 'bad-address', `${quote(given)} is not an address such as \`${example}\``)
    return z.NEVER
  })
}

/** As above, and stays the text that it is. */
export function hostPortText(example: string) {
  return z.string({ error: `an address such as \`${example}\`` }).superRefine((given, context) => {
    if (parseHostPort(given) !== null) return
    refuse(context, 'bad-address', `${quote(given)} is not an address such as \`${example}\``)
  })
}

/** The files are still names: `load-config.ts` reads them. */
export const tls = z.union(
  [
    z.boolean(),
    z.strictObject({
      ca: text
        .nullable()
        .default(null)
        .describe('File of authorities in PEM; null: those of Node.')
        .meta({ examples: ['tls/ca.pem'] }),
      cert: text
        .nullable()
        .default(null)
        .describe('File of our certificate in PEM.')
        .meta({ examples: ['tls/client.pem'] }),
      key: text
        .nullable()
        .default(null)
        .describe('File of its key in PEM.')
        .meta({ examples: ['tls/client.key'] }),
      servername: text
        .nullable()
        .default(null)
        .describe('Name that certificates must have.')
        .meta({ examples: ['server.internal'] }),
    }),
  ],
  { error: 'true, false, or `{ ca, cert, key, servername }`' },
)

/** Files of TLS as a section of the config names them. */
export type TlsFiles = z.output<typeof tls>
