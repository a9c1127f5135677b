"""Results and arguments of the Polar operations, as typed mappings.

Generated from the contract by `generate.py`. Keys that an answer may lack are marked as not required.
"""

from __future__ import annotations

import typing as t


class _AddressRequired(t.TypedDict):
    country: t.Literal[
        "AD",
        "AE",
        "AF",
        "AG",
        "AI",
        "AL",
        "AM",
        "AO",
        "AQ",
        "AR",
        "AS",
        "AT",
        "AU",
        "AW",
        "AX",
        "AZ",
        "BA",
        "BB",
        "BD",
        "BE",
        "BF",
        "BG",
        "BH",
        "BI",
        "BJ",
        "BL",
        "BM",
        "BN",
        "BO",
        "BQ",
        "BR",
        "BS",
        "BT",
        "BV",
        "BW",
        "BY",
        "BZ",
        "CA",
        "CC",
        "CD",
        "CF",
        "CG",
        "CH",
        "CI",
        "CK",
        "CL",
        "CM",
        "CN",
        "CO",
        "CR",
        "CU",
        "CV",
        "CW",
        "CX",
        "CY",
        "CZ",
        "DE",
        "DJ",
        "DK",
        "DM",
        "DO",
        "DZ",
        "EC",
        "EE",
        "EG",
        "EH",
        "ER",
        "ES",
        "ET",
        "FI",
        "FJ",
        "FK",
        "FM",
        "FO",
        "FR",
        "GA",
        "GB",
        "GD",
        "GE",
        "GF",
        "GG",
        "GH",
        "GI",
        "GL",
        "GM",
        "GN",
        "GP",
        "GQ",
        "GR",
        "GS",
        "GT",
        "GU",
        "GW",
        "GY",
        "HK",
        "HM",
        "HN",
        "HR",
        "HT",
        "HU",
        "ID",
        "IE",
        "IL",
        "IM",
        "IN",
        "IO",
        "IQ",
        "IR",
        "IS",
        "IT",
        "JE",
        "JM",
        "JO",
        "JP",
        "KE",
        "KG",
        "KH",
        "KI",
        "KM",
        "KN",
        "KP",
        "KR",
        "KW",
        "KY",
        "KZ",
        "LA",
        "LB",
        "LC",
        "LI",
        "LK",
        "LR",
        "LS",
        "LT",
        "LU",
        "LV",
        "LY",
        "MA",
        "MC",
        "MD",
        "ME",
        "MF",
        "MG",
        "MH",
        "MK",
        "ML",
        "MM",
        "MN",
        "MO",
        "MP",
        "MQ",
        "MR",
        "MS",
        "MT",
        "MU",
        "MV",
        "MW",
        "MX",
        "MY",
        "MZ",
        "NA",
        "NC",
        "NE",
        "NF",
        "NG",
        "NI",
        "NL",
        "NO",
        "NP",
        "NR",
        "NU",
        "NZ",
        "OM",
        "PA",
        "PE",
        "PF",
        "PG",
        "PH",
        "PK",
        "PL",
        "PM",
        "PN",
        "PR",
        "PS",
        "PT",
        "PW",
        "PY",
        "QA",
        "RE",
        "RO",
        "RS",
        "RU",
        "RW",
        "SA",
        "SB",
        "SC",
        "SD",
        "SE",
        "SG",
        "SH",
        "SI",
        "SJ",
        "SK",
        "SL",
        "SM",
        "SN",
        "SO",
        "SR",
        "SS",
        "ST",
        "SV",
        "SX",
        "SY",
        "SZ",
        "TC",
        "TD",
        "TF",
        "TG",
        "TH",
        "TJ",
        "TK",
        "TL",
        "TM",
        "TN",
        "TO",
        "TR",
        "TT",
        "TV",
        "TW",
        "TZ",
        "UA",
        "UG",
        "UM",
        "US",
        "UY",
        "UZ",
        "VA",
        "VC",
        "VE",
        "VG",
        "VI",
        "VN",
        "VU",
        "WF",
        "WS",
        "YE",
        "YT",
        "ZA",
        "ZM",
        "ZW",
    ]


class Address(_AddressRequired, total=False):
    line1: t.Union[str, None]
    line2: t.Union[str, None]
    postal_code: t.Union[str, None]
    city: t.Union[str, None]
    state: t.Union[str, None]


class _AddressDictRequired(t.TypedDict):
    country: str


class AddressDict(_AddressDictRequired, total=False):
    line1: str
    line2: str
    postal_code: str
    city: str
    state: str


class _AddressInputRequired(t.TypedDict):
    country: t.Literal[
        "AD",
        "AE",
        "AF",
        "AG",
        "AI",
        "AL",
        "AM",
        "AO",
        "AQ",
        "AR",
        "AS",
        "AT",
        "AU",
        "AW",
        "AX",
        "AZ",
        "BA",
        "BB",
        "BD",
        "BE",
        "BF",
        "BG",
        "BH",
        "BI",
        "BJ",
        "BL",
        "BM",
        "BN",
        "BO",
        "BQ",
        "BR",
        "BS",
        "BT",
        "BV",
        "BW",
        "BY",
        "BZ",
        "CA",
        "CC",
        "CD",
        "CF",
        "CG",
        "CH",
        "CI",
        "CK",
        "CL",
        "CM",
        "CN",
        "CO",
        "CR",
        "CV",
        "CW",
        "CX",
        "CY",
        "CZ",
        "DE",
        "DJ",
        "DK",
        "DM",
        "DO",
        "DZ",
        "EC",
        "EE",
        "EG",
        "EH",
        "ER",
        "ES",
        "ET",
        "FI",
        "FJ",
        "FK",
        "FM",
        "FO",
        "FR",
        "GA",
        "GB",
        "GD",
        "GE",
        "GF",
        "GG",
        "GH",
        "GI",
        "GL",
        "GM",
        "GN",
        "GP",
        "GQ",
        "GR",
        "GS",
        "GT",
        "GU",
        "GW",
        "GY",
        "HK",
        "HM",
        "HN",
        "HR",
        "HT",
        "HU",
        "ID",
        "IE",
        "IL",
        "IM",
        "IN",
        "IO",
        "IQ",
        "IS",
        "IT",
        "JE",
        "JM",
        "JO",
        "JP",
        "KE",
        "KG",
        "KH",
        "KI",
        "KM",
        "KN",
        "KR",
        "KW",
        "KY",
        "KZ",
        "LA",
        "LB",
        "LC",
        "LI",
        "LK",
        "LR",
        "LS",
        "LT",
        "LU",
        "LV",
        "LY",
        "MA",
        "MC",
        "MD",
        "ME",
        "MF",
        "MG",
        "MH",
        "MK",
        "ML",
        "MM",
        "MN",
        "MO",
        "MP",
        "MQ",
        "MR",
        "MS",
        "MT",
        "MU",
        "MV",
        "MW",
        "MX",
        "MY",
        "MZ",
        "NA",
        "NC",
        "NE",
        "NF",
        "NG",
        "NI",
        "NL",
        "NO",
        "NP",
        "NR",
        "NU",
        "NZ",
        "OM",
        "PA",
        "PE",
        "PF",
        "PG",
        "PH",
        "PK",
        "PL",
        "PM",
        "PN",
        "PR",
        "PS",
        "PT",
        "PW",
        "PY",
        "QA",
        "RE",
        "RO",
        "RS",
        "RW",
        "SA",
        "SB",
        "SC",
        "SD",
        "SE",
        "SG",
        "SH",
        "SI",
        "SJ",
        "SK",
        "SL",
        "SM",
        "SN",
        "SO",
        "SR",
        "SS",
        "ST",
        "SV",
        "SX",
        "SZ",
        "TC",
        "TD",
        "TF",
        "TG",
        "TH",
        "TJ",
        "TK",
        "TL",
        "TM",
        "TN",
        "TO",
        "TR",
        "TT",
        "TV",
        "TW",
        "TZ",
        "UA",
        "UG",
        "UM",
        "US",
        "UY",
        "UZ",
        "VA",
        "VC",
        "VE",
        "VG",
        "VI",
        "VN",
        "VU",
        "WF",
        "WS",
        "YE",
        "YT",
        "ZA",
        "ZM",
        "ZW",
    ]


