import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { Kafka, logLevel } from 'kafkajs'
import type { Availability } from './availability.ts'
import { freePorts } from './free-ports.ts'
import { GuardedProcess } from './guarded-process.ts'
import { areJarsThere, fetchJars } from './kafka-jars.ts'

/*
 * A real Kafka for tests: one process, broker and controller in one, on free ports of loopback. It
 * ends with the process that started it, whatever that one dies of.
 */

const run = promisify(execFile)

/** A broker on two busy cores is up in 3 to 8 s; what takes longer than this has failed. */
const readyMsMax = 60_000

export interface KafkaBroker {
  readonly brokers: readonly string[]
  /** Where `BrokerOptions.secure` listens; empty without it. */
  readonly secureBrokers: readonly string[]
  /** Ends it as its operator would: what it has is flushed, and its groups are told. */
  stop(): Promise<void>
  /** SIGKILL. */
  kill(): Promise<void>
  /** Starts it again, on the same data and ports. Resolves when it answers. */
  start(): Promise<void>
  /** Freezes it: connections stay, nothing answers. */
  pause(): void
  continue(): void
  /** Ends it and removes its data. */
  close(): Promise<void>
  /** Runs one of Kafka's own command line tools by its class, and gives what it printed. */
  tool(className: string, args: readonly string[], input?: string | Buffer): Promise<string>
}

