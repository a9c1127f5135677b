"""Results and arguments of the OpenMeter operations, as typed mappings.

Generated from the contract by `generate.py`. Keys that an answer may lack are marked as not required.
"""

from __future__ import annotations

import typing as t


class _AddonRequired(t.TypedDict):
    id: str
    name: str
    createdAt: str
    updatedAt: str
    key: str
    version: int
    instanceType: "AddonInstanceType"
    currency: "CurrencyCode"
    status: "AddonStatus"
    rateCards: t.List["RateCard"]
    validationErrors: t.List["ValidationError"]


class Addon(_AddonRequired, total=False):
    description: str
    metadata: "Metadata"
    deletedAt: str
    annotations: "Annotations"
    effectiveFrom: str
    effectiveTo: str


class _AddonCreateRequired(t.TypedDict):
    name: str
    key: str
    instanceType: "AddonInstanceType"
    currency: "CurrencyCode"
    rateCards: t.List["RateCard"]


class AddonCreate(_AddonCreateRequired, total=False):
    description: str
    metadata: "Metadata"


AddonInstanceType = t.Literal["single", "multiple"]


AddonOrderBy = t.Literal["id", "key", "version", "created_at", "updated_at"]


class AddonPaginatedResponse(t.TypedDict):
    totalCount: int
    page: int
    pageSize: int
    items: t.List["Addon"]


class _AddonReplaceUpdateRequired(t.TypedDict):
    name: str
    instanceType: "AddonInstanceType"
    rateCards: t.List["RateCard"]


class AddonReplaceUpdate(_AddonReplaceUpdateRequired, total=False):
    description: str
    metadata: "Metadata"


AddonStatus = t.Literal["draft", "active", "archived"]


class Address(t.TypedDict, total=False):
    country: "CountryCode"
    postalCode: str
    state: str
    city: str
    line1: str
    line2: str
    phoneNumber: str


class Alignment(t.TypedDict, total=False):
    billablesMustAlign: bool


Annotations = t.Dict[str, t.Any]


App = t.Union["StripeApp", "SandboxApp", "CustomInvoicingApp"]


class _AppBaseRequired(t.TypedDict):
    id: str
    name: str
    createdAt: str
    updatedAt: str
    listing: "MarketplaceListing"
    status: "AppStatus"


class AppBase(_AppBaseRequired, total=False):
    description: str
    metadata: "Metadata"
    deletedAt: str


class AppCapability(t.TypedDict):
    type: "AppCapabilityType"
    key: str
    name: str
    description: str


AppCapabilityType = t.Literal["reportUsage", "reportEvents", "calculateTax", "invoiceCustomers", "collectPayments"]


class AppPaginatedResponse(t.TypedDict):
    totalCount: int
    page: int
    pageSize: int
    items: t.List["App"]


AppReadOrCreateOrUpdateOrDeleteOrQuery = t.Union[
    "StripeAppReadOrCreateOrUpdateOrDeleteOrQuery", "SandboxApp", "CustomInvoicingApp"
]


class AppReference(t.TypedDict):
    id: str


AppReplaceUpdate = t.Union["StripeAppReplaceUpdate", "SandboxAppReplaceUpdate", "CustomInvoicingAppReplaceUpdate"]


AppStatus = t.Literal["ready", "unauthorized"]


AppType = t.Literal["stripe", "sandbox", "custom_invoicing"]


BadRequestProblemResponse = t.Union["UnexpectedProblemResponse"]


class BalanceHistoryWindow(t.TypedDict):
    period: "Period"
    usage: float
    balanceAtStart: float


BillingCollectionAlignment = t.Literal["subscription", "anchored"]


class BillingCustomerProfile(t.TypedDict):
    supplier: "BillingParty"
    workflow: "BillingWorkflow"
    apps: "BillingProfileAppsOrReference"


class BillingDiscountMetadata(t.TypedDict, total=False):
    correlationId: str


class _BillingDiscountPercentageRequired(t.TypedDict):
    percentage: "Percentage"


class BillingDiscountPercentage(_BillingDiscountPercentageRequired, total=False):
    correlationId: str


BillingDiscountReason = t.Union[
    "DiscountReasonMaximumSpend", "DiscountReasonRatecardPercentage", "DiscountReasonRatecardUsage"
]


class _BillingDiscountUsageRequired(t.TypedDict):
    quantity: "Numeric"


class BillingDiscountUsage(_BillingDiscountUsageRequired, total=False):
    correlationId: str


class BillingDiscounts(t.TypedDict, total=False):
    percentage: "BillingDiscountPercentage"
    usage: "BillingDiscountUsage"


class _BillingInvoiceCustomerExtendedDetailsRequired(t.TypedDict):
    usageAttribution: "CustomerUsageAttribution"


class BillingInvoiceCustomerExtendedDetails(_BillingInvoiceCustomerExtendedDetailsRequired, total=False):
    id: str
    key: str
    name: str
    taxId: "BillingPartyTaxIdentity"
    addresses: t.List["Address"]


class BillingParty(t.TypedDict, total=False):
    id: str
    key: str
    name: str
    taxId: "BillingPartyTaxIdentity"
    addresses: t.List["Address"]


class BillingPartyReplaceUpdate(t.TypedDict, total=False):
    key: str
    name: str
    taxId: "BillingPartyTaxIdentity"
    addresses: t.List["Address"]


class BillingPartyTaxIdentity(t.TypedDict, total=False):
    code: "BillingTaxIdentificationCode"


class _BillingProfileRequired(t.TypedDict):
    id: str
    name: str
    createdAt: str
    updatedAt: str
    supplier: "BillingParty"
    workflow: "BillingWorkflow"
    apps: "BillingProfileAppsOrReference"
    default: bool


class BillingProfile(_BillingProfileRequired, total=False):
    description: str
    metadata: "Metadata"
    deletedAt: str


class BillingProfileAppReferences(t.TypedDict):
    tax: "AppReference"
    invoicing: "AppReference"
    payment: "AppReference"


class BillingProfileApps(t.TypedDict):
    tax: "App"
    invoicing: "App"
    payment: "App"


class BillingProfileAppsCreate(t.TypedDict):
    tax: str
    invoicing: str
    payment: str


BillingProfileAppsOrReference = t.Union["BillingProfileApps", "BillingProfileAppReferences"]


class _BillingProfileCreateRequired(t.TypedDict):
    name: str
    supplier: "BillingParty"
    default: bool
    workflow: "BillingWorkflowCreate"
    apps: "BillingProfileAppsCreate"


class BillingProfileCreate(_BillingProfileCreateRequired, total=False):
    description: str
    metadata: "Metadata"


class _BillingProfileCustomerOverrideRequired(t.TypedDict):
    createdAt: str
    updatedAt: str
    customerId: str


class BillingProfileCustomerOverride(_BillingProfileCustomerOverrideRequired, total=False):
    billingProfileId: str


class BillingProfileCustomerOverrideCreate(t.TypedDict, total=False):
    billingProfileId: str


BillingProfileCustomerOverrideExpand = t.Literal["apps", "customer"]


BillingProfileCustomerOverrideOrderBy = t.Literal[
    "customerId", "customerName", "customerKey", "customerPrimaryEmail", "customerCreatedAt"
]


class _BillingProfileCustomerOverrideWithDetailsRequired(t.TypedDict):
    baseBillingProfileId: str


class BillingProfileCustomerOverrideWithDetails(_BillingProfileCustomerOverrideWithDetailsRequired, total=False):
    customerOverride: "BillingProfileCustomerOverride"
    customerProfile: "BillingCustomerProfile"
    customer: "Customer"


class BillingProfileCustomerOverrideWithDetailsPaginatedResponse(t.TypedDict):
    totalCount: int
    page: int
    pageSize: int
    items: t.List["BillingProfileCustomerOverrideWithDetails"]


class _BillingProfileCustomerWorkflowOverrideRequired(t.TypedDict):
    taxApp: "AppReadOrCreateOrUpdateOrDeleteOrQuery"
    invoicingApp: "AppReadOrCreateOrUpdateOrDeleteOrQuery"
    paymentApp: "AppReadOrCreateOrUpdateOrDeleteOrQuery"


class BillingProfileCustomerWorkflowOverride(_BillingProfileCustomerWorkflowOverrideRequired, total=False):
    collection: "BillingWorkflowCollectionSettings"
    invoicing: "BillingWorkflowInvoicingSettings"
    payment: "BillingWorkflowPaymentSettings"
    tax: "BillingWorkflowTaxSettings"


BillingProfileExpand = t.Literal["apps"]


BillingProfileOrderBy = t.Literal["createdAt", "updatedAt", "default", "name"]


class BillingProfilePaginatedResponse(t.TypedDict):
    totalCount: int
    page: int
    pageSize: int
    items: t.List["BillingProfile"]


class _BillingProfileReplaceUpdateWithWorkflowRequired(t.TypedDict):
    name: str
    supplier: "BillingParty"
    default: bool
    workflow: "BillingWorkflow"


class BillingProfileReplaceUpdateWithWorkflow(_BillingProfileReplaceUpdateWithWorkflowRequired, total=False):
    description: str
    metadata: "Metadata"


BillingSettlementMode = t.Literal["credit_then_invoice", "credit_only"]


BillingTaxIdentificationCode = str


class BillingWorkflow(t.TypedDict, total=False):
    collection: "BillingWorkflowCollectionSettings"
    invoicing: "BillingWorkflowInvoicingSettings"
    payment: "BillingWorkflowPaymentSettings"
    tax: "BillingWorkflowTaxSettings"


BillingWorkflowAppReferenceType = t.Literal["app_id", "app_type"]


BillingWorkflowCollectionAlignment = t.Union[
    "BillingWorkflowCollectionAlignmentSubscription", "BillingWorkflowCollectionAlignmentAnchored"
]


class BillingWorkflowCollectionAlignmentAnchored(t.TypedDict):
    type: t.Literal["anchored"]
    recurringPeriod: "RecurringPeriodV2"


class BillingWorkflowCollectionAlignmentSubscription(t.TypedDict):
    type: t.Literal["subscription"]


class BillingWorkflowCollectionSettings(t.TypedDict, total=False):
    alignment: "BillingWorkflowCollectionAlignment"
    interval: str


class BillingWorkflowCreate(t.TypedDict, total=False):
    collection: "BillingWorkflowCollectionSettings"
    invoicing: "BillingWorkflowInvoicingSettings"
    payment: "BillingWorkflowPaymentSettings"
    tax: "BillingWorkflowTaxSettings"


class BillingWorkflowInvoicingSettings(t.TypedDict, total=False):
    autoAdvance: bool
    draftPeriod: str
    dueAfter: str
    progressiveBilling: bool
    subscriptionEndProrationMode: "BillingWorkflowInvoicingSubscriptionEndProrationMode"
    defaultTaxConfig: "TaxConfig"


BillingWorkflowInvoicingSubscriptionEndProrationMode = t.Literal["bill_full_period", "bill_actual_period"]


BillingWorkflowLineResolution = t.Literal["day", "period"]


class BillingWorkflowPaymentSettings(t.TypedDict, total=False):
    collectionMethod: "CollectionMethod"


class BillingWorkflowTaxSettings(t.TypedDict, total=False):
    enabled: bool
    enforced: bool


class CheckoutSessionCustomTextAfterSubmitParamsAfterSubmit(t.TypedDict, total=False):
    message: str


class CheckoutSessionCustomTextAfterSubmitParamsShippingAddress(t.TypedDict, total=False):
    message: str


class CheckoutSessionCustomTextAfterSubmitParamsSubmit(t.TypedDict, total=False):
    message: str


class CheckoutSessionCustomTextAfterSubmitParamsTermsOfServiceAcceptance(t.TypedDict, total=False):
    message: str


class CheckoutSessionCustomTextAfterSubmitParams(t.TypedDict, total=False):
    afterSubmit: "CheckoutSessionCustomTextAfterSubmitParamsAfterSubmit"
    shippingAddress: "CheckoutSessionCustomTextAfterSubmitParamsShippingAddress"
    submit: "CheckoutSessionCustomTextAfterSubmitParamsSubmit"
    termsOfServiceAcceptance: "CheckoutSessionCustomTextAfterSubmitParamsTermsOfServiceAcceptance"


