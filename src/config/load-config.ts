import { randomBytes } from 'node:crypto'
import type { z } from 'zod'
import type { Json } from '../model/json.ts'
import { isJsonObject } from '../model/json.ts'
import type { Problem } from '../model/problem.ts'
import { checkShape } from '../schema/check-shape.ts'
import { createReporter, inOrder, type Places, type Reporter } from '../schema/reporter.ts'
import { fileProblem, readSourceFile } from '../schema/source-files.ts'
import { unknownSecret } from '../schema/unknown-secret.ts'
import { parseYaml, type At, type YamlDocument } from '../schema/yaml-document.ts'
import type { Config, Tls } from './config.ts'
import { configSchema, type Settings } from './config-schema.ts'
import { interpolate, type Environment, type Interpolated } from './environment.ts'
import { applyOverride, parseOverride, type Override } from './override.ts'
import type { TlsFiles } from './schema-pieces.ts'
import { Secret } from './secret.ts'

export interface ConfigSources {
  /** `null`: no file, which is all defaults. */
  readonly file: string | null
  /** `path=value` each; a later one wins. */
  readonly set: readonly string[]
  readonly env: Environment
}

/**
 * Loads the settings: file, then overrides, then the environment in what both say. `config` is `null`
 * when there is a problem; all problems are told at once.
 */
export async function loadConfig(
  sources: ConfigSources,
): Promise<{ readonly config: Config | null; readonly problems: readonly Problem[] }> {
  const { document, problems } = await readDocument(sources.file)
  if (problems.length > 0) return { config: null, problems }
  const overridden = override(document?.value ?? null, sources.set)
  const reporter = createReporter(placesOf(document, sources.file, overridden.overrides))
  const settings = checkSettings(overridden.root, sources.env, reporter)
  const config = settings === null ? null : await complete(settings, sources.env, reporter)
  const all = inOrder([...overridden.problems, ...reporter.problems])
  return { config: all.length === 0 ? config : null, problems: all }
}

async function readDocument(name: string | null): Promise<{
  readonly document: YamlDocument | null
  readonly problems: readonly Problem[]
}> {
  if (name === null) return { document: null, problems: [] }
  const { file, problem } = await readSourceFile(name)
  if (file === null) return { document: null, problems: problem === null ? [] : [problem] }
  const parsed = parseYaml(file)
  return { ...parsed, problems: parsed.problems.map(withoutSecrets) }
}

function override(
  root: Json,
  set: readonly string[],
): {
  readonly root: Json
  readonly overrides: readonly Override[]
  readonly problems: readonly Problem[]
} {
  const overrides: Override[] = []
  const problems: Problem[] = []
  let current = root
  for (const text of set) {
    const parsed = parseOverride(text)
    problems.push(...parsed.problems.map(withoutSecrets))
    if (parsed.override === null) continue
    const applied = applyOverride(current, parsed.override)
    if ('problem' in applied) {
      problems.push(withoutSecrets(applied.problem))
      continue
    }
    current = applied.root
    overrides.push(parsed.override)
  }
  return { root: current, overrides, problems }
}

/** A value that was set on the command line has its place there, and not in the file. */
function placesOf(
  document: YamlDocument | null,
  file: string | null,
  overrides: readonly Override[],
): Places {
  return {
    problemAt(at, part, complaint) {
      const problem = place(at, part, complaint)
      return isSecret(at) ? { ...problem, source: null } : withoutSecrets(problem)
    },
  }

  function place(...[at, part, complaint]: Parameters<Places['problemAt']>): Problem {
    const set = overrides.findLast((one) => one.at.every((step, i) => step === at[i]))
    if (set !== undefined) return set.problemAt(at.slice(set.at.length), part, complaint)
    // A key that is unknown on the way to what was set is the command line's as well.
    const above = overrides.findLast((one) => at.every((step, i) => step === one.at[i]))
    if (document !== null && !(above !== undefined && isAbsent(document.value, at))) {
      return document.problemAt(at, part, complaint)
    }
    if (above !== undefined) return above.problemAt([], 'value', complaint)
    const { code, message, hint } = complaint
    return fileProblem(file ?? 'the defaults', code, message, hint)
  }
}

