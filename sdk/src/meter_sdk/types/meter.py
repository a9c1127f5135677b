"""Results and arguments of the Meter operations, as typed mappings.

Generated from the contract by `generate.py`. Keys that an answer may lack are marked as not required.
"""

from __future__ import annotations

import typing as t

Id = str


Timestamp = str


Item = t.Dict[str, t.Any]


Items = t.List["Item"]


class Error(t.TypedDict):
    detail: str


class Message(t.TypedDict):
    message: str


FilterOperator = t.Literal[
    "contains", "not_contains", "equals", "not_equals", "regex_match", "exists", "not_exists", "gt", "lt"
]


class _FilterConditionRequired(t.TypedDict):
    field: str
    operator: "FilterOperator"


class FilterCondition(_FilterConditionRequired, total=False):
    value: t.Union[str, float, bool]
    case_sensitive: bool


class FilterConfig(t.TypedDict):
    mode: t.Literal["all", "any"]
    conditions: t.List[t.Union["FilterCondition", "FilterConfig"]]


OutputSchemaType = t.Literal["string", "number", "float", "integer", "int", "boolean", "array"]


OutputSchemaNode = t.Union["OutputSchemaType", "OutputSchema", t.List[t.Union["OutputSchemaType", "OutputSchema"]]]


OutputSchema = t.Dict[str, "OutputSchemaNode"]


ScraperType = t.Literal["css", "api", "content"]


WebhookType = t.Literal["standard", "slack", "slack_workflow", "discord", "email"]


class _GenerateStrategyRequestRequired(t.TypedDict):
    url: str
    description: str
    name: str


class GenerateStrategyRequest(_GenerateStrategyRequestRequired, total=False):
    force_api: bool
    output_schema: "OutputSchema"
    scraper_type: "ScraperType"
    filter_config: "FilterConfig"
    strategy_group_id: "Id"


class RefineStrategyRequest(t.TypedDict):
    feedback: str


class UpdateStrategyRequest(t.TypedDict, total=False):
    filter_config: t.Union["FilterConfig", None]


class _GeneratedStrategyRequired(t.TypedDict):
    strategy_id: "Id"
    strategy: t.Dict[str, t.Any]
    preview_data: "Items"
    attempts: int
    scraper_type: "ScraperType"


class GeneratedStrategy(_GeneratedStrategyRequired, total=False):
    id: "Id"
    name: str
    description: str
    url: str
    api_parameters: t.Dict[str, t.Any]
    output_schema: t.Dict[str, t.Any]
    filter_config: t.Union["FilterConfig", None]
    strategy_group_id: t.Union["Id", None]
    created_at: "Timestamp"
    updated_at: "Timestamp"


class _StrategyListItemRequired(t.TypedDict):
    id: "Id"
    strategy_id: "Id"
    name: str
    description: str
    url: str
    preview_data: "Items"
    created_at: "Timestamp"
    updated_at: "Timestamp"


class StrategyListItem(_StrategyListItemRequired, total=False):
    strategy: t.Dict[str, t.Any]
    attempts: int
    scraper_type: "ScraperType"
    api_parameters: t.Dict[str, t.Any]
    output_schema: t.Dict[str, t.Any]
    filter_config: t.Union["FilterConfig", None]
    strategy_group_id: t.Union["Id", None]


class _StrategyRequired(t.TypedDict):
    id: "Id"
    strategy_id: "Id"
    name: str
    description: str
    url: str
    preview_data: "Items"
    attempts: int
    created_at: "Timestamp"
    updated_at: "Timestamp"


class Strategy(_StrategyRequired, total=False):
    strategy: t.Dict[str, t.Any]
    scraper_type: "ScraperType"
    api_parameters: t.Dict[str, t.Any]
    output_schema: t.Dict[str, t.Any]
    filter_config: t.Union["FilterConfig", None]
    strategy_group_id: t.Union["Id", None]


class _WatchRequestRequired(t.TypedDict):
    url: str
    description: str


class WatchRequest(_WatchRequestRequired, total=False):
    interval_seconds: int
    webhook_url: str
    webhook_metadata: t.Dict[str, t.Any]
    webhook_secret: str
    webhook_type: "WebhookType"
    name: str
    filter_config: "FilterConfig"


class _WatchRequired(t.TypedDict):
    strategy_id: "Id"
    schedule_id: "Id"
    preview_data: "Items"
    next_run_at: "Timestamp"


