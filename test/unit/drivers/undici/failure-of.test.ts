import { expect } from 'chai'
import { errors } from 'undici'
import { GuardError } from '../../../../src/drivers/undici/egress-guard.ts'
import { failureOf } from '../../../../src/drivers/undici/failure-of.ts'

function coded(code: string): Error {
  return Object.assign(new Error(`something with ${code}`), { code })
}

describe('an error of a call is a failure of kind', () => {
  const table = {
    timeout: 'ETIMEDOUT UND_ERR_CONNECT_TIMEOUT UND_ERR_HEADERS_TIMEOUT UND_ERR_BODY_TIMEOUT',
    refused:
      'ECONNREFUSED EHOSTUNREACH EHOSTDOWN ENETUNREACH ENETDOWN EADDRNOTAVAIL EADDRINUSE EACCES EPERM ' +
      'EMFILE ENFILE EAFNOSUPPORT EINVAL',
    reset:
      'ECONNRESET ECONNABORTED EPIPE UND_ERR_SOCKET UND_ERR_RES_CONTENT_LENGTH_MISMATCH ' +
      'HPE_INVALID_CONSTANT HPE_INVALID_HEADER_TOKEN HPE_UNEXPECTED_CONTENT_LENGTH UND_ERR ' +
      'UND_ERR_ABORTED UND_ERR_ABORT UND_ERR_INFO UND_ERR_DESTROYED UND_ERR_CLOSED UND_ERR_REQ_RETRY ' +
      'UND_ERR_RESPONSE UND_ERR_INVALID_RETURN_VALUE SOMETHING_NEW toString constructor',
    dns: 'ENOTFOUND EAI_AGAIN EAI_FAIL EAI_NODATA EAI_MEMORY ENODATA ESERVFAIL EREFUSED EBADRESP',
    tls:
      'EPROTO CERT_HAS_EXPIRED CERT_NOT_YET_VALID DEPTH_ZERO_SELF_SIGNED_CERT SELF_SIGNED_CERT_IN_CHAIN ' +
      'UNABLE_TO_VERIFY_LEAF_SIGNATURE UNABLE_TO_GET_ISSUER_CERT_LOCALLY UNABLE_TO_GET_ISSUER_CERT ' +
      'ERR_TLS_CERT_ALTNAME_INVALID ERR_TLS_HANDSHAKE_TIMEOUT ERR_SSL_WRONG_VERSION_NUMBER ' +
      'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION HOSTNAME_MISMATCH',
    'too-large': 'UND_ERR_HEADERS_OVERFLOW UND_ERR_RES_EXCEEDED_MAX_SIZE HPE_HEADER_OVERFLOW',
    template: 'UND_ERR_INVALID_ARG UND_ERR_NOT_SUPPORTED UND_ERR_REQ_CONTENT_LENGTH_MISMATCH',
  }
  for (const [kind, codes] of Object.entries(table)) {
    for (const code of codes.split(' ')) {
      it(`${kind} when its code is ${code}`, () => {
        expect(failureOf(coded(code), 1)).to.include({ kind })
      })
    }
  }

  it('guard, with its reason, when the guard refused the address', () => {
    const failure = failureOf(new GuardError('private', 'cdn.internal', '10.0.0.1'), 1)
    expect(failure).to.deep.include({ kind: 'guard', reason: 'private' })
  })

  // A new undici brings new errors: whoever updates it decides what they mean.
  const decided = new Set(Object.values(table).flatMap((codes) => codes.split(' ')))
  const notOfCalls = /BPL_MISSING|PRX_TLS|SOCKS5|WS_MESSAGE|MAX_ORIGINS/
  for (const [name, Kind] of Object.entries(errors)) {
    it(`that was decided on for undici's ${name}`, () => {
      // as: the constructors differ in what they take, and all of them set a code.
      const Made = Kind as unknown as new (...args: unknown[]) => { code?: string }
      const { code = 'UND_ERR' } = new Made('', '', {})
      if (!notOfCalls.test(code) && !code.startsWith('HPE_')) expect(decided).to.include(code)
    })
  }
})

describe('the failure of an error', () => {
  it('carries the message, with the code where the message has none', () => {
    const message = (error: unknown) => {
      const failure = failureOf(error, 0)
      return 'message' in failure ? failure.message : null
    }
    expect(message(coded('ECONNRESET'))).to.equal('something with ECONNRESET')
    expect(
      message(Object.assign(new Error('other side closed'), { code: 'UND_ERR_SOCKET' })),
    ).to.equal('other side closed (UND_ERR_SOCKET)')
  })

  it('names every address that was tried', () => {
    const tried = [
      new Error('connect ECONNREFUSED ::1:80'),
      new Error('connect ECONNREFUSED 127.0.0.1:80'),
    ]
    const error = Object.assign(new AggregateError(tried), { code: 'ECONNREFUSED' })
    expect(failureOf(error, 0)).to.deep.equal({
      kind: 'refused',
      message: 'connect ECONNREFUSED ::1:80; connect ECONNREFUSED 127.0.0.1:80',
    })
  })

  it('tells for a timeout how long it took, in whole milliseconds', () => {
    expect(failureOf(coded('ETIMEDOUT'), 12.6)).to.deep.equal({ kind: 'timeout', afterMs: 13 })
  })

  const oddities: { name: string; thrown: unknown }[] = [
    { name: 'a text', thrown: 'text' },
    { name: 'null', thrown: null },
    { name: 'undefined', thrown: undefined },
    { name: 'an object', thrown: {} },
    { name: 'a code that is a number', thrown: { code: 7 } },
    { name: 'an error without a message', thrown: new Error('') },
  ]
  for (const { name, thrown } of oddities) {
    it(`is a reset for ${name}`, () => {
      expect(failureOf(thrown, 0).kind).to.equal('reset')
    })
  }
})
