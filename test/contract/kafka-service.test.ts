import { fork } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'

const starter = fileURLToPath(new URL('../services/start-kafka.ts', import.meta.url))
const patienceMs = 10_000

async function isOpen(address: string): Promise<boolean> {
  const [host = '', port = ''] = address.split(':')
  const socket = connect({ host, port: Number(port) })
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false // refused: nobody listens
  } finally {
    socket.destroy()
  }
}

// The runner says when there is no broker to be had here, and tells the reader.
if (process.env['SLUICE_TEST_WITHOUT'] !== 'kafka') {
  describe('The broker of tests', () => {
    it('ends with the process that started it, whatever that one dies of', async function () {
      this.timeout(60_000)
      const child = fork(starter, { execArgv: ['--import', 'tsx'] })
      const [address] = (await once(child, 'message')) as [string] // as: what the script sends
      expect(await isOpen(address)).to.equal(true)
      const gone = once(child, 'exit')
      child.kill('SIGKILL')
      await gone
      const untilMs = performance.now() + patienceMs
      while ((await isOpen(address)) && performance.now() < untilMs) await sleep(50)
      expect(await isOpen(address)).to.equal(false)
    })
  })
}
