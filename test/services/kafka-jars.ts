import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

/*
 * Kafka's jars, from Maven Central, once per version of pom.xml. A download that was cut short is
 * never taken for a whole one: the jars come into a folder of their own, which gets its real name
 * when all of them are there.
 */

const run = promisify(execFile)
const pom = fileURLToPath(new URL('pom.xml', import.meta.url))
const cache = fileURLToPath(new URL('../../.cache/kafka/', import.meta.url))

/** Maven's own start and some 60 MB; on a slow line that is minutes, not hours. */
const downloadMsMax = 10 * 60_000
const plugin = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies'

/** The folder with the jars, which may not be there yet. */
async function jarsFolder(): Promise<string> {
  const version = createHash('sha256')
    .update(await readFile(pom))
    .digest('hex')
    .slice(0, 12)
  return `${cache}jars-${version}`
}

export async function areJarsThere(): Promise<boolean> {
  return existsSync(await jarsFolder())
}

/** Fetches the jars unless they are there, and gives their folder. Two processes may do it at once. */
export async function fetchJars(): Promise<string> {
  const folder = await jarsFolder()
  if (existsSync(folder)) return folder
  const partial = `${folder}.${process.pid}`
  await mkdir(cache, { recursive: true })
  try {
    await run(
      'mvn',
      ['-B', '-q', '-f', pom, plugin, '-DincludeScope=runtime', `-DoutputDirectory=${partial}`],
      { timeout: downloadMsMax },
    )
    await writeFile(`${partial}/log4j2.properties`, logSettings)
    await rename(partial, folder)
  } catch (error) {
    await rm(partial, { recursive: true, force: true })
    if (existsSync(folder)) return folder // another process was faster
    throw new Error('could not fetch the jars of Kafka with mvn', { cause: error })
  }
  return folder
}

const logSettings = `
appender.console.type = Console
appender.console.name = CONSOLE
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d{HH:mm:ss.SSS} %p %c{1}: %m%n
rootLogger.level = warn
rootLogger.appenderRef.console.ref = CONSOLE
`