class AddressInput(_AddressInputRequired, total=False):
    line1: t.Union[str, None]
    line2: t.Union[str, None]
    postal_code: t.Union[str, None]
    city: t.Union[str, None]
    state: t.Union[str, None]


AggregationFunction = t.Literal["count", "sum", "max", "min", "avg", "unique"]


class AmbiguousExternalCustomerID(t.TypedDict):
    error: t.Literal["AmbiguousExternalCustomerID"]
    detail: str


class AmbiguousExternalMeterID(t.TypedDict):
    error: t.Literal["AmbiguousExternalMeterID"]
    detail: str


class _BalanceCreditOrderEventRequired(t.TypedDict):
    id: str
    timestamp: str
    organization_id: str
    customer_id: t.Union[str, None]
    customer: t.Union["Customer", None]
    external_customer_id: t.Union[str, None]
    label: str
    source: t.Literal["system"]
    name: t.Literal["balance.credit_order"]
    metadata: "BalanceCreditOrderMetadata"


class BalanceCreditOrderEvent(_BalanceCreditOrderEventRequired, total=False):
    member_id: t.Union[str, None]
    external_member_id: t.Union[str, None]
    child_count: int
    parent_id: t.Union[str, None]


class _BalanceCreditOrderMetadataRequired(t.TypedDict):
    order_id: str
    amount: int
    currency: str
    tax_amount: int
    fee: int


class BalanceCreditOrderMetadata(_BalanceCreditOrderMetadataRequired, total=False):
    product_id: str
    subscription_id: str
    tax_state: t.Union[str, None]
    tax_country: t.Union[str, None]
    exchange_rate: float


class _BalanceDisputeEventRequired(t.TypedDict):
    id: str
    timestamp: str
    organization_id: str
    customer_id: t.Union[str, None]
    customer: t.Union["Customer", None]
    external_customer_id: t.Union[str, None]
    label: str
    source: t.Literal["system"]
    name: t.Literal["balance.dispute"]
    metadata: "BalanceDisputeMetadata"


class BalanceDisputeEvent(_BalanceDisputeEventRequired, total=False):
    member_id: t.Union[str, None]
    external_member_id: t.Union[str, None]
    child_count: int
    parent_id: t.Union[str, None]


class _BalanceDisputeMetadataRequired(t.TypedDict):
    transaction_id: str
    dispute_id: str
    amount: int
    currency: str
    presentment_amount: int
    presentment_currency: str
    tax_amount: int
    fee: int


class BalanceDisputeMetadata(_BalanceDisputeMetadataRequired, total=False):
    order_id: str
    order_created_at: str
    product_id: str
    subscription_id: str
    tax_state: t.Union[str, None]
    tax_country: t.Union[str, None]
    exchange_rate: float


class _BalanceDisputeReversalEventRequired(t.TypedDict):
    id: str
    timestamp: str
    organization_id: str
    customer_id: t.Union[str, None]
    customer: t.Union["Customer", None]
    external_customer_id: t.Union[str, None]
    label: str
    source: t.Literal["system"]
    name: t.Literal["balance.dispute_reversal"]
    metadata: "BalanceDisputeMetadata"


class BalanceDisputeReversalEvent(_BalanceDisputeReversalEventRequired, total=False):
    member_id: t.Union[str, None]
    external_member_id: t.Union[str, None]
    child_count: int
    parent_id: t.Union[str, None]


class _BalanceOrderEventRequired(t.TypedDict):
    id: str
    timestamp: str
    organization_id: str
    customer_id: t.Union[str, None]
    customer: t.Union["Customer", None]
    external_customer_id: t.Union[str, None]
    label: str
    source: t.Literal["system"]
    name: t.Literal["balance.order"]
    metadata: "BalanceOrderMetadata"


class BalanceOrderEvent(_BalanceOrderEventRequired, total=False):
    member_id: t.Union[str, None]
    external_member_id: t.Union[str, None]
    child_count: int
    parent_id: t.Union[str, None]


class _BalanceOrderMetadataRequired(t.TypedDict):
    transaction_id: str
    order_id: str
    amount: int
    currency: str
    presentment_amount: int
    presentment_currency: str
    tax_amount: int
    fee: int


class BalanceOrderMetadata(_BalanceOrderMetadataRequired, total=False):
    product_id: str
    subscription_id: str
    net_amount: int
    tax_state: t.Union[str, None]
    tax_country: t.Union[str, None]
    exchange_rate: float


class _BalanceRefundEventRequired(t.TypedDict):
    id: str
    timestamp: str
    organization_id: str
    customer_id: t.Union[str, None]
    customer: t.Union["Customer", None]
    external_customer_id: t.Union[str, None]
    label: str
    source: t.Literal["system"]
    name: t.Literal["balance.refund"]
    metadata: "BalanceRefundMetadata"


class BalanceRefundEvent(_BalanceRefundEventRequired, total=False):
    member_id: t.Union[str, None]
    external_member_id: t.Union[str, None]
    child_count: int
    parent_id: t.Union[str, None]


class _BalanceRefundMetadataRequired(t.TypedDict):
    transaction_id: str
    refund_id: str
    amount: int
    currency: str
    presentment_amount: int
    presentment_currency: str
    tax_amount: int
    fee: int


class BalanceRefundMetadata(_BalanceRefundMetadataRequired, total=False):
    order_id: str
    order_created_at: str
    product_id: str
    subscription_id: str
    refundable_amount: int
    tax_state: t.Union[str, None]
    tax_country: t.Union[str, None]
    exchange_rate: float


class _BalanceRefundReversalEventRequired(t.TypedDict):
    id: str
    timestamp: str
    organization_id: str
    customer_id: t.Union[str, None]
    customer: t.Union["Customer", None]
    external_customer_id: t.Union[str, None]
    label: str
    source: t.Literal["system"]
    name: t.Literal["balance.refund_reversal"]
    metadata: "BalanceRefundMetadata"


class BalanceRefundReversalEvent(_BalanceRefundReversalEventRequired, total=False):
    member_id: t.Union[str, None]
    external_member_id: t.Union[str, None]
    child_count: int
    parent_id: t.Union[str, None]


class _BenefitCycledEventRequired(t.TypedDict):
    id: str
    timestamp: str
    organization_id: str
    customer_id: t.Union[str, None]
    customer: t.Union["Customer", None]
    external_customer_id: t.Union[str, None]
    label: str
    source: t.Literal["system"]
    name: t.Literal["benefit.cycled"]
    metadata: "BenefitGrantMetadata"


class BenefitCycledEvent(_BenefitCycledEventRequired, total=False):
    member_id: t.Union[str, None]
    external_member_id: t.Union[str, None]
    child_count: int
    parent_id: t.Union[str, None]


class BenefitGrantCustomProperties(t.TypedDict, total=False):
    pass


