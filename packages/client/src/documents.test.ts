import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { nhsNumber, practiceServer, serviceRoot } from './testing/practice.ts'
import { client, httpServer, refusal } from './testing/testing.ts'

const at = { nhsNumber, odsCode: 'A20047' }

for (const format of ['json', 'xml'] as const)
  describe(`documents in ${format}`, () => {
    it('are found with the patient at their own base, the newest first, with why one cannot be had', async (t) => {
      const practice = await practiceServer(t)
      const { documents } = await client(t, practice.settings)
        .session()
        .documents({
          ...at,
          format,
          created: { from: '2020-01-01', to: '2026-01-01' },
          author: 'X26',
          description: 'a b',
        })
      assert.deepEqual(
        documents.map(({ resource, ...entry }) => ({ ...entry, kind: resource['resourceType'] })),
        [
          {
            id: 'dr-2',
            absent: 'The document is too large',
            type: 'Scan',
            created: '2025-01-01',
            indexed: '2025-01-02T10:00:00+00:00',
            contentType: 'image/tiff',
            size: 9_000_000,
            authors: [],
            kind: 'DocumentReference',
          },
          {
            id: 'dr-1',
            url: `${serviceRoot}/Binary/b-1`,
            type: 'Discharge letter',
            description: 'Invented stay',
            created: '2024-04-05',
            indexed: '2024-04-06T10:00:00+00:00',
            contentType: 'text/plain',
            size: 5,
            authors: ['Invented Surgery'],
            kind: 'DocumentReference',
          },
        ],
      )
      const [found, search] = practice.seen
      assert.equal(
        found?.headers['ssp-interactionid'],
        'urn:nhs:names:services:gpconnect:documents:fhir:rest:search:patient-1',
      )
      assert.equal(
        search?.url,
        `/${serviceRoot}/Patient/p-1/DocumentReference?_include=DocumentReference:subject:Patient` +
          '&_include=DocumentReference:custodian:Organization&_include=DocumentReference:author:Organization' +
          '&_include=DocumentReference:author:Practitioner&_revinclude:recurse=PractitionerRole:practitioner' +
          '&created=ge2020-01-01&created=le2026-01-01' +
          '&author=https://fhir.nhs.uk/Id/ods-organization-code%7CX26&description=a%20b',
      )
    })

    it('are read by the URL that the practice gave, with the proxy before it, or by an id', async (t) => {
      const practice = await practiceServer(t)
      const session = client(t, practice.settings).session()
      const url = `${serviceRoot}/Binary/b-1`
      for (const document of [url, 'b-1', 'Binary/b-1']) {
        const { content, contentType } = await session.document({ odsCode: 'A20047', document, format })
        assert.deepEqual([content.toString(), contentType], ['hello', 'text/plain'])
        assert.equal(practice.seen.at(-1)?.url, `/${url}`)
      }
    })
  })

describe('a document elsewhere', () => {
  it('is not followed: neither another host nor a path that leaves the service root', async (t) => {
    const practice = await practiceServer(t)
    const elsewhere = await httpServer(t, (_request, response) => response.end())
    const session = client(t, practice.settings).session()
    for (const document of [
      `${elsewhere.url}/Binary/b-1`,
      `${serviceRoot}-evil/Binary/b-1`,
      `${serviceRoot}/../../other/Binary/b-1`,
      `${serviceRoot}/%2E%2e/Binary/b-1`,
      `${serviceRoot}/Binary/b-1#x`,
      `/Binary/b-1`,
    ])
      assert.equal((await refusal(session.document({ odsCode: 'A20047', document }))).code, 'CLIENT_ANSWER', document)
    assert.equal(elsewhere.seen.length + practice.seen.length, 0)
  })
})
