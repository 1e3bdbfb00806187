/** `npm run check`: the floors and rooms of docs/architecture.md, read from every import. */
import { checkArchitecture } from './architecture.ts'

const { files, imports, violations } = checkArchitecture(process.cwd())
for (const violation of violations) process.stderr.write(`${violation}\n`)
// A check that saw nothing must not be green.
const plausible = files > 60 && imports > 200
if (!plausible) process.stderr.write(`only ${files} files and ${imports} imports were seen: the check is broken\n`)
process.stdout.write(`${files} files, ${imports} imports, ${violations.length} violations\n`)
process.exitCode = violations.length === 0 && plausible ? 0 : 1