CheckoutSessionUIMode = t.Literal["embedded", "hosted"]


class ClientAppStartResponse(t.TypedDict):
    url: str


CollectionMethod = t.Literal["charge_automatically", "send_invoice"]


ConflictProblemResponse = t.Union["UnexpectedProblemResponse"]


CountryCode = str


class _CreateCheckoutSessionTaxIdCollectionRequired(t.TypedDict):
    enabled: bool


class CreateCheckoutSessionTaxIdCollection(_CreateCheckoutSessionTaxIdCollectionRequired, total=False):
    required: "CreateCheckoutSessionTaxIdCollectionRequired"


CreateCheckoutSessionTaxIdCollectionRequired = t.Literal["if_supported", "never"]


CreateStripeCheckoutSessionBillingAddressCollection = t.Literal["auto", "required"]


class CreateStripeCheckoutSessionConsentCollection(t.TypedDict, total=False):
    paymentMethodReuseAgreement: "CreateStripeCheckoutSessionConsentCollectionPaymentMethodReuseAgreement"
    promotions: "CreateStripeCheckoutSessionConsentCollectionPromotions"
    termsOfService: "CreateStripeCheckoutSessionConsentCollectionTermsOfService"


class CreateStripeCheckoutSessionConsentCollectionPaymentMethodReuseAgreement(t.TypedDict, total=False):
    position: "CreateStripeCheckoutSessionConsentCollectionPaymentMethodReuseAgreementPosition"


CreateStripeCheckoutSessionConsentCollectionPaymentMethodReuseAgreementPosition = t.Literal["auto", "hidden"]


CreateStripeCheckoutSessionConsentCollectionPromotions = t.Literal["auto", "none"]


CreateStripeCheckoutSessionConsentCollectionTermsOfService = t.Literal["none", "required"]


class CreateStripeCheckoutSessionCustomerUpdate(t.TypedDict, total=False):
    address: "CreateStripeCheckoutSessionCustomerUpdateBehavior"
    name: "CreateStripeCheckoutSessionCustomerUpdateBehavior"
    shipping: "CreateStripeCheckoutSessionCustomerUpdateBehavior"


CreateStripeCheckoutSessionCustomerUpdateBehavior = t.Literal["auto", "never"]


CreateStripeCheckoutSessionRedirectOnCompletion = t.Literal["always", "if_required", "never"]


class _CreateStripeCheckoutSessionRequestRequired(t.TypedDict):
    customer: t.Union["CustomerId", "CustomerKey", "CustomerCreate"]
    options: "CreateStripeCheckoutSessionRequestOptions"


class CreateStripeCheckoutSessionRequest(_CreateStripeCheckoutSessionRequestRequired, total=False):
    appId: str
    stripeCustomerId: str


class CreateStripeCheckoutSessionRequestOptions(t.TypedDict, total=False):
    billingAddressCollection: "CreateStripeCheckoutSessionBillingAddressCollection"
    cancelURL: str
    clientReferenceID: str
    customerUpdate: "CreateStripeCheckoutSessionCustomerUpdate"
    consentCollection: "CreateStripeCheckoutSessionConsentCollection"
    currency: "CurrencyCode"
    customText: "CheckoutSessionCustomTextAfterSubmitParams"
    expiresAt: int
    locale: str
    metadata: t.Dict[str, str]
    returnURL: str
    successURL: str
    uiMode: "CheckoutSessionUIMode"
    paymentMethodTypes: t.List[str]
    redirectOnCompletion: "CreateStripeCheckoutSessionRedirectOnCompletion"
    taxIdCollection: "CreateCheckoutSessionTaxIdCollection"


class _CreateStripeCheckoutSessionResultRequired(t.TypedDict):
    customerId: str
    stripeCustomerId: str
    sessionId: str
    setupIntentId: str
    createdAt: str
    mode: "StripeCheckoutSessionMode"


class CreateStripeCheckoutSessionResult(_CreateStripeCheckoutSessionResultRequired, total=False):
    clientSecret: str
    clientReferenceId: str
    customerEmail: str
    currency: "CurrencyCode"
    expiresAt: str
    metadata: t.Dict[str, str]
    status: str
    url: str
    cancelURL: str
    successURL: str
    returnURL: str


class CreateStripeCustomerPortalSessionParams(t.TypedDict, total=False):
    configurationId: str
    locale: str
    returnUrl: str


class _CreditNoteOriginalInvoiceRefRequired(t.TypedDict):
    type: t.Literal["credit_note_original_invoice"]
    url: str


class CreditNoteOriginalInvoiceRef(_CreditNoteOriginalInvoiceRefRequired, total=False):
    reason: str
    description: str
    issuedAt: str
    number: "InvoiceNumber"


class Currency(t.TypedDict):
    code: "CurrencyCode"
    name: str
    symbol: str
    subunits: int


CurrencyCode = str


CurrencyCodeOrCustom = str


class _CustomInvoicingAppRequired(t.TypedDict):
    id: str
    name: str
    createdAt: str
    updatedAt: str
    listing: "MarketplaceListing"
    status: "AppStatus"
    type: t.Literal["custom_invoicing"]
    enableDraftSyncHook: bool
    enableIssuingSyncHook: bool


class CustomInvoicingApp(_CustomInvoicingAppRequired, total=False):
    description: str
    metadata: "Metadata"
    deletedAt: str


class _CustomInvoicingAppReplaceUpdateRequired(t.TypedDict):
    name: str
    type: t.Literal["custom_invoicing"]
    enableDraftSyncHook: bool
    enableIssuingSyncHook: bool


class CustomInvoicingAppReplaceUpdate(_CustomInvoicingAppReplaceUpdateRequired, total=False):
    description: str
    metadata: "Metadata"


class _CustomInvoicingCustomerAppDataRequired(t.TypedDict):
    type: t.Literal["custom_invoicing"]


class CustomInvoicingCustomerAppData(_CustomInvoicingCustomerAppDataRequired, total=False):
    app: "CustomInvoicingApp"
    id: str
    metadata: "Metadata"


class CustomInvoicingDraftSynchronizedRequest(t.TypedDict, total=False):
    invoicing: "CustomInvoicingSyncResult"


class CustomInvoicingFinalizedInvoicingRequest(t.TypedDict, total=False):
    invoiceNumber: "InvoiceNumber"
    sentToCustomerAt: str


class CustomInvoicingFinalizedPaymentRequest(t.TypedDict, total=False):
    externalId: str


class CustomInvoicingFinalizedRequest(t.TypedDict, total=False):
    invoicing: "CustomInvoicingFinalizedInvoicingRequest"
    payment: "CustomInvoicingFinalizedPaymentRequest"


class CustomInvoicingLineDiscountExternalIdMapping(t.TypedDict):
    lineDiscountId: str
    externalId: str


class CustomInvoicingLineExternalIdMapping(t.TypedDict):
    lineId: str
    externalId: str


CustomInvoicingPaymentTrigger = t.Literal[
    "paid", "payment_failed", "payment_uncollectible", "payment_overdue", "action_required", "void"
]


class CustomInvoicingSyncResult(t.TypedDict, total=False):
    invoiceNumber: "InvoiceNumber"
    externalId: str
    lineExternalIds: t.List["CustomInvoicingLineExternalIdMapping"]
    lineDiscountExternalIds: t.List["CustomInvoicingLineDiscountExternalIdMapping"]


class CustomInvoicingTaxConfig(t.TypedDict):
    code: str


class CustomInvoicingUpdatePaymentStatusRequest(t.TypedDict):
    trigger: "CustomInvoicingPaymentTrigger"


class _CustomPlanInput_Required(t.TypedDict):
    name: str
    currency: "CurrencyCode"
    billingCadence: str
    phases: t.List["PlanPhase"]


class CustomPlanInput_(_CustomPlanInput_Required, total=False):
    description: str
    metadata: "Metadata"
    alignment: "Alignment"
    proRatingConfig: "ProRatingConfig"
    settlementMode: "BillingSettlementMode"


CustomPlanInput = t.Union["CustomPlanInput_"]


class _CustomSubscriptionChangeRequired(t.TypedDict):
    timing: "SubscriptionTiming"
    customPlan: "CustomPlanInput"


class CustomSubscriptionChange(_CustomSubscriptionChangeRequired, total=False):
    billingAnchor: str
    costBasisMode: "SubscriptionCostBasisMode"


class _CustomSubscriptionCreateRequired(t.TypedDict):
    customPlan: "CustomPlanInput"


class CustomSubscriptionCreate(_CustomSubscriptionCreateRequired, total=False):
    costBasisMode: "SubscriptionCostBasisMode"
    timing: "SubscriptionTiming"
    customerId: str
    customerKey: str
    billingAnchor: str


class _CustomerRequired(t.TypedDict):
    id: str
    name: str
    createdAt: str
    updatedAt: str


class Customer(_CustomerRequired, total=False):
    description: str
    metadata: "Metadata"
    deletedAt: str
    key: str
    usageAttribution: "CustomerUsageAttribution"
    primaryEmail: str
    currency: "CurrencyCode"
    billingAddress: "Address"
    currentSubscriptionId: str
    subscriptions: t.List["Subscription"]
    annotations: "Annotations"


class CustomerAccess(t.TypedDict):
    entitlements: t.Dict[str, "EntitlementValue"]


CustomerAppData = t.Union["StripeCustomerAppData", "SandboxCustomerAppData", "CustomInvoicingCustomerAppData"]


CustomerAppDataCreateOrUpdateItem = t.Union[
    "StripeCustomerAppDataCreateOrUpdateItem", "SandboxCustomerAppData", "CustomInvoicingCustomerAppData"
]


class CustomerAppDataPaginatedResponse(t.TypedDict):
    totalCount: int
    page: int
    pageSize: int
    items: t.List["CustomerAppData"]


class _CustomerCreateRequired(t.TypedDict):
    name: str


class CustomerCreate(_CustomerCreateRequired, total=False):
    description: str
    metadata: "Metadata"
    key: str
    usageAttribution: "CustomerUsageAttribution"
    primaryEmail: str
    currency: "CurrencyCode"
    billingAddress: "Address"


CustomerExpand = t.Literal["subscriptions"]


class CustomerId(t.TypedDict):
    id: str


class CustomerKey(t.TypedDict):
    key: str


CustomerOrderBy = t.Literal["id", "name", "createdAt"]


class CustomerPaginatedResponse(t.TypedDict):
    totalCount: int
    page: int
    pageSize: int
    items: t.List["Customer"]


class _CustomerReplaceUpdateRequired(t.TypedDict):
    name: str


class CustomerReplaceUpdate(_CustomerReplaceUpdateRequired, total=False):
    description: str
    metadata: "Metadata"
    key: str
    usageAttribution: "CustomerUsageAttribution"
    primaryEmail: str
    currency: "CurrencyCode"
    billingAddress: "Address"


CustomerSubscriptionOrderBy = t.Literal["activeFrom", "activeTo"]


class CustomerUsageAttribution(t.TypedDict):
    subjectKeys: t.List[str]


class DiscountPercentage(t.TypedDict):
    percentage: "Percentage"


class DiscountReasonMaximumSpend(t.TypedDict):
    type: t.Literal["maximum_spend"]


class _DiscountReasonRatecardPercentageRequired(t.TypedDict):
    type: t.Literal["ratecard_percentage"]
    percentage: "Percentage"


class DiscountReasonRatecardPercentage(_DiscountReasonRatecardPercentageRequired, total=False):
    correlationId: str


class _DiscountReasonRatecardUsageRequired(t.TypedDict):
    type: t.Literal["ratecard_usage"]
    quantity: "Numeric"


class DiscountReasonRatecardUsage(_DiscountReasonRatecardUsageRequired, total=False):
    correlationId: str


DiscountReasonType = t.Literal["maximum_spend", "ratecard_percentage", "ratecard_usage"]


