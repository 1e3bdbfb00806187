/** Leave for one organisation's system to read from another's: who signed for whom, and for which interactions. */
export interface SharingAgreement {
  readonly id: string
  /** ODS code or ASID of the consumer. */
  readonly from: string
  /** ODS code or ASID of the provider. */
  readonly to: string
  /** One interaction id, or a prefix that ends in `*`. */
  readonly interaction: string
}

/** Agreements to be made, and ids of those to be withdrawn. */
export interface AgreementChanges {
  readonly agree: readonly Omit<SharingAgreement, 'id'>[]
  readonly withdraw: readonly string[]
}

/** The agreements in force. Answers come from memory; a committed change is seen within a second in every process. */
export interface SharingAgreements {
  /** The agreement that permits this call, if any. Either side may be named by ASID or by ODS code. */
  permitting(call: {
    readonly fromAsid: string
    readonly fromOdsCode: string
    readonly toAsid: string
    readonly toOdsCode: string
    readonly interaction: string
  }): SharingAgreement | undefined
  list(): readonly SharingAgreement[]
  agree(agreement: Omit<SharingAgreement, 'id'>, by: string): Promise<SharingAgreement>
  withdraw(id: string, by: string): Promise<boolean>
  /** Grows with every committed change. */
  version(): number
  /**
   * Throws what `change` would throw now, `REGISTRATION_*`; writes nothing. The outcome's `change` is the place of the
   * agreement that breaks a rule, from 0.
   */
  check(changes: AgreementChanges): void
  /**
   * Makes and withdraws all of these or none. What is in force already, or no longer, is passed over, so that the same
   * changes may be asked for again. `ifVersion`: `REGISTRATION_VERSION` when that is no longer the newest.
   */
  change(
    changes: AgreementChanges,
    by: string,
    options?: { readonly ifVersion?: number },
  ): Promise<{ readonly version: number }>
}

/** What an endpoint is (directory specification §10.3): message handling and accredited system in one, or one of both alone. */
export type EndpointKind = 'CMA' | 'MHS' | 'AS'

/** Who makes products: an organisation's group of people (§11). */
export interface ProductTeam {
  /** UUID. */
  readonly id: string
  readonly odsCode: string
  readonly name: string
  readonly keys: readonly ProductTeamKey[]
  readonly createdAt: number
  readonly createdBy: string
  /** Set when it was deleted: it is kept, inactive. */
  readonly deletedAt?: number
}

/** A further name of a team, unique in the environment: `product_team_id` a UUID, `product_team_epr_id` `EPR-<ODS code>`. */
export interface ProductTeamKey {
  readonly type: string
  readonly value: string
}

/** A manufacturer's product in one version (MPV): what endpoints are registered for. */
export interface Product {
  /** `P.XXX-XXX`. */
  readonly id: string
  readonly teamId?: string
  /** ODS code. */
  readonly manufacturer: string
  readonly name: string
  readonly version?: string
  /** What it may be registered as. */
  readonly kinds: readonly EndpointKind[]
  /** nhsProductKey. */
  readonly productKey: string
  /** Party key that was set aside for its one message handling system (§11: EPR). */
  readonly partyKey?: string
  readonly createdAt: number
  readonly createdBy: string
  readonly deletedAt?: number
}

export interface NewProduct {
  /** ODS code; with a team it may be left out, and is then the team's. */
  readonly manufacturer?: string
  readonly teamId?: string
  readonly name: string
  readonly version?: string
  readonly kinds: readonly EndpointKind[]
  /** Sets a party key aside at once, which its one message handling system will bear. */
  readonly withPartyKey?: boolean
}

/** How messages of one interaction travel (§6.2), as nhsMhs shows it. Absent: the attribute is left out. */
export interface ContractProperties {
  /** nhsEPInteractionType: `FHIR`, `HL7`, `EBXML`, `N/A`. */
  readonly interactionType: string
  /** nhsMHSIsAuthenticated: `none`, `transient`, `persistent`. */
  readonly authentication: string
  /** nhsContractPropertyTemplateKey: digits. */
  readonly templateKey: string
  readonly syncReplyMode: string
  readonly ackRequested: string
  readonly duplicateElimination: string
  readonly retries: string
  /** ISO 8601 duration. */
  readonly retryInterval: string
  /** ISO 8601 duration. */
  readonly persistDuration: string
  readonly actor?: string
  /** nhsProductKey, where it is not the product's own. */
  readonly productKey?: string
  /** nhsMhsIPAddress, where it is not the endpoint's own. */
  readonly sourceAddress?: string
}