class Watch(_WatchRequired, total=False):
    webhook_secret: t.Union[str, None]


class _CreateJobRequestRequired(t.TypedDict):
    strategy_id: "Id"


class CreateJobRequest(_CreateJobRequestRequired, total=False):
    url: str
    urls: t.List[str]
    parameters: t.Dict[str, t.Any]


class _ExecuteJobRequestRequired(t.TypedDict):
    strategy_id: "Id"
    url: str


class ExecuteJobRequest(_ExecuteJobRequestRequired, total=False):
    parameters: t.Dict[str, t.Any]


JobStatus = t.Literal["pending", "running", "completed", "failed"]


class _CreatedJobRequired(t.TypedDict):
    job_id: "Id"
    strategy_id: "Id"
    url: str
    status: "JobStatus"
    created_at: "Timestamp"


class CreatedJob(_CreatedJobRequired, total=False):
    id: "Id"
    batch_id: t.Union["Id", None]
    schedule_id: t.Union["Id", None]
    parameters: t.Dict[str, t.Any]
    results: t.Union[t.List["Item"], None]
    item_count: t.Union[int, None]
    content_hash: t.Union[str, None]
    structural_signature: t.Dict[str, t.Any]
    has_changes: t.Union[bool, None]
    error: t.Union[str, None]
    started_at: t.Union["Timestamp", None]
    completed_at: t.Union["Timestamp", None]


class CreatedBatch(t.TypedDict):
    batch_id: "Id"
    job_count: int
    status: "JobStatus"
    strategy_id: "Id"
    created_at: "Timestamp"


class _JobRequired(t.TypedDict):
    job_id: "Id"
    status: "JobStatus"
    item_count: t.Union[int, None]
    created_at: "Timestamp"


class Job(_JobRequired, total=False):
    id: "Id"
    batch_id: t.Union["Id", None]
    strategy_id: "Id"
    schedule_id: t.Union["Id", None]
    url: str
    parameters: t.Dict[str, t.Any]
    results: t.Union[t.List["Item"], None]
    content_hash: t.Union[str, None]
    structural_signature: t.Dict[str, t.Any]
    has_changes: t.Union[bool, None]
    error: t.Union[str, None]
    started_at: t.Union["Timestamp", None]
    completed_at: t.Union["Timestamp", None]


class _ExecutedJobRequired(t.TypedDict):
    id: "Id"
    strategy_id: "Id"
    url: str
    status: t.Literal["completed", "failed"]
    results: t.Union[t.List["Item"], None]
    item_count: t.Union[int, None]
    error: t.Union[str, None]
    created_at: "Timestamp"
    started_at: t.Union["Timestamp", None]
    completed_at: t.Union["Timestamp", None]


class ExecutedJob(_ExecutedJobRequired, total=False):
    job_id: "Id"
    batch_id: t.Union["Id", None]
    schedule_id: t.Union["Id", None]
    parameters: t.Dict[str, t.Any]
    content_hash: t.Union[str, None]
    structural_signature: t.Dict[str, t.Any]
    has_changes: t.Union[bool, None]


class _JobListItemRequired(t.TypedDict):
    id: "Id"
    status: "JobStatus"


class JobListItem(_JobListItemRequired, total=False):
    job_id: "Id"
    batch_id: t.Union["Id", None]
    strategy_id: "Id"
    schedule_id: t.Union["Id", None]
    url: str
    parameters: t.Dict[str, t.Any]
    results: t.Union[t.List["Item"], None]
    item_count: t.Union[int, None]
    content_hash: t.Union[str, None]
    structural_signature: t.Dict[str, t.Any]
    has_changes: t.Union[bool, None]
    error: t.Union[str, None]
    created_at: "Timestamp"
    started_at: t.Union["Timestamp", None]
    completed_at: t.Union["Timestamp", None]


class _ChangedJobRequired(t.TypedDict):
    job_id: "Id"
    results: "Items"
    item_count: int


class ChangedJob(_ChangedJobRequired, total=False):
    id: "Id"
    batch_id: t.Union["Id", None]
    strategy_id: "Id"
    schedule_id: t.Union["Id", None]
    url: str
    status: "JobStatus"
    parameters: t.Dict[str, t.Any]
    content_hash: t.Union[str, None]
    structural_signature: t.Dict[str, t.Any]
    has_changes: t.Union[bool, None]
    error: t.Union[str, None]
    created_at: "Timestamp"
    started_at: t.Union["Timestamp", None]
    completed_at: t.Union["Timestamp", None]