class DiscountUsage(t.TypedDict):
    quantity: "Numeric"


class Discounts(t.TypedDict, total=False):
    percentage: "DiscountPercentage"
    usage: "DiscountUsage"


class _DynamicPriceRequired(t.TypedDict):
    type: t.Literal["dynamic"]


class DynamicPrice(_DynamicPriceRequired, total=False):
    multiplier: "Numeric"


class _DynamicPriceWithCommitmentsRequired(t.TypedDict):
    type: t.Literal["dynamic"]


class DynamicPriceWithCommitments(_DynamicPriceWithCommitmentsRequired, total=False):
    multiplier: "Numeric"
    minimumAmount: "Numeric"
    maximumAmount: "Numeric"


EditOp = t.Literal["add_item", "remove_item", "unschedule_edit", "add_phase", "remove_phase", "stretch_phase"]


class EditSubscriptionAddItem(t.TypedDict):
    op: t.Literal["add_item"]
    phaseKey: str
    rateCard: "RateCard"


class EditSubscriptionAddPhase(t.TypedDict):
    op: t.Literal["add_phase"]
    phase: "SubscriptionPhaseCreate"


class EditSubscriptionRemoveItem(t.TypedDict):
    op: t.Literal["remove_item"]
    phaseKey: str
    itemKey: str


class EditSubscriptionRemovePhase(t.TypedDict):
    op: t.Literal["remove_phase"]
    phaseKey: str
    shift: "RemovePhaseShifting"


class EditSubscriptionStretchPhase(t.TypedDict):
    op: t.Literal["stretch_phase"]
    phaseKey: str
    extendBy: str


class EditSubscriptionUnscheduleEdit(t.TypedDict):
    op: t.Literal["unschedule_edit"]


Entitlement = t.Union["EntitlementMetered", "EntitlementStatic", "EntitlementBoolean"]


class _EntitlementBaseTemplateRequired(t.TypedDict):
    createdAt: str
    updatedAt: str
    activeFrom: str
    id: str
    type: "EntitlementType"
    subjectKey: str
    featureKey: str
    featureId: str


class EntitlementBaseTemplate(_EntitlementBaseTemplateRequired, total=False):
    deletedAt: str
    metadata: "Metadata"
    activeTo: str
    annotations: "Annotations"
    currentUsagePeriod: "Period"
    usagePeriod: "RecurringPeriod"


class _EntitlementBooleanRequired(t.TypedDict):
    type: t.Literal["boolean"]
    createdAt: str
    updatedAt: str
    activeFrom: str
    id: str
    subjectKey: str
    featureKey: str
    featureId: str


class EntitlementBoolean(_EntitlementBooleanRequired, total=False):
    deletedAt: str
    metadata: "Metadata"
    activeTo: str
    annotations: "Annotations"
    currentUsagePeriod: "Period"
    usagePeriod: "RecurringPeriod"


class _EntitlementBooleanCreateInputsRequired(t.TypedDict):
    type: t.Literal["boolean"]


class EntitlementBooleanCreateInputs(_EntitlementBooleanCreateInputsRequired, total=False):
    featureKey: str
    featureId: str
    metadata: "Metadata"
    usagePeriod: "RecurringPeriodCreateInput"


class _EntitlementBooleanV2Required(t.TypedDict):
    type: t.Literal["boolean"]
    createdAt: str
    updatedAt: str
    activeFrom: str
    id: str
    featureKey: str
    featureId: str
    customerId: str


class EntitlementBooleanV2(_EntitlementBooleanV2Required, total=False):
    deletedAt: str
    metadata: "Metadata"
    activeTo: str
    annotations: "Annotations"
    currentUsagePeriod: "Period"
    usagePeriod: "RecurringPeriod"
    customerKey: str


EntitlementCreateInputs = t.Union[
    "EntitlementMeteredCreateInputs", "EntitlementStaticCreateInputs", "EntitlementBooleanCreateInputs"
]


class EntitlementCreateSharedFields(t.TypedDict, total=False):
    featureKey: str
    featureId: str
    metadata: "Metadata"
    usagePeriod: "RecurringPeriodCreateInput"


class _EntitlementCustomerFieldsRequired(t.TypedDict):
    customerId: str


class EntitlementCustomerFields(_EntitlementCustomerFieldsRequired, total=False):
    customerKey: str


class _EntitlementGrantRequired(t.TypedDict):
    createdAt: str
    updatedAt: str
    amount: float
    effectiveAt: str
    expiration: "ExpirationPeriod"
    id: str
    entitlementId: str


class EntitlementGrant(_EntitlementGrantRequired, total=False):
    deletedAt: str
    priority: int
    maxRolloverAmount: float
    minRolloverAmount: float
    metadata: "Metadata"
    nextRecurrence: str
    expiresAt: str
    voidedAt: str
    recurrence: "RecurringPeriod"
    annotations: "Annotations"


class _EntitlementGrantCreateInputRequired(t.TypedDict):
    amount: float
    effectiveAt: str
    expiration: "ExpirationPeriod"


class EntitlementGrantCreateInput(_EntitlementGrantCreateInputRequired, total=False):
    priority: int
    maxRolloverAmount: float
    minRolloverAmount: float
    metadata: "Metadata"
    recurrence: "RecurringPeriodCreateInput"


class _EntitlementGrantCreateInputV2Required(t.TypedDict):
    amount: float
    effectiveAt: str


class EntitlementGrantCreateInputV2(_EntitlementGrantCreateInputV2Required, total=False):
    priority: int
    minRolloverAmount: float
    metadata: "Metadata"
    recurrence: "RecurringPeriodCreateInput"
    maxRolloverAmount: float
    expiration: "ExpirationPeriod"
    annotations: "Annotations"


class _EntitlementGrantV2Required(t.TypedDict):
    createdAt: str
    updatedAt: str
    amount: float
    effectiveAt: str
    id: str
    entitlementId: str


class EntitlementGrantV2(_EntitlementGrantV2Required, total=False):
    deletedAt: str
    priority: int
    minRolloverAmount: float
    metadata: "Metadata"
    maxRolloverAmount: float
    expiration: "ExpirationPeriod"
    annotations: "Annotations"
    nextRecurrence: str
    expiresAt: str
    voidedAt: str
    recurrence: "RecurringPeriod"


class _EntitlementMeteredRequired(t.TypedDict):
    type: t.Literal["metered"]
    createdAt: str
    updatedAt: str
    activeFrom: str
    id: str
    subjectKey: str
    featureKey: str
    featureId: str
    lastReset: str
    currentUsagePeriod: "Period"
    measureUsageFrom: str
    usagePeriod: "RecurringPeriod"


class EntitlementMetered(_EntitlementMeteredRequired, total=False):
    isSoftLimit: bool
    isUnlimited: bool
    issueAfterReset: float
    issueAfterResetPriority: int
    preserveOverageAtReset: bool
    deletedAt: str
    metadata: "Metadata"
    activeTo: str
    annotations: "Annotations"


class EntitlementMeteredCalculatedFields(t.TypedDict):
    lastReset: str
    currentUsagePeriod: "Period"
    measureUsageFrom: str
    usagePeriod: "RecurringPeriod"


class _EntitlementMeteredCreateInputsRequired(t.TypedDict):
    type: t.Literal["metered"]
    usagePeriod: "RecurringPeriodCreateInput"


class EntitlementMeteredCreateInputs(_EntitlementMeteredCreateInputsRequired, total=False):
    featureKey: str
    featureId: str
    metadata: "Metadata"
    isSoftLimit: bool
    isUnlimited: bool
    measureUsageFrom: "MeasureUsageFrom"
    issueAfterReset: float
    issueAfterResetPriority: int
    preserveOverageAtReset: bool


class _EntitlementMeteredV2Required(t.TypedDict):
    type: t.Literal["metered"]
    createdAt: str
    updatedAt: str
    activeFrom: str
    id: str
    featureKey: str
    featureId: str
    lastReset: str
    currentUsagePeriod: "Period"
    measureUsageFrom: str
    usagePeriod: "RecurringPeriod"
    customerId: str


class EntitlementMeteredV2(_EntitlementMeteredV2Required, total=False):
    isSoftLimit: bool
    preserveOverageAtReset: bool
    issueAfterReset: float
    issueAfterResetPriority: int
    issue: "IssueAfterReset"
    deletedAt: str
    metadata: "Metadata"
    activeTo: str
    annotations: "Annotations"
    customerKey: str


class _EntitlementMeteredV2CreateInputsRequired(t.TypedDict):
    type: t.Literal["metered"]
    usagePeriod: "RecurringPeriodCreateInput"


class EntitlementMeteredV2CreateInputs(_EntitlementMeteredV2CreateInputsRequired, total=False):
    featureKey: str
    featureId: str
    metadata: "Metadata"
    isSoftLimit: bool
    measureUsageFrom: "MeasureUsageFrom"
    preserveOverageAtReset: bool
    issueAfterReset: float
    issueAfterResetPriority: int
    issue: "IssueAfterReset"
    grants: t.List["EntitlementGrantCreateInputV2"]


EntitlementOrderBy = t.Literal["createdAt", "updatedAt"]


class EntitlementPaginatedResponse(t.TypedDict):
    totalCount: int
    page: int
    pageSize: int
    items: t.List["Entitlement"]


class _EntitlementStaticRequired(t.TypedDict):
    type: t.Literal["static"]
    config: str
    createdAt: str
    updatedAt: str
    activeFrom: str
    id: str
    subjectKey: str
    featureKey: str
    featureId: str


class EntitlementStatic(_EntitlementStaticRequired, total=False):
    deletedAt: str
    metadata: "Metadata"
    activeTo: str
    annotations: "Annotations"
    currentUsagePeriod: "Period"
    usagePeriod: "RecurringPeriod"


class _EntitlementStaticCreateInputsRequired(t.TypedDict):
    type: t.Literal["static"]
    config: str


class EntitlementStaticCreateInputs(_EntitlementStaticCreateInputsRequired, total=False):
    featureKey: str
    featureId: str
    metadata: "Metadata"
    usagePeriod: "RecurringPeriodCreateInput"


class _EntitlementStaticV2Required(t.TypedDict):
    type: t.Literal["static"]
    config: str
    createdAt: str
    updatedAt: str
    activeFrom: str
    id: str
    featureKey: str
    featureId: str
    customerId: str


class EntitlementStaticV2(_EntitlementStaticV2Required, total=False):
    deletedAt: str
    metadata: "Metadata"
    activeTo: str
    annotations: "Annotations"
    currentUsagePeriod: "Period"
    usagePeriod: "RecurringPeriod"
    customerKey: str


EntitlementType = t.Literal["metered", "boolean", "static"]


EntitlementV2 = t.Union["EntitlementMeteredV2", "EntitlementStaticV2", "EntitlementBooleanV2"]


EntitlementV2CreateInputs = t.Union[
    "EntitlementMeteredV2CreateInputs", "EntitlementStaticCreateInputs", "EntitlementBooleanCreateInputs"
]


class EntitlementV2PaginatedResponse(t.TypedDict):
    totalCount: int
    page: int
    pageSize: int
    items: t.List["EntitlementV2"]


class _EntitlementValueRequired(t.TypedDict):
    hasAccess: bool


class EntitlementValue(_EntitlementValueRequired, total=False):
    balance: float
    usage: float
    overage: float
    totalAvailableGrantAmount: float
    config: str


class _EntitlementValueV2Required(t.TypedDict):
    hasAccess: bool


class EntitlementValueV2(_EntitlementValueV2Required, total=False):
    balance: float
    usage: float
    overage: float
    totalAvailableGrantAmount: float
    config: str
    grantBalances: t.Dict[str, float]


class ErrorExtension(t.TypedDict):
    field: str
    code: str
    message: str


class _EventRequired(t.TypedDict):
    id: str
    source: str
    specversion: str
    type: str
    subject: str


class Event(_EventRequired, total=False):
    datacontenttype: t.Literal["application/json"]
    dataschema: str
    time: str
    data: t.Dict[str, t.Any]


class _EventDeliveryAttemptResponseRequired(t.TypedDict):
    body: str
    durationMs: int


