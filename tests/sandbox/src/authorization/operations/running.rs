//! What Landfall itself runs on: functions, state machines, tables, events, queues and topics.

use super::super::row::Key::{Leading, LeadingQuery, Many, One, TagKeys, Tags};
use super::super::row::{Key, Row, also, passes, read, write};
use super::regional;

const QUERIED: &str = concat!(
    regional!("dynamodb", "table/{TableName}/index/{IndexName}"),
    " || ",
    regional!("dynamodb", "table/{TableName}")
);

const TABLE: &str = regional!("dynamodb", "table/{TableName}");

const TABLE_OF_ENTRY: &str = regional!("dynamodb", "table/{Name}");

const RETURNS: Key = One("dynamodb:ReturnValues", "{ReturnValues=NONE}");

const SELECT: Key = One("dynamodb:Select", "{Select}");

const IN_TRANSACTION: Key = One("dynamodb:EnclosingOperation", "TransactWriteItems");

pub(super) const DYNAMODB: &[Row] = &[
    read("BatchGetItem").each("RequestItems").on(&[TABLE_OF_ENTRY]).keys(&[Leading("Value.Keys")]),
    write("BatchWriteItem")
        .each("RequestItems")
        .on(&[TABLE_OF_ENTRY])
        .keys(&[Leading("Value.PutRequest.Item"), Leading("Value.DeleteRequest.Key")]),
    write("CreateTable").on(&[TABLE]).keys(&[Tags("Tags")]).tagging("dynamodb:TagResource"),
    write("DeleteItem").on(&[TABLE]).keys(&[Leading("Key"), RETURNS]),
    write("DeleteTable").on(&[TABLE]),
    read("DescribeContinuousBackups").on(&[TABLE]),
    read("DescribeEndpoints"),
    read("DescribeLimits"),
    read("DescribeTable").on(&[TABLE]),
    read("DescribeTimeToLive").on(&[TABLE]),
    read("GetItem").on(&[TABLE]).keys(&[Leading("Key"), SELECT]),
    read("ListTables"),
    read("ListTagsOfResource").on(&["{ResourceArn}"]),
    write("PutItem").on(&[TABLE]).keys(&[Leading("Item"), RETURNS]),
    read("Query").on(&[QUERIED]).keys(&[LeadingQuery, SELECT]),
    read("Scan").on(&[QUERIED]).keys(&[SELECT]),
    write("TagResource").on(&["{ResourceArn}"]).keys(&[Tags("Tags")]),
    read("TransactGetItems").each("TransactItems").only(&[also(
        "Get",
        "dynamodb:GetItem",
        regional!("dynamodb", "table/{Get.TableName}"),
        &[Leading("Get.Key"), One("dynamodb:EnclosingOperation", "TransactGetItems")],
    )]),
    write("TransactWriteItems").each("TransactItems").only(&[
        also(
            "ConditionCheck",
            "dynamodb:ConditionCheckItem",
            regional!("dynamodb", "table/{ConditionCheck.TableName}"),
            &[Leading("ConditionCheck.Key"), IN_TRANSACTION],
        ),
        also(
            "Delete",
            "dynamodb:DeleteItem",
            regional!("dynamodb", "table/{Delete.TableName}"),
            &[Leading("Delete.Key"), IN_TRANSACTION],
        ),
        also(
            "Put",
            "dynamodb:PutItem",
            regional!("dynamodb", "table/{Put.TableName}"),
            &[Leading("Put.Item"), IN_TRANSACTION],
        ),
        also(
            "Update",
            "dynamodb:UpdateItem",
            regional!("dynamodb", "table/{Update.TableName}"),
            &[Leading("Update.Key"), IN_TRANSACTION],
        ),
    ]),
    write("UntagResource").on(&["{ResourceArn}"]).keys(&[TagKeys("TagKeys")]),
    write("UpdateContinuousBackups").on(&[TABLE]),
    write("UpdateItem").on(&[TABLE]).keys(&[Leading("Key"), RETURNS]),
    write("UpdateTable").on(&[TABLE]),
    write("UpdateTimeToLive").on(&[TABLE]),
];