class JobHistoryEntry(t.TypedDict):
    job_id: "Id"
    status: "JobStatus"
    item_count: t.Union[int, None]
    has_changes: bool
    created_at: "Timestamp"


class JobComparison(t.TypedDict):
    content_hash_match: bool
    structural_match: bool
    semantic_similarity: t.Union[float, None]
    item_count_diff: int
    changes: t.List[t.Any]
    structural_changes: t.List[t.Any]


class _BatchProgressRequired(t.TypedDict):
    total: int
    pending: int
    running: int
    completed: int
    failed: int
    progress_percent: float


class BatchProgress(_BatchProgressRequired, total=False):
    batch_id: "Id"


class _CreateScheduleRequestRequired(t.TypedDict):
    strategy_id: "Id"


class CreateScheduleRequest(_CreateScheduleRequestRequired, total=False):
    url: str
    urls: t.List[str]
    interval_seconds: int
    cron_expression: str
    webhook_url: str
    webhook_metadata: t.Dict[str, t.Any]
    webhook_secret: str
    webhook_type: "WebhookType"
    parameters: t.Dict[str, t.Any]


class UpdateScheduleRequest(t.TypedDict, total=False):
    enabled: bool
    url: str
    urls: t.List[str]
    interval_seconds: int
    cron_expression: str
    webhook_url: t.Union[str, None]
    webhook_metadata: t.Dict[str, t.Any]
    webhook_secret: t.Union[str, None]
    webhook_type: t.Union["WebhookType", None]
    parameters: t.Dict[str, t.Any]


ScheduleType = t.Literal["interval", "cron"]


class _ScheduleRequired(t.TypedDict):
    id: "Id"
    schedule_id: "Id"
    strategy_id: "Id"
    url: t.Union[str, None]
    urls: t.Union[t.List[str], None]
    schedule_type: "ScheduleType"
    interval_seconds: t.Union[int, None]
    cron_expression: t.Union[str, None]
    enabled: bool
    webhook_url: t.Union[str, None]
    parameters: t.Dict[str, t.Any]
    next_run_at: t.Union["Timestamp", None]
    last_run_at: t.Union["Timestamp", None]
    created_at: "Timestamp"
    updated_at: "Timestamp"


class Schedule(_ScheduleRequired, total=False):
    webhook_metadata: t.Dict[str, t.Any]
    webhook_type: t.Union["WebhookType", None]
    webhook_secret: t.Union[str, None]


class _ScheduleListItemRequired(t.TypedDict):
    id: "Id"
    schedule_id: "Id"
    strategy_id: "Id"
    url: t.Union[str, None]
    urls: t.Union[t.List[str], None]
    schedule_type: "ScheduleType"
    interval_seconds: t.Union[int, None]
    cron_expression: t.Union[str, None]
    enabled: bool
    webhook_url: t.Union[str, None]
    parameters: t.Dict[str, t.Any]
    next_run_at: t.Union["Timestamp", None]
    last_run_at: t.Union["Timestamp", None]
    created_at: "Timestamp"
    updated_at: "Timestamp"


class ScheduleListItem(_ScheduleListItemRequired, total=False):
    webhook_metadata: t.Dict[str, t.Any]
    webhook_type: t.Union["WebhookType", None]
    webhook_secret: None


class WebhookSecret(t.TypedDict):
    schedule_id: "Id"
    webhook_secret: str


class ScheduleChanges(t.TypedDict):
    schedule_id: "Id"
    changes: t.List["ChangedJob"]
    count: int
    marked_seen: bool


class _ChangelogEntryRequired(t.TypedDict):
    job_id: "Id"
    url: str
    completed_at: "Timestamp"
    item_count: int
    new_items_count: int
    removed_items_count: int


class ChangelogEntry(_ChangelogEntryRequired, total=False):
    new_items: "Items"
    removed_items: "Items"


class _ScheduleChangelogRequired(t.TypedDict):
    entries: t.List["ChangelogEntry"]


class ScheduleChangelog(_ScheduleChangelogRequired, total=False):
    schedule_id: "Id"


NodeInputType = t.Literal["static_urls", "upstream_urls", "upstream_data", "trigger_only"]


class ParameterMapping(t.TypedDict):
    source_field: str
    target_param: str


class _ParameterConfigRequired(t.TypedDict):
    mappings: t.List["ParameterMapping"]