class EventDeliveryAttemptResponse(_EventDeliveryAttemptResponseRequired, total=False):
    statusCode: int
    url: str


ExpirationDuration = t.Literal["HOUR", "DAY", "WEEK", "MONTH", "YEAR"]


class ExpirationPeriod(t.TypedDict):
    duration: "ExpirationDuration"
    count: int


class _FeatureRequired(t.TypedDict):
    createdAt: str
    updatedAt: str
    key: str
    name: str
    id: str


class Feature(_FeatureRequired, total=False):
    deletedAt: str
    archivedAt: str
    metadata: "Metadata"
    meterSlug: str
    meterGroupByFilters: t.Dict[str, str]
    advancedMeterGroupByFilters: t.Dict[str, "FilterString"]
    unitCost: "FeatureUnitCost"


class _FeatureCreateInputsRequired(t.TypedDict):
    key: str
    name: str


class FeatureCreateInputs(_FeatureCreateInputsRequired, total=False):
    metadata: "Metadata"
    meterSlug: str
    meterGroupByFilters: t.Dict[str, str]
    advancedMeterGroupByFilters: t.Dict[str, "FilterString"]
    unitCost: "FeatureUnitCost"


class _FeatureLLMUnitCostRequired(t.TypedDict):
    type: t.Literal["llm"]


class FeatureLLMUnitCost(_FeatureLLMUnitCostRequired, total=False):
    providerProperty: str
    provider: str
    modelProperty: str
    model: str
    tokenTypeProperty: str
    tokenType: str
    pricing: "FeatureLLMUnitCostPricing"


class _FeatureLLMUnitCostPricingRequired(t.TypedDict):
    inputPerToken: "Numeric"
    outputPerToken: "Numeric"


class FeatureLLMUnitCostPricing(_FeatureLLMUnitCostPricingRequired, total=False):
    cacheReadPerToken: "Numeric"
    reasoningPerToken: "Numeric"
    cacheWritePerToken: "Numeric"


class FeatureManualUnitCost(t.TypedDict):
    type: t.Literal["manual"]
    amount: "Numeric"


class FeatureMeta(t.TypedDict):
    id: str
    key: str


FeatureOrderBy = t.Literal["id", "key", "name", "createdAt", "updatedAt"]


class FeaturePaginatedResponse(t.TypedDict):
    totalCount: int
    page: int
    pageSize: int
    items: t.List["Feature"]


FeatureUnitCost = t.Union["FeatureManualUnitCost", "FeatureLLMUnitCost"]


FeatureUnitCostType = t.Literal["llm", "manual"]


FilterBoolean = t.TypedDict("FilterBoolean", {"$eq": bool}, total=False)


FilterFloat = t.TypedDict(
    "FilterFloat",
    {
        "$eq": float,
        "$ne": float,
        "$gt": float,
        "$gte": float,
        "$lt": float,
        "$lte": float,
        "$and": t.List["FilterFloat"],
        "$or": t.List["FilterFloat"],
    },
    total=False,
)


FilterIDExact = t.TypedDict("FilterIDExact", {"$in": t.List[str]}, total=False)


FilterInteger = t.TypedDict(
    "FilterInteger",
    {
        "$eq": int,
        "$ne": int,
        "$gt": int,
        "$gte": int,
        "$lt": int,
        "$lte": int,
        "$and": t.List["FilterInteger"],
        "$or": t.List["FilterInteger"],
    },
    total=False,
)


FilterString = t.TypedDict(
    "FilterString",
    {
        "$eq": str,
        "$ne": str,
        "$in": t.List[str],
        "$nin": t.List[str],
        "$like": str,
        "$nlike": str,
        "$ilike": str,
        "$nilike": str,
        "$gt": str,
        "$gte": str,
        "$lt": str,
        "$lte": str,
        "$and": t.List["FilterString"],
        "$or": t.List["FilterString"],
    },
    total=False,
)


FilterTime = t.TypedDict(
    "FilterTime",
    {"$gt": str, "$gte": str, "$lt": str, "$lte": str, "$and": t.List["FilterTime"], "$or": t.List["FilterTime"]},
    total=False,
)


class FlatPrice(t.TypedDict):
    type: t.Literal["flat"]
    amount: "Numeric"


class _FlatPriceWithPaymentTermRequired(t.TypedDict):
    type: t.Literal["flat"]
    amount: "Numeric"


class FlatPriceWithPaymentTerm(_FlatPriceWithPaymentTermRequired, total=False):
    paymentTerm: "PricePaymentTerm"


ForbiddenProblemResponse = t.Union["UnexpectedProblemResponse"]


GatewayTimeoutProblemResponse = t.Union["UnexpectedProblemResponse"]


class GrantBurnDownHistorySegment(t.TypedDict):
    period: "Period"
    usage: float
    overage: float
    balanceAtStart: float
    grantBalancesAtStart: t.Dict[str, float]
    balanceAtEnd: float
    grantBalancesAtEnd: t.Dict[str, float]
    grantUsages: t.List["GrantUsageRecord"]


GrantOrderBy = t.Literal["id", "createdAt", "updatedAt"]


class GrantPaginatedResponse(t.TypedDict):
    totalCount: int
    page: int
    pageSize: int
    items: t.List["EntitlementGrant"]


class GrantUsageRecord(t.TypedDict):
    grantId: str
    usage: float


class GrantV2PaginatedResponse(t.TypedDict):
    totalCount: int
    page: int
    pageSize: int
    items: t.List["EntitlementGrantV2"]


class IDResource(t.TypedDict):
    id: str


IngestEventsBody = t.Union["Event", t.List["Event"]]


class _IngestedEventRequired(t.TypedDict):
    event: "Event"
    ingestedAt: str
    storedAt: str


class IngestedEvent(_IngestedEventRequired, total=False):
    customerId: str
    validationError: str


class _IngestedEventCursorPaginatedResponseRequired(t.TypedDict):
    items: t.List["IngestedEvent"]


class IngestedEventCursorPaginatedResponse(_IngestedEventCursorPaginatedResponseRequired, total=False):
    nextCursor: str


InstallMethod = t.Literal["with_oauth2", "with_api_key", "no_credentials_required"]


InternalServerErrorProblemResponse = t.Union["UnexpectedProblemResponse"]


class _InvoiceRequired(t.TypedDict):
    id: str
    createdAt: str
    updatedAt: str
    type: "InvoiceType"
    supplier: "BillingParty"
    customer: "BillingInvoiceCustomerExtendedDetails"
    number: "InvoiceNumber"
    currency: "CurrencyCode"
    totals: "InvoiceTotals"
    status: "InvoiceStatus"
    statusDetails: "InvoiceStatusDetails"
    workflow: "InvoiceWorkflowSettings"


class Invoice(_InvoiceRequired, total=False):
    description: str
    metadata: "Metadata"
    deletedAt: str
    preceding: t.List["InvoiceDocumentRef"]
    issuedAt: str
    draftUntil: str
    quantitySnapshotedAt: str
    collectionAt: str
    dueAt: str
    period: "Period"
    voidedAt: str
    sentToCustomerAt: str
    lines: t.List["InvoiceLine"]
    payment: "InvoicePaymentTerms"
    validationIssues: t.List["ValidationIssue"]
    externalIds: "InvoiceAppExternalIds"


class InvoiceAppExternalIds(t.TypedDict, total=False):
    invoicing: str
    tax: str
    payment: str


class InvoiceAvailableActionDetails(t.TypedDict):
    resultingState: str


InvoiceAvailableActionInvoiceDetails = t.Dict[str, t.Any]


class InvoiceAvailableActions(t.TypedDict, total=False):
    advance: "InvoiceAvailableActionDetails"
    approve: "InvoiceAvailableActionDetails"
    delete: "InvoiceAvailableActionDetails"
    retry: "InvoiceAvailableActionDetails"
    snapshotQuantities: "InvoiceAvailableActionDetails"
    void: "InvoiceAvailableActionDetails"
    invoice: "InvoiceAvailableActionInvoiceDetails"


class _InvoiceDetailedLineRequired(t.TypedDict):
    name: str
    createdAt: str
    updatedAt: str
    id: str
    managedBy: "InvoiceLineManagedBy"
    status: "InvoiceLineStatus"
    currency: "CurrencyCode"
    totals: "InvoiceTotals"
    period: "Period"
    invoiceAt: str
    type: t.Literal["flat_fee"]


class InvoiceDetailedLine(_InvoiceDetailedLineRequired, total=False):
    description: str
    metadata: "Metadata"
    deletedAt: str
    discounts: "InvoiceLineDiscounts"
    creditAllocations: t.List["InvoiceLineCreditAllocation"]
    invoice: "InvoiceReference"
    taxes: t.List["InvoiceLineTaxItem"]
    taxConfig: "TaxConfig"
    externalIds: "InvoiceLineAppExternalIds"
    subscription: "InvoiceLineSubscriptionReference"
    perUnitAmount: "Numeric"
    paymentTerm: "PricePaymentTerm"
    quantity: "Numeric"
    rateCard: "InvoiceDetailedLineRateCard"
    category: "InvoiceDetailedLineCostCategory"


InvoiceDetailedLineCostCategory = t.Literal["regular", "commitment"]


class _InvoiceDetailedLineRateCardRequired(t.TypedDict):
    price: "FlatPriceWithPaymentTerm"


class InvoiceDetailedLineRateCard(_InvoiceDetailedLineRateCardRequired, total=False):
    taxConfig: "TaxConfig"
    quantity: "Numeric"
    discounts: "BillingDiscounts"


class _InvoiceDiscountBaseRequired(t.TypedDict):
    createdAt: str
    updatedAt: str
    id: str
    reason: "BillingDiscountReason"


class InvoiceDiscountBase(_InvoiceDiscountBaseRequired, total=False):
    deletedAt: str
    description: str
    externalIds: "InvoiceLineAppExternalIds"


InvoiceDocumentRef = t.Union["CreditNoteOriginalInvoiceRef"]


InvoiceDocumentRefType = t.Literal["credit_note_original_invoice"]


InvoiceExpand = t.Literal["lines", "preceding", "workflow.apps"]


class _InvoiceGenericDocumentRefRequired(t.TypedDict):
    type: "InvoiceDocumentRefType"


class InvoiceGenericDocumentRef(_InvoiceGenericDocumentRefRequired, total=False):
    reason: str
    description: str


class _InvoiceLineRequired(t.TypedDict):
    name: str
    createdAt: str
    updatedAt: str
    id: str
    managedBy: "InvoiceLineManagedBy"
    status: "InvoiceLineStatus"
    currency: "CurrencyCode"
    totals: "InvoiceTotals"
    period: "Period"
    invoiceAt: str
    type: t.Literal["usage_based"]


class InvoiceLine(_InvoiceLineRequired, total=False):
    description: str
    metadata: "Metadata"
    deletedAt: str
    discounts: "InvoiceLineDiscounts"
    creditAllocations: t.List["InvoiceLineCreditAllocation"]
    invoice: "InvoiceReference"
    taxes: t.List["InvoiceLineTaxItem"]
    taxConfig: "TaxConfig"
    externalIds: "InvoiceLineAppExternalIds"
    subscription: "InvoiceLineSubscriptionReference"
    price: "RateCardUsageBasedPrice"
    featureKey: str
    children: t.List["InvoiceDetailedLine"]
    rateCard: "InvoiceUsageBasedRateCard"
    quantity: "Numeric"
    meteredQuantity: "Numeric"
    preLinePeriodQuantity: "Numeric"
    meteredPreLinePeriodQuantity: "Numeric"


class _InvoiceLineAmountDiscountRequired(t.TypedDict):
    createdAt: str
    updatedAt: str
    id: str
    reason: "BillingDiscountReason"
    amount: "Numeric"


class InvoiceLineAmountDiscount(_InvoiceLineAmountDiscountRequired, total=False):
    deletedAt: str
    description: str
    externalIds: "InvoiceLineAppExternalIds"


class InvoiceLineAppExternalIds(t.TypedDict, total=False):
    invoicing: str
    tax: str


