import { didYouMean } from './did-you-mean.ts'

const hint =
  'it takes the name of a secret, such as redis-password with ' +
  '`secrets: { redis-password: { env: REDIS_PASSWORD } }` in the config'

/**
 * What to say of the name of a secret that is none of `known`. It is repeated only where it is a slip
 * of one of them: else the secret itself may stand where its name belongs.
 *
 * @param setting - where it stands, as people call it
 */
export function unknownSecret(
  setting: string,
  name: string,
  known: Iterable<string>,
): { readonly message: string; readonly hint: string } {
  const near = didYouMean(name, known)
  if (near !== null) return { message: `there is no secret \`${name}\``, hint: near }
  return { message: `what \`${setting}\` holds is not the name of a secret`, hint }
}
