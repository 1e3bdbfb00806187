import { z } from 'zod'
import { isAddressRange } from './front-ends.ts'

const seconds = (fallback: number, meaning: string) =>
  z.number().positive().max(86_400).default(fallback).describe(meaning)
const count = (fallback: number, meaning: string, min = 0) =>
  z.int().min(min).max(1_000_000).default(fallback).describe(meaning)

/** What one provider is allowed instead of what all are. */
const providerLimit = z.strictObject({
  asid: z.string().regex(/^\d{12}$/, 'asid is the 12 digits of the receiving system'),
  requests: z.int().min(0).max(1_000_000).optional(),
  connections: z.int().min(1).max(1_000_000).optional(),
  waiting: z.int().min(0).max(1_000_000).optional(),
})

export type ProviderLimit = z.infer<typeof providerLimit>

/** Settings of the secure proxy. Clauses are those of the Spine Secure Proxy specification. */
export const proxyConfig = z.object({
  host: z.string().default('127.0.0.1').describe('Address on which the proxy listens.').meta({ follows: 'host' }),
  port: z.int().min(0).max(65_535).default(9444).describe('Port of the door `proxy` (https, mutual TLS).'),
  fqdn: z
    .string()
    .regex(/^[a-zA-Z0-9.-]+$/)
    .default('localhost')
    .describe('Host name by which consumers reach the proxy; its server certificate carries it.')
    .meta({ follows: 'publicHost' }),
  alternativeNames: z
    .array(z.string())
    .default(['localhost', '127.0.0.1'])
    .describe('Further names and addresses in the server certificate.'),
  clientFqdn: z
    .string()
    .regex(/^[a-zA-Z0-9.-]+$/)
    .default('proxy.spine.localhost')
    .describe('Name in the client certificate that the proxy shows to providers, who must accept this name alone.'),
  explain: z
    .enum(['open', 'closed'])
    .default('open')
    .describe(
      'Whether GET /proxy/explain/{trace id} on the door `api` tells anybody what became of a request. It shows who asked whom for what, target URLs included; when closed, `openspine explain` still tells whoever may read the audit.',
    )
    .meta({ strict: 'closed' }),
  trustedFrontEnds: z
    .array(z.string().refine(isAddressRange, 'an address, or a range such as 192.0.2.0/24'))
    .max(1000)
    .default([])
    .describe(
      'Addresses and ranges of front ends that pass TCP through. Their connections must begin with a header of the PROXY protocol (version 1 or 2), whose source then counts as the client’s address; all others must not. Empty: off.',
    ),
  nodeName: z.string().default('').describe('Name of this node in the audit; empty means the name of the machine.'),
  ciphers: z
    .string()
    .default('AESGCM+EECDH:AESGCM+EDH:AES256+EECDH:AES256+EDH')
    .describe('TLS 1.2 ciphers of both legs, OpenSSL syntax, in order of preference (§2.3).'),
  tls13: z
    .boolean()
    .default(true)
    .describe('Whether TLS 1.3 is offered beside 1.2. The published lists name 1.2 alone.')
    .meta({ strict: false }),
  plainHttp: z
    .enum(['refuse', 'redirect'])
    .default('refuse')
    .describe('Plain HTTP on the TLS port: answer 497, or redirect to https (§2.3).'),
  encodedTarget: z
    .boolean()
    .default(true)
    .describe('Accept the target URL percent-encoded once, as record retrieval consumers send it (§2.2).'),
  mergedSlashes: z
    .boolean()
    .default(false)
    .describe('Accept `https:/host` where something on the way merged the two slashes (§2.2).'),
  verbs: z
    .array(z.string().regex(/^(?!CONNECT$)[A-Z]+$/))
    .default(['GET', 'POST', 'PUT', 'DELETE', 'PATCH'])
    .describe('Verbs that are relayed; others are answered 405 (§2.5).'),
  certificateName: z
    .enum(['subject-or-alternative', 'subject', 'when-registered'])
    .default('subject-or-alternative')
    .describe(
      'How the client certificate must name the sender: by subject or alternative name, by subject alone, or (when-registered) not at all for systems without a registered FQDN.',
    ),
  token: z
    .enum(['parse', 'validate', 'log'])
    .default('parse')
    .describe(
      'parse: refuse tokens that cannot be read. validate: also refuse those out of time. log: refuse none. Content is the provider’s to judge (§2.6 row 12).',
    ),
  contentTypes: z
    .array(z.string())
    .default([])
    .describe(
      'Media types that may be sent; others are answered 415. Empty means any: the proxy is content-agnostic (§2.8).',
    ),
  cors: z.boolean().default(true).describe('Answer OPTIONS with the cross-origin headers (§2.5); otherwise 405.'),
  corsOrigin: z.string().default('*').describe('Access-Control-Allow-Origin of those answers.'),
  corsRequestMethodHeader: z
    .boolean()
    .default(true)
    .describe('Also list the verbs under Access-Control-Request-Method, as published tests expect (§2.5).'),
  hosts: z
    .array(z.string().regex(/^[a-zA-Z0-9.-]+=[0-9a-fA-F.:]+$/, 'name=address'))
    .default([])
    .describe('Addresses of provider names that DNS does not know, each `name=address`.'),
  handshakeSeconds: seconds(10, 'Longest TLS handshake with a consumer.'),
  headSeconds: seconds(15, 'Longest time from the first byte of a request to the end of its head.'),
  keepAliveSeconds: seconds(75, 'How long a consumer connection may wait for its next request.'),
  bodySeconds: seconds(30, 'Longest pause within a request body, and in taking an answer.'),
  connectSeconds: seconds(5, 'Longest time to reach a provider, handshake included (§2.9).'),
  answerSeconds: seconds(60, 'Longest time from the end of the request to the head of the answer (§2.9).'),
  awakeMicroseconds: z
    .int()
    .min(0)
    .max(10_000)
    .default(300)
    .describe(
      'How long the proxy stays awake for an answer or a next request before it sleeps; given up by itself while neither comes so soon. 0: sleep at once.',
    ),
  idleSeconds: seconds(30, 'Longest pause within an answer’s body (§2.9).'),
  totalSeconds: seconds(600, 'Longest time for a whole exchange (§2.9).'),
  queueSeconds: seconds(5, 'How long a request may wait for a free connection to its provider.'),
  upstreamConnections: count(64, 'Connections to one provider at most.', 1),
  upstreamQueue: count(1_000, 'Requests that may wait for one provider at most; more are answered 503.'),
  upstreamIdleSeconds: seconds(
    50,
    'How long an unused connection to a provider is kept; a provider’s Keep-Alive header shortens it.',
  ),
  repeatStale: z
    .boolean()
    .default(false)
    .describe(
      'Repeat a GET once when a kept connection turned out to be closed before any answer. The specification never repeats (§2.7).',
    ),
  maxConnections: count(10_000, 'Consumer connections at most; more are closed at once.', 1),
  headBytes: z.int().min(1024).max(1_048_576).default(16_384).describe('Largest message head; more is answered 431.'),
  headFields: z.int().min(10).max(1000).default(100).describe('Most header lines; more are answered 431.'),
  limitWindowSeconds: seconds(
    60,
    'Window in which requests are counted for the limits (§2.10). They are counted over all connections, in each process apart, and anew after a restart.',
  ),
  limitPerSender: count(0, 'Requests of one sender in a window; 0 means no limit. More are answered 429.'),
  limitPerPair: count(
    0,
    'Requests of one sender to one receiver in a window; 0 means no limit. More are answered 429.',
  ),
  limitPerProvider: count(
    0,
    'Requests to one provider (party key) in a window from everyone; 0 means no limit. More are answered 503.',
  ),
  providerLimits: z
    .array(providerLimit)
    .max(10_000)
    .refine((all) => new Set(all.map(({ asid }) => asid)).size === all.length, 'an asid stands twice')
    .default([])
    .describe(
      'Limits of single providers, each `{"asid": "200000100001", "requests": 100, "connections": 8, "waiting": 50}`: requests in a window instead of limitPerProvider, connections (to each address of its) instead of upstreamConnections, waiting requests instead of upstreamQueue. What is left out stays as for all; an ASID that is not registered does no harm. Requests to the ASID are then counted by themselves, and its connections are shared with no other provider of the same address.',
    ),
})

export type ProxyConfig = z.infer<typeof proxyConfig>