class _InvoiceLineBaseRequired(t.TypedDict):
    name: str
    createdAt: str
    updatedAt: str
    id: str
    type: "InvoiceLineTypes"
    managedBy: "InvoiceLineManagedBy"
    status: "InvoiceLineStatus"
    currency: "CurrencyCode"
    totals: "InvoiceTotals"
    period: "Period"
    invoiceAt: str


class InvoiceLineBase(_InvoiceLineBaseRequired, total=False):
    description: str
    metadata: "Metadata"
    deletedAt: str
    discounts: "InvoiceLineDiscounts"
    creditAllocations: t.List["InvoiceLineCreditAllocation"]
    invoice: "InvoiceReference"
    taxes: t.List["InvoiceLineTaxItem"]
    taxConfig: "TaxConfig"
    externalIds: "InvoiceLineAppExternalIds"
    subscription: "InvoiceLineSubscriptionReference"


class _InvoiceLineCreditAllocationRequired(t.TypedDict):
    amount: "Numeric"


class InvoiceLineCreditAllocation(_InvoiceLineCreditAllocationRequired, total=False):
    description: str


class InvoiceLineDiscounts(t.TypedDict, total=False):
    amount: t.List["InvoiceLineAmountDiscount"]
    usage: t.List["InvoiceLineUsageDiscount"]


InvoiceLineManagedBy = t.Literal["subscription", "system", "manual"]


class _InvoiceLineReplaceUpdateRequired(t.TypedDict):
    name: str
    period: "Period"
    invoiceAt: str


class InvoiceLineReplaceUpdate(_InvoiceLineReplaceUpdateRequired, total=False):
    description: str
    metadata: "Metadata"
    taxConfig: "TaxConfig"
    price: "RateCardUsageBasedPrice"
    featureKey: str
    rateCard: "InvoiceUsageBasedRateCard"
    id: str


InvoiceLineStatus = t.Literal["valid", "detailed", "split"]


class InvoiceLineSubscriptionReference(t.TypedDict):
    subscription: "IDResource"
    phase: "IDResource"
    item: "IDResource"
    billingPeriod: "Period"


InvoiceLineTaxBehavior = t.Literal["inclusive", "exclusive"]


class InvoiceLineTaxItem(t.TypedDict, total=False):
    config: "TaxConfig"
    percent: "Percentage"
    surcharge: "Numeric"
    behavior: "InvoiceLineTaxBehavior"


InvoiceLineTypes = t.Literal["flat_fee", "usage_based"]


class _InvoiceLineUsageDiscountRequired(t.TypedDict):
    createdAt: str
    updatedAt: str
    id: str
    reason: "BillingDiscountReason"
    quantity: "Numeric"


class InvoiceLineUsageDiscount(_InvoiceLineUsageDiscountRequired, total=False):
    deletedAt: str
    description: str
    externalIds: "InvoiceLineAppExternalIds"
    preLinePeriodQuantity: "Numeric"


InvoiceNumber = str


InvoiceOrderBy = t.Literal["customer.name", "issuedAt", "status", "createdAt", "updatedAt", "periodStart"]


class InvoicePaginatedResponse(t.TypedDict):
    totalCount: int
    page: int
    pageSize: int
    items: t.List["Invoice"]


class InvoicePaymentTerms(t.TypedDict, total=False):
    terms: "PaymentTerms"


class _InvoicePendingLineCreateRequired(t.TypedDict):
    name: str
    period: "Period"
    invoiceAt: str


class InvoicePendingLineCreate(_InvoicePendingLineCreateRequired, total=False):
    description: str
    metadata: "Metadata"
    taxConfig: "TaxConfig"
    price: "RateCardUsageBasedPrice"
    featureKey: str
    rateCard: "InvoiceUsageBasedRateCard"


class InvoicePendingLineCreateInput(t.TypedDict):
    currency: "CurrencyCode"
    lines: t.List["InvoicePendingLineCreate"]


class InvoicePendingLineCreateResponse(t.TypedDict):
    lines: t.List["InvoiceLine"]
    invoice: "Invoice"
    isInvoiceNew: bool


class InvoicePendingLinesActionFiltersInput(t.TypedDict, total=False):
    lineIds: t.List[str]


class _InvoicePendingLinesActionInputRequired(t.TypedDict):
    customerId: str


class InvoicePendingLinesActionInput(_InvoicePendingLinesActionInputRequired, total=False):
    filters: "InvoicePendingLinesActionFiltersInput"
    asOf: str
    progressiveBillingOverride: bool


class _InvoiceReferenceRequired(t.TypedDict):
    id: str


class InvoiceReference(_InvoiceReferenceRequired, total=False):
    number: "InvoiceNumber"


class _InvoiceReplaceUpdateRequired(t.TypedDict):
    supplier: "BillingPartyReplaceUpdate"
    customer: "BillingPartyReplaceUpdate"
    lines: t.List["InvoiceLineReplaceUpdate"]
    workflow: "InvoiceWorkflowReplaceUpdate"


class InvoiceReplaceUpdate(_InvoiceReplaceUpdateRequired, total=False):
    description: str
    metadata: "Metadata"


class _InvoiceSimulationInputRequired(t.TypedDict):
    currency: "CurrencyCode"
    lines: t.List["InvoiceSimulationLine"]


class InvoiceSimulationInput(_InvoiceSimulationInputRequired, total=False):
    number: "InvoiceNumber"


class _InvoiceSimulationLineRequired(t.TypedDict):
    name: str
    period: "Period"
    invoiceAt: str
    quantity: "Numeric"


class InvoiceSimulationLine(_InvoiceSimulationLineRequired, total=False):
    description: str
    metadata: "Metadata"
    taxConfig: "TaxConfig"
    price: "RateCardUsageBasedPrice"
    featureKey: str
    rateCard: "InvoiceUsageBasedRateCard"
    preLinePeriodQuantity: "Numeric"
    id: str


InvoiceStatus = t.Literal[
    "gathering", "draft", "issuing", "issued", "payment_processing", "overdue", "paid", "uncollectible", "voided"
]


class InvoiceStatusDetails(t.TypedDict):
    immutable: bool
    failed: bool
    extendedStatus: str
    availableActions: "InvoiceAvailableActions"


class InvoiceTotals(t.TypedDict):
    amount: "Numeric"
    chargesTotal: "Numeric"
    discountsTotal: "Numeric"
    creditsTotal: "Numeric"
    taxesInclusiveTotal: "Numeric"
    taxesExclusiveTotal: "Numeric"
    taxesTotal: "Numeric"
    total: "Numeric"


InvoiceType = t.Literal["standard", "credit_note"]


class _InvoiceUsageBasedRateCardRequired(t.TypedDict):
    price: "RateCardUsageBasedPrice"


class InvoiceUsageBasedRateCard(_InvoiceUsageBasedRateCardRequired, total=False):
    featureKey: str
    taxConfig: "TaxConfig"
    discounts: "BillingDiscounts"


class InvoiceWorkflowInvoicingSettingsReplaceUpdate(t.TypedDict, total=False):
    autoAdvance: bool
    draftPeriod: str
    dueAfter: str
    subscriptionEndProrationMode: "BillingWorkflowInvoicingSubscriptionEndProrationMode"
    defaultTaxConfig: "TaxConfig"


class InvoiceWorkflowReplaceUpdate(t.TypedDict):
    workflow: "InvoiceWorkflowSettingsReplaceUpdate"


class _InvoiceWorkflowSettingsRequired(t.TypedDict):
    sourceBillingProfileId: str
    workflow: "BillingWorkflow"


class InvoiceWorkflowSettings(_InvoiceWorkflowSettingsRequired, total=False):
    apps: "BillingProfileAppsOrReference"


class InvoiceWorkflowSettingsReplaceUpdate(t.TypedDict):
    invoicing: "InvoiceWorkflowInvoicingSettingsReplaceUpdate"
    payment: "BillingWorkflowPaymentSettings"


class _IssueAfterResetRequired(t.TypedDict):
    amount: float


class IssueAfterReset(_IssueAfterResetRequired, total=False):
    priority: int


class ListAppsRequest(t.TypedDict, total=False):
    page: int
    pageSize: int


ListEntitlementsResult = t.Union[t.List["Entitlement"], "EntitlementPaginatedResponse"]


ListFeaturesResult = t.Union[t.List["Feature"], "FeaturePaginatedResponse"]


class MarketplaceInstallRequestPayload(t.TypedDict, total=False):
    name: str
    createBillingProfile: bool


class MarketplaceInstallResponse(t.TypedDict):
    app: "App"
    defaultForCapabilityTypes: t.List["AppCapabilityType"]


class MarketplaceListing(t.TypedDict):
    type: "AppType"
    name: str
    description: str
    capabilities: t.List["AppCapability"]
    installMethods: t.List["InstallMethod"]


class MarketplaceListingPaginatedResponse(t.TypedDict):
    totalCount: int
    page: int
    pageSize: int
    items: t.List["MarketplaceListing"]


MeasureUsageFrom = t.Union["MeasureUsageFromPreset", "MeasureUsageFromTime"]


MeasureUsageFromPreset = t.Literal["CURRENT_PERIOD_START", "NOW"]


MeasureUsageFromTime = str


Metadata = t.Dict[str, str]


class _MeterRequired(t.TypedDict):
    id: str
    createdAt: str
    updatedAt: str
    slug: str
    aggregation: "MeterAggregation"
    eventType: str


class Meter(_MeterRequired, total=False):
    description: str
    metadata: "Metadata"
    deletedAt: str
    name: str
    eventFrom: str
    valueProperty: str
    groupBy: t.Dict[str, str]
    annotations: "Annotations"


MeterAggregation = t.Literal["SUM", "COUNT", "UNIQUE_COUNT", "AVG", "MIN", "MAX", "LATEST"]


class _MeterCreateRequired(t.TypedDict):
    slug: str
    aggregation: "MeterAggregation"
    eventType: str


class MeterCreate(_MeterCreateRequired, total=False):
    description: str
    metadata: "Metadata"
    name: str
    eventFrom: str
    valueProperty: str
    groupBy: t.Dict[str, str]


MeterOrderBy = t.Literal["key", "name", "aggregation", "createdAt", "updatedAt"]


MeterQueryRequest = t.TypedDict(
    "MeterQueryRequest",
    {
        "clientId": str,
        "from": str,
        "to": str,
        "windowSize": "WindowSize",
        "windowTimeZone": str,
        "subject": t.List[str],
        "filterCustomerId": t.List[str],
        "filterGroupBy": t.Dict[str, t.List[str]],
        "advancedMeterGroupByFilters": t.Dict[str, "FilterString"],
        "groupBy": t.List[str],
    },
    total=False,
)


class _MeterQueryResultRequired(t.TypedDict):
    data: t.List["MeterQueryRow"]


_MeterQueryResultOptional = t.TypedDict(
    "_MeterQueryResultOptional", {"from": str, "to": str, "windowSize": "WindowSize"}, total=False
)


class MeterQueryResult(_MeterQueryResultRequired, _MeterQueryResultOptional):
    pass


class _MeterQueryRowRequired(t.TypedDict):
    value: float
    windowStart: str
    windowEnd: str
    subject: str
    groupBy: t.Dict[str, str]


class MeterQueryRow(_MeterQueryRowRequired, total=False):
    customerId: str


class MeterUpdate(t.TypedDict, total=False):
    description: str
    metadata: "Metadata"
    name: str
    groupBy: t.Dict[str, str]


NotFoundProblemResponse = t.Union["UnexpectedProblemResponse"]


NotImplementedProblemResponse = t.Union["UnexpectedProblemResponse"]


NotificationChannel = t.Union["NotificationChannelWebhook"]


NotificationChannelCreateRequest = t.Union["NotificationChannelWebhookCreateRequest"]


class NotificationChannelMeta(t.TypedDict):
    id: str
    type: "NotificationChannelType"


NotificationChannelOrderBy = t.Literal["id", "type", "createdAt", "updatedAt"]


