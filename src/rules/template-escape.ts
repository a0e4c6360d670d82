/*
 * How a value enters each position. Hot: called for every tag of every event, so the common case, a
 * text of letters and digits, costs one test and no copy. Escapes are those of the WHATWG URL
 * standard where it has any, so that what we send is what a URL parser would make of it.
 */

/** The text holds a lone surrogate: half of a character, which no encoding can carry. */
export class IllFormedText extends Error {
  override readonly name = 'IllFormedText'
}

/** A value that may not stand in its position. The message reads after the tag. */
export class EscapeFailure extends Error {
  override readonly name = 'EscapeFailure'
}

const unreservedOnly = /^[\w.~-]*$/

/** Percent-encodes all but letters, digits and `-_.~!*'()`. Throws `IllFormedText`. */
export function encodeUnreserved(text: string): string {
  if (unreservedOnly.test(text)) return text
  try {
    return encodeURIComponent(text)
  } catch (error) {
    if (error instanceof URIError) throw new IllFormedText('holds half of a character')
    throw error
  }
}

/**
 * What RFC 3986 (3.3) lets stand in a path segment beside letters, digits and `-._~`, and what
 * `uri` and `path` may therefore be told to keep: sub-delims, `:` and `@`.
 */
export const segmentDelimiters = "!$&'()*+,;=:@"

/** An encoder that keeps the characters of `kept`, of which each is ASCII. */
export function encoderKeeping(kept: string): (text: string) => string {
  const characters = new Map([...kept].map((one) => [percentOf(one), one]))
  return (text) => {
    if (unreservedOnly.test(text)) return text
    return encodeUnreserved(text).replace(/%[0-9A-F]{2}/g, (code) => characters.get(code) ?? code)
  }
}

function percentOf(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase()}`
}

/** A URL parser encodes the apostrophe in the query of an http URL, and only there. */
export function encodeQueryValue(text: string): string {
  return unreservedOnly.test(text) ? text : encodeUnreserved(text).replaceAll("'", '%27')
}

const formPlain = /^[\w.*-]*$/
const formLeftOver = /%20|[!'()~]/g

/** Source: WHATWG URL, application/x-www-form-urlencoded percent-encode set. */
export function encodeFormValue(text: string): string {
  if (formPlain.test(text)) return text
  return encodeUnreserved(text).replace(formLeftOver, (found) =>
    found === '%20' ? '+' : '%' + found.charCodeAt(0).toString(16).toUpperCase(),
  )
}

const printableAscii = /^[\x20-\x7e]*$/

/**
 * A header value. Control characters would begin another header; what is above ASCII is read
 * differently by every server (RFC 9110, 5.5), so neither is sent.
 */
export function checkHeaderValue(text: string): string {
  if (printableAscii.test(text)) return text
  throw new EscapeFailure(
    'holds characters that a header cannot carry (control characters, or not ASCII): write | uri',
  )
}

const rawSegment = /^(?:[\w.~!$&'()*+,;=:@-]|%[0-9a-f]{2})*$/i
const rawQuery = /^(?:[\w.~!$'()*+,;=:@/?-]|%[0-9a-f]{2})*$/i

/** An encoded path segment as it is. Source: RFC 3986, 3.3. */
export function checkRawSegment(text: string): string {
  if (rawSegment.test(text)) return text
  throw new EscapeFailure('is not an encoded path segment (no /, ?, # or bare %): leave out | raw')
}

/** An encoded query value as it is, without `&`. Source: RFC 3986, 3.4. */
export function checkRawQuery(text: string): string {
  if (rawQuery.test(text)) return text.replaceAll("'", '%27')
  throw new EscapeFailure('is not an encoded query value (no &, # or bare %): leave out | raw')
}

const loneSurrogate = /\p{Surrogate}/u

/** A text that is put in as it is. Lone surrogates would become something else on the wire. */
export function checkWellFormed(text: string): string {
  if (!loneSurrogate.test(text)) return text
  throw new EscapeFailure('holds half of a character')
}