/** Whether a broker can be started here, and if not, what would make it possible. */
export async function kafkaAvailability(): Promise<Availability> {
  const java = await major('java', ['-version'], /version "(\d+)/)
  if (java === null || java < 17) {
    return {
      ok: false,
      missing: 'Kafka needs Java 17 or later, which is not installed',
      remedy: 'apt-get install openjdk-17-jre-headless maven',
    }
  }
  if (await areJarsThere()) return { ok: true }
  if ((await major('mvn', ['-v'], /Apache Maven (\d+)/)) === null) {
    return {
      ok: false,
      missing: 'the jars of Kafka are fetched with Maven, which is not installed',
      remedy: 'apt-get install maven',
    }
  }
  return { ok: true }
}

async function major(program: string, args: string[], pattern: RegExp): Promise<number | null> {
  try {
    const { stdout, stderr } = await run(program, args)
    const found = pattern.exec(stdout + stderr)?.[1]
    return found === undefined ? null : Number(found)
  } catch {
    return null // not installed, or it does not start: the same to us
  }
}

/** A listener beside the plain one: TLS with client certificates, and SASL for one user. */
interface SecureListener {
  /** PEM: a key in PKCS #8 and its certificate, which names 127.0.0.1. */
  readonly key: string
  readonly certificate: string
  /** PEM: who signs the certificates of clients. */
  readonly ca: string
  readonly username: string
  readonly password: string
}

export interface BrokerOptions {
  readonly secure?: SecureListener
  /** Lines of server.properties, behind ours. */
  readonly settings?: readonly string[]
}

/**
 * The broker of `TEST_KAFKA_BROKERS` if the runner has started one for all files, else a new one.
 * `close` ends only what this call has started.
 */
export async function sharedKafka(): Promise<Pick<KafkaBroker, 'brokers' | 'close'>> {
  const given = process.env['TEST_KAFKA_BROKERS']
  if (given === undefined || given === '') return startKafka()
  return { brokers: given.split(','), close: () => Promise.resolve() }
}

/** Starts a broker of its own, for tests that stop, freeze or kill it. */
export async function startKafka({
  settings = [],
  secure,
}: BrokerOptions = {}): Promise<KafkaBroker> {
  const jars = await fetchJars()
  const folder = await mkdtemp(join(tmpdir(), 'sluice-kafka-'))
  const [port = 0, controllerPort = 0, securePort = 0] = await freePorts(3)
  const ports = { port, controllerPort, securePort }
  const address = `127.0.0.1:${port}`
  const properties = join(folder, 'server.properties')
  const base = serverProperties(folder, port, controllerPort)
  const more = secure === undefined ? [] : await secureSettings(folder, ports, secure)
  // Of two lines of one name the last one counts.
  await writeFile(properties, [...base, ...more, ...settings, ''].join('\n'))
  const java = [
    ...['-Xmx512m', '-Xms128m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Xshare:auto'],
    `-Dlog4j2.configurationFile=file:${jars}/log4j2.properties`,
    ...['-cp', `${jars}/*`],
  ]
  // Not as it is: one in 64 begins with a dash, and is taken for an option.
  const clusterId = `k${randomBytes(16).toString('base64url').slice(1)}`
  await run('java', [
    ...java,
    'kafka.tools.StorageTool',
    'format',
    '-t',
    clusterId,
    '-c',
    properties,
    ...(secure === undefined ? [] : scramUsers(secure)),
  ])

  const server = new GuardedProcess(['java', ...java, 'kafka.Kafka', properties], folder)
  const start = async () => {
    server.start()
    await untilItAnswers(address, server)
  }
  try {
    await start()
  } catch (error) {
    await server.close()
    throw error
  }
  return {
    brokers: [address],
    secureBrokers: secure === undefined ? [] : [`127.0.0.1:${securePort}`],
    stop: () => server.end('SIGTERM'),
    kill: () => server.end('SIGKILL'),
    start,
    pause: () => server.pause(),
    continue: () => server.continue(),
    close: () => server.close(),
    async tool(className, args, input) {
      const running = run('java', [...java, className, ...args], {
        timeout: readyMsMax,
        maxBuffer: 64 * 2 ** 20,
      })
      running.child.stdin?.end(input)
      return (await running).stdout
    },
  }
}

function serverProperties(folder: string, port: number, controllerPort: number): readonly string[] {
  return [
    'process.roles=broker,controller',
    'node.id=1',
    `controller.quorum.voters=1@127.0.0.1:${controllerPort}`,
    `listeners=PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
    `advertised.listeners=PLAINTEXT://127.0.0.1:${port}`,
    'controller.listener.names=CONTROLLER',
    'listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    `log.dirs=${folder}/data`,
    'auto.create.topics.enable=false',
    'group.initial.rebalance.delay.ms=0',
    ...['offsets.topic.num.partitions=2', 'offsets.topic.replication.factor=1'],
    ...['transaction.state.log.num.partitions=2', 'transaction.state.log.replication.factor=1'],
    'transaction.state.log.min.isr=1',
    ...['num.network.threads=2', 'num.io.threads=2', 'log.cleaner.threads=1'],
    // Compaction and deletion within a second instead of minutes: tests wait for both.
    ...['log.cleaner.backoff.ms=200', 'log.cleaner.dedupe.buffer.size=4194304'],
    ...['file.delete.delay.ms=200', 'log.retention.check.interval.ms=500'],
  ]
}

function scramUsers({ username, password }: SecureListener): readonly string[] {
  return ['SCRAM-SHA-256', 'SCRAM-SHA-512'].flatMap((mechanism) => [
    '--add-scram',
    `${mechanism}=[name=${username},password=${password}]`,
  ])
}

async function secureSettings(
  folder: string,
  { port, controllerPort, securePort }: Readonly<Record<string, number>>,
  { key, certificate, ca, username, password }: SecureListener,
): Promise<readonly string[]> {
  await writeFile(join(folder, 'broker.pem'), key + certificate)
  await writeFile(join(folder, 'ca.pem'), ca)
  const listener = 'listener.name.secure'
  const module = 'org.apache.kafka.common.security'
  return [
    ...['listeners', 'advertised.listeners'].map((name) => {
      const controller = name === 'listeners' ? `,CONTROLLER://127.0.0.1:${controllerPort}` : ''
      return `${name}=PLAINTEXT://127.0.0.1:${port},SECURE://127.0.0.1:${securePort}${controller}`
    }),
    'listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SECURE:SASL_SSL',
    ...['keystore', 'truststore'].map((store) => `${listener}.ssl.${store}.type=PEM`),
    `${listener}.ssl.keystore.location=${folder}/broker.pem`,
    `${listener}.ssl.truststore.location=${folder}/ca.pem`,
    `${listener}.ssl.client.auth=required`,
    `${listener}.sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER`,
    `${listener}.plain.sasl.jaas.config=${module}.plain.PlainLoginModule required user_${username}="${password}";`,
    ...['scram-sha-256', 'scram-sha-512'].map(
      (name) => `${listener}.${name}.sasl.jaas.config=${module}.scram.ScramLoginModule required;`,
    ),
    // Without further settings it takes tokens that nobody has signed: for tests only.
    `${listener}.oauthbearer.sasl.jaas.config=${module}.oauthbearer.OAuthBearerLoginModule required;`,
  ]
}

/** Resolves once the broker answers a request of a real client; rejects when its process ends. */
async function untilItAnswers(address: string, server: GuardedProcess): Promise<void> {
  const client = new Kafka({
    brokers: [address],
    logLevel: logLevel.NOTHING,
    retry: { retries: 0 },
    requestTimeout: 2_000,
  })
  for (const untilMs = Date.now() + readyMsMax; ;) {
    const admin = client.admin()
    try {
      await admin.connect()
      await admin.describeCluster()
      return
    } catch (error) {
      if (server.hasEnded || Date.now() > untilMs) {
        const said = await server.lastWords()
        throw new Error(`the broker did not come up:\n${said}`, { cause: error })
      }
    } finally {
      await admin.disconnect()
    }
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}