class NotificationChannelPaginatedResponse(t.TypedDict):
    totalCount: int
    page: int
    pageSize: int
    items: t.List["NotificationChannel"]


NotificationChannelType = t.Literal["WEBHOOK"]


class _NotificationChannelWebhookRequired(t.TypedDict):
    createdAt: str
    updatedAt: str
    id: str
    type: t.Literal["WEBHOOK"]
    name: str
    url: str


class NotificationChannelWebhook(_NotificationChannelWebhookRequired, total=False):
    deletedAt: str
    disabled: bool
    annotations: "Annotations"
    metadata: "Metadata"
    customHeaders: t.Dict[str, str]
    signingSecret: str


class _NotificationChannelWebhookCreateRequestRequired(t.TypedDict):
    type: t.Literal["WEBHOOK"]
    name: str
    url: str


class NotificationChannelWebhookCreateRequest(_NotificationChannelWebhookCreateRequestRequired, total=False):
    disabled: bool
    metadata: "Metadata"
    customHeaders: t.Dict[str, str]
    signingSecret: str


class _NotificationEventRequired(t.TypedDict):
    id: str
    type: "NotificationEventType"
    createdAt: str
    rule: "NotificationRule"
    deliveryStatus: t.List["NotificationEventDeliveryStatus"]
    payload: "NotificationEventPayload"


class NotificationEvent(_NotificationEventRequired, total=False):
    annotations: "Annotations"


class NotificationEventBalanceThresholdPayload(t.TypedDict):
    id: str
    type: t.Literal["entitlements.balance.threshold"]
    timestamp: str
    data: "NotificationEventBalanceThresholdPayloadData"


class _NotificationEventBalanceThresholdPayloadDataRequired(t.TypedDict):
    entitlement: "EntitlementMetered"
    feature: "Feature"
    subject: "Subject"
    value: "EntitlementValue"
    threshold: "NotificationRuleBalanceThresholdValue"


class NotificationEventBalanceThresholdPayloadData(_NotificationEventBalanceThresholdPayloadDataRequired, total=False):
    customer: "Customer"


class NotificationEventDeliveryAttempt(t.TypedDict):
    state: "NotificationEventDeliveryStatusState"
    response: "EventDeliveryAttemptResponse"
    timestamp: str


class _NotificationEventDeliveryStatusRequired(t.TypedDict):
    state: "NotificationEventDeliveryStatusState"
    reason: str
    updatedAt: str
    channel: "NotificationChannelMeta"
    attempts: t.List["NotificationEventDeliveryAttempt"]


class NotificationEventDeliveryStatus(_NotificationEventDeliveryStatusRequired, total=False):
    annotations: "Annotations"
    nextAttempt: str


NotificationEventDeliveryStatusState = t.Literal["SUCCESS", "FAILED", "SENDING", "PENDING", "RESENDING"]


class _NotificationEventEntitlementValuePayloadBaseRequired(t.TypedDict):
    entitlement: "EntitlementMetered"
    feature: "Feature"
    subject: "Subject"
    value: "EntitlementValue"


class NotificationEventEntitlementValuePayloadBase(_NotificationEventEntitlementValuePayloadBaseRequired, total=False):
    customer: "Customer"


class NotificationEventInvoiceCreatedPayload(t.TypedDict):
    id: str
    type: t.Literal["invoice.created"]
    timestamp: str
    data: "Invoice"


class NotificationEventInvoiceUpdatedPayload(t.TypedDict):
    id: str
    type: t.Literal["invoice.updated"]
    timestamp: str
    data: "Invoice"


NotificationEventOrderBy = t.Literal["id", "createdAt"]


class NotificationEventPaginatedResponse(t.TypedDict):
    totalCount: int
    page: int
    pageSize: int
    items: t.List["NotificationEvent"]


NotificationEventPayload = t.Union[
    "NotificationEventResetPayload",
    "NotificationEventBalanceThresholdPayload",
    "NotificationEventInvoiceCreatedPayload",
    "NotificationEventInvoiceUpdatedPayload",
]


class NotificationEventResendRequest(t.TypedDict, total=False):
    channels: t.List[str]


class NotificationEventResetPayload(t.TypedDict):
    id: str
    type: t.Literal["entitlements.reset"]
    timestamp: str
    data: "NotificationEventEntitlementValuePayloadBase"


NotificationEventType = t.Literal[
    "entitlements.balance.threshold", "entitlements.reset", "invoice.created", "invoice.updated"
]


NotificationRule = t.Union[
    "NotificationRuleBalanceThreshold",
    "NotificationRuleEntitlementReset",
    "NotificationRuleInvoiceCreated",
    "NotificationRuleInvoiceUpdated",
]


class _NotificationRuleBalanceThresholdRequired(t.TypedDict):
    createdAt: str
    updatedAt: str
    id: str
    type: t.Literal["entitlements.balance.threshold"]
    name: str
    channels: t.List["NotificationChannelMeta"]
    thresholds: t.List["NotificationRuleBalanceThresholdValue"]


class NotificationRuleBalanceThreshold(_NotificationRuleBalanceThresholdRequired, total=False):
    deletedAt: str
    disabled: bool
    annotations: "Annotations"
    metadata: "Metadata"
    features: t.List["FeatureMeta"]


class _NotificationRuleBalanceThresholdCreateRequestRequired(t.TypedDict):
    type: t.Literal["entitlements.balance.threshold"]
    name: str
    thresholds: t.List["NotificationRuleBalanceThresholdValue"]
    channels: t.List[str]


class NotificationRuleBalanceThresholdCreateRequest(
    _NotificationRuleBalanceThresholdCreateRequestRequired, total=False
):
    disabled: bool
    metadata: "Metadata"
    features: t.List[str]


class NotificationRuleBalanceThresholdValue(t.TypedDict):
    value: float
    type: "NotificationRuleBalanceThresholdValueType"


NotificationRuleBalanceThresholdValueType = t.Literal[
    "PERCENT", "NUMBER", "balance_value", "usage_percentage", "usage_value"
]


NotificationRuleCreateRequest = t.Union[
    "NotificationRuleBalanceThresholdCreateRequest",
    "NotificationRuleEntitlementResetCreateRequest",
    "NotificationRuleInvoiceCreatedCreateRequest",
    "NotificationRuleInvoiceUpdatedCreateRequest",
]


class _NotificationRuleEntitlementResetRequired(t.TypedDict):
    createdAt: str
    updatedAt: str
    id: str
    type: t.Literal["entitlements.reset"]
    name: str
    channels: t.List["NotificationChannelMeta"]


class NotificationRuleEntitlementReset(_NotificationRuleEntitlementResetRequired, total=False):
    deletedAt: str
    disabled: bool
    annotations: "Annotations"
    metadata: "Metadata"
    features: t.List["FeatureMeta"]


class _NotificationRuleEntitlementResetCreateRequestRequired(t.TypedDict):
    type: t.Literal["entitlements.reset"]
    name: str
    channels: t.List[str]


class NotificationRuleEntitlementResetCreateRequest(
    _NotificationRuleEntitlementResetCreateRequestRequired, total=False
):
    disabled: bool
    metadata: "Metadata"
    features: t.List[str]


class _NotificationRuleInvoiceCreatedRequired(t.TypedDict):
    createdAt: str
    updatedAt: str
    id: str
    type: t.Literal["invoice.created"]
    name: str
    channels: t.List["NotificationChannelMeta"]


class NotificationRuleInvoiceCreated(_NotificationRuleInvoiceCreatedRequired, total=False):
    deletedAt: str
    disabled: bool
    annotations: "Annotations"
    metadata: "Metadata"


class _NotificationRuleInvoiceCreatedCreateRequestRequired(t.TypedDict):
    type: t.Literal["invoice.created"]
    name: str
    channels: t.List[str]


class NotificationRuleInvoiceCreatedCreateRequest(_NotificationRuleInvoiceCreatedCreateRequestRequired, total=False):
    disabled: bool
    metadata: "Metadata"


class _NotificationRuleInvoiceUpdatedRequired(t.TypedDict):
    createdAt: str
    updatedAt: str
    id: str
    type: t.Literal["invoice.updated"]
    name: str
    channels: t.List["NotificationChannelMeta"]


class NotificationRuleInvoiceUpdated(_NotificationRuleInvoiceUpdatedRequired, total=False):
    deletedAt: str
    disabled: bool
    annotations: "Annotations"
    metadata: "Metadata"


class _NotificationRuleInvoiceUpdatedCreateRequestRequired(t.TypedDict):
    type: t.Literal["invoice.updated"]
    name: str
    channels: t.List[str]


class NotificationRuleInvoiceUpdatedCreateRequest(_NotificationRuleInvoiceUpdatedCreateRequestRequired, total=False):
    disabled: bool
    metadata: "Metadata"


class NotificationRuleMeta(t.TypedDict):
    id: str
    type: "NotificationEventType"


NotificationRuleOrderBy = t.Literal["id", "type", "createdAt", "updatedAt"]


class NotificationRulePaginatedResponse(t.TypedDict):
    totalCount: int
    page: int
    pageSize: int
    items: t.List["NotificationRule"]


Numeric = str


OAuth2AuthorizationCodeGrantErrorType = t.Literal[
    "invalid_request",
    "unauthorized_client",
    "access_denied",
    "unsupported_response_type",
    "invalid_scope",
    "server_error",
    "temporarily_unavailable",
]


class PackagePrice(t.TypedDict):
    type: t.Literal["package"]
    amount: "Numeric"
    quantityPerPackage: "Numeric"


class _PackagePriceWithCommitmentsRequired(t.TypedDict):
    type: t.Literal["package"]
    amount: "Numeric"
    quantityPerPackage: "Numeric"


class PackagePriceWithCommitments(_PackagePriceWithCommitmentsRequired, total=False):
    minimumAmount: "Numeric"
    maximumAmount: "Numeric"


class _PaymentDueDateRequired(t.TypedDict):
    dueAt: str
    amount: "Numeric"


class PaymentDueDate(_PaymentDueDateRequired, total=False):
    notes: str
    percent: "Percentage"
    currency: "CurrencyCode"


class _PaymentTermDueDateRequired(t.TypedDict):
    type: t.Literal["due_date"]
    dueAt: t.List["PaymentDueDate"]


class PaymentTermDueDate(_PaymentTermDueDateRequired, total=False):
    detail: str
    notes: str


class _PaymentTermInstantRequired(t.TypedDict):
    type: t.Literal["instant"]


class PaymentTermInstant(_PaymentTermInstantRequired, total=False):
    detail: str
    notes: str


PaymentTermType = t.Literal["due_date", "instant"]


PaymentTerms = t.Union["PaymentTermInstant", "PaymentTermDueDate"]


Percentage = float


Period = t.TypedDict("Period", {"from": str, "to": str})


class _PlanRequired(t.TypedDict):
    id: str
    name: str
    createdAt: str
    updatedAt: str
    key: str
    version: int
    currency: "CurrencyCode"
    billingCadence: str
    status: "PlanStatus"
    phases: t.List["PlanPhase"]
    validationErrors: t.List["ValidationError"]


class Plan(_PlanRequired, total=False):
    description: str
    metadata: "Metadata"
    deletedAt: str
    alignment: "Alignment"
    proRatingConfig: "ProRatingConfig"
    effectiveFrom: str
    effectiveTo: str
    settlementMode: "BillingSettlementMode"


class _PlanAddonRequired(t.TypedDict):
    createdAt: str
    updatedAt: str
    addon: "Addon"
    fromPlanPhase: str
    validationErrors: t.List["ValidationError"]


class PlanAddon(_PlanAddonRequired, total=False):
    deletedAt: str
    annotations: "Annotations"
    metadata: "Metadata"
    maxQuantity: int


class _PlanAddonCreateRequired(t.TypedDict):
    fromPlanPhase: str
    addonId: str


class PlanAddonCreate(_PlanAddonCreateRequired, total=False):
    metadata: "Metadata"
    maxQuantity: int


PlanAddonOrderBy = t.Literal["id", "key", "version", "created_at", "updated_at"]