class BenefitGrantDiscordProperties(t.TypedDict, total=False):
    account_id: t.Union[str, None]
    guild_id: str
    role_id: str
    granted_account_id: str


class BenefitGrantDownloadablesProperties(t.TypedDict, total=False):
    files: t.List[str]


class BenefitGrantFeatureFlagProperties(t.TypedDict, total=False):
    pass


class BenefitGrantGitHubRepositoryProperties(t.TypedDict, total=False):
    account_id: t.Union[str, None]
    repository_owner: str
    repository_name: str
    permission: t.Literal["pull", "triage", "push", "maintain", "admin"]
    granted_account_id: str


class BenefitGrantLicenseKeysProperties(t.TypedDict, total=False):
    user_provided_key: str
    license_key_id: str
    display_key: str


class _BenefitGrantMetadataRequired(t.TypedDict):
    benefit_id: str
    benefit_grant_id: str
    benefit_type: "BenefitType"


class BenefitGrantMetadata(_BenefitGrantMetadataRequired, total=False):
    member_id: str


class BenefitGrantSlackSharedChannelProperties(t.TypedDict, total=False):
    invited_email: str
    channel_id: str
    channel_name: str
    invite_id: str
    invite_url: str
    connected_team_id: str


class _BenefitGrantedEventRequired(t.TypedDict):
    id: str
    timestamp: str
    organization_id: str
    customer_id: t.Union[str, None]
    customer: t.Union["Customer", None]
    external_customer_id: t.Union[str, None]
    label: str
    source: t.Literal["system"]
    name: t.Literal["benefit.granted"]
    metadata: "BenefitGrantMetadata"


class BenefitGrantedEvent(_BenefitGrantedEventRequired, total=False):
    member_id: t.Union[str, None]
    external_member_id: t.Union[str, None]
    child_count: int
    parent_id: t.Union[str, None]


class _BenefitRevokedEventRequired(t.TypedDict):
    id: str
    timestamp: str
    organization_id: str
    customer_id: t.Union[str, None]
    customer: t.Union["Customer", None]
    external_customer_id: t.Union[str, None]
    label: str
    source: t.Literal["system"]
    name: t.Literal["benefit.revoked"]
    metadata: "BenefitGrantMetadata"


class BenefitRevokedEvent(_BenefitRevokedEventRequired, total=False):
    member_id: t.Union[str, None]
    external_member_id: t.Union[str, None]
    child_count: int
    parent_id: t.Union[str, None]


BenefitType = t.Literal[
    "custom",
    "discord",
    "github_repository",
    "downloadables",
    "license_keys",
    "meter_credit",
    "feature_flag",
    "slack_shared_channel",
]


class _BenefitUpdatedEventRequired(t.TypedDict):
    id: str
    timestamp: str
    organization_id: str
    customer_id: t.Union[str, None]
    customer: t.Union["Customer", None]
    external_customer_id: t.Union[str, None]
    label: str
    source: t.Literal["system"]
    name: t.Literal["benefit.updated"]
    metadata: "BenefitGrantMetadata"


class BenefitUpdatedEvent(_BenefitUpdatedEventRequired, total=False):
    member_id: t.Union[str, None]
    external_member_id: t.Union[str, None]
    child_count: int
    parent_id: t.Union[str, None]


class _CheckoutCreatedEventRequired(t.TypedDict):
    id: str
    timestamp: str
    organization_id: str
    customer_id: t.Union[str, None]
    customer: t.Union["Customer", None]
    external_customer_id: t.Union[str, None]
    label: str
    source: t.Literal["system"]
    name: t.Literal["checkout.created"]
    metadata: "CheckoutCreatedMetadata"


class CheckoutCreatedEvent(_CheckoutCreatedEventRequired, total=False):
    member_id: t.Union[str, None]
    external_member_id: t.Union[str, None]
    child_count: int
    parent_id: t.Union[str, None]


class _CheckoutCreatedMetadataRequired(t.TypedDict):
    checkout_id: str
    checkout_status: str


class CheckoutCreatedMetadata(_CheckoutCreatedMetadataRequired, total=False):
    product_id: str


class CostMetadata_Input(t.TypedDict):
    amount: t.Union[float, str]
    currency: str


class CostMetadata_Output(t.TypedDict):
    amount: str
    currency: str


class CountAggregation(t.TypedDict, total=False):
    func: t.Literal["count"]


class CursorPagination(t.TypedDict):
    has_next_page: bool


Customer = t.Union["CustomerIndividual", "CustomerTeam"]


CustomerCreate = t.Union["CustomerIndividualCreate", "CustomerTeamCreate"]


class _CustomerCreatedEventRequired(t.TypedDict):
    id: str
    timestamp: str
    organization_id: str
    customer_id: t.Union[str, None]
    customer: t.Union["Customer", None]
    external_customer_id: t.Union[str, None]
    label: str
    source: t.Literal["system"]
    name: t.Literal["customer.created"]
    metadata: "CustomerCreatedMetadata"


class CustomerCreatedEvent(_CustomerCreatedEventRequired, total=False):
    member_id: t.Union[str, None]
    external_member_id: t.Union[str, None]
    child_count: int
    parent_id: t.Union[str, None]


class CustomerCreatedMetadata(t.TypedDict):
    customer_id: str
    customer_email: t.Union[str, None]
    customer_name: t.Union[str, None]
    customer_external_id: t.Union[str, None]


class _CustomerDeletedEventRequired(t.TypedDict):
    id: str
    timestamp: str
    organization_id: str
    customer_id: t.Union[str, None]
    customer: t.Union["Customer", None]
    external_customer_id: t.Union[str, None]
    label: str
    source: t.Literal["system"]
    name: t.Literal["customer.deleted"]
    metadata: "CustomerDeletedMetadata"


class CustomerDeletedEvent(_CustomerDeletedEventRequired, total=False):
    member_id: t.Union[str, None]
    external_member_id: t.Union[str, None]
    child_count: int
    parent_id: t.Union[str, None]


class CustomerDeletedMetadata(t.TypedDict):
    customer_id: str
    customer_email: t.Union[str, None]
    customer_name: t.Union[str, None]
    customer_external_id: t.Union[str, None]


class _CustomerIndividualRequired(t.TypedDict):
    id: str
    created_at: str
    modified_at: t.Union[str, None]
    metadata: "MetadataOutputType"
    email: str
    email_verified: bool
    type: t.Literal["individual"]
    name: t.Union[str, None]
    billing_name: t.Union[str, None]
    billing_address: t.Union["Address", None]
    tax_id: t.Union[t.List[t.Any], None]
    organization_id: str
    deleted_at: t.Union[str, None]
    first_user_event_at: t.Union[str, None]
    avatar_url: t.Union[str, None]


class CustomerIndividual(_CustomerIndividualRequired, total=False):
    external_id: t.Union[str, None]
    locale: t.Union[str, None]
    default_payment_method_id: t.Union[str, None]


class _CustomerIndividualCreateRequired(t.TypedDict):
    email: str


class CustomerIndividualCreate(_CustomerIndividualCreateRequired, total=False):
    metadata: t.Dict[str, t.Union[str, int, float, bool]]
    external_id: t.Union[str, None]
    name: t.Union[str, None]
    billing_address: t.Union["AddressInput", None]
    tax_id: t.Union[str, None]
    locale: t.Union[str, None]
    organization_id: t.Union[str, None]
    owner: t.Union["MemberOwnerCreate", None]
    type: t.Literal["individual"]


