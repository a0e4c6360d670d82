import type { Json } from '../../src/model/json.ts'
import type { Outcome } from '../../src/model/outcome.ts'
import type { Fired, Rule, Step, Way } from '../../src/rules/rule.ts'
import type { Scope } from '../../src/rules/scope.ts'
import { anAction, aRule, success } from './builders.ts'

export function aStep(perform: (scope: Scope) => Promise<Outcome>, step: Partial<Step> = {}): Step {
  return { action: anAction(perform), as: null, each: null, place: null, ...step }
}

export function aWay(steps: readonly Step[], way: Partial<Way> = {}): Way {
  return { condition: null, sample: null, steps, captures: () => ({}), ...way }
}

/** A rule with these ways, which takes the first one unless told otherwise. */
export function aRuleOf(
  ways: readonly Way[],
  rule: Partial<Rule> = {},
  fired: Fired = { way: 0, doubt: null },
): Rule {
  return aRule(() => Promise.resolve(success), { ways, fire: () => fired, ...rule })
}

/** Succeeds and gives `result` to later steps. */
export function giving(result: Json): Outcome {
  return { kind: 'success', detail: 'ok', result }
}

/** `each: "{{event.items}}"`. */
export function itemsOf({ event }: Scope): Json {
  return (event.body as { items: Json }).items // as: the events of these tests hold items
}
