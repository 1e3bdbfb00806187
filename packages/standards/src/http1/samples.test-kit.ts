import fc from 'fast-check'

const token = fc.stringMatching(/^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,12}$/)
const targetText = fc.stringMatching(/^[\x21-\x7e]{0,30}$/)
const value = fc.stringMatching(/^(?:[\x21-\x7e\xa0-\xff](?:[\x20-\x7e\t]{0,20}[\x21-\x7e])?)?$/)
const space = fc.constantFrom('', ' ', '\t', '  ')
const reserved =
  /^(?:host|content-length|transfer-encoding|connection|keep-alive|te|trailer|upgrade|expect|authorization|ssp-from|proxy-.*)$/i

const chunked = fc
  .array(fc.uint8Array({ minLength: 1, maxLength: 40 }), { maxLength: 4 })
  .chain((chunks) =>
    fc
      .constantFrom('', '0', '000')
      .map((zeros) =>
        Buffer.concat([
          ...chunks.flatMap((chunk) => [
            Buffer.from(`${zeros}${chunk.length.toString(16)}\r\n`),
            Buffer.from(chunk),
            Buffer.from('\r\n'),
          ]),
          Buffer.from('0\r\n\r\n'),
        ]),
      ),
  )

const framed = fc.oneof(
  fc.constant({ field: '', body: Buffer.alloc(0) }),
  fc
    .uint8Array({ maxLength: 60 })
    .map((bytes) => ({ field: `Content-Length: ${bytes.length}\r\n`, body: Buffer.from(bytes) })),
  fc
    .tuple(
      fc.constantFrom('Transfer-Encoding: chunked', 'transfer-encoding:CHUNKED ', 'Transfer-Encoding:chunked'),
      chunked,
    )
    .map(([field, body]) => ({ field: `${field}\r\n`, body })),
)

/** Well-formed requests of all shapes, for property tests. Methods are those that every parser knows. */
export const message = (methods = ['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'HEAD', 'OPTIONS']) =>
  fc
    .record({
      method: fc.constantFrom(...methods),
      target: targetText.map((text) => `/${text}`),
      fields: fc.array(
        fc
          .tuple(
            token.filter((name) => !reserved.test(name)),
            space,
            value,
            space,
          )
          .map(([name, a, text, b]) => `${name}:${a}${text}${b}\r\n`),
        { maxLength: 6 },
      ),
      framed,
      host: fc.nat(6),
    })
    .map(({ method, target, fields, framed, host }) => {
      const lines = [...fields]
      lines.splice(host, 0, 'Host: example\r\n')
      return Buffer.concat([
        Buffer.from(`${method} ${target} HTTP/1.1\r\n${lines.join('')}${framed.field}\r\n`, 'latin1'),
        framed.body,
      ])
    })

const disturbing = [
  '\r',
  '\n',
  '\r\n',
  ' ',
  '\t',
  '\0',
  ':',
  ';',
  ',',
  '0',
  '\x0b',
  'Content-Length: 3\r\n',
  'Host: b\r\n',
  '\x80',
]

/** A well-formed request with one thing inserted, removed or replaced: near the border of what is accepted. */
export const mutated = () =>
  fc
    .tuple(message(), fc.nat(400), fc.constantFrom('insert', 'remove', 'replace'), fc.constantFrom(...disturbing))
    .map(([bytes, where, how, what]) => {
      const at = where % bytes.length
      return Buffer.concat([
        bytes.subarray(0, at),
        how === 'remove' ? Buffer.alloc(0) : Buffer.from(what, 'latin1'),
        bytes.subarray(how === 'insert' ? at : at + 1),
      ])
    })