class CustomerMeter(t.TypedDict):
    id: str
    created_at: str
    modified_at: t.Union[str, None]
    customer_id: str
    meter_id: str
    consumed_units: float
    credited_units: int
    balance: float
    customer: "Customer"
    meter: "Meter"


class CustomerMeterCreditExternalIDConflict(t.TypedDict):
    error: t.Literal["CustomerMeterCreditExternalIDConflict"]
    detail: str


class CustomerMeterCreditNotReversible(t.TypedDict):
    error: t.Literal["CustomerMeterCreditNotReversible"]
    detail: str


class _CustomerMeterCreditsExternalIDCreateRequired(t.TypedDict):
    units: int
    external_customer_id: str
    external_meter_id: str


class CustomerMeterCreditsExternalIDCreate(_CustomerMeterCreditsExternalIDCreateRequired, total=False):
    rollover: bool
    external_id: t.Union[str, None]


class _CustomerMeterCreditsIDCreateRequired(t.TypedDict):
    units: int
    customer_id: str
    meter_id: str


class CustomerMeterCreditsIDCreate(_CustomerMeterCreditsIDCreateRequired, total=False):
    rollover: bool
    external_id: t.Union[str, None]


CustomerMeterSortProperty = t.Literal[
    "created_at",
    "-created_at",
    "modified_at",
    "-modified_at",
    "customer_id",
    "-customer_id",
    "customer_name",
    "-customer_name",
    "meter_id",
    "-meter_id",
    "meter_name",
    "-meter_name",
    "consumed_units",
    "-consumed_units",
    "credited_units",
    "-credited_units",
    "balance",
    "-balance",
]


CustomerSortProperty = t.Literal["created_at", "-created_at", "email", "-email", "name", "-name"]


CustomerState = t.Union["CustomerStateIndividual", "CustomerStateTeam"]


class CustomerStateBenefitGrant(t.TypedDict):
    id: str
    created_at: str
    modified_at: t.Union[str, None]
    granted_at: str
    benefit_id: str
    benefit_type: "BenefitType"
    benefit_metadata: "MetadataOutputType"
    properties: t.Union[
        "BenefitGrantDiscordProperties",
        "BenefitGrantGitHubRepositoryProperties",
        "BenefitGrantDownloadablesProperties",
        "BenefitGrantLicenseKeysProperties",
        "BenefitGrantCustomProperties",
        "BenefitGrantFeatureFlagProperties",
        "BenefitGrantSlackSharedChannelProperties",
    ]


class _CustomerStateIndividualRequired(t.TypedDict):
    id: str
    created_at: str
    modified_at: t.Union[str, None]
    metadata: "MetadataOutputType"
    email: str
    email_verified: bool
    type: t.Literal["individual"]
    name: t.Union[str, None]
    billing_name: t.Union[str, None]
    billing_address: t.Union["Address", None]
    tax_id: t.Union[t.List[t.Any], None]
    organization_id: str
    deleted_at: t.Union[str, None]
    first_user_event_at: t.Union[str, None]
    avatar_url: t.Union[str, None]
    active_subscriptions: t.List["CustomerStateSubscription"]
    granted_benefits: t.List["CustomerStateBenefitGrant"]
    active_meters: t.List["CustomerStateMeter"]


class CustomerStateIndividual(_CustomerStateIndividualRequired, total=False):
    external_id: t.Union[str, None]
    locale: t.Union[str, None]
    default_payment_method_id: t.Union[str, None]


class CustomerStateMeter(t.TypedDict):
    id: str
    created_at: str
    modified_at: t.Union[str, None]
    meter_id: str
    consumed_units: float
    credited_units: int
    balance: float


class _CustomerStateSubscriptionRequired(t.TypedDict):
    id: str
    created_at: str
    modified_at: t.Union[str, None]
    metadata: "MetadataOutputType"
    status: t.Literal["active", "trialing"]
    amount: int
    currency: str
    recurring_interval: "RecurringInterval"
    current_period_start: str
    current_period_end: str
    trial_start: t.Union[str, None]
    trial_end: t.Union[str, None]
    cancel_at_period_end: bool
    canceled_at: t.Union[str, None]
    started_at: t.Union[str, None]
    ends_at: t.Union[str, None]
    product_id: str
    discount_id: t.Union[str, None]
    meters: t.List["CustomerStateSubscriptionMeter"]


class CustomerStateSubscription(_CustomerStateSubscriptionRequired, total=False):
    custom_field_data: t.Dict[str, t.Union[str, int, bool, None]]


class CustomerStateSubscriptionMeter(t.TypedDict):
    created_at: str
    modified_at: t.Union[str, None]
    id: str
    consumed_units: float
    credited_units: int
    amount: int
    meter_id: str


class _CustomerStateTeamRequired(t.TypedDict):
    id: str
    created_at: str
    modified_at: t.Union[str, None]
    metadata: "MetadataOutputType"
    email_verified: bool
    type: t.Literal["team"]
    name: t.Union[str, None]
    billing_name: t.Union[str, None]
    billing_address: t.Union["Address", None]
    tax_id: t.Union[t.List[t.Any], None]
    organization_id: str
    deleted_at: t.Union[str, None]
    first_user_event_at: t.Union[str, None]
    avatar_url: t.Union[str, None]
    active_subscriptions: t.List["CustomerStateSubscription"]
    granted_benefits: t.List["CustomerStateBenefitGrant"]
    active_meters: t.List["CustomerStateMeter"]


class CustomerStateTeam(_CustomerStateTeamRequired, total=False):
    external_id: t.Union[str, None]
    email: t.Union[str, None]
    locale: t.Union[str, None]
    default_payment_method_id: t.Union[str, None]


class _CustomerTeamRequired(t.TypedDict):
    id: str
    created_at: str
    modified_at: t.Union[str, None]
    metadata: "MetadataOutputType"
    email_verified: bool
    type: t.Literal["team"]
    name: t.Union[str, None]
    billing_name: t.Union[str, None]
    billing_address: t.Union["Address", None]
    tax_id: t.Union[t.List[t.Any], None]
    organization_id: str
    deleted_at: t.Union[str, None]
    first_user_event_at: t.Union[str, None]
    avatar_url: t.Union[str, None]


class CustomerTeam(_CustomerTeamRequired, total=False):
    external_id: t.Union[str, None]
    email: t.Union[str, None]
    locale: t.Union[str, None]
    default_payment_method_id: t.Union[str, None]


class _CustomerTeamCreateRequired(t.TypedDict):
    type: t.Literal["team"]


class CustomerTeamCreate(_CustomerTeamCreateRequired, total=False):
    metadata: t.Dict[str, t.Union[str, int, float, bool]]
    external_id: t.Union[str, None]
    name: t.Union[str, None]
    billing_address: t.Union["AddressInput", None]
    tax_id: t.Union[str, None]
    locale: t.Union[str, None]
    organization_id: t.Union[str, None]
    owner: t.Union["MemberOwnerCreate", None]
    email: t.Union[str, None]


CustomerType = t.Literal["individual", "team"]


class CustomerUpdate(t.TypedDict, total=False):
    metadata: t.Dict[str, t.Union[str, int, float, bool]]
    email: t.Union[str, None]
    name: t.Union[str, None]
    billing_address: t.Union["AddressInput", None]
    tax_id: t.Union[str, None]
    locale: t.Union[str, None]
    external_id: t.Union[str, None]
    type: t.Union["CustomerType", None]


class CustomerUpdateExternalID(t.TypedDict, total=False):
    metadata: t.Dict[str, t.Union[str, int, float, bool]]
    email: t.Union[str, None]
    name: t.Union[str, None]
    billing_address: t.Union["AddressInput", None]
    tax_id: t.Union[str, None]
    locale: t.Union[str, None]


