/** `npm run docs`: the reference pages that are made from the code. `npm run docs -- --check` fails when one is stale. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { referencePages } from './reference.ts'

const check = process.argv.includes('--check')
mkdirSync('docs/reference', { recursive: true })
for (const [file, text] of Object.entries(await referencePages())) {
  const stale = !existsSync(file) || readFileSync(file, 'utf8') !== text
  if (!stale) continue
  if (check) {
    process.stderr.write(`${file} is stale: run npm run docs\n`)
    process.exitCode = 1
  } else {
    writeFileSync(file, text)
    process.stdout.write(`${file} written\n`)
  }
}
