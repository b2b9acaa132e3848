"""DynamoDB, S3, logs, alarms, trails, Config and StackSets as templates declare them."""

import json
from typing import Any

from kinds import Kind, Made, Place, Replaced, camel, document, gone, kind, picked


@kind("AWS::DynamoDB::Table")
class Table(Kind):
    """A table with its indexes, backups, expiry and protection."""

    CREATION = (
        "AttributeDefinitions",
        "BillingMode",
        "DeletionProtectionEnabled",
        "GlobalSecondaryIndexes",
        "KeySchema",
        "LocalSecondaryIndexes",
        "ProvisionedThroughput",
        "TableClass",
    )

    def create(self, place: Place, properties: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        dynamodb = place.client("dynamodb")
        name = properties.get("TableName") or place.name(255)
        request = picked(properties, *self.CREATION)
        if stream := properties.get("StreamSpecification"):
            request["StreamSpecification"] = {"StreamEnabled": True, **stream}
        if encryption := properties.get("SSESpecification"):
            sse = {"Enabled": encryption.get("SSEEnabled", False)}
            request["SSESpecification"] = sse | picked(encryption, "SSEType", "KMSMasterKeyId")
        if tags := place.tags(properties):
            request["Tags"] = tags
        table = dynamodb.create_table(TableName=name, **request)["TableDescription"]
        self._settings(dynamodb, name, {}, properties)
        attributes = {"Arn": table["TableArn"], "TableId": table.get("TableId", "")}
        if table.get("LatestStreamArn"):
            attributes["StreamArn"] = table["LatestStreamArn"]
        return name, attributes

    def update(
        self, place: Place, made: Made, properties: dict[str, Any]
    ) -> tuple[str, dict[str, Any]]:
        fixed = ("TableName", "KeySchema", "LocalSecondaryIndexes")
        if any(made.properties.get(one) != properties.get(one) for one in fixed):
            raise Replaced
        dynamodb, name = place.client("dynamodb"), made.physical_resource_id
        before, after = made.properties, properties
        changes = {
            one: after[one]
            for one in ("BillingMode", "DeletionProtectionEnabled", "TableClass")
            if one in after and before.get(one) != after[one]
        }
        if changes:
            dynamodb.update_table(TableName=name, **changes)
        self._indexes(dynamodb, name, before, after)
        self._settings(dynamodb, name, before, after)
        return name, made.attributes

    def _indexes(self, dynamodb: Any, name: str, before: Any, after: Any) -> None:
        old = {one["IndexName"]: one for one in before.get("GlobalSecondaryIndexes", [])}
        new = {one["IndexName"]: one for one in after.get("GlobalSecondaryIndexes", [])}
        steps = [{"Delete": {"IndexName": one}} for one in old if one not in new]
        steps += [{"Create": new[one]} for one in new if one not in old]
        for step in steps:
            dynamodb.update_table(
                TableName=name,
                AttributeDefinitions=after["AttributeDefinitions"],
                GlobalSecondaryIndexUpdates=[step],
            )

    def _settings(self, dynamodb: Any, name: str, before: Any, properties: Any) -> None:
        expiry = properties.get("TimeToLiveSpecification")
        if expiry and expiry != before.get("TimeToLiveSpecification"):
            dynamodb.update_time_to_live(TableName=name, TimeToLiveSpecification=expiry)
        backups = properties.get("PointInTimeRecoverySpecification")
        if backups and backups != before.get("PointInTimeRecoverySpecification"):
            dynamodb.update_continuous_backups(
                TableName=name, PointInTimeRecoverySpecification=backups
            )

    def delete(self, place: Place, made: Made) -> None:
        gone(lambda: place.client("dynamodb").delete_table(TableName=made.physical_resource_id))


@kind("AWS::S3::Bucket")
class Bucket(Kind):
    """A bucket and the settings that make it safe."""

    def create(self, place: Place, properties: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        s3 = place.client("s3")
        name = properties.get("BucketName") or place.name(63).lower()
        request = {}
        if place.region != "us-east-1":
            request["CreateBucketConfiguration"] = {"LocationConstraint": place.region}
        s3.create_bucket(Bucket=name, **request)
        return self._settings(s3, place, name, properties)

    def update(
        self, place: Place, made: Made, properties: dict[str, Any]
    ) -> tuple[str, dict[str, Any]]:
        if made.properties.get("BucketName") != properties.get("BucketName"):
            raise Replaced
        return self._settings(place.client("s3"), place, made.physical_resource_id, properties)

    def _settings(
        self, s3: Any, place: Place, name: str, properties: dict[str, Any]
    ) -> tuple[str, dict[str, Any]]:
        if block := properties.get("PublicAccessBlockConfiguration"):
            s3.put_public_access_block(Bucket=name, PublicAccessBlockConfiguration=block)
        if versioning := properties.get("VersioningConfiguration"):
            s3.put_bucket_versioning(Bucket=name, VersioningConfiguration=versioning)
        if encryption := properties.get("BucketEncryption"):
            rules = [
                {"ApplyServerSideEncryptionByDefault": one["ServerSideEncryptionByDefault"]}
                for one in encryption["ServerSideEncryptionConfiguration"]
            ]
            s3.put_bucket_encryption(
                Bucket=name, ServerSideEncryptionConfiguration={"Rules": rules}
            )
        if ownership := properties.get("OwnershipControls"):
            s3.put_bucket_ownership_controls(Bucket=name, OwnershipControls=ownership)
        if tags := place.tags(properties):
            s3.put_bucket_tagging(Bucket=name, Tagging={"TagSet": tags})
        domain = f"{name}.s3.{place.region}.amazonaws.com"
        return name, {
            "Arn": f"arn:aws:s3:::{name}",
            "DomainName": f"{name}.s3.amazonaws.com",
            "RegionalDomainName": domain,
        }

    def delete(self, place: Place, made: Made) -> None:
        gone(lambda: place.client("s3").delete_bucket(Bucket=made.physical_resource_id))


@kind("AWS::S3::BucketPolicy")
class BucketPolicy(Kind):
    """Who may use a bucket."""

    def create(self, place: Place, properties: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        name = properties["Bucket"]
        policy = json.loads(document(properties["PolicyDocument"]))
        # moto knows no conditions: what refuses plain HTTP would refuse everybody here.
        policy["Statement"] = [
            one for one in policy["Statement"] if "SecureTransport" not in json.dumps(one)
        ]
        if policy["Statement"]:
            place.client("s3").put_bucket_policy(Bucket=name, Policy=json.dumps(policy))
        return name, {}

    def update(
        self, place: Place, made: Made, properties: dict[str, Any]
    ) -> tuple[str, dict[str, Any]]:
        if made.properties["Bucket"] != properties["Bucket"]:
            raise Replaced
        return self.create(place, properties)

    def delete(self, place: Place, made: Made) -> None:
        name = made.properties["Bucket"]
        gone(lambda: place.client("s3").delete_bucket_policy(Bucket=name))


@kind("AWS::Logs::LogGroup")
class LogGroup(Kind):
    """A log group and how long it keeps."""

    def create(self, place: Place, properties: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        logs = place.client("logs")
        name = properties.get("LogGroupName") or place.name(512)
        tags = {tag["Key"]: tag["Value"] for tag in place.tags(properties)}
        request = camel(picked(properties, "KmsKeyId", "LogGroupClass"))
        logs.create_log_group(logGroupName=name, **request, **({"tags": tags} if tags else {}))
        self._retention(logs, name, properties)
        arn = f"arn:aws:logs:{place.region}:{place.account}:log-group:{name}:*"
        return name, {"Arn": arn}

    def update(
        self, place: Place, made: Made, properties: dict[str, Any]
    ) -> tuple[str, dict[str, Any]]:
        if made.properties.get("LogGroupName") != properties.get("LogGroupName"):
            raise Replaced
        name = made.physical_resource_id
        self._retention(place.client("logs"), name, properties)
        return name, made.attributes

    def _retention(self, logs: Any, name: str, properties: dict[str, Any]) -> None:
        days = properties.get("RetentionInDays")
        if days is None:
            gone(lambda: logs.delete_retention_policy(logGroupName=name))
        else:
            logs.put_retention_policy(logGroupName=name, retentionInDays=int(days))

    def delete(self, place: Place, made: Made) -> None:
        logs, name = place.client("logs"), made.physical_resource_id
        gone(lambda: logs.delete_log_group(logGroupName=name))


@kind("AWS::Logs::ResourcePolicy")
class LogsPolicy(Kind):
    """Who may deliver to log groups."""

    def create(self, place: Place, properties: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        name = properties["PolicyName"]
        text = document(properties["PolicyDocument"])
        place.client("logs").put_resource_policy(policyName=name, policyDocument=text)
        return name, {}

    def update(
        self, place: Place, made: Made, properties: dict[str, Any]
    ) -> tuple[str, dict[str, Any]]:
        if made.properties["PolicyName"] != properties["PolicyName"]:
            raise Replaced
        return self.create(place, properties)

    def delete(self, place: Place, made: Made) -> None:
        logs, name = place.client("logs"), made.physical_resource_id
        gone(lambda: logs.delete_resource_policy(policyName=name))


@kind("AWS::CloudWatch::Alarm")
class Alarm(Kind):
    """An alarm; its properties are the API's."""

    def create(self, place: Place, properties: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        name = properties.get("AlarmName") or place.name(255)
        return self._put(place, name, properties)

    def update(
        self, place: Place, made: Made, properties: dict[str, Any]
    ) -> tuple[str, dict[str, Any]]:
        if made.properties.get("AlarmName") != properties.get("AlarmName"):
            raise Replaced
        return self._put(place, made.physical_resource_id, properties)

    def _put(self, place: Place, name: str, properties: Any) -> tuple[str, dict[str, Any]]:
        place.client("cloudwatch").put_metric_alarm(**{**properties, "AlarmName": name})
        return name, {"Arn": f"arn:aws:cloudwatch:{place.region}:{place.account}:alarm:{name}"}

    def delete(self, place: Place, made: Made) -> None:
        watch, name = place.client("cloudwatch"), made.physical_resource_id
        gone(lambda: watch.delete_alarms(AlarmNames=[name]))


@kind("AWS::CloudWatch::Dashboard")
class Dashboard(Kind):
    """A dashboard."""

    def create(self, place: Place, properties: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        name = properties.get("DashboardName") or place.name(255)
        return self._put(place, name, properties)

    def update(
        self, place: Place, made: Made, properties: dict[str, Any]
    ) -> tuple[str, dict[str, Any]]:
        return self._put(place, made.physical_resource_id, properties)

    def _put(self, place: Place, name: str, properties: Any) -> tuple[str, dict[str, Any]]:
        body = document(properties["DashboardBody"])
        json.loads(body)
        place.client("cloudwatch").put_dashboard(DashboardName=name, DashboardBody=body)
        return name, {}

    def delete(self, place: Place, made: Made) -> None:
        watch, name = place.client("cloudwatch"), made.physical_resource_id
        gone(lambda: watch.delete_dashboards(DashboardNames=[name]))


@kind("AWS::CloudTrail::Trail")
class Trail(Kind):
    """A trail that logs if the template says so."""

    NAMES = (
        "S3BucketName",
        "S3KeyPrefix",
        "SnsTopicName",
        "IncludeGlobalServiceEvents",
        "IsMultiRegionTrail",
        "IsOrganizationTrail",
        "CloudWatchLogsLogGroupArn",
        "CloudWatchLogsRoleArn",
    )

    def create(self, place: Place, properties: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        trails, name = place.client("cloudtrail"), properties.get("TrailName") or place.name(128)
        made = trails.create_trail(Name=name, **picked(properties, *self.NAMES))
        self._logging(trails, name, properties)
        return name, {"Arn": made["TrailARN"]}

    def update(
        self, place: Place, made: Made, properties: dict[str, Any]
    ) -> tuple[str, dict[str, Any]]:
        if made.properties.get("TrailName") != properties.get("TrailName"):
            raise Replaced
        trails, name = place.client("cloudtrail"), made.physical_resource_id
        trails.update_trail(Name=name, **picked(properties, *self.NAMES))
        self._logging(trails, name, properties)
        return name, made.attributes

    def _logging(self, trails: Any, name: str, properties: dict[str, Any]) -> None:
        if properties.get("IsLogging"):
            trails.start_logging(Name=name)
        else:
            trails.stop_logging(Name=name)

    def delete(self, place: Place, made: Made) -> None:
        gone(lambda: place.client("cloudtrail").delete_trail(Name=made.physical_resource_id))


@kind("AWS::Config::ConfigurationRecorder")
class ConfigurationRecorder(Kind):
    """AWS Config takes one recorder in an account and Region."""

    def create(self, place: Place, properties: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        name = properties.get("Name") or "default"
        return self._put(place, name, properties)

    def update(
        self, place: Place, made: Made, properties: dict[str, Any]
    ) -> tuple[str, dict[str, Any]]:
        if made.properties.get("Name") != properties.get("Name"):
            raise Replaced
        return self._put(place, made.physical_resource_id, properties)

    def _put(self, place: Place, name: str, properties: Any) -> tuple[str, dict[str, Any]]:
        recorder = {"name": name, "roleARN": properties["RoleARN"]}
        if "RecordingGroup" in properties:
            recorder["recordingGroup"] = camel(properties["RecordingGroup"])
        place.client("config").put_configuration_recorder(ConfigurationRecorder=recorder)
        return name, {}

    def delete(self, place: Place, made: Made) -> None:
        config, name = place.client("config"), made.physical_resource_id
        gone(lambda: config.stop_configuration_recorder(ConfigurationRecorderName=name))
        gone(lambda: config.delete_configuration_recorder(ConfigurationRecorderName=name))


@kind("AWS::Config::DeliveryChannel")
class DeliveryChannel(Kind):
    """Where the recorder delivers; with it CloudFormation starts the recorder."""

    def create(self, place: Place, properties: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        name = properties.get("Name") or "default"
        return self._put(place, name, properties)

    def update(
        self, place: Place, made: Made, properties: dict[str, Any]
    ) -> tuple[str, dict[str, Any]]:
        if made.properties.get("Name") != properties.get("Name"):
            raise Replaced
        return self._put(place, made.physical_resource_id, properties)

    def _put(self, place: Place, name: str, properties: Any) -> tuple[str, dict[str, Any]]:
        names = ("S3BucketName", "S3KeyPrefix", "S3KmsKeyArn", "SnsTopicARN")
        channel = {"name": name, **camel(picked(properties, *names))}
        if "snsTopicARN" in channel:
            channel["snsTopicARN"] = properties["SnsTopicARN"]
        if delivery := properties.get("ConfigSnapshotDeliveryProperties"):
            channel["configSnapshotDeliveryProperties"] = camel(delivery)
        config = place.client("config")
        config.put_delivery_channel(DeliveryChannel=channel)
        for one in config.describe_configuration_recorders()["ConfigurationRecorders"]:
            config.start_configuration_recorder(ConfigurationRecorderName=one["name"])
        return name, {}

    def delete(self, place: Place, made: Made) -> None:
        config, name = place.client("config"), made.physical_resource_id
        for one in config.describe_configuration_recorders()["ConfigurationRecorders"]:
            config.stop_configuration_recorder(ConfigurationRecorderName=one["name"])
        gone(lambda: config.delete_delivery_channel(DeliveryChannelName=name))


@kind("AWS::CloudFormation::StackSet")
class StackSet(Kind):
    """A stack set; its instances are made by its own API."""

    NAMES = (
        "AdministrationRoleARN",
        "Capabilities",
        "Description",
        "ExecutionRoleName",
        "ManagedExecution",
        "Parameters",
        "PermissionModel",
        "TemplateBody",
        "TemplateURL",
    )

    def create(self, place: Place, properties: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        request = picked(properties, *self.NAMES)
        if tags := place.tags(properties):
            request["Tags"] = tags
        name = properties["StackSetName"]
        place.client("cloudformation").create_stack_set(StackSetName=name, **request)
        return name, {"StackSetId": name}

    def update(
        self, place: Place, made: Made, properties: dict[str, Any]
    ) -> tuple[str, dict[str, Any]]:
        if made.properties["StackSetName"] != properties["StackSetName"]:
            raise Replaced
        name = made.physical_resource_id
        request = picked(properties, *self.NAMES)
        place.client("cloudformation").update_stack_set(StackSetName=name, **request)
        return name, made.attributes

    def delete(self, place: Place, made: Made) -> None:
        stacks, name = place.client("cloudformation"), made.physical_resource_id
        gone(lambda: stacks.delete_stack_set(StackSetName=name))