class _CustomerUpdatedEventRequired(t.TypedDict):
    id: str
    timestamp: str
    organization_id: str
    customer_id: t.Union[str, None]
    customer: t.Union["Customer", None]
    external_customer_id: t.Union[str, None]
    label: str
    source: t.Literal["system"]
    name: t.Literal["customer.updated"]
    metadata: "CustomerUpdatedMetadata"


class CustomerUpdatedEvent(_CustomerUpdatedEventRequired, total=False):
    member_id: t.Union[str, None]
    external_member_id: t.Union[str, None]
    child_count: int
    parent_id: t.Union[str, None]


class CustomerUpdatedFields(t.TypedDict, total=False):
    name: t.Union[str, None]
    billing_name: t.Union[str, None]
    email: t.Union[str, None]
    billing_address: t.Union["AddressDict", None]
    tax_id: t.Union[str, None]
    metadata: t.Union[t.Dict[str, t.Union[str, int, bool]], None]


class CustomerUpdatedMetadata(t.TypedDict):
    customer_id: str
    customer_email: t.Union[str, None]
    customer_name: t.Union[str, None]
    customer_external_id: t.Union[str, None]
    updated_fields: "CustomerUpdatedFields"


Event = t.Union["SystemEvent", "UserEvent"]


class _EventCreateCustomerRequired(t.TypedDict):
    name: str
    customer_id: str


class EventCreateCustomer(_EventCreateCustomerRequired, total=False):
    timestamp: str
    organization_id: t.Union[str, None]
    external_id: t.Union[str, None]
    parent_id: t.Union[str, None]
    metadata: "EventMetadataInput"
    member_id: t.Union[str, None]


class _EventCreateExternalCustomerRequired(t.TypedDict):
    name: str
    external_customer_id: str


class EventCreateExternalCustomer(_EventCreateExternalCustomerRequired, total=False):
    timestamp: str
    organization_id: t.Union[str, None]
    external_id: t.Union[str, None]
    parent_id: t.Union[str, None]
    metadata: "EventMetadataInput"
    external_member_id: t.Union[str, None]


class EventMetadataInput(t.TypedDict, total=False):
    _cost: "CostMetadata_Input"
    _llm: "LLMMetadata"


class EventMetadataOutput(t.TypedDict, total=False):
    _cost: "CostMetadata_Output"
    _llm: "LLMMetadata"


class EventName(t.TypedDict):
    name: str
    label: str
    source: "EventSource"
    occurrences: int
    first_seen: str
    last_seen: str


EventNamesSortProperty = t.Literal[
    "name", "-name", "occurrences", "-occurrences", "first_seen", "-first_seen", "last_seen", "-last_seen"
]


EventSortProperty = t.Literal["timestamp", "-timestamp"]


EventSource = t.Literal["system", "user"]


class EventsIngest(t.TypedDict):
    events: t.List[t.Union["EventCreateCustomer", "EventCreateExternalCustomer"]]


class _EventsIngestResponseRequired(t.TypedDict):
    inserted: int


class EventsIngestResponse(_EventsIngestResponseRequired, total=False):
    duplicates: int


class Filter(t.TypedDict):
    conjunction: "FilterConjunction"
    clauses: t.List[t.Union["FilterClause", "Filter"]]


class FilterClause(t.TypedDict):
    property: str
    operator: "FilterOperator"
    value: t.Union[str, int, bool]


FilterConjunction = t.Literal["and", "or"]


FilterOperator = t.Literal["eq", "ne", "gt", "gte", "lt", "lte", "like", "not_like"]


class HTTPValidationError(t.TypedDict, total=False):
    detail: t.List["ValidationError"]


class _LLMMetadataRequired(t.TypedDict):
    vendor: str
    model: str
    input_tokens: int
    output_tokens: int
    total_tokens: int


class LLMMetadata(_LLMMetadataRequired, total=False):
    prompt: t.Union[str, None]
    response: t.Union[str, None]
    cached_input_tokens: int


class ListResourceWithCursorPagination_Event(t.TypedDict):
    items: t.List["Event"]
    pagination: "CursorPagination"


class ListResource_CustomerMeter(t.TypedDict):
    items: t.List["CustomerMeter"]
    pagination: "Pagination"


class ListResource_Customer(t.TypedDict):
    items: t.List["Customer"]
    pagination: "Pagination"


class ListResource_EventName(t.TypedDict):
    items: t.List["EventName"]
    pagination: "Pagination"


class ListResource_Event(t.TypedDict):
    items: t.List["Event"]
    pagination: "Pagination"


class ListResource_Meter(t.TypedDict):
    items: t.List["Meter"]
    pagination: "Pagination"


class _MemberOwnerCreateRequired(t.TypedDict):
    email: str


class MemberOwnerCreate(_MemberOwnerCreateRequired, total=False):
    name: t.Union[str, None]
    external_id: t.Union[str, None]


MetadataOutputType = t.Dict[str, t.Union[str, int, float, bool]]


MetadataQuery = t.Union[t.Dict[str, t.Union[str, int, bool, t.List[str], t.List[int], t.List[bool]]], None]


class _MeterRequired(t.TypedDict):
    metadata: "MetadataOutputType"
    created_at: str
    modified_at: t.Union[str, None]
    id: str
    name: str
    unit: "MeterUnit"
    filter: "Filter"
    aggregation: t.Union["CountAggregation", "PropertyAggregation", "UniqueAggregation"]
    organization_id: str


class Meter(_MeterRequired, total=False):
    custom_label: t.Union[str, None]
    custom_multiplier: t.Union[int, None]
    archived_at: t.Union[str, None]
    external_id: t.Union[str, None]


class _MeterCreateRequired(t.TypedDict):
    name: str
    filter: "Filter"
    aggregation: t.Union["CountAggregation", "PropertyAggregation", "UniqueAggregation"]


class MeterCreate(_MeterCreateRequired, total=False):
    metadata: t.Dict[str, t.Union[str, int, float, bool]]
    unit: "MeterUnit"
    custom_label: t.Union[str, None]
    custom_multiplier: t.Union[int, None]
    organization_id: t.Union[str, None]
    external_id: t.Union[str, None]


class _MeterCreditEventRequired(t.TypedDict):
    id: str
    timestamp: str
    organization_id: str
    customer_id: t.Union[str, None]
    customer: t.Union["Customer", None]
    external_customer_id: t.Union[str, None]
    label: str
    source: t.Literal["system"]
    name: t.Literal["meter.credited"]
    metadata: "MeterCreditedMetadata"


class MeterCreditEvent(_MeterCreditEventRequired, total=False):
    member_id: t.Union[str, None]
    external_member_id: t.Union[str, None]
    child_count: int
    parent_id: t.Union[str, None]


class _MeterCreditedMetadataRequired(t.TypedDict):
    meter_id: str
    units: int
    rollover: bool


class MeterCreditedMetadata(_MeterCreditedMetadataRequired, total=False):
    reason: t.Literal["benefit", "manual"]


class MeterQuantities(t.TypedDict):
    quantities: t.List["MeterQuantity"]
    total: float


class MeterQuantity(t.TypedDict):
    timestamp: str
    quantity: float


class _MeterResetEventRequired(t.TypedDict):
    id: str
    timestamp: str
    organization_id: str
    customer_id: t.Union[str, None]
    customer: t.Union["Customer", None]
    external_customer_id: t.Union[str, None]
    label: str
    source: t.Literal["system"]
    name: t.Literal["meter.reset"]
    metadata: "MeterResetMetadata"