/** Rather too much than too little: what looks like `redis://user:password@host`. */
const urlWithPassword = /\/\/\S*:\S*@/
/** A key, in a file or behind `--set`, by which a password may stand; misspelt ones as well. */
const keyOfSecret = /(pas*w|pwd|pass|secr|token|credential)[\w-]*["']?\s*[:=]/i

/** Who writes a secret itself into the config is told so without repeating it. */
function withoutSecrets(problem: Problem): Problem {
  const text = problem.source?.text ?? ''
  const mayHoldOne = urlWithPassword.test(text) || keyOfSecret.test(text)
  return mayHoldOne ? { ...problem, source: null } : problem
}

/** Where a secret, or by mistake the secret itself in place of its name, may stand. */
function isSecret(at: At): boolean {
  if (at[0] === 'secrets') return at.length > 1
  const last = at.at(-1)
  return last === 'password' || (at[0] === 'admin' && last === 'secret')
}

function isAbsent(root: Json, at: At): boolean {
  let value: Json | undefined = root
  for (const step of at) {
    if (typeof step !== 'string' || !isJsonObject(value)) return !Array.isArray(value)
    value = value[step]
  }
  return value === undefined
}

function checkSettings(root: Json, env: Environment, reporter: Reporter): Settings | null {
  const interpolated = interpolate(root ?? {}, env, reporter)
  if (reporter.problems.length > 0) return null
  const value = withTypes(interpolated)
  // What the environment holds may be secret, and so may what stands in place of a secret's name.
  const describe = (at: At): string | null => {
    const written = interpolated.written.get(JSON.stringify(at))
    if (written !== undefined) return `what \`${written}\` stands for`
    return isSecret(at) ? 'something else' : null
  }
  return checkShape(configSchema, value, [], reporter, { describe })?.value ?? null
}

/**
 * The environment holds texts only. Where the schema wants a number or a boolean, a text from there
 * that reads like one is taken for it; everywhere else it stays the text that it is.
 */
function withTypes({ value, written }: Interpolated): Json {
  if (written.size === 0) return value
  const result = configSchema.safeParse(value)
  if (result.success) return value
  let typed = value
  for (const issue of result.error.issues) {
    const at = issue.path.map((step) => (typeof step === 'symbol' ? String(step) : step))
    if (!written.has(JSON.stringify(at))) continue
    typed = replaceAt(typed, at, (text) => typedText(text, typesWantedBy(issue)))
  }
  return typed
}

/** Types that would have been right where the issue is; those of all branches of a union. */
function typesWantedBy(issue: z.core.$ZodIssue): readonly string[] {
  if (issue.code === 'invalid_type') return [issue.expected]
  if (issue.code !== 'invalid_union') return []
  return issue.errors.flatMap((branch) =>
    branch.filter(({ path }) => path.length === 0).flatMap(typesWantedBy),
  )
}

function typedText(text: Json, wanted: readonly string[]): Json {
  if (typeof text !== 'string') return text
  if (wanted.includes('boolean') && (text === 'true' || text === 'false')) return text === 'true'
  const isNumber = wanted.includes('number') || wanted.includes('int')
  return isNumber && /^-?\d{1,15}(\.\d{1,9})?$/.test(text) ? Number(text) : text
}

function replaceAt(value: Json, at: At, change: (value: Json) => Json): Json {
  const [step, ...below] = at
  if (step === undefined) return change(value)
  if (Array.isArray(value)) {
    return value.map((one: Json, i) => (i === step ? replaceAt(one, below, change) : one))
  }
  if (!isJsonObject(value) || !Object.hasOwn(value, step)) return value
  return { ...value, [step]: replaceAt(value[step] ?? null, below, change) }
}

/** Fetches what the settings only name: secrets, and files in PEM. */
async function complete(settings: Settings, env: Environment, reporter: Reporter): Promise<Config> {
  const { caFiles, ...http } = settings.http
  const secrets = await readSecrets(settings.secrets, env, reporter)
  checkSecretNames(settings, reporter)
  const ca: string[] = []
  for (const [i, file] of caFiles.entries()) {
    const text = await readPem(file, ['http', 'ca', i], reporter)
    if (text !== null) ca.push(text)
  }
  const { bus, store } = settings
  const tls = await readTls(bus.kafka.tls, ['bus', 'kafka', 'tls'], reporter)
  return {
    ...settings,
    bus: { ...bus, kafka: { ...bus.kafka, tls } },
    store: store.kind === 'redis' ? await withTls(store, reporter) : store,
    http: { ...http, ca },
    secrets,
  }
}

async function withTls(
  store: Extract<Settings['store'], { readonly kind: 'redis' }>,
  reporter: Reporter,
): Promise<Config['store']> {
  const tls = await readTls(store.redis.tls, ['store', 'redis', 'tls'], reporter)
  return { ...store, redis: { ...store.redis, tls } }
}

async function readTls(tls: TlsFiles, at: At, reporter: Reporter): Promise<Tls | null> {
  if (tls === false) return null
  if (tls === true) return { ca: null, cert: null, key: null, servername: null }
  if ((tls.cert === null) !== (tls.key === null)) {
    reporter.error(at, 'bad-value', '`cert` and `key` go together')
  }
  const read = (name: 'ca' | 'cert' | 'key'): Promise<string | null> => {
    const file = tls[name]
    return file === null ? Promise.resolve(null) : readPem(file, [...at, name], reporter)
  }
  return {
    ca: await read('ca'),
    cert: await read('cert'),
    key: await read('key'),
    servername: tls.servername,
  }
}

async function readPem(name: string, at: At, reporter: Reporter): Promise<string | null> {
  const { file, problem } = await readSourceFile(name)
  if (file === null) {
    reporter.error(at, 'file-unreadable', `${name}: ${problem?.message ?? 'cannot be read'}`)
    return null
  }
  if (file.text.includes('-----BEGIN ')) return file.text
  reporter.error(at, 'bad-value', `${name} is not in PEM: it has no \`-----BEGIN\` line`)
  return null
}

async function readSecrets(
  sources: Settings['secrets'],
  env: Environment,
  reporter: Reporter,
): Promise<ReadonlyMap<string, Secret>> {
  const secrets = new Map<string, Secret>()
  for (const [name, source] of Object.entries(sources)) {
    const at: At = ['secrets', name]
    const value =
      'random' in source
        ? randomBytes(source.random).toString('hex')
        : await readSecret(source, env, at, reporter)
    if (value !== null) secrets.set(name, new Secret(value))
  }
  return secrets
}

/** An empty secret protects nothing and is always a mistake. */
async function readSecret(
  source: { readonly env: string } | { readonly file: string },
  env: Environment,
  at: At,
  reporter: Reporter,
): Promise<string | null> {
  if ('env' in source) {
    const value = env[source.env]
    if (value !== undefined && value !== '') return value
    const message = `\`${source.env}\` is ${value === '' ? 'empty' : 'not set'} in the environment`
    reporter.error([...at, 'env'], 'secret-unreadable', message)
    return null
  }
  const { file, problem } = await readSourceFile(source.file)
  const value = file?.text.replace(/\r?\n$/, '') // editors and `echo` end a file with one
  if (value !== undefined && value !== '') return value
  const message = `${source.file}: ${problem?.message ?? 'the file is empty'}`
  reporter.error([...at, 'file'], 'secret-unreadable', message)
  return null
}

function checkSecretNames(settings: Settings, reporter: Reporter): void {
  const { store } = settings
  const { sasl } = settings.bus.kafka
  const names = Object.keys(settings.secrets)
  const check = (name: string, at: At): void => {
    if (names.includes(name)) return
    const { message, hint } = unknownSecret(at.join('.'), name, names)
    reporter.error(at, 'unknown-secret', message, hint)
  }
  if (sasl !== null && 'password' in sasl)
    check(sasl.password, ['bus', 'kafka', 'sasl', 'password'])
  if (store.kind === 'redis') {
    const { server, password } = store.redis
    if (password !== null) check(password, ['store', 'redis', 'password'])
    if (server.kind === 'sentinel' && server.password !== null) {
      check(server.password, ['store', 'redis', 'sentinels', 'password'])
    }
  }
  settings.admin.tokens.forEach((token, i) => check(token.secret, ['admin', 'tokens', i, 'secret']))
}
