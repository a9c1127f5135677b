"""Words for docstrings: what an operation does, where it is described, and what it may raise."""

from __future__ import annotations

import re

from .contracts import Operation, snake

SUMMARIES = {
    "ingestEvents": "Send usage events. Repeats of the same source and id count once",
    "listEventsV2": "List events, newest first, with filters and a cursor",
    "queryMeter": "Query a meter",
    "queryMeterPost": "Query a meter, with the parameters in the body",
    "queryPortalMeter": "Query a meter as the subject of a portal token",
    "upsertSubject": "Create or update subjects",
    "createEntitlement": "Create an entitlement of a subject",
    "appStripeWebhook": "Take a webhook of Stripe",
    "marketplaceAppInstall": "Install an app of the marketplace",
    "marketplaceAppAPIKeyInstall": "Install an app of the marketplace with its API key",
    "marketplaceOAuth2InstallGetURL": "Get the address at which an app is authorised",
    "marketplaceOAuth2InstallAuthorize": "Finish the authorisation of an app; the answer names where to go on",
    "appCustomInvoicingDraftSynchronized": "Report that a draft invoice is in the external system",
    "appCustomInvoicingIssuingSynchronized": "Report that an invoice is issued in the external system",
    "appCustomInvoicingUpdatePaymentStatus": "Report the payment status of an invoice",
    "invoicePendingLinesAction": "Invoice a customer's pending lines",
    "getDebugMetrics": "Get today's event counts as OpenMetrics text",
    "meters:quantities": "Get a meter's quantities over time",
    "meters:events": "List the events that a meter counts",
    "events:ingest": "Send usage events. Repeats of the same external id count once",
    "events:list_names": "List event names with their counts",
    "customers:get_state": "Get a customer with meters and benefits",
    "customers:get_state_external": "Get a customer by external id, with meters and benefits",
    "customer_meters:credits": "Credit units to a customer's meter",
    "customer_meters:reverse_credit": "Take a credit back",
}

SECTIONS = (  # the first part of an operation's id that fits
    ("openmeter", "ingestEvents", "1.1 and 1.2"),
    ("openmeter", "listEventsV2", "1.5"),
    ("openmeter", "listEvents", "1.4"),
    ("openmeter", "MeterSubjects|GroupBy|queryMeter", "2.2"),
    ("openmeter", "PortalMeter|PortalToken", "9.1"),
    ("openmeter", "Notification", "8"),
    ("openmeter", "BillingProfile", "7.1"),
    ("openmeter", "PendingLine|PendingInvoiceLine", "7.2 and 7.3"),
    ("openmeter", "(?i)stripe|marketplace|customInvoicing|App", "7.9"),
    ("openmeter", "Invoice|invoice", "7.4 and 7.5"),
    ("openmeter", "Grant", "4.3"),
    ("openmeter", "resetEntitlement|resetCustomerEntitlement", "4.5"),
    ("openmeter", "EntitlementHistory", "4.6"),
    ("openmeter", "Entitlement", "4.2"),
    ("openmeter", "CustomerAccess", "3.3"),
    ("openmeter", "SubscriptionAddon", "6.7"),
    ("openmeter", "cancelSub|unschedule|deleteSub|restoreSub", "6.5"),
    ("openmeter", "changeSub|migrateSub", "6.6"),
    ("openmeter", "editSub", "6.4"),
    ("openmeter", "Subscription", "6"),
    ("openmeter", "PlanAddon", "5.6"),
    ("openmeter", "Addon", "5.5"),
    ("openmeter", "Plan", "5.1"),
    ("openmeter", "Feature", "4.1"),
    ("openmeter", "Subject", "3.1"),
    ("openmeter", "Customer", "3.2"),
    ("openmeter", "Meter", "2.1"),
    ("openmeter", "Currencies|DebugMetrics|Progress", "9.2"),
    ("polar", "meters:quantities", "7"),
    ("polar", "meters:events", "4.5"),
    ("polar", "^meters:", "4"),
    ("polar", "events:ingest", "8"),
    ("polar", "events:", "9"),
    ("polar", "customer_meters:", "10"),
    ("polar", "customers:", "11"),
)

ERRORS = {
    "400": ("InvalidRequestError", "A parameter or the body is malformed"),
    "403": ("PermissionDeniedError", "The key may not do this"),
    "404": ("NotFoundError", "There is no such object"),
    "409": ("ConflictError", "Another object is in the way"),
    "412": ("ConflictError", "The object's state does not allow it"),
    "422": ("InvalidRequestError", "A parameter or the body is malformed"),
    "501": ("NotSupportedError", "The server does not have this operation yet"),
}


def summary(operation: Operation) -> str:
    """What the operation does, as a sentence without its full stop."""
    known = SUMMARIES.get(operation.id)
    if known:
        return known
    resource, _, verb = operation.id.partition(":")
    if verb:
        return _polar_summary(resource.replace("_", " "), verb)
    words = snake(re.sub(r"(V2|Action|ById)$", "", operation.id.replace("ByIdV2", ""))).split("_")
    return " ".join(words).capitalize()


def _polar_summary(resource: str, verb: str) -> str:
    action, _, external = verb.partition("_")
    if action == "list":
        return f"List {resource}"
    article = "an" if resource[0] in "aeiou" else "a"
    by = " by external id" if external else ""
    return f"{action.capitalize()} {article} {resource.rstrip('s')}{by}"


def section(interface: str, operation: Operation) -> str:
    """The section of the reference that describes the operation."""
    for name, pattern, number in SECTIONS:
        if name == interface and re.search(pattern, operation.id):
            return number
    raise LookupError(f"{operation.id} has no section: add one to SECTIONS")


def errors(operation: Operation) -> list[str]:
    """Lines of the docstring's `Raises`."""
    statuses = [status for status in operation.responses if status in ERRORS]
    lines = dict(ERRORS[status] for status in (*statuses, "501"))
    return [f"{name}: {text}." for name, text in lines.items()]