const BUS: &str = regional!("events", "event-bus/{Name=default}");

const RULE: &str = regional!("events", "rule/{EventBusName|bus=default}{Name}");

const RULE_OF_TARGETS: &str = regional!("events", "rule/{EventBusName|bus=default}{Rule}");

pub(super) const EVENTS: &[Row] = &[
    write("CreateEventBus").on(&[BUS]).keys(&[Tags("Tags")]).tagging("events:TagResource"),
    write("DeleteEventBus").on(&[BUS]),
    write("DeleteRule").on(&[RULE]),
    read("DescribeEventBus").on(&[BUS]),
    read("DescribeRule").on(&[RULE]),
    write("DisableRule").on(&[RULE]),
    write("EnableRule").on(&[RULE]),
    read("ListEventBuses"),
    read("ListRuleNamesByTarget"),
    read("ListRules"),
    read("ListTagsForResource").on(&["{ResourceARN}"]),
    read("ListTargetsByRule").on(&[RULE_OF_TARGETS]),
    write("PutEvents")
        .each("Entries")
        .on(&[regional!("events", "event-bus/{EventBusName=default}")])
        .keys(&[One("events:detail-type", "{DetailType}"), One("events:source", "{Source}")]),
    write("PutPermission"),
    write("PutRule")
        .on(&[RULE])
        .keys(&[Tags("Tags")])
        .tagging("events:TagResource")
        .also(&[passes!("RoleArn", "events.amazonaws.com")]),
    write("PutTargets")
        .on(&[RULE_OF_TARGETS])
        .keys(&[Many("events:TargetArn", "{Targets.Arn}")])
        .also(&[passes!("Targets.RoleArn", "events.amazonaws.com")]),
    write("RemovePermission"),
    write("RemoveTargets").on(&[RULE_OF_TARGETS]),
    write("TagResource").on(&["{ResourceARN}"]).keys(&[Tags("Tags")]),
    read("TestEventPattern"),
    write("UntagResource").on(&["{ResourceARN}"]).keys(&[TagKeys("TagKeys")]),
];

const FUNCTION: &str = regional!("lambda", "function:{FunctionName|function}");
const INVOKED: &str = regional!(
    "lambda",
    "function:{FunctionName|function}:{Qualifier} \
     || arn:<partition>:lambda:<region>:<account>:function:{FunctionName|function}"
);

