import type { Endpoint, EndpointStep, Endpoints, NewEndpoint, Registration, SharingAgreement } from '../contract.ts'
import type { Field, Kind, Model } from './models.ts'
import { type Asked, bodyOf, moment, type Operation, queryOf } from './operation.ts'
import { notFound, quoted } from './refusal.ts'

const text: Kind = { is: 'text' }
const texts: Kind = { is: 'texts' }
const urls: Kind = {
  is: 'list',
  of: [
    { name: 'url', kind: text, required: true },
    { name: 'set', kind: text },
  ],
}

/** What an endpoint is asked for with: name on the wire, name inside, kind. */
const asking: readonly (readonly [wire: string, inside: keyof NewEndpoint, kind: Kind, required?: true])[] = [
  ['kind', 'kind', { is: 'choice', of: ['CMA', 'MHS', 'AS'] }, true],
  ['ods_code', 'odsCode', text, true],
  ['product_id', 'productId', text, true],
  ['environment', 'environment', text],
  ['manufacturer', 'manufacturer', text],
  ['fqdn', 'fqdn', text],
  ['urls', 'urls', urls],
  ['source_address', 'sourceAddress', text],
  ['signing_request', 'signingRequest', text],
  ['party_key', 'partyKey', text],
  ['interactions', 'interactions', texts],
  ['clients', 'clients', texts],
  ['product_name', 'productName', text],
  ['product_version', 'productVersion', text],
  ['description', 'description', text],
  ['access_control', 'accessControl', texts],
  ['category_bag', 'categoryBag', texts],
]

const by: Field = { name: 'by', kind: { is: 'text', filled: true }, required: true }

const models = {
  endpoint: {
    name: 'EndpointParams',
    fields: [
      by,
      ...asking.map(([name, , kind, required]): Field => ({ name, kind, ...(required ? { required } : {}) })),
    ],
  },
  step: { name: 'EndpointStepParams', fields: [by, { name: 'why', kind: text }] },
  search: {
    name: 'SearchEndpointQueryParams',
    fields: [
      {
        name: 'state',
        kind: { is: 'choice', of: ['draft', 'requested', 'dns-approved', 'approved', 'suspended', 'withdrawn'] },
      },
      { name: 'kind', kind: { is: 'choice', of: ['CMA', 'MHS', 'AS'] } },
      { name: 'ods_code', kind: text },
      { name: 'product_id', kind: text },
      { name: 'party_key', kind: text },
      { name: 'fqdn', kind: text },
      { name: 'after', kind: text },
    ],
  },
  agreement: {
    name: 'AgreementParams',
    fields: [
      by,
      { name: 'from', kind: text, required: true },
      { name: 'to', kind: text, required: true },
      { name: 'interaction', kind: text, required: true },
    ],
  },
  withdrawal: { name: 'AgreementQueryParams', fields: [by] },
} satisfies Record<string, Model>

/** Steps of an endpoint's life, as the last segment of a path. */
const steps = {
  request: 'request',
  'approve-dns': 'approveDns',
  approve: 'approve',
  suspend: 'suspend',
  resume: 'resume',
  withdraw: 'withdraw',
} as const satisfies Record<string, keyof Endpoints>

function askedFor(body: Readonly<Record<string, unknown>>): NewEndpoint {
  const entries = asking.flatMap(([wire, inside]) =>
    body[wire] === undefined || body[wire] === null ? [] : [[inside, body[wire]]],
  )
  return Object.fromEntries(entries) as unknown as NewEndpoint
}

function shownEndpoint(endpoint: Endpoint, history?: readonly EndpointStep[]) {
  const { certificate } = endpoint
  return {
    id: endpoint.id,
    state: endpoint.state,
    ...Object.fromEntries(
      asking.flatMap(([wire, inside]) => (endpoint[inside] === undefined ? [] : [[wire, endpoint[inside]]])),
    ),
    asid: endpoint.asid ?? null,
    system_interactions: endpoint.systemInteractions,
    cpa_ids: endpoint.cpaIds,
    certificate:
      certificate === undefined
        ? null
        : {
            serial: certificate.serial,
            not_after: moment(certificate.notAfter),
            certificate: certificate.certificate,
            chain: certificate.chain,
          },
    created_on: moment(endpoint.createdAt),
    ...(history === undefined ? {} : { history: history.map(({ at, ...step }) => ({ ...step, at: moment(at) })) }),
  }
}