/** One interaction of a message set. */
export interface MessageContract {
  /** nhsMHsSN: `urn:nhs:names:services:<service>`. */
  readonly service: string
  /** nhsMHsIN: what follows the service in the interaction id. */
  readonly interaction: string
  readonly properties: ContractProperties
}

/** Interactions that a product may be registered with: those it serves, or those its accredited systems use beside. */
export type InteractionSet = {
  /** UUID. */
  readonly id: string
  readonly productId: string
  /** Unique among the sets of the product. */
  readonly name: string
  readonly createdAt: number
  readonly createdBy: string
} & (
  | { readonly use: 'messages'; readonly messages: readonly MessageContract[] }
  /** Interaction ids. */
  | { readonly use: 'additional'; readonly interactions: readonly string[] }
)

export interface NewMessageContract {
  readonly service: string
  readonly interaction: string
  /** Name of a contract template; without it, the one that is usual for the interaction. */
  readonly template?: string
  /** What differs from the template. */
  readonly properties?: Partial<ContractProperties>
}

export type NewInteractionSet = { readonly name: string } & (
  | { readonly use: 'messages'; readonly messages: readonly NewMessageContract[] }
  | { readonly use: 'additional'; readonly interactions: readonly string[] }
)

/** Products, who makes them, and what they may be registered with. Refusals are SpineErrors `REGISTRATION_*`. */
export interface Products {
  createTeam(
    team: { readonly odsCode: string; readonly name: string; readonly keys?: readonly ProductTeamKey[] },
    by: string,
  ): Promise<ProductTeam>
  /** By id, or by the value of one of its keys; deleted ones too. */
  team(idOrKey: string): Promise<ProductTeam | undefined>
  /** `REGISTRATION_TEAM_HAS_PRODUCTS` (outcome: `productIds`) while it has active products. */
  deleteTeam(id: string, by: string): Promise<ProductTeam>
  create(product: NewProduct, by: string): Promise<Product>
  /** Deleted ones too. */
  product(id: string): Promise<Product | undefined>
  /** Active ones that fit all that is named, oldest first. */
  find(query: {
    readonly teamId?: string
    /** Of the team. */
    readonly organisation?: string
    readonly manufacturer?: string
    readonly name?: string
    readonly version?: string
    readonly limit?: number
    readonly after?: string
  }): Promise<readonly Product[]>
  /** `REGISTRATION_PRODUCT_IN_USE` while an endpoint of it is registered. */
  delete(id: string, by: string): Promise<Product>
  addSet(productId: string, set: NewInteractionSet, by: string): Promise<InteractionSet>
  /** In the order in which they were added. */
  sets(productId: string): Promise<readonly InteractionSet[]>
}

/** §10.3: entries are published while the state is `approved`. */
export type EndpointState = 'draft' | 'requested' | 'dns-approved' | 'approved' | 'suspended' | 'withdrawn'

/** What is asked for (§10.3, step 2). */
export interface NewEndpoint {
  readonly kind: EndpointKind
  /** Environment that whoever asks means; another than this one is refused. */
  readonly environment?: string
  /** ODS code of the organisation at which it is deployed. */
  readonly odsCode: string
  readonly productId: string
  /** Where it is named, the product must be of this manufacturer. */
  readonly manufacturer?: string
  /** Host of the message handling system: name of its certificate. Not for an AS, which stands behind another's. */
  readonly fqdn?: string
  /** Where messages are received. `set` names the message set that is served there; without it, all sets. */
  readonly urls?: readonly EndpointUrl[]
  /** nhsMhsIPAddress: where its requests come from. */
  readonly sourceAddress?: string
  /** PKCS#10 PEM, signed on approval. */
  readonly signingRequest?: string
  /** Of an AS: the message handling system that carries its messages. */
  readonly partyKey?: string
  /** Interaction ids out of the product's sets (and for an AS those of its message handling system); absent: all. */
  readonly interactions?: readonly string[]
  /** nhsProductName and nhsProductVersion, where the deployed system is known by others than the product's own. */
  readonly productName?: string
  readonly productVersion?: string
  /** nhsAsClient; absent: the organisation. */
  readonly clients?: readonly string[]
  /** `description` of nhsAs, nhsMHSServiceDescription of nhsMhs. */
  readonly description?: string
  /** Further attributes of nhsAs. */
  readonly accessControl?: readonly string[]
  readonly categoryBag?: readonly string[]
}

