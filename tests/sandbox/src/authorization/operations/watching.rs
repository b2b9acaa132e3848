//! Trails, configuration, logs, traces and metrics.

use super::super::row::Key::{One, TagKeys, Tags};
use super::super::row::{Row, also, passes, read, write};
use super::regional;

const TRAIL: &str = regional!("cloudtrail", "trail/{TrailName}");

const TRAIL_BY_NAME: &str = regional!("cloudtrail", "trail/{Name}");

pub(super) const CLOUDTRAIL: &[Row] = &[
    write("AddTags").on(&["{ResourceId}"]).keys(&[Tags("TagsList")]),
    write("CreateTrail")
        .on(&[TRAIL_BY_NAME])
        .keys(&[Tags("TagsList")])
        .tagging("cloudtrail:AddTags"),
    write("DeleteTrail").on(&[TRAIL_BY_NAME]),
    read("DescribeTrails"),
    read("GetEventSelectors").on(&[TRAIL]),
    read("GetTrail").on(&[TRAIL_BY_NAME]),
    read("GetTrailStatus").on(&[TRAIL_BY_NAME]),
    read("ListTags").on(&["{ResourceIdList}"]),
    read("ListTrails"),
    read("LookupEvents"),
    write("PutEventSelectors").on(&[TRAIL]),
    write("StartLogging").on(&[TRAIL_BY_NAME]),
    write("StopLogging").on(&[TRAIL_BY_NAME]),
    write("UpdateTrail").on(&[TRAIL_BY_NAME]),
];

const ALARM: &str = regional!("cloudwatch", "alarm:{AlarmName}");

const ALARMS: &str = regional!("cloudwatch", "alarm:{AlarmNames=*}");

pub(super) const CLOUDWATCH: &[Row] = &[
    write("DeleteAlarms").on(&[ALARMS]),
    read("DescribeAlarms").on(&[ALARMS]),
    read("GetMetricData"),
    read("GetMetricStatistics"),
    read("ListMetrics"),
    write("PutMetricAlarm").on(&[ALARM]).keys(&[Tags("Tags")]).tagging("cloudwatch:TagResource"),
    write("PutMetricData").keys(&[One("cloudwatch:namespace", "{Namespace}")]),
];

const RECORDER: &str = regional!("config", "configuration-recorder/{ConfigurationRecorderName}/*");

const RECORDERS: &str =
    regional!("config", "configuration-recorder/{ConfigurationRecorderNames=*}/*");

const PACK: &str = regional!("config", "conformance-pack/{ConformancePackName}/*");

pub(super) const CONFIG: &[Row] = &[
    write("DeleteConfigurationRecorder").on(&[RECORDER]),
    write("DeleteConformancePack").on(&[PACK]),
    write("DeleteDeliveryChannel"),
    read("DescribeConfigurationAggregators"),
    read("DescribeConfigurationRecorders").on(&[RECORDERS]),
    read("DescribeConfigurationRecorderStatus").on(&[RECORDERS]),
    read("DescribeConformancePacks"),
    read("DescribeConformancePackStatus"),
    read("DescribeDeliveryChannels"),
    read("DescribeDeliveryChannelStatus"),
    read("DescribeOrganizationConformancePacks"),
    write("PutConfigurationRecorder")
        .on(&[regional!("config", "configuration-recorder/{ConfigurationRecorder.name=default}/*")])
        .keys(&[Tags("Tags")])
        .also(&[passes!("ConfigurationRecorder.roleARN", "config.amazonaws.com")]),
    write("PutConformancePack").on(&[PACK]),
    write("PutDeliveryChannel"),
    write("StartConfigurationRecorder").on(&[RECORDER]),
    write("StopConfigurationRecorder").on(&[RECORDER]),
];

/// AWS asks about log groups in the form of streams, so that a policy's `:*` covers both.
const LOG_GROUP: &str =
    regional!("logs", "log-group:{logGroupName|log_group}:log-stream:{logStreamName=}");
const LOG_GROUP_BY_ID: &str =
    regional!("logs", "log-group:{logGroupIdentifier|log_group}:log-stream:{logStreamName=}");
const EITHER_LOG_GROUP: &str = concat!(
    regional!("logs", "log-group:{logGroupName|log_group}:log-stream:{logStreamName=}"),
    " || ",
    regional!("logs", "log-group:{logGroupIdentifier|log_group}:log-stream:{logStreamName=}")
);

pub(super) const LOGS: &[Row] = &[
    write("CreateLogGroup").on(&[LOG_GROUP]).keys(&[Tags("tags")]).tagging("logs:TagResource"),
    write("CreateLogStream").on(&[LOG_GROUP]),
    write("DeleteLogGroup").on(&[LOG_GROUP]),
    read("DescribeLogGroups"),
    read("DescribeResourcePolicies"),
    read("DescribeLogStreams").on(&[EITHER_LOG_GROUP]),
    read("DescribeSubscriptionFilters").on(&[LOG_GROUP]),
    read("FilterLogEvents").on(&[EITHER_LOG_GROUP]),
    read("GetLogEvents").on(&[EITHER_LOG_GROUP]),
    read("ListLogGroups"),
    read("ListTagsForResource").on(&["{resourceArn}"]),
    write("PutDataProtectionPolicy").on(&[LOG_GROUP_BY_ID]),
    write("PutLogEvents").on(&[LOG_GROUP]),
    write("PutResourcePolicy"),
    write("PutRetentionPolicy").on(&[LOG_GROUP]),
    write("PutSubscriptionFilter").on(&[LOG_GROUP]),
    write("TagResource").on(&["{resourceArn}"]).keys(&[Tags("tags")]),
    write("UntagResource").on(&["{resourceArn}"]).keys(&[TagKeys("tagKeys")]),
];

pub(super) const TAGGING: &[Row] = &[
    read("GetResources"),
    read("GetTagKeys"),
    read("GetTagValues"),
    write("TagResources").keys(&[Tags("Tags")]),
    write("UntagResources").keys(&[TagKeys("TagKeys")]),
];

pub(super) const XRAY: &[Row] = &[
    read("BatchGetTraces").at("POST /Traces"),
    read("GetSamplingRules").at("POST /GetSamplingRules"),
    read("GetSamplingTargets").at("POST /SamplingTargets"),
    read("GetTraceSummaries").at("POST /TraceSummaries"),
    write("PutTelemetryRecords").at("POST /TelemetryRecords"),
    write("PutTraceSegments").at("POST /TraceSegments"),
];