class PlanAddonPaginatedResponse(t.TypedDict):
    totalCount: int
    page: int
    pageSize: int
    items: t.List["PlanAddon"]


class _PlanAddonReplaceUpdateRequired(t.TypedDict):
    fromPlanPhase: str


class PlanAddonReplaceUpdate(_PlanAddonReplaceUpdateRequired, total=False):
    metadata: "Metadata"
    maxQuantity: int


class _PlanCreateRequired(t.TypedDict):
    name: str
    key: str
    currency: "CurrencyCode"
    billingCadence: str
    phases: t.List["PlanPhase"]


class PlanCreate(_PlanCreateRequired, total=False):
    description: str
    metadata: "Metadata"
    alignment: "Alignment"
    proRatingConfig: "ProRatingConfig"
    settlementMode: "BillingSettlementMode"


PlanOrderBy = t.Literal["id", "key", "version", "created_at", "updated_at"]


class PlanPaginatedResponse(t.TypedDict):
    totalCount: int
    page: int
    pageSize: int
    items: t.List["Plan"]


class _PlanPhaseRequired(t.TypedDict):
    key: str
    name: str
    duration: str
    rateCards: t.List["RateCard"]


class PlanPhase(_PlanPhaseRequired, total=False):
    description: str
    metadata: "Metadata"


class PlanReference(t.TypedDict):
    id: str
    key: str
    version: int


class _PlanReferenceInputRequired(t.TypedDict):
    key: str


class PlanReferenceInput(_PlanReferenceInputRequired, total=False):
    version: int


class _PlanReplaceUpdateRequired(t.TypedDict):
    name: str
    billingCadence: str
    phases: t.List["PlanPhase"]


class PlanReplaceUpdate(_PlanReplaceUpdateRequired, total=False):
    description: str
    metadata: "Metadata"
    alignment: "Alignment"
    proRatingConfig: "ProRatingConfig"
    settlementMode: "BillingSettlementMode"


PlanStatus = t.Literal["draft", "active", "archived", "scheduled"]


class _PlanSubscriptionChangeRequired(t.TypedDict):
    timing: "SubscriptionTiming"
    plan: "PlanReferenceInput"


class PlanSubscriptionChange(_PlanSubscriptionChangeRequired, total=False):
    alignment: "Alignment"
    metadata: "Metadata"
    startingPhase: str
    name: str
    description: str
    billingAnchor: str
    settlementMode: "BillingSettlementMode"
    costBasisMode: "SubscriptionCostBasisMode"


class _PlanSubscriptionCreateRequired(t.TypedDict):
    plan: "PlanReferenceInput"


class PlanSubscriptionCreate(_PlanSubscriptionCreateRequired, total=False):
    alignment: "Alignment"
    metadata: "Metadata"
    startingPhase: str
    name: str
    description: str
    settlementMode: "BillingSettlementMode"
    costBasisMode: "SubscriptionCostBasisMode"
    timing: "SubscriptionTiming"
    customerId: str
    customerKey: str
    billingAnchor: str


class _PortalTokenRequired(t.TypedDict):
    subject: str


class PortalToken(_PortalTokenRequired, total=False):
    id: str
    expiresAt: str
    expired: bool
    createdAt: str
    token: str
    allowedMeterSlugs: t.List[str]


PreconditionFailedProblemResponse = t.Union["UnexpectedProblemResponse"]


Price = t.Union["FlatPrice", "UnitPrice", "TieredPrice", "DynamicPrice", "PackagePrice"]


PricePaymentTerm = t.Literal["in_advance", "in_arrears"]


class _PriceTierRequired(t.TypedDict):
    flatPrice: "FlatPrice"
    unitPrice: "UnitPrice"


class PriceTier(_PriceTierRequired, total=False):
    upToAmount: "Numeric"


PriceType = t.Literal["flat", "unit", "tiered", "dynamic", "package"]


class ProRatingConfig(t.TypedDict):
    enabled: bool
    mode: "ProRatingMode"


ProRatingMode = t.Literal["prorate_prices"]


class Progress(t.TypedDict):
    success: int
    failed: int
    total: int
    updatedAt: str


RateCard = t.Union["RateCardFlatFee", "RateCardUsageBased"]


class _RateCardBooleanEntitlementRequired(t.TypedDict):
    type: t.Literal["boolean"]


class RateCardBooleanEntitlement(_RateCardBooleanEntitlementRequired, total=False):
    metadata: "Metadata"


RateCardEntitlement = t.Union["RateCardMeteredEntitlement", "RateCardStaticEntitlement", "RateCardBooleanEntitlement"]


class _RateCardFlatFeeRequired(t.TypedDict):
    type: t.Literal["flat_fee"]
    key: str
    name: str
    billingCadence: str
    price: "FlatPriceWithPaymentTerm"


class RateCardFlatFee(_RateCardFlatFeeRequired, total=False):
    description: str
    metadata: "Metadata"
    featureKey: str
    entitlementTemplate: "RateCardEntitlement"
    taxConfig: "TaxConfig"
    discounts: "Discounts"


class _RateCardMeteredEntitlementRequired(t.TypedDict):
    type: t.Literal["metered"]


class RateCardMeteredEntitlement(_RateCardMeteredEntitlementRequired, total=False):
    metadata: "Metadata"
    isSoftLimit: bool
    issueAfterReset: float
    issueAfterResetPriority: int
    preserveOverageAtReset: bool
    usagePeriod: str


class _RateCardStaticEntitlementRequired(t.TypedDict):
    type: t.Literal["static"]
    config: str


class RateCardStaticEntitlement(_RateCardStaticEntitlementRequired, total=False):
    metadata: "Metadata"


RateCardType = t.Literal["flat_fee", "usage_based"]


class _RateCardUsageBasedRequired(t.TypedDict):
    type: t.Literal["usage_based"]
    key: str
    name: str
    billingCadence: str
    price: "RateCardUsageBasedPrice"


class RateCardUsageBased(_RateCardUsageBasedRequired, total=False):
    description: str
    metadata: "Metadata"
    featureKey: str
    entitlementTemplate: "RateCardEntitlement"
    taxConfig: "TaxConfig"
    discounts: "Discounts"


RateCardUsageBasedPrice = t.Union[
    "FlatPriceWithPaymentTerm",
    "UnitPriceWithCommitments",
    "TieredPriceWithCommitments",
    "DynamicPriceWithCommitments",
    "PackagePriceWithCommitments",
]


class RecurringPeriod(t.TypedDict):
    interval: "RecurringPeriodInterval"
    anchor: str
    intervalISO: str


class _RecurringPeriodCreateInputRequired(t.TypedDict):
    interval: "RecurringPeriodInterval"


class RecurringPeriodCreateInput(_RecurringPeriodCreateInputRequired, total=False):
    anchor: str


RecurringPeriodInterval = t.Union[str, "RecurringPeriodIntervalEnum"]


RecurringPeriodIntervalEnum = t.Literal["DAY", "WEEK", "MONTH", "YEAR"]


class RecurringPeriodV2(t.TypedDict):
    interval: "RecurringPeriodInterval"
    anchor: str


RemovePhaseShifting = t.Literal["next", "prev"]


class ResetEntitlementUsageInput(t.TypedDict, total=False):
    effectiveAt: str
    retainAnchor: bool
    preserveOverage: bool


class _SandboxAppRequired(t.TypedDict):
    id: str
    name: str
    createdAt: str
    updatedAt: str
    listing: "MarketplaceListing"
    status: "AppStatus"
    type: t.Literal["sandbox"]


class SandboxApp(_SandboxAppRequired, total=False):
    description: str
    metadata: "Metadata"
    deletedAt: str


class _SandboxAppReplaceUpdateRequired(t.TypedDict):
    name: str
    type: t.Literal["sandbox"]


class SandboxAppReplaceUpdate(_SandboxAppReplaceUpdateRequired, total=False):
    description: str
    metadata: "Metadata"


class _SandboxCustomerAppDataRequired(t.TypedDict):
    type: t.Literal["sandbox"]


class SandboxCustomerAppData(_SandboxCustomerAppDataRequired, total=False):
    app: "SandboxApp"
    id: str


ServiceUnavailableProblemResponse = t.Union["UnexpectedProblemResponse"]


SortOrder = t.Literal["ASC", "DESC"]


class SpendCommitments(t.TypedDict, total=False):
    minimumAmount: "Numeric"
    maximumAmount: "Numeric"


class StripeAPIKeyInput(t.TypedDict):
    secretAPIKey: str


class _StripeAppRequired(t.TypedDict):
    id: str
    name: str
    createdAt: str
    updatedAt: str
    listing: "MarketplaceListing"
    status: "AppStatus"
    type: t.Literal["stripe"]
    stripeAccountId: str
    livemode: bool
    maskedAPIKey: str


class StripeApp(_StripeAppRequired, total=False):
    description: str
    metadata: "Metadata"
    deletedAt: str


class _StripeAppReadOrCreateOrUpdateOrDeleteOrQueryRequired(t.TypedDict):
    id: str
    name: str
    createdAt: str
    updatedAt: str
    listing: "MarketplaceListing"
    status: "AppStatus"
    type: t.Literal["stripe"]
    stripeAccountId: str
    livemode: bool
    maskedAPIKey: str


class StripeAppReadOrCreateOrUpdateOrDeleteOrQuery(_StripeAppReadOrCreateOrUpdateOrDeleteOrQueryRequired, total=False):
    description: str
    metadata: "Metadata"
    deletedAt: str
    secretAPIKey: str


class _StripeAppReplaceUpdateRequired(t.TypedDict):
    name: str
    type: t.Literal["stripe"]


class StripeAppReplaceUpdate(_StripeAppReplaceUpdateRequired, total=False):
    description: str
    metadata: "Metadata"
    secretAPIKey: str


StripeCheckoutSessionMode = t.Literal["setup"]


class _StripeCustomerAppDataRequired(t.TypedDict):
    type: t.Literal["stripe"]
    stripeCustomerId: str


class StripeCustomerAppData(_StripeCustomerAppDataRequired, total=False):
    id: str
    stripeDefaultPaymentMethodId: str
    app: "StripeApp"


class _StripeCustomerAppDataBaseRequired(t.TypedDict):
    stripeCustomerId: str


class StripeCustomerAppDataBase(_StripeCustomerAppDataBaseRequired, total=False):
    stripeDefaultPaymentMethodId: str


class _StripeCustomerAppDataCreateOrUpdateItemRequired(t.TypedDict):
    type: t.Literal["stripe"]
    stripeCustomerId: str


class StripeCustomerAppDataCreateOrUpdateItem(_StripeCustomerAppDataCreateOrUpdateItemRequired, total=False):
    id: str
    stripeDefaultPaymentMethodId: str


class StripeCustomerPortalSession(t.TypedDict):
    id: str
    stripeCustomerId: str
    configurationId: str
    livemode: bool
    createdAt: str
    returnUrl: str
    locale: str
    url: str


class StripeTaxConfig(t.TypedDict):
    code: str


class StripeWebhookEventData(t.TypedDict):
    object: t.Any


class StripeWebhookEvent(t.TypedDict):
    id: str
    type: str
    livemode: bool
    created: int
    data: "StripeWebhookEventData"


class _StripeWebhookResponseRequired(t.TypedDict):
    namespaceId: str
    appId: str


class StripeWebhookResponse(_StripeWebhookResponseRequired, total=False):
    customerId: str
    message: str


class _SubjectRequired(t.TypedDict):
    createdAt: str
    updatedAt: str
    id: str
    key: str


class Subject(_SubjectRequired, total=False):
    deletedAt: str
    displayName: str
    metadata: t.Dict[str, t.Any]
    currentPeriodStart: str
    currentPeriodEnd: str
    stripeCustomerId: str


class _SubjectUpsertRequired(t.TypedDict):
    key: str


class SubjectUpsert(_SubjectUpsertRequired, total=False):
    displayName: str
    metadata: t.Dict[str, t.Any]
    currentPeriodStart: str
    currentPeriodEnd: str
    stripeCustomerId: str