pub(super) const LAMBDA: &[Row] = &[
    write("AddPermission")
        .at("POST /2015-03-31/functions/{FunctionName}/policy")
        .on(&[FUNCTION])
        .keys(&[One("lambda:Principal", "{Principal}")]),
    write("CreateAlias").at("POST /2015-03-31/functions/{FunctionName}/aliases").on(&[FUNCTION]),
    write("CreateEventSourceMapping")
        .at("POST /2015-03-31/event-source-mappings")
        .keys(&[One("lambda:FunctionArn", FUNCTION)]),
    write("CreateFunction")
        .at("POST /2015-03-31/functions")
        .on(&[FUNCTION])
        .keys(&[Tags("Tags")])
        .tagging("lambda:TagResource")
        .also(&[passes!("Role", "lambda.amazonaws.com")]),
    write("DeleteAlias")
        .at("DELETE /2015-03-31/functions/{FunctionName}/aliases/{Name}")
        .on(&[FUNCTION]),
    write("DeleteFunction").at("DELETE /2015-03-31/functions/{FunctionName}").on(&[FUNCTION]),
    write("DeleteFunctionConcurrency")
        .at("DELETE /2017-10-31/functions/{FunctionName}/concurrency")
        .on(&[FUNCTION]),
    read("GetAccountSettings").at("GET /2016-08-19/account-settings"),
    read("GetAlias").at("GET /2015-03-31/functions/{FunctionName}/aliases/{Name}").on(&[FUNCTION]),
    read("GetFunction").at("GET /2015-03-31/functions/{FunctionName}").on(&[FUNCTION]),
    read("GetFunctionConcurrency")
        .at("GET /2019-09-30/functions/{FunctionName}/concurrency")
        .on(&[FUNCTION]),
    read("GetFunctionConfiguration")
        .at("GET /2015-03-31/functions/{FunctionName}/configuration")
        .on(&[FUNCTION]),
    read("GetPolicy").at("GET /2015-03-31/functions/{FunctionName}/policy").on(&[FUNCTION]),
    write("Invoke")
        .at("POST /2015-03-31/functions/{FunctionName}/invocations")
        .named("lambda:InvokeFunction")
        .on(&[INVOKED]),
    write("InvokeAsync")
        .at("POST /2014-11-13/functions/{FunctionName}/invoke-async")
        .named("lambda:InvokeFunction")
        .on(&[INVOKED]),
    read("ListAliases").at("GET /2015-03-31/functions/{FunctionName}/aliases").on(&[FUNCTION]),
    read("ListEventSourceMappings").at("GET /2015-03-31/event-source-mappings"),
    read("ListFunctions").at("GET /2015-03-31/functions"),
    read("ListTags").at("GET /2017-03-31/tags/{Resource}").on(&["{Resource}"]),
    read("ListVersionsByFunction")
        .at("GET /2015-03-31/functions/{FunctionName}/versions")
        .on(&[FUNCTION]),
    write("PublishVersion")
        .at("POST /2015-03-31/functions/{FunctionName}/versions")
        .on(&[FUNCTION]),
    write("PutFunctionConcurrency")
        .at("PUT /2017-10-31/functions/{FunctionName}/concurrency")
        .on(&[FUNCTION]),
    write("PutFunctionEventInvokeConfig")
        .at("PUT /2019-09-25/functions/{FunctionName}/event-invoke-config")
        .on(&[FUNCTION]),
    write("RemovePermission")
        .at("DELETE /2015-03-31/functions/{FunctionName}/policy/{StatementId}")
        .on(&[FUNCTION]),
    write("TagResource")
        .at("POST /2017-03-31/tags/{Resource}")
        .on(&["{Resource}"])
        .keys(&[Tags("Tags")]),
    write("UntagResource")
        .at("DELETE /2017-03-31/tags/{Resource}")
        .on(&["{Resource}"])
        .keys(&[TagKeys("tagKeys")]),
    write("UpdateAlias")
        .at("PUT /2015-03-31/functions/{FunctionName}/aliases/{Name}")
        .on(&[FUNCTION]),
    write("UpdateFunctionCode").at("PUT /2015-03-31/functions/{FunctionName}/code").on(&[FUNCTION]),
    write("UpdateFunctionConfiguration")
        .at("PUT /2015-03-31/functions/{FunctionName}/configuration")
        .on(&[FUNCTION])
        .also(&[passes!("Role", "lambda.amazonaws.com")]),
];

const SCHEDULE: &str = regional!("scheduler", "schedule/{GroupName=default}/{Name}");
const SCHEDULE_PASSES: &[super::super::row::Also] =
    &[passes!("Target.RoleArn", "scheduler.amazonaws.com")];

pub(super) const SCHEDULER: &[Row] = &[
    write("CreateSchedule").at("POST /schedules/{Name}").on(&[SCHEDULE]).also(SCHEDULE_PASSES),
    write("DeleteSchedule")
        .at("DELETE /schedules/{Name}")
        .on(&[regional!("scheduler", "schedule/{groupName=default}/{Name}")]),
    read("GetSchedule")
        .at("GET /schedules/{Name}")
        .on(&[regional!("scheduler", "schedule/{groupName=default}/{Name}")]),
    read("ListSchedules").at("GET /schedules"),
    write("UpdateSchedule").at("PUT /schedules/{Name}").on(&[SCHEDULE]).also(SCHEDULE_PASSES),
];

const TOPIC: &str = "{TopicArn} || {TargetArn}";