class ParameterConfig(_ParameterConfigRequired, total=False):
    execution_mode: str


class _WorkflowNodeRequestRequired(t.TypedDict):
    node_key: str
    strategy_id: "Id"
    input_type: "NodeInputType"


class WorkflowNodeRequest(_WorkflowNodeRequestRequired, total=False):
    static_urls: t.List[str]
    url_field: str
    static_parameters: t.Dict[str, t.Any]
    parameter_config: "ParameterConfig"


class _WorkflowEdgeRequestRequired(t.TypedDict):
    source_node_key: str
    target_node_key: str


class WorkflowEdgeRequest(_WorkflowEdgeRequestRequired, total=False):
    filter_config: "FilterConfig"


class _CreateWorkflowRequestRequired(t.TypedDict):
    name: str
    nodes: t.List["WorkflowNodeRequest"]


class CreateWorkflowRequest(_CreateWorkflowRequestRequired, total=False):
    description: t.Union[str, None]
    edges: t.List["WorkflowEdgeRequest"]


class UpdateWorkflowRequest(t.TypedDict, total=False):
    name: str
    description: t.Union[str, None]
    enabled: bool


class _WorkflowNodeRequired(t.TypedDict):
    node_key: str
    input_type: "NodeInputType"


class WorkflowNode(_WorkflowNodeRequired, total=False):
    id: "Id"
    strategy_id: "Id"
    static_urls: t.Union[t.List[str], None]
    url_field: t.Union[str, None]
    static_parameters: t.Dict[str, t.Any]
    parameter_config: t.Dict[str, t.Any]


class _WorkflowEdgeRequired(t.TypedDict):
    source_node_key: str
    target_node_key: str


class WorkflowEdge(_WorkflowEdgeRequired, total=False):
    id: "Id"
    filter_config: t.Union["FilterConfig", None]


class _WorkflowRequired(t.TypedDict):
    id: "Id"
    name: str
    nodes: t.List["WorkflowNode"]
    edges: t.List["WorkflowEdge"]


class Workflow(_WorkflowRequired, total=False):
    workflow_id: "Id"
    description: t.Union[str, None]
    enabled: bool
    node_count: int
    created_at: "Timestamp"
    updated_at: "Timestamp"


class _WorkflowListItemRequired(t.TypedDict):
    id: "Id"
    name: str


class WorkflowListItem(_WorkflowListItemRequired, total=False):
    workflow_id: "Id"
    description: t.Union[str, None]
    enabled: bool
    node_count: int
    nodes: t.List["WorkflowNode"]
    edges: t.List["WorkflowEdge"]
    created_at: "Timestamp"
    updated_at: "Timestamp"


class RunWorkflowRequest(t.TypedDict, total=False):
    force: bool


WorkflowRunStatus = t.Literal["pending", "running", "completed", "failed", "cancelled"]


NodeExecutionStatus = t.Literal["pending", "running", "completed", "failed", "partial", "skipped", "cancelled"]


class _NodeExecutionRequired(t.TypedDict):
    node_id: str
    status: "NodeExecutionStatus"


class NodeExecution(_NodeExecutionRequired, total=False):
    id: "Id"
    node_key: str
    results: t.Union[t.List["Item"], None]
    error: t.Union[str, None]
    started_at: t.Union["Timestamp", None]
    completed_at: t.Union["Timestamp", None]


class _StartedWorkflowRunRequired(t.TypedDict):
    id: "Id"
    status: "WorkflowRunStatus"


class StartedWorkflowRun(_StartedWorkflowRunRequired, total=False):
    run_id: "Id"
    workflow_id: "Id"
    force: bool
    error: t.Union[str, None]
    node_executions: t.List["NodeExecution"]
    final_results: t.Union[t.List["Item"], None]
    created_at: "Timestamp"
    started_at: t.Union["Timestamp", None]
    completed_at: t.Union["Timestamp", None]


class _WorkflowRunListItemRequired(t.TypedDict):
    id: "Id"
    status: "WorkflowRunStatus"


class WorkflowRunListItem(_WorkflowRunListItemRequired, total=False):
    run_id: "Id"
    workflow_id: "Id"
    force: bool
    error: t.Union[str, None]
    node_executions: t.List["NodeExecution"]
    final_results: t.Union[t.List["Item"], None]
    created_at: "Timestamp"
    started_at: t.Union["Timestamp", None]
    completed_at: t.Union["Timestamp", None]


