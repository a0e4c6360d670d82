import { z } from 'zod'

/** A name that stands in a template: `{{steps.score.body}}`. */
const stepNameForm = /^[A-Za-z][A-Za-z0-9_-]{0,62}$/

/** What every kind of action may say beside its own: how it stands among the steps of a rule. */
export const stepKeys = {
  as: z
    .string()
    .regex(stepNameForm, {
      error: 'a name: a letter, and then letters, digits, `_` and `-`, at most 63',
    })
    .optional()
    .describe('A name under which later actions read what came of it: `{{steps.<name>.body}}`.')
    .meta({ examples: ['score'] }),
  each: z
    .string()
    .optional()
    .describe(
      'A tag that is a list, such as `"{{event.items}}"`: the action runs for each element, as `item`.',
    )
    .meta({ examples: ['{{event.items}}'] }),
}