class MeterResetEvent(_MeterResetEventRequired, total=False):
    member_id: t.Union[str, None]
    external_member_id: t.Union[str, None]
    child_count: int
    parent_id: t.Union[str, None]


class MeterResetMetadata(t.TypedDict):
    meter_id: str


MeterSortProperty = t.Literal["created_at", "-created_at", "name", "-name"]


MeterUnit = t.Literal["scalar", "token", "custom"]


class MeterUpdate(t.TypedDict, total=False):
    metadata: t.Dict[str, t.Union[str, int, float, bool]]
    name: t.Union[str, None]
    unit: t.Union["MeterUnit", None]
    custom_label: t.Union[str, None]
    custom_multiplier: t.Union[int, None]
    filter: t.Union["Filter", None]
    aggregation: t.Union[t.Union["CountAggregation", "PropertyAggregation", "UniqueAggregation"], None]
    is_archived: t.Union[bool, None]
    external_id: t.Union[str, None]


class NotPermitted(t.TypedDict):
    error: t.Literal["NotPermitted"]
    detail: str


class _OAuth2ErrorBodyRequired(t.TypedDict):
    error: t.Literal["invalid_token", "insufficient_scope"]


class OAuth2ErrorBody(_OAuth2ErrorBodyRequired, total=False):
    error_description: str


class _OrderPaidEventRequired(t.TypedDict):
    id: str
    timestamp: str
    organization_id: str
    customer_id: t.Union[str, None]
    customer: t.Union["Customer", None]
    external_customer_id: t.Union[str, None]
    label: str
    source: t.Literal["system"]
    name: t.Literal["order.paid"]
    metadata: "OrderPaidMetadata"


class OrderPaidEvent(_OrderPaidEventRequired, total=False):
    member_id: t.Union[str, None]
    external_member_id: t.Union[str, None]
    child_count: int
    parent_id: t.Union[str, None]


class _OrderPaidMetadataRequired(t.TypedDict):
    order_id: str
    amount: int


class OrderPaidMetadata(_OrderPaidMetadataRequired, total=False):
    product_id: str
    billing_type: str
    currency: str
    net_amount: int
    tax_amount: int
    applied_balance_amount: int
    discount_amount: int
    discount_id: str
    platform_fee: int
    subscription_id: str
    recurring_interval: str
    recurring_interval_count: int


class _OrderRefundedEventRequired(t.TypedDict):
    id: str
    timestamp: str
    organization_id: str
    customer_id: t.Union[str, None]
    customer: t.Union["Customer", None]
    external_customer_id: t.Union[str, None]
    label: str
    source: t.Literal["system"]
    name: t.Literal["order.refunded"]
    metadata: "OrderRefundedMetadata"


class OrderRefundedEvent(_OrderRefundedEventRequired, total=False):
    member_id: t.Union[str, None]
    external_member_id: t.Union[str, None]
    child_count: int
    parent_id: t.Union[str, None]


class OrderRefundedMetadata(t.TypedDict):
    order_id: str
    refunded_amount: int
    currency: str


class _OrderUnvoidedEventRequired(t.TypedDict):
    id: str
    timestamp: str
    organization_id: str
    customer_id: t.Union[str, None]
    customer: t.Union["Customer", None]
    external_customer_id: t.Union[str, None]
    label: str
    source: t.Literal["system"]
    name: t.Literal["order.unvoided"]
    metadata: "OrderUnvoidedMetadata"


class OrderUnvoidedEvent(_OrderUnvoidedEventRequired, total=False):
    member_id: t.Union[str, None]
    external_member_id: t.Union[str, None]
    child_count: int
    parent_id: t.Union[str, None]


class OrderUnvoidedMetadata(t.TypedDict):
    order_id: str
    amount: int
    currency: str


class _OrderVoidedEventRequired(t.TypedDict):
    id: str
    timestamp: str
    organization_id: str
    customer_id: t.Union[str, None]
    customer: t.Union["Customer", None]
    external_customer_id: t.Union[str, None]
    label: str
    source: t.Literal["system"]
    name: t.Literal["order.voided"]
    metadata: "OrderVoidedMetadata"


class OrderVoidedEvent(_OrderVoidedEventRequired, total=False):
    member_id: t.Union[str, None]
    external_member_id: t.Union[str, None]
    child_count: int
    parent_id: t.Union[str, None]


class OrderVoidedMetadata(t.TypedDict):
    order_id: str
    amount: int
    currency: str


class Pagination(t.TypedDict):
    total_count: int
    max_page: int


class PropertyAggregation(t.TypedDict):
    func: t.Literal["sum", "max", "min", "avg"]
    property: str


RecurringInterval = t.Literal["day", "week", "month", "year"]


class ResourceNotFound(t.TypedDict):
    error: t.Literal["ResourceNotFound"]
    detail: str


class _SubscriptionBillingPeriodUpdatedEventRequired(t.TypedDict):
    id: str
    timestamp: str
    organization_id: str
    customer_id: t.Union[str, None]
    customer: t.Union["Customer", None]
    external_customer_id: t.Union[str, None]
    label: str
    source: t.Literal["system"]
    name: t.Literal["subscription.billing_period_updated"]
    metadata: "SubscriptionBillingPeriodUpdatedMetadata"


class SubscriptionBillingPeriodUpdatedEvent(_SubscriptionBillingPeriodUpdatedEventRequired, total=False):
    member_id: t.Union[str, None]
    external_member_id: t.Union[str, None]
    child_count: int
    parent_id: t.Union[str, None]


class SubscriptionBillingPeriodUpdatedMetadata(t.TypedDict):
    subscription_id: str
    old_period_end: str
    new_period_end: str


class _SubscriptionCanceledEventRequired(t.TypedDict):
    id: str
    timestamp: str
    organization_id: str
    customer_id: t.Union[str, None]
    customer: t.Union["Customer", None]
    external_customer_id: t.Union[str, None]
    label: str
    source: t.Literal["system"]
    name: t.Literal["subscription.canceled"]
    metadata: "SubscriptionCanceledMetadata"


class SubscriptionCanceledEvent(_SubscriptionCanceledEventRequired, total=False):
    member_id: t.Union[str, None]
    external_member_id: t.Union[str, None]
    child_count: int
    parent_id: t.Union[str, None]


class _SubscriptionCanceledMetadataRequired(t.TypedDict):
    subscription_id: str
    amount: int
    currency: str
    recurring_interval: str
    recurring_interval_count: int
    canceled_at: str


class SubscriptionCanceledMetadata(_SubscriptionCanceledMetadataRequired, total=False):
    product_id: str
    customer_cancellation_reason: str
    customer_cancellation_comment: str
    ends_at: str
    cancel_at_period_end: bool


class _SubscriptionCreatedEventRequired(t.TypedDict):
    id: str
    timestamp: str
    organization_id: str
    customer_id: t.Union[str, None]
    customer: t.Union["Customer", None]
    external_customer_id: t.Union[str, None]
    label: str
    source: t.Literal["system"]
    name: t.Literal["subscription.created"]
    metadata: "SubscriptionCreatedMetadata"


class SubscriptionCreatedEvent(_SubscriptionCreatedEventRequired, total=False):
    member_id: t.Union[str, None]
    external_member_id: t.Union[str, None]
    child_count: int
    parent_id: t.Union[str, None]


class SubscriptionCreatedMetadata(t.TypedDict):
    subscription_id: str
    product_id: str
    amount: int
    currency: str
    recurring_interval: str
    recurring_interval_count: int
    started_at: str


