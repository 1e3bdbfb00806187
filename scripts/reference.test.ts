import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { checks } from '@openspine/services/proxy'
import { pdsFailures } from './checks-of-pds.ts'
import {
  adjustmentsWireCodes,
  errorCodes,
  pdsWireCodes,
  practiceWireCodes,
  proxyRefusals,
  raised,
  visitorsWireCodes,
} from './error-codes.ts'
import { referencePages } from './reference.ts'

describe('the generated reference pages', () => {
  it('are as fresh as the code (npm run docs writes them)', async () => {
    for (const [file, text] of Object.entries(await referencePages()))
      assert.equal(readFileSync(file, 'utf8'), text, file)
  })

  it('say what each check answers, or fail', async () => {
    const page = (await referencePages())['docs/reference/checks.md'] ?? ''
    for (const { name, failures } of checks) {
      assert.ok(page.includes(`| ${name} |`), name)
      for (const { text } of failures) assert.ok(page.includes(text), text)
    }
    assert.throws(() => pdsFailures({ name: 'mute', refusal: () => undefined }), /names no outcome/)
  })
})

const page = readFileSync('docs/reference/errors.md', 'utf8')

/** First and second cell of each row whose first cell is code, in the part of the page below a heading of the second level. */
function rows(
  heading: RegExp,
): { readonly code: string; readonly second: string; readonly cells: readonly string[] }[] {
  const part = page.split(/^## /m).find((text) => heading.test(text)) ?? ''
  return part.split('\n').flatMap((line) => {
    const cells = line.split(' | ')
    const code = /^\| `([^`]+)`$/.exec(cells[0] ?? '')?.[1]
    return code === undefined ? [] : [{ code, second: cells[1] ?? '', cells }]
  })
}

const sorted = (texts: Iterable<string>) => [...texts].sort()

describe('docs/reference/errors.md', () => {
  it('has every code of the error family, once, and no other', () => {
    const parts = page.split(/^## /m).filter((part) => !/^[^\n]*what the wire says/.test(part))
    const documented = parts.flatMap((part) =>
      [...part.matchAll(/^\| `([A-Z0-9_]+)` \|/gm)].map(([, code = '']) => code),
    )
    assert.deepEqual(sorted(documented), sorted(errorCodes().keys()))
    assert.ok(documented.length > 100, `${documented.length} codes`)
  })

  it('misses no error: whatever raises one names a known code, or is a known maker of several', () => {
    const known = errorCodes()
    const makers = new Set<string>()
    const all = raised()
    assert.ok(all.length > 60, `${all.length} places that raise an error were seen`)
    for (const { file, code } of all) {
      if (code.startsWith("'")) assert.ok(known.has(code.slice(1, -1)), `${file}: ${code} is in no family`)
      else makers.add(file)
    }
    // Each takes its codes from a table or an argument: literals of a family, which are found, or a prefix and a wire code.
    assert.deepEqual(sorted(makers), [
      'packages/openspine/src/registry/part.ts',
      'packages/platform/src/store/wire.ts',
      'packages/platform/src/trust/request-checks.ts',
      'packages/services/src/adjustments/outcomes.ts',
      'packages/services/src/demographics/administer.ts',
      'packages/services/src/demographics/outcomes.ts',
      'packages/services/src/directory/change.ts',
      'packages/services/src/directory/ldif.ts',
      'packages/services/src/directory/ods/outcome.ts',
      'packages/services/src/registration/endpoints.ts',
      'packages/services/src/registration/products.ts',
      'packages/services/src/registration/service.ts',
      'packages/services/src/smartcard/service.ts',
      'packages/services/src/visitors/outcomes.ts',
      'packages/standards/src/fhir/problem.ts',
      'packages/standards/src/itk/itk.ts',
      'packages/standards/src/saml/read.ts',
      'packages/standards/src/soap/envelope.ts',
      'packages/standards/src/xml/problem.ts',
    ])
  })

  it('has every wire code of demographics and of the practice, and no other', () => {
    const pairs = (heading: RegExp) =>
      rows(heading).flatMap(({ code, second }) => second.split(', ').map((status) => `${status} ${code}`))
    assert.deepEqual(sorted(pairs(/^Demographics:/)), sorted(pdsWireCodes()))
    assert.deepEqual(sorted(pairs(/^GP practice:/)), sorted(practiceWireCodes()))
  })

  it('has every wire code of Reasonable Adjustments and Patient Flags, and no other', () => {
    const documented = rows(/^Reasonable Adjustments:/).flatMap(({ code, second }) =>
      second.split(', ').map((status) => `${status} ${code}`),
    )
    assert.deepEqual(sorted(documented), sorted(adjustmentsWireCodes()))
  })

  it('has every wire code of Visitors & Migrants, and no other', () => {
    const documented = rows(/^Visitors & Migrants:/).map(({ code, second }) => `${second} ${code}`)
    assert.deepEqual(sorted(documented), sorted(visitorsWireCodes()))
  })

  it('has every refusal of the secure proxy with its status, and no other', () => {
    const documented = rows(/^Secure proxy:/)
    assert.deepEqual(sorted(documented.map(({ code }) => code)), sorted(proxyRefusals()))
    for (const { name, failures } of checks)
      assert.equal(
        documented.find(({ code }) => code === name)?.second,
        failures.map(({ status }) => status).join(', '),
        name,
      )
  })

  it('tells of each code what it means and what to do', () => {
    for (const line of page.split('\n').filter((each) => each.startsWith('| `'))) {
      const cells = line.split(' | ')
      assert.ok(cells.length >= 3 && cells.every((cell) => cell.trim().length > 2), line)
    }
  })
})
