import { globSync, readFileSync } from 'node:fs'

const families =
  /'((?:AUDIT|CLIENT|CONFIG|DEMOGRAPHICS|DIRECTORY|DOOR|FHIR|HTTP|JOBS?|LDAP|LDIF|PRACTICE|PROXY|REGISTRATION|SERVICE|STORE|TRUST|XML)_[A-Z0-9_]+|USAGE)'/g

/** Every stable code of the error family that the sources raise, with the files that name it. */
export function errorCodes(): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, Set<string>>()
  for (const file of globSync('packages/*/src/**/*.ts').sort()) {
    if (/\.test(-kit)?\.ts$|\/testing|\.generated\.ts$/.test(file)) continue
    for (const [, code = ''] of readFileSync(file, 'utf8').matchAll(families))
      found.set(code, (found.get(code) ?? new Set()).add(file))
  }
  return new Map([...found].sort(([a], [b]) => (a < b ? -1 : 1)).map(([code, files]) => [code, [...files]]))
}
