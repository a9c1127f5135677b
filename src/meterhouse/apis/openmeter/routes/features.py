"""Features: create, get, list, archive (openmeter 4.1)."""

from __future__ import annotations

from meterhouse.apis.call import Call
from meterhouse.apis.faults import fields_named
from meterhouse.apis.openmeter import facade
from meterhouse.apis.openmeter.feature_convert import feature_from_wire, feature_to_wire, filters_field
from meterhouse.apis.openmeter.paging import Paging
from meterhouse.catalog import queries, service
from meterhouse.catalog.queries import FeatureCriteria, FeatureSort

_SORTS: dict[str, FeatureSort] = {
    "id": "id",
    "key": "key",
    "name": "name",
    "createdAt": "created_at",
    "updatedAt": "modified_at",
}


@facade.operation("createFeature", scopes=("features:write",))
async def create_feature(call: Call) -> object:
    draft = feature_from_wire(call.body)
    with fields_named({"filters": (filters_field(call.body),)}):
        async with call.services.database.begin() as connection:
            feature = await service.create_feature(
                connection,
                organisation_id=call.principal.organisation_id,
                draft=draft,
                clock=call.services.clock,
            )
    return feature_to_wire(feature)


@facade.operation("getFeature", scopes=("features:read",))
async def get_feature(call: Call) -> object:
    async with call.services.database.begin() as connection:
        feature = await queries.get_feature(
            connection,
            organisation_id=call.principal.organisation_id,
            id_or_key=call.path["featureId"],
        )
    return feature_to_wire(feature)


@facade.operation("listFeatures", scopes=("features:read",))
async def list_features(call: Call) -> object:
    query = call.query
    paging = Paging.from_wire(query, pages=False)
    slugs = query.get("meterSlug")
    criteria = FeatureCriteria(
        meter_slugs=tuple(slugs) if slugs else None, include_archived=query.get("includeArchived", False)
    )
    async with call.services.database.begin() as connection:
        features, total = await queries.list_features(
            connection,
            organisation_id=call.principal.organisation_id,
            criteria=criteria,
            sort=_SORTS[query.get("orderBy", "key")],
            is_descending=query.get("order", "ASC") == "DESC",
            limit=paging.limit,
            offset=paging.offset,
        )
    return paging.array_or_page([feature_to_wire(feature) for feature in features], total)


@facade.operation("deleteFeature", scopes=("features:write",))
async def delete_feature(call: Call) -> object:
    async with call.services.database.begin() as connection:
        await service.archive_feature(
            connection,
            organisation_id=call.principal.organisation_id,
            id_or_key=call.path["featureId"],
            clock=call.services.clock,
        )
    return call.no_content()