pub(super) const SNS: &[Row] = &[
    write("CreateTopic")
        .on(&[regional!("sns", "{Name}")])
        .keys(&[Tags("Tags")])
        .tagging("sns:TagResource"),
    write("DeleteTopic").on(&[TOPIC]),
    read("GetTopicAttributes").on(&[TOPIC]),
    read("ListSubscriptions"),
    read("ListSubscriptionsByTopic").on(&[TOPIC]),
    read("ListTagsForResource").on(&["{ResourceArn}"]),
    read("ListTopics"),
    write("Publish").on(&[TOPIC]),
    write("PublishBatch").named("sns:Publish").on(&[TOPIC]),
    write("SetTopicAttributes").on(&[TOPIC]),
    write("Subscribe")
        .on(&[TOPIC])
        .keys(&[One("sns:Endpoint", "{Endpoint}"), One("sns:Protocol", "{Protocol}")]),
    write("TagResource").on(&["{ResourceArn}"]).keys(&[Tags("Tags")]),
    write("Unsubscribe"),
];

const QUEUE: &str = "arn:<partition>:sqs:<region>:{QueueUrl|queue}";
const QUEUE_BY_NAME: &str = regional!("sqs", "{QueueName}");

pub(super) const SQS: &[Row] = &[
    write("ChangeMessageVisibility").on(&[QUEUE]),
    write("ChangeMessageVisibilityBatch").named("sqs:ChangeMessageVisibility").on(&[QUEUE]),
    write("CreateQueue").on(&[QUEUE_BY_NAME]).keys(&[Tags("tags")]).tagging("sqs:TagQueue"),
    write("DeleteMessage").on(&[QUEUE]),
    write("DeleteMessageBatch").named("sqs:DeleteMessage").on(&[QUEUE]),
    write("DeleteQueue").on(&[QUEUE]),
    read("GetQueueAttributes").on(&[QUEUE]),
    read("GetQueueUrl").on(&[QUEUE_BY_NAME]),
    read("ListQueues"),
    write("PurgeQueue").on(&[QUEUE]),
    read("ReceiveMessage").on(&[QUEUE]),
    write("SendMessage").on(&[QUEUE]),
    write("SendMessageBatch").named("sqs:SendMessage").on(&[QUEUE]),
    write("SetQueueAttributes").on(&[QUEUE]),
    write("TagQueue").on(&[QUEUE]).keys(&[Tags("Tags")]),
];

const MACHINE: &str = "{stateMachineArn}";
const EXECUTION: &str = "{executionArn}";

pub(super) const STATES: &[Row] = &[
    write("CreateStateMachine")
        .on(&[regional!("states", "stateMachine:{name}")])
        .keys(&[Tags("tags")])
        .tagging("states:TagResource")
        .also(&[passes!("roleArn", "states.amazonaws.com")]),
    write("DeleteStateMachine").on(&[MACHINE]),
    read("DescribeExecution").on(&[EXECUTION]),
    read("DescribeMapRun").on(&["{mapRunArn}"]),
    read("DescribeStateMachine").on(&[MACHINE]),
    read("DescribeStateMachineForExecution").on(&[EXECUTION]),
    read("GetExecutionHistory").on(&[EXECUTION]),
    read("ListExecutions").on(&["{stateMachineArn} || {mapRunArn}"]),
    read("ListMapRuns").on(&[EXECUTION]),
    read("ListStateMachines"),
    read("ListTagsForResource").on(&["{resourceArn}"]),
    write("RedriveExecution").on(&[EXECUTION]),
    write("SendTaskFailure"),
    write("SendTaskHeartbeat"),
    write("SendTaskSuccess"),
    write("StartExecution").on(&[MACHINE]),
    write("StartSyncExecution").on(&[MACHINE]),
    write("StopExecution").on(&[EXECUTION]),
    write("TagResource").on(&["{resourceArn}"]).keys(&[Tags("tags")]),
    write("UntagResource").on(&["{resourceArn}"]).keys(&[TagKeys("tagKeys")]),
    write("UpdateStateMachine").on(&[MACHINE]).also(&[passes!("roleArn", "states.amazonaws.com")]),
    read("ValidateStateMachineDefinition"),
];
