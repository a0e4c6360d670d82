import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'

const crash = fileURLToPath(new URL('../../dist/app/crash.js', import.meta.url))

describe('a fault of ours', () => {
  const faults = [
    { name: 'a rejection that nobody handles', code: 'Promise.reject(new Error("lost"))' },
    {
      name: 'an error that nobody catches',
      code: 'setImmediate(() => { throw new Error("lost") })',
    },
  ]
  for (const { name, code } of faults) {
    it(`is the end of the process, with a message: ${name}`, async () => {
      const script = `import { crashOnFault } from ${JSON.stringify(crash)}
        crashOnFault()
        setInterval(() => {}, 1000)
        ${code}`
      const ended = await new Promise<{ signal: unknown; stderr: string }>((resolve) => {
        execFile(process.execPath, ['--input-type=module', '-e', script], (error, _out, stderr) =>
          resolve({ signal: error?.signal, stderr }),
        )
      })
      expect(ended.signal).to.equal('SIGABRT')
      expect(ended.stderr).to.include('sluice crashed').and.include('Error: lost')
    })
  }
})