export interface EndpointUrl {
  readonly url: string
  readonly set?: string
}

/** One step in the life of an endpoint. */
export interface EndpointStep {
  readonly step: EndpointStepName
  /** State after it. */
  readonly state: EndpointState
  /** Milliseconds since the epoch. */
  readonly at: number
  readonly by: string
  readonly why?: string
}

export type EndpointStepName =
  | 'draft'
  | 'request'
  | 'approve-dns'
  | 'approve'
  | 'suspend'
  | 'resume'
  | 'withdraw'
  /** Publishing was refused, and the step before was taken back. */
  | 'take-back'

/** A registered endpoint, or one on its way there. */
export interface Endpoint extends NewEndpoint {
  /** UUID. */
  readonly id: string
  readonly state: EndpointState
  readonly manufacturer: string
  /** Of a CMA or an AS, from approval on. */
  readonly asid?: string
  /** From approval on; of an AS, as asked for. */
  readonly partyKey?: string
  /** Of its message handling system, lower case. */
  readonly fqdn?: string
  /** Interactions of its nhsAs, from approval on, in the order of the product's sets. */
  readonly systemInteractions: readonly string[]
  /** CPA ids of its nhsMhs entries, from approval on. */
  readonly cpaIds: readonly string[]
  readonly certificate?: EndpointCertificate
  readonly createdAt: number
}

export interface EndpointCertificate {
  readonly serial: string
  readonly notAfter: number
  /** PEM of the leaf. */
  readonly certificate: string
  /** PEM: issuing CA, then root. */
  readonly chain: string
}

/**
 * Endpoints and their states. Every step names who takes it, as the directory will show them: a user role profile DN, or
 * any name. What is answered is committed, in registration and in the directory. Refusals are SpineErrors
 * `REGISTRATION_*`, `DIRECTORY_*` or `TRUST_*`, after which nothing has changed.
 */
export interface Endpoints {
  /** A draft: kept, not judged yet. */
  draft(endpoint: NewEndpoint, by: string): Promise<Endpoint>
  /** Replaces what a draft asks for. */
  redraft(id: string, endpoint: NewEndpoint, by: string): Promise<Endpoint>
  /** Draft and request in one: when a rule is broken, nothing is kept. */
  submit(endpoint: NewEndpoint, by: string, why?: string): Promise<Endpoint>
  /** draft → requested, if it keeps the rules of §10. */
  request(id: string, by: string, why?: string): Promise<Endpoint>
  /** requested → dns-approved (CMA and MHS). */
  approveDns(id: string, by: string, why?: string): Promise<Endpoint>
  /** dns-approved (an AS: requested) → approved: ids are allocated, the certificate is issued, entries are published. */
  approve(id: string, by: string, why?: string): Promise<Endpoint>
  /** approved → suspended: its entries leave the directory, its ids stay its own. */
  suspend(id: string, by: string, why?: string): Promise<Endpoint>
  /** suspended → approved, if it still keeps the rules. */
  resume(id: string, by: string, why?: string): Promise<Endpoint>
  /** Any → withdrawn, for good: ids are never given out again. */
  withdraw(id: string, by: string, why?: string): Promise<Endpoint>
  endpoint(id: string): Promise<Endpoint | undefined>
  /** By ASID, also of a withdrawn one. */
  system(asid: string): Promise<Endpoint | undefined>
  history(id: string): Promise<readonly EndpointStep[]>
  /** Those that fit all that is named, oldest first. */
  find(query: {
    readonly state?: EndpointState
    readonly kind?: EndpointKind
    readonly odsCode?: string
    readonly productId?: string
    readonly partyKey?: string
    readonly fqdn?: string
    readonly limit?: number
    /** Id of the last one of the page before. */
    readonly after?: string
  }): Promise<readonly Endpoint[]>
}

/** Registration: who may read from whom, and which systems there are. */
export interface Registration {
  readonly agreements: SharingAgreements
  readonly products: Products
  readonly endpoints: Endpoints
}