const shownAgreement = ({ id, from, to, interaction }: SharingAgreement) => ({ id, from, to, interaction })

/** Endpoints on their way through their states, and sharing agreements: an API of OpenSpine's own. */
export function lifeOperations({
  endpoints,
  agreements,
}: Pick<Registration, 'endpoints' | 'agreements'>): readonly Operation[] {
  const known = async ({ path: { endpoint_id: id = '' } }: Asked): Promise<Endpoint> => {
    const endpoint = await endpoints.endpoint(id)
    if (endpoint === undefined) throw notFound(`Could not find Endpoint for key (${quoted(id)})`)
    return endpoint
  }
  return [
    {
      method: 'POST',
      path: '/endpoints',
      async run(asked) {
        const body = bodyOf(asked, models.endpoint)
        return { status: 201, body: shownEndpoint(await endpoints.draft(askedFor(body), String(body['by']))) }
      },
    },
    {
      method: 'GET',
      path: '/endpoints',
      async run(asked) {
        const { ods_code, product_id, party_key, ...query } = queryOf(asked, models.search) as Readonly<
          Record<string, string>
        >
        const found = await endpoints.find({
          ...query,
          ...(ods_code === undefined ? {} : { odsCode: ods_code }),
          ...(product_id === undefined ? {} : { productId: product_id }),
          ...(party_key === undefined ? {} : { partyKey: party_key }),
        })
        return { status: 200, body: { results: found.map((each) => shownEndpoint(each)) } }
      },
    },
    {
      method: 'GET',
      path: '/endpoints/{endpoint_id}',
      async run(asked) {
        const endpoint = await known(asked)
        return { status: 200, body: shownEndpoint(endpoint, await endpoints.history(endpoint.id)) }
      },
    },
    {
      method: 'PUT',
      path: '/endpoints/{endpoint_id}',
      async run(asked) {
        const body = bodyOf(asked, models.endpoint)
        const { id } = await known(asked)
        return { status: 200, body: shownEndpoint(await endpoints.redraft(id, askedFor(body), String(body['by']))) }
      },
    },
    ...Object.entries(steps).map(
      ([step, take]): Operation => ({
        method: 'POST',
        path: `/endpoints/{endpoint_id}/${step}`,
        async run(asked) {
          const body = bodyOf(asked, models.step)
          const { id } = await known(asked)
          const why = typeof body['why'] === 'string' ? body['why'] : undefined
          return { status: 200, body: shownEndpoint(await endpoints[take](id, String(body['by']), why)) }
        },
      }),
    ),
    {
      method: 'GET',
      path: '/agreements',
      run: async () => ({ status: 200, body: { results: agreements.list().map(shownAgreement) } }),
    },
    {
      method: 'POST',
      path: '/agreements',
      async run(asked) {
        const { by: actor, ...agreement } = bodyOf(asked, models.agreement) as unknown as Omit<
          SharingAgreement,
          'id'
        > & {
          readonly by: string
        }
        return { status: 201, body: shownAgreement(await agreements.agree(agreement, actor)) }
      },
    },
    {
      method: 'DELETE',
      path: '/agreements/{agreement_id}',
      async run(asked) {
        const { by: actor } = queryOf(asked, models.withdrawal) as { readonly by: string }
        const { agreement_id: id = '' } = asked.path
        if (!(await agreements.withdraw(id, actor))) {
          throw notFound(`Could not find Agreement for key (${quoted(id)})`)
        }
        return { status: 200, body: { code: 'RESOURCE_DELETED', message: `${id} has been deleted.` } }
      },
    },
  ]
}
