import { isServiceHere } from '../services/availability.ts'
import { itEndsWithItsStarter } from './starter-contract.ts'

// The runner says when there is no broker to be had here, and tells the reader.
if (isServiceHere('kafka')) {
  describe('The broker of tests', () => {
    itEndsWithItsStarter(new URL('../services/start-kafka.ts', import.meta.url))
  })
}
