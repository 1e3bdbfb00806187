/**
 * The FHIR codec and the XML reader on one invented searchset: CPU per megabyte and per resource, beside
 * JSON.parse and JSON.stringify, which do none of the checks. Run alone: `node bench/fhir.ts`.
 */
import { fileURLToPath } from 'node:url'
import { parseJson, writeJson } from '@openspine/standards/fhir'
import { stu3 } from '@openspine/standards/fhir/stu3'
import { readXml } from '@openspine/standards/xml'

const patients = 1000

function patient(index: number) {
  const text = `Patient number ${index} of an invented practice`
  return {
    resourceType: 'Patient',
    id: `p${index}`,
    meta: { versionId: '1', profile: ['https://fhir.nhs.uk/STU3/StructureDefinition/CareConnect-GPC-Patient-1'] },
    text: { status: 'generated', div: `<div xmlns="http://www.w3.org/1999/xhtml"><p>${text} &amp; others</p></div>` },
    extension: [{ url: 'urn:invented:flag', valueBoolean: index % 2 === 0 }],
    identifier: [{ system: 'https://fhir.nhs.uk/Id/nhs-number', value: `999${index}` }],
    active: true,
    name: [{ use: 'official', text, family: 'Invented', given: ['Ann', 'Bea'], prefix: ['Dr'] }],
    telecom: [{ system: 'phone', value: '01632 960000', use: 'home' }],
    gender: 'female',
    birthDate: '1980-01-02',
    address: [{ use: 'home', line: ['1 Example Street', 'Village'], city: 'Town', postalCode: 'ZZ99 3ZZ' }],
    generalPractitioner: [{ reference: 'Practitioner/1' }],
    managingOrganization: { reference: 'Organization/1' },
  }
}

/** CPU milliseconds of one call: the median of the rounds, after two that are not counted. */
function cpu(work: () => unknown, rounds = 9): number {
  const taken: number[] = []
  for (let round = -2; round < rounds; round++) {
    const before = process.cpuUsage()
    work()
    const { user, system } = process.cpuUsage(before)
    if (round >= 0) taken.push((user + system) / 1000)
  }
  return taken.sort((a, b) => a - b)[rounds >> 1] ?? 0
}

export async function run(): Promise<Readonly<Record<string, unknown>>> {
  const bundle = {
    resourceType: 'Bundle',
    type: 'searchset',
    total: patients,
    entry: Array.from({ length: patients }, (_, index) => ({ resource: patient(index) })),
  }
  const json = Buffer.from(writeJson(bundle))
  const xml = Buffer.from(stu3.toXml(bundle))
  const works: readonly (readonly [string, number, () => unknown])[] = [
    ['JSON.parse', json.length, () => JSON.parse(json.toString())],
    ['parseJson', json.length, () => parseJson(json)],
    ['fromJson (parsed and checked)', json.length, () => stu3.fromJson(json)],
    ['JSON.stringify', json.length, () => JSON.stringify(bundle)],
    ['check', json.length, () => stu3.check(bundle)],
    ['toXml (checked and written)', xml.length, () => stu3.toXml(bundle)],
    ['readXml (events alone)', xml.length, () => readXml(xml, { start() {} })],
    ['fromXml', xml.length, () => stu3.fromXml(xml)],
  ]
  process.stdout.write(`${patients} patients, JSON ${json.length} bytes, XML ${xml.length} bytes\n`)
  const results: Record<string, unknown> = {}
  for (const [name, size, work] of works) {
    const milliseconds = cpu(work)
    const perMegabyte = milliseconds / (size / 1e6)
    const perResource = (milliseconds * 1000) / patients
    process.stdout.write(
      `${name.padEnd(32)} ${perMegabyte.toFixed(1).padStart(7)} ms/MB  ${perResource.toFixed(1).padStart(7)} µs a patient\n`,
    )
    results[name] = { millisecondsPerMegabyte: perMegabyte, microsecondsPerResource: perResource }
  }
  return results
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await run()
