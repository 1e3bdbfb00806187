import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { it } from 'node:test'
import { referencePages } from './reference.ts'

it('the reference pages are as fresh as the code (npm run docs writes them)', async () => {
  for (const [file, text] of Object.entries(await referencePages()))
    assert.equal(readFileSync(file, 'utf8'), text, file)
})
