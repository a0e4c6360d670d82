import { draft, jsonSchemaOf, orText, type JsonSchema } from '../schema/json-schema.ts'
import { configSchema } from './config-schema.ts'

/** A reference to the environment: `${NAME}`, `${NAME:-default}`. */
const fromEnvironment = '\\$\\{'

/** The JSON Schema of a config, for editors. Any value may come from the environment. */
export function configJsonSchema(): JsonSchema {
  return { $schema: draft, ...orText(jsonSchemaOf(configSchema), fromEnvironment, 'scalars') }
}
