const { writeFileSync } = require('node:fs')
const Mocha = require('mocha')

/** The spec reporter, which also writes `{ passed, failed }` to the file of its option `tally`. */
module.exports = class TallyReporter extends Mocha.reporters.Spec {
  constructor(runner, options) {
    super(runner, options)
    const file = options.reporterOptions?.tally
    runner.once('end', () => {
      const { passes, failures } = this.stats
      if (file) writeFileSync(file, JSON.stringify({ passed: passes, failed: failures }))
    })
  }
}