class _WorkflowRunRequired(t.TypedDict):
    id: "Id"
    status: "WorkflowRunStatus"


class WorkflowRun(_WorkflowRunRequired, total=False):
    run_id: "Id"
    workflow_id: "Id"
    force: bool
    error: t.Union[str, None]
    node_executions: t.List["NodeExecution"]
    final_results: t.Union[t.List["Item"], None]
    created_at: "Timestamp"
    started_at: t.Union["Timestamp", None]
    completed_at: t.Union["Timestamp", None]


class WorkflowOutputGrouped(t.TypedDict):
    final_results_by_url_grouped: t.Dict[str, t.Dict[str, "Items"]]


class WorkflowOutputFlat(t.TypedDict):
    final_results_by_url: t.Dict[str, "Items"]


class CreateWorkflowScheduleRequest(t.TypedDict, total=False):
    interval_seconds: int
    cron_expression: str
    webhook_url: str
    webhook_metadata: t.Dict[str, t.Any]
    webhook_secret: str
    webhook_type: "WebhookType"


class UpdateWorkflowScheduleRequest(t.TypedDict, total=False):
    enabled: bool
    interval_seconds: int
    cron_expression: str
    webhook_url: t.Union[str, None]
    webhook_metadata: t.Dict[str, t.Any]
    webhook_secret: t.Union[str, None]
    webhook_type: t.Union["WebhookType", None]


class _WorkflowScheduleRequired(t.TypedDict):
    id: "Id"
    schedule_id: "Id"
    schedule_type: "ScheduleType"
    enabled: bool
    next_run_at: t.Union["Timestamp", None]


class WorkflowSchedule(_WorkflowScheduleRequired, total=False):
    interval_seconds: t.Union[int, None]
    cron_expression: t.Union[str, None]
    webhook_url: t.Union[str, None]
    webhook_metadata: t.Dict[str, t.Any]
    webhook_type: t.Union["WebhookType", None]
    last_run_at: t.Union["Timestamp", None]
    created_at: "Timestamp"
    updated_at: "Timestamp"
    workflow_id: "Id"
    webhook_secret: t.Union[str, None]


class _WorkflowScheduleListItemRequired(t.TypedDict):
    id: "Id"
    schedule_id: "Id"
    schedule_type: "ScheduleType"
    enabled: bool
    next_run_at: t.Union["Timestamp", None]


class WorkflowScheduleListItem(_WorkflowScheduleListItemRequired, total=False):
    interval_seconds: t.Union[int, None]
    cron_expression: t.Union[str, None]
    webhook_url: t.Union[str, None]
    webhook_metadata: t.Dict[str, t.Any]
    webhook_type: t.Union["WebhookType", None]
    last_run_at: t.Union["Timestamp", None]
    created_at: "Timestamp"
    updated_at: "Timestamp"
    workflow_id: "Id"
    webhook_secret: None


class _CreateStrategyGroupRequestRequired(t.TypedDict):
    name: str


class CreateStrategyGroupRequest(_CreateStrategyGroupRequestRequired, total=False):
    description: t.Union[str, None]


class UpdateStrategyGroupRequest(t.TypedDict, total=False):
    name: str
    description: t.Union[str, None]


class StrategyGroup(t.TypedDict):
    id: "Id"
    name: str
    description: t.Union[str, None]
    strategy_count: int
    created_at: "Timestamp"
    updated_at: "Timestamp"


class _StrategyGroupMemberRequired(t.TypedDict):
    strategy_id: "Id"
    name: str
    description: str
    url: str
    created_at: "Timestamp"
    updated_at: "Timestamp"


class StrategyGroupMember(_StrategyGroupMemberRequired, total=False):
    id: "Id"


class _StrategyGroupDetailRequired(t.TypedDict):
    id: "Id"
    name: str
    description: t.Union[str, None]
    created_at: "Timestamp"
    updated_at: "Timestamp"
    strategies: t.List["StrategyGroupMember"]


class StrategyGroupDetail(_StrategyGroupDetailRequired, total=False):
    strategy_count: int


class AddStrategiesRequest(t.TypedDict):
    strategy_ids: t.List["Id"]


class GroupScheduleRequest(t.TypedDict, total=False):
    interval_seconds: int
    cron_expression: str
    webhook_url: str
    webhook_metadata: t.Dict[str, t.Any]
    webhook_secret: str
    webhook_type: "WebhookType"


class GroupScheduleResult(t.TypedDict):
    message: str
    created: int
    updated: int