class _SubscriptionCycledEventRequired(t.TypedDict):
    id: str
    timestamp: str
    organization_id: str
    customer_id: t.Union[str, None]
    customer: t.Union["Customer", None]
    external_customer_id: t.Union[str, None]
    label: str
    source: t.Literal["system"]
    name: t.Literal["subscription.cycled"]
    metadata: "SubscriptionCycledMetadata"


class SubscriptionCycledEvent(_SubscriptionCycledEventRequired, total=False):
    member_id: t.Union[str, None]
    external_member_id: t.Union[str, None]
    child_count: int
    parent_id: t.Union[str, None]


class _SubscriptionCycledMetadataRequired(t.TypedDict):
    subscription_id: str


class SubscriptionCycledMetadata(_SubscriptionCycledMetadataRequired, total=False):
    product_id: str
    amount: int
    currency: str
    recurring_interval: str
    recurring_interval_count: int


class _SubscriptionPastDueEventRequired(t.TypedDict):
    id: str
    timestamp: str
    organization_id: str
    customer_id: t.Union[str, None]
    customer: t.Union["Customer", None]
    external_customer_id: t.Union[str, None]
    label: str
    source: t.Literal["system"]
    name: t.Literal["subscription.past_due"]
    metadata: "SubscriptionPastDueMetadata"


class SubscriptionPastDueEvent(_SubscriptionPastDueEventRequired, total=False):
    member_id: t.Union[str, None]
    external_member_id: t.Union[str, None]
    child_count: int
    parent_id: t.Union[str, None]


class _SubscriptionPastDueMetadataRequired(t.TypedDict):
    subscription_id: str
    past_due_at: str


class SubscriptionPastDueMetadata(_SubscriptionPastDueMetadataRequired, total=False):
    product_id: str
    amount: int
    currency: str
    recurring_interval: str
    recurring_interval_count: int


class _SubscriptionPausedEventRequired(t.TypedDict):
    id: str
    timestamp: str
    organization_id: str
    customer_id: t.Union[str, None]
    customer: t.Union["Customer", None]
    external_customer_id: t.Union[str, None]
    label: str
    source: t.Literal["system"]
    name: t.Literal["subscription.paused"]
    metadata: "SubscriptionPausedMetadata"


class SubscriptionPausedEvent(_SubscriptionPausedEventRequired, total=False):
    member_id: t.Union[str, None]
    external_member_id: t.Union[str, None]
    child_count: int
    parent_id: t.Union[str, None]


class _SubscriptionPausedMetadataRequired(t.TypedDict):
    subscription_id: str
    paused_at: str


class SubscriptionPausedMetadata(_SubscriptionPausedMetadataRequired, total=False):
    product_id: str
    amount: int
    currency: str
    recurring_interval: str
    recurring_interval_count: int
    resumes_at: str


class _SubscriptionProductUpdatedEventRequired(t.TypedDict):
    id: str
    timestamp: str
    organization_id: str
    customer_id: t.Union[str, None]
    customer: t.Union["Customer", None]
    external_customer_id: t.Union[str, None]
    label: str
    source: t.Literal["system"]
    name: t.Literal["subscription.product_updated"]
    metadata: "SubscriptionProductUpdatedMetadata"


class SubscriptionProductUpdatedEvent(_SubscriptionProductUpdatedEventRequired, total=False):
    member_id: t.Union[str, None]
    external_member_id: t.Union[str, None]
    child_count: int
    parent_id: t.Union[str, None]


class SubscriptionProductUpdatedMetadata(t.TypedDict):
    subscription_id: str
    old_product_id: str
    new_product_id: str


SubscriptionProrationBehavior = t.Literal["invoice", "prorate", "next_period", "reset"]


class _SubscriptionReactivatedEventRequired(t.TypedDict):
    id: str
    timestamp: str
    organization_id: str
    customer_id: t.Union[str, None]
    customer: t.Union["Customer", None]
    external_customer_id: t.Union[str, None]
    label: str
    source: t.Literal["system"]
    name: t.Literal["subscription.reactivated"]
    metadata: "SubscriptionReactivatedMetadata"


class SubscriptionReactivatedEvent(_SubscriptionReactivatedEventRequired, total=False):
    member_id: t.Union[str, None]
    external_member_id: t.Union[str, None]
    child_count: int
    parent_id: t.Union[str, None]


class _SubscriptionReactivatedMetadataRequired(t.TypedDict):
    subscription_id: str


class SubscriptionReactivatedMetadata(_SubscriptionReactivatedMetadataRequired, total=False):
    product_id: str
    amount: int
    currency: str
    recurring_interval: str
    recurring_interval_count: int


class _SubscriptionReinstatedEventRequired(t.TypedDict):
    id: str
    timestamp: str
    organization_id: str
    customer_id: t.Union[str, None]
    customer: t.Union["Customer", None]
    external_customer_id: t.Union[str, None]
    label: str
    source: t.Literal["system"]
    name: t.Literal["subscription.reinstated"]
    metadata: "SubscriptionReinstatedMetadata"


class SubscriptionReinstatedEvent(_SubscriptionReinstatedEventRequired, total=False):
    member_id: t.Union[str, None]
    external_member_id: t.Union[str, None]
    child_count: int
    parent_id: t.Union[str, None]


class _SubscriptionReinstatedMetadataRequired(t.TypedDict):
    subscription_id: str


class SubscriptionReinstatedMetadata(_SubscriptionReinstatedMetadataRequired, total=False):
    product_id: str
    amount: int
    currency: str
    recurring_interval: str
    recurring_interval_count: int


class _SubscriptionResumedEventRequired(t.TypedDict):
    id: str
    timestamp: str
    organization_id: str
    customer_id: t.Union[str, None]
    customer: t.Union["Customer", None]
    external_customer_id: t.Union[str, None]
    label: str
    source: t.Literal["system"]
    name: t.Literal["subscription.resumed"]
    metadata: "SubscriptionResumedMetadata"


class SubscriptionResumedEvent(_SubscriptionResumedEventRequired, total=False):
    member_id: t.Union[str, None]
    external_member_id: t.Union[str, None]
    child_count: int
    parent_id: t.Union[str, None]


class _SubscriptionResumedMetadataRequired(t.TypedDict):
    subscription_id: str


class SubscriptionResumedMetadata(_SubscriptionResumedMetadataRequired, total=False):
    product_id: str
    amount: int
    currency: str
    recurring_interval: str
    recurring_interval_count: int


class _SubscriptionRevokedEventRequired(t.TypedDict):
    id: str
    timestamp: str
    organization_id: str
    customer_id: t.Union[str, None]
    customer: t.Union["Customer", None]
    external_customer_id: t.Union[str, None]
    label: str
    source: t.Literal["system"]
    name: t.Literal["subscription.revoked"]
    metadata: "SubscriptionRevokedMetadata"


class SubscriptionRevokedEvent(_SubscriptionRevokedEventRequired, total=False):
    member_id: t.Union[str, None]
    external_member_id: t.Union[str, None]
    child_count: int
    parent_id: t.Union[str, None]


class _SubscriptionRevokedMetadataRequired(t.TypedDict):
    subscription_id: str


class SubscriptionRevokedMetadata(_SubscriptionRevokedMetadataRequired, total=False):
    product_id: str
    amount: int
    currency: str
    recurring_interval: str
    recurring_interval_count: int