class _SubscriptionRequired(t.TypedDict):
    id: str
    name: str
    createdAt: str
    updatedAt: str
    activeFrom: str
    status: "SubscriptionStatus"
    customerId: str
    currency: "CurrencyCode"
    costBasisMode: "SubscriptionCostBasisMode"
    costBasisPins: t.List["SubscriptionCostBasisPin"]
    billingCadence: str
    billingAnchor: str
    settlementMode: "BillingSettlementMode"


class Subscription(_SubscriptionRequired, total=False):
    description: str
    metadata: "Metadata"
    deletedAt: str
    activeTo: str
    annotations: "Annotations"
    alignment: "Alignment"
    plan: "PlanReference"
    proRatingConfig: "ProRatingConfig"


class SubscriptionAddonAddon(t.TypedDict):
    id: str
    key: str
    version: int
    instanceType: "AddonInstanceType"


class _SubscriptionAddonRequired(t.TypedDict):
    id: str
    name: str
    createdAt: str
    updatedAt: str
    activeFrom: str
    addon: "SubscriptionAddonAddon"
    quantityAt: str
    quantity: int
    timeline: t.List["SubscriptionAddonTimelineSegment"]
    subscriptionId: str
    rateCards: t.List["SubscriptionAddonRateCard"]


class SubscriptionAddon(_SubscriptionAddonRequired, total=False):
    description: str
    metadata: "Metadata"
    deletedAt: str
    activeTo: str


class SubscriptionAddonCreateAddon(t.TypedDict):
    id: str


class _SubscriptionAddonCreateRequired(t.TypedDict):
    name: str
    quantity: int
    timing: "SubscriptionTiming"
    addon: "SubscriptionAddonCreateAddon"


class SubscriptionAddonCreate(_SubscriptionAddonCreateRequired, total=False):
    description: str
    metadata: "Metadata"


class SubscriptionAddonRateCard(t.TypedDict):
    rateCard: "RateCard"
    affectedSubscriptionItemIds: t.List[str]


class _SubscriptionAddonTimelineSegmentRequired(t.TypedDict):
    activeFrom: str
    quantity: int


class SubscriptionAddonTimelineSegment(_SubscriptionAddonTimelineSegmentRequired, total=False):
    activeTo: str


class SubscriptionAddonUpdate(t.TypedDict, total=False):
    name: str
    description: str
    metadata: "Metadata"
    quantity: int
    timing: "SubscriptionTiming"


class SubscriptionAlignment(t.TypedDict, total=False):
    billablesMustAlign: bool
    currentAlignedBillingPeriod: "Period"


class _SubscriptionBadRequestErrorResponseRequired(t.TypedDict):
    type: str
    title: str
    detail: str
    instance: str


class SubscriptionBadRequestErrorResponse(_SubscriptionBadRequestErrorResponseRequired, total=False):
    status: int
    extensions: "SubscriptionErrorExtensions"


SubscriptionChange = t.Union["PlanSubscriptionChange", "CustomSubscriptionChange"]


class SubscriptionChangeResponseBody(t.TypedDict):
    current: "Subscription"
    next: "SubscriptionExpanded"


class _SubscriptionConflictErrorResponseRequired(t.TypedDict):
    type: str
    title: str
    detail: str
    instance: str


class SubscriptionConflictErrorResponse(_SubscriptionConflictErrorResponseRequired, total=False):
    status: int
    extensions: "SubscriptionErrorExtensions"


SubscriptionCostBasisMode = t.Literal["dynamic", "pinned"]


class SubscriptionCostBasisPin(t.TypedDict):
    customCurrencyId: str
    invoiceCurrency: "CurrencyCode"
    costBasisId: str


SubscriptionCreate = t.Union["PlanSubscriptionCreate", "CustomSubscriptionCreate"]


class _SubscriptionEditRequired(t.TypedDict):
    customizations: t.List["SubscriptionEditOperation"]


class SubscriptionEdit(_SubscriptionEditRequired, total=False):
    timing: "SubscriptionTiming"


SubscriptionEditOperation = t.Union[
    "EditSubscriptionAddItem",
    "EditSubscriptionRemoveItem",
    "EditSubscriptionAddPhase",
    "EditSubscriptionRemovePhase",
    "EditSubscriptionStretchPhase",
    "EditSubscriptionUnscheduleEdit",
]


class SubscriptionErrorExtensions(t.TypedDict):
    validationErrors: t.List["ErrorExtension"]


class _SubscriptionExpandedRequired(t.TypedDict):
    id: str
    name: str
    createdAt: str
    updatedAt: str
    activeFrom: str
    status: "SubscriptionStatus"
    customerId: str
    currency: "CurrencyCode"
    costBasisMode: "SubscriptionCostBasisMode"
    costBasisPins: t.List["SubscriptionCostBasisPin"]
    billingCadence: str
    billingAnchor: str
    settlementMode: "BillingSettlementMode"
    phases: t.List["SubscriptionPhaseExpanded"]


class SubscriptionExpanded(_SubscriptionExpandedRequired, total=False):
    description: str
    metadata: "Metadata"
    deletedAt: str
    activeTo: str
    annotations: "Annotations"
    plan: "PlanReference"
    proRatingConfig: "ProRatingConfig"
    alignment: "SubscriptionAlignment"


class _SubscriptionItemRequired(t.TypedDict):
    id: str
    name: str
    createdAt: str
    updatedAt: str
    activeFrom: str
    key: str
    billingCadence: str
    price: "RateCardUsageBasedPrice"


class SubscriptionItem(_SubscriptionItemRequired, total=False):
    description: str
    metadata: "Metadata"
    deletedAt: str
    activeTo: str
    currency: "CurrencyCodeOrCustom"
    featureKey: str
    discounts: "Discounts"
    included: "SubscriptionItemIncluded"
    taxConfig: "TaxConfig"


class _SubscriptionItemIncludedRequired(t.TypedDict):
    feature: "Feature"


class SubscriptionItemIncluded(_SubscriptionItemIncludedRequired, total=False):
    entitlement: "Entitlement"


class SubscriptionPaginatedResponse(t.TypedDict):
    totalCount: int
    page: int
    pageSize: int
    items: t.List["Subscription"]


class _SubscriptionPhaseRequired(t.TypedDict):
    id: str
    name: str
    createdAt: str
    updatedAt: str
    key: str
    activeFrom: str


class SubscriptionPhase(_SubscriptionPhaseRequired, total=False):
    description: str
    metadata: "Metadata"
    deletedAt: str
    discounts: "Discounts"
    activeTo: str


class _SubscriptionPhaseCreateRequired(t.TypedDict):
    startAfter: str
    key: str
    name: str


class SubscriptionPhaseCreate(_SubscriptionPhaseCreateRequired, total=False):
    duration: str
    discounts: "Discounts"
    description: str


class _SubscriptionPhaseExpandedRequired(t.TypedDict):
    id: str
    name: str
    createdAt: str
    updatedAt: str
    key: str
    activeFrom: str
    items: t.List["SubscriptionItem"]
    itemTimelines: t.Dict[str, t.List["SubscriptionItem"]]


class SubscriptionPhaseExpanded(_SubscriptionPhaseExpandedRequired, total=False):
    description: str
    metadata: "Metadata"
    deletedAt: str
    discounts: "Discounts"
    activeTo: str


SubscriptionStatus = t.Literal["active", "inactive", "canceled", "scheduled"]


SubscriptionTiming = t.Union["SubscriptionTimingEnum", str]


SubscriptionTimingEnum = t.Literal["immediate", "next_billing_cycle"]


TaxBehavior = t.Literal["inclusive", "exclusive"]


class TaxConfig(t.TypedDict, total=False):
    behavior: "TaxBehavior"
    stripe: "StripeTaxConfig"
    customInvoicing: "CustomInvoicingTaxConfig"
    taxCodeId: str


class TieredPrice(t.TypedDict):
    type: t.Literal["tiered"]
    mode: "TieredPriceMode"
    tiers: t.List["PriceTier"]


TieredPriceMode = t.Literal["volume", "graduated"]


class _TieredPriceWithCommitmentsRequired(t.TypedDict):
    type: t.Literal["tiered"]
    mode: "TieredPriceMode"
    tiers: t.List["PriceTier"]


class TieredPriceWithCommitments(_TieredPriceWithCommitmentsRequired, total=False):
    minimumAmount: "Numeric"
    maximumAmount: "Numeric"


ULIDOrExternalKey = str


UnauthorizedProblemResponse = t.Union["UnexpectedProblemResponse"]


class _UnexpectedProblemResponseRequired(t.TypedDict):
    type: str
    title: str
    detail: str
    instance: str


class UnexpectedProblemResponse(_UnexpectedProblemResponseRequired, total=False):
    status: int
    extensions: t.Dict[str, t.Any]


class UnitPrice(t.TypedDict):
    type: t.Literal["unit"]
    amount: "Numeric"


class _UnitPriceWithCommitmentsRequired(t.TypedDict):
    type: t.Literal["unit"]
    amount: "Numeric"


class UnitPriceWithCommitments(_UnitPriceWithCommitmentsRequired, total=False):
    minimumAmount: "Numeric"
    maximumAmount: "Numeric"


class _ValidationErrorRequired(t.TypedDict):
    field: str
    code: str
    message: str


class ValidationError(_ValidationErrorRequired, total=False):
    attributes: "Annotations"


class ValidationErrorProblemResponseExtensions(t.TypedDict, total=False):
    validationErrors: t.List["ValidationError"]


class _ValidationErrorProblemResponseRequired(t.TypedDict):
    type: str
    title: str
    detail: str
    instance: str


class ValidationErrorProblemResponse(_ValidationErrorProblemResponseRequired, total=False):
    status: int
    extensions: "ValidationErrorProblemResponseExtensions"


class _ValidationIssueRequired(t.TypedDict):
    createdAt: str
    updatedAt: str
    id: str
    severity: "ValidationIssueSeverity"
    component: str
    message: str


class ValidationIssue(_ValidationIssueRequired, total=False):
    deletedAt: str
    field: str
    code: str
    metadata: "Metadata"


ValidationIssueSeverity = t.Literal["critical", "warning"]


class VoidInvoiceActionCreate(t.TypedDict):
    percentage: "Percentage"
    action: "VoidInvoiceLineActionCreate"


class VoidInvoiceActionCreateItem(t.TypedDict):
    percentage: "Percentage"
    action: "VoidInvoiceLineActionCreateItem"


class _VoidInvoiceActionInputRequired(t.TypedDict):
    action: "VoidInvoiceActionCreate"
    reason: str


class VoidInvoiceActionInput(_VoidInvoiceActionInputRequired, total=False):
    overrides: t.List["VoidInvoiceActionLineOverride"]


class VoidInvoiceActionLineOverride(t.TypedDict):
    lineId: str
    action: "VoidInvoiceActionCreateItem"


VoidInvoiceLineActionCreate = t.Union["VoidInvoiceLineDiscardAction", "VoidInvoiceLinePendingActionCreate"]


VoidInvoiceLineActionCreateItem = t.Union["VoidInvoiceLineDiscardAction", "VoidInvoiceLinePendingActionCreateItem"]


VoidInvoiceLineActionType = t.Literal["discard", "pending"]


class VoidInvoiceLineDiscardAction(t.TypedDict):
    type: t.Literal["discard"]


class _VoidInvoiceLinePendingActionCreateRequired(t.TypedDict):
    type: t.Literal["pending"]


class VoidInvoiceLinePendingActionCreate(_VoidInvoiceLinePendingActionCreateRequired, total=False):
    nextInvoiceAt: str


class _VoidInvoiceLinePendingActionCreateItemRequired(t.TypedDict):
    type: t.Literal["pending"]


class VoidInvoiceLinePendingActionCreateItem(_VoidInvoiceLinePendingActionCreateItemRequired, total=False):
    nextInvoiceAt: str


WindowSize = t.Literal["MINUTE", "HOUR", "DAY", "MONTH"]


class WindowedBalanceHistory(t.TypedDict):
    windowedHistory: t.List["BalanceHistoryWindow"]
    burndownHistory: t.List["GrantBurnDownHistorySegment"]