class ToggleRequest(t.TypedDict):
    enabled: bool


class GroupSchemaRequest(t.TypedDict):
    output_schema: "OutputSchema"


class GroupSchemaResult(t.TypedDict):
    message: str
    strategy_count: int


SchemaProgress = t.Dict[str, t.Any]


class _GroupWebhookTestRequestRequired(t.TypedDict):
    webhook_url: str


class GroupWebhookTestRequest(_GroupWebhookTestRequestRequired, total=False):
    webhook_secret: str
    webhook_type: "WebhookType"
    webhook_metadata: t.Dict[str, t.Any]


class WebhookTestRequest(t.TypedDict):
    webhook_url: str


class WebhookTestResult(t.TypedDict):
    success: bool
    status_code: int
    message: str


class _AccountQuotaStrategyQuotaRequired(t.TypedDict):
    used: int
    limit: int
    tier: t.Literal["free", "hobby", "pro", "enterprise"]


class AccountQuotaStrategyQuota(_AccountQuotaStrategyQuotaRequired, total=False):
    reset_at: t.Union["Timestamp", None]


class AccountQuota(t.TypedDict):
    strategy_quota: "AccountQuotaStrategyQuota"


CompareJobsRequest = t.Dict[str, t.Any]


class _StartDiscoveryRequestDiscovery1Required(t.TypedDict):
    method: t.Literal["sitemap"]
    sitemap_url: str


class StartDiscoveryRequestDiscovery1(_StartDiscoveryRequestDiscovery1Required, total=False):
    url_pattern: str
    max_urls: int


class _StartDiscoveryRequestDiscovery2Required(t.TypedDict):
    method: t.Literal["pagination"]
    url_template: str


class StartDiscoveryRequestDiscovery2(_StartDiscoveryRequestDiscovery2Required, total=False):
    url_pattern: str
    start_index: int
    step: int
    max_pages: int


class _StartDiscoveryRequestDiscovery3Required(t.TypedDict):
    method: t.Literal["link_pattern"]
    seed_url: str
    link_pattern: str


class StartDiscoveryRequestDiscovery3(_StartDiscoveryRequestDiscovery3Required, total=False):
    navigation_pattern: str
    max_depth: int
    max_urls: int


class StartDiscoveryRequest(t.TypedDict):
    discovery: t.Union[
        "StartDiscoveryRequestDiscovery1", "StartDiscoveryRequestDiscovery2", "StartDiscoveryRequestDiscovery3"
    ]


class _DiscoveryRequired(t.TypedDict):
    discovery_id: "Id"
    status: t.Literal["pending", "running", "completed", "failed"]


class Discovery(_DiscoveryRequired, total=False):
    discovery_method: t.Literal["sitemap", "pagination", "link_pattern"]
    root_url: str


class _WebhookSuccessPayloadRequired(t.TypedDict):
    job_id: "Id"
    schedule_id: "Id"
    url: str
    completed_at: "Timestamp"
    status: t.Literal["completed"]
    results: "Items"
    item_count: int
    has_changes: bool
    content_hash: str


class WebhookSuccessPayload(_WebhookSuccessPayloadRequired, total=False):
    metadata: t.Dict[str, t.Any]


class _WebhookFailurePayloadRequired(t.TypedDict):
    job_id: "Id"
    schedule_id: "Id"
    url: str
    completed_at: "Timestamp"
    status: t.Literal["failed"]
    error: str


class WebhookFailurePayload(_WebhookFailurePayloadRequired, total=False):
    metadata: t.Dict[str, t.Any]


class CreatedJobOrBatch(t.TypedDict, total=False):
    id: "Id"
    job_id: "Id"
    batch_id: "Id"
    strategy_id: "Id"
    schedule_id: t.Union["Id", None]
    url: str
    status: "JobStatus"
    parameters: t.Dict[str, t.Any]
    results: t.Union[t.List["Item"], None]
    item_count: t.Union[int, None]
    content_hash: t.Union[str, None]
    structural_signature: t.Dict[str, t.Any]
    has_changes: t.Union[bool, None]
    error: t.Union[str, None]
    created_at: "Timestamp"
    started_at: t.Union["Timestamp", None]
    completed_at: t.Union["Timestamp", None]
    job_count: int


class WorkflowOutput(t.TypedDict, total=False):
    final_results_by_url_grouped: t.Dict[str, t.Dict[str, "Items"]]
    final_results_by_url: t.Dict[str, "Items"]