class _SubscriptionSeatsUpdatedEventRequired(t.TypedDict):
    id: str
    timestamp: str
    organization_id: str
    customer_id: t.Union[str, None]
    customer: t.Union["Customer", None]
    external_customer_id: t.Union[str, None]
    label: str
    source: t.Literal["system"]
    name: t.Literal["subscription.seats_updated"]
    metadata: "SubscriptionSeatsUpdatedMetadata"


class SubscriptionSeatsUpdatedEvent(_SubscriptionSeatsUpdatedEventRequired, total=False):
    member_id: t.Union[str, None]
    external_member_id: t.Union[str, None]
    child_count: int
    parent_id: t.Union[str, None]


class SubscriptionSeatsUpdatedMetadata(t.TypedDict):
    subscription_id: str
    old_seats: int
    new_seats: int
    proration_behavior: str


class _SubscriptionUncanceledEventRequired(t.TypedDict):
    id: str
    timestamp: str
    organization_id: str
    customer_id: t.Union[str, None]
    customer: t.Union["Customer", None]
    external_customer_id: t.Union[str, None]
    label: str
    source: t.Literal["system"]
    name: t.Literal["subscription.uncanceled"]
    metadata: "SubscriptionUncanceledMetadata"


class SubscriptionUncanceledEvent(_SubscriptionUncanceledEventRequired, total=False):
    member_id: t.Union[str, None]
    external_member_id: t.Union[str, None]
    child_count: int
    parent_id: t.Union[str, None]


class SubscriptionUncanceledMetadata(t.TypedDict):
    subscription_id: str
    product_id: str
    amount: int
    currency: str
    recurring_interval: str
    recurring_interval_count: int


class _SubscriptionUpdateClearedEventRequired(t.TypedDict):
    id: str
    timestamp: str
    organization_id: str
    customer_id: t.Union[str, None]
    customer: t.Union["Customer", None]
    external_customer_id: t.Union[str, None]
    label: str
    source: t.Literal["system"]
    name: t.Literal["subscription.update_cleared"]
    metadata: "SubscriptionUpdateClearedMetadata"


class SubscriptionUpdateClearedEvent(_SubscriptionUpdateClearedEventRequired, total=False):
    member_id: t.Union[str, None]
    external_member_id: t.Union[str, None]
    child_count: int
    parent_id: t.Union[str, None]


class SubscriptionUpdateClearedMetadata(t.TypedDict):
    subscription_id: str


class _SubscriptionUpdatedEventRequired(t.TypedDict):
    id: str
    timestamp: str
    organization_id: str
    customer_id: t.Union[str, None]
    customer: t.Union["Customer", None]
    external_customer_id: t.Union[str, None]
    label: str
    source: t.Literal["system"]
    name: t.Literal["subscription.updated"]
    metadata: "SubscriptionUpdatedMetadata"


class SubscriptionUpdatedEvent(_SubscriptionUpdatedEventRequired, total=False):
    member_id: t.Union[str, None]
    external_member_id: t.Union[str, None]
    child_count: int
    parent_id: t.Union[str, None]


class _SubscriptionUpdatedMetadataRequired(t.TypedDict):
    subscription_id: str


class SubscriptionUpdatedMetadata(_SubscriptionUpdatedMetadataRequired, total=False):
    product_id: str
    proration_behavior: "SubscriptionProrationBehavior"
    discount_id: t.Union[str, None]
    trial_end: str
    seats: int
    billing_period_end: str


SystemEvent = t.Union[
    "MeterCreditEvent",
    "MeterResetEvent",
    "BenefitGrantedEvent",
    "BenefitCycledEvent",
    "BenefitUpdatedEvent",
    "BenefitRevokedEvent",
    "SubscriptionCreatedEvent",
    "SubscriptionUpdatedEvent",
    "SubscriptionCycledEvent",
    "SubscriptionCanceledEvent",
    "SubscriptionRevokedEvent",
    "SubscriptionPastDueEvent",
    "SubscriptionReactivatedEvent",
    "SubscriptionReinstatedEvent",
    "SubscriptionPausedEvent",
    "SubscriptionResumedEvent",
    "SubscriptionUncanceledEvent",
    "SubscriptionProductUpdatedEvent",
    "SubscriptionSeatsUpdatedEvent",
    "SubscriptionBillingPeriodUpdatedEvent",
    "SubscriptionUpdateClearedEvent",
    "OrderPaidEvent",
    "OrderRefundedEvent",
    "OrderVoidedEvent",
    "OrderUnvoidedEvent",
    "CheckoutCreatedEvent",
    "CustomerCreatedEvent",
    "CustomerUpdatedEvent",
    "CustomerDeletedEvent",
    "BalanceOrderEvent",
    "BalanceCreditOrderEvent",
    "BalanceRefundEvent",
    "BalanceRefundReversalEvent",
    "BalanceDisputeEvent",
    "BalanceDisputeReversalEvent",
]


TaxIDFormat = t.Literal[
    "ad_nrt",
    "ae_trn",
    "ar_cuit",
    "au_abn",
    "au_arn",
    "bg_uic",
    "bh_vat",
    "bo_tin",
    "br_cnpj",
    "br_cpf",
    "ca_bn",
    "ca_gst_hst",
    "ca_pst_bc",
    "ca_pst_mb",
    "ca_pst_sk",
    "ca_qst",
    "ch_uid",
    "ch_vat",
    "cl_tin",
    "cn_tin",
    "co_nit",
    "cr_tin",
    "de_stn",
    "do_rcn",
    "ec_ruc",
    "eg_tin",
    "es_cif",
    "eu_oss_vat",
    "eu_vat",
    "gb_vat",
    "ge_vat",
    "hk_br",
    "hr_oib",
    "hu_tin",
    "id_npwp",
    "il_vat",
    "in_gst",
    "is_vat",
    "jp_cn",
    "jp_rn",
    "jp_trn",
    "ke_pin",
    "kr_brn",
    "kz_bin",
    "li_uid",
    "mk_vat",
    "mx_rfc",
    "my_frp",
    "my_itn",
    "my_sst",
    "ng_tin",
    "no_vat",
    "no_voec",
    "nz_gst",
    "om_vat",
    "pe_ruc",
    "ph_tin",
    "ro_tin",
    "rs_pib",
    "ru_inn",
    "ru_kpp",
    "sa_vat",
    "sg_gst",
    "sg_uen",
    "si_tin",
    "sv_nit",
    "th_vat",
    "tr_tin",
    "tw_vat",
    "ua_vat",
    "us_ein",
    "uy_ruc",
    "ve_rif",
    "vn_tin",
    "za_vat",
    "mu_tan",
]


TimeInterval = t.Literal["year", "month", "week", "day", "hour"]


class Unauthorized(t.TypedDict):
    error: t.Literal["Unauthorized"]
    detail: str


class _UniqueAggregationRequired(t.TypedDict):
    property: str


class UniqueAggregation(_UniqueAggregationRequired, total=False):
    func: t.Literal["unique"]


class _UserEventRequired(t.TypedDict):
    id: str
    timestamp: str
    organization_id: str
    customer_id: t.Union[str, None]
    customer: t.Union["Customer", None]
    external_customer_id: t.Union[str, None]
    label: str
    name: str
    source: t.Literal["user"]
    metadata: "EventMetadataOutput"


class UserEvent(_UserEventRequired, total=False):
    member_id: t.Union[str, None]
    external_member_id: t.Union[str, None]
    child_count: int
    parent_id: t.Union[str, None]


class _ValidationErrorRequired(t.TypedDict):
    loc: t.List[t.Union[str, int]]
    msg: str
    type: str


class ValidationError(_ValidationErrorRequired, total=False):
    input: t.Any
    ctx: t.Dict[str, t.Any]
