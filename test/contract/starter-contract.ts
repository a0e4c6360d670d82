import { fork } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'

const patienceMs = 10_000

async function isOpen(address: string): Promise<boolean> {
  const { hostname, port } = new URL(address.includes('://') ? address : `tcp://${address}`)
  const socket = connect({ host: hostname, port: Number(port) })
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false // refused: nobody listens
  } finally {
    socket.destroy()
  }
}

/** What every service of tests promises; `starter` is a script that starts it and sends its address. */
export function itEndsWithItsStarter(starter: URL): void {
  it('ends with the process that started it, whatever that one dies of', async function () {
    this.timeout(60_000)
    const child = fork(fileURLToPath(starter), { execArgv: ['--import', 'tsx'] })
    const [address] = (await once(child, 'message')) as [string] // as: what the script sends
    expect(await isOpen(address)).to.equal(true)
    const gone = once(child, 'exit')
    child.kill('SIGKILL')
    await gone
    const untilMs = performance.now() + patienceMs
    while ((await isOpen(address)) && performance.now() < untilMs) await sleep(50)
    expect(await isOpen(address)).to.equal(false)
  })
}
