import { expect } from 'chai'
import { troubleOf } from '../../../../src/drivers/redis/trouble.ts'

const said = (message: string) => Object.assign(new Error(message), { name: 'ReplyError' })

describe('an error of Redis or of its client is the trouble', () => {
  const cases = [
    [
      'read-only',
      said("READONLY You can't write against a read only replica. script: f00, on @user_script:1."),
    ],
    [
      'read-only',
      said('ERR Error running script (call to f_0): @user_script:1: -READONLY You can not'),
    ],
    ['read-only', said('NOREPLICAS Not enough good replicas to write.')],
    ['full', said("OOM command not allowed when used memory > 'maxmemory'.")],
    ['denied', said('NOAUTH Authentication required.')],
    ['denied', said('WRONGPASS invalid username-password pair or user is disabled.')],
    ['denied', said('NOPERM this user has no permissions to run the command')],
    ['denied', said("ERR The user executing the script can't run this command or subcommand")],
    ['failing-over', said('CLUSTERDOWN The cluster is down')],
    [
      'failing-over',
      said("MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'."),
    ],
    ['failing-over', said('LOADING Redis is loading the dataset in memory')],
    ['failing-over', said('UNBLOCKED force unblock from blocking operation')],
    [
      'failing-over',
      new Error('Too many Cluster redirections. Last error: ReplyError: TRYAGAIN Multiple keys'),
    ],
    ['slow', said('BUSY Redis is busy running a script.')],
    ['slow', new Error('Command timed out')],
    ['slow', new Error("Socket timeout. Expecting data, but didn't receive any in 600ms.")],
    ['refused', said('MISCONF Redis is configured to save RDB snapshots')],
    ['refused', said('WRONGTYPE Operation against a key')],
    ['refused', said('ERR max number of clients reached')],
    ['unreachable', new Error('connect ECONNREFUSED 127.0.0.1:6379')],
    ['unreachable', new Error('getaddrinfo ENOTFOUND LOADING.example')],
    [
      'unreachable',
      new Error('Too many Cluster redirections. Last error: Error: Connection is closed.'),
    ],
    ['unreachable', 'no error at all'],
  ] as const
  for (const [trouble, error] of cases) {
    it(`${trouble}: ${String(error)}`, () => {
      expect(troubleOf(error, []).trouble).to.equal(trouble)
    })
  }

  it('in one line that is not too long and has no passwords', () => {
    const error = said(
      `ERR unknown command 'HELLO', with args beginning with: '3'\n 'secret' 'other' ${'x'.repeat(500)}`,
    )
    const told = troubleOf(error, ['secret', 'other']).error
    expect(told).to.have.length(300)
    expect(told).to.match(
      /^ERR unknown command 'HELLO', with args beginning with: '3' '\*\*\*' '\*\*\*' x/,
    )
  })
})
