"""EventBridge, SNS, SQS and Scheduler as templates declare them."""

import json
from typing import Any

from kinds import Kind, Made, Place, Replaced, document, gone, kind, picked


def text(value: Any) -> str:
    """An attribute's value as SNS and SQS take them."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(value) if isinstance(value, dict | list) else str(value)


@kind("AWS::Events::Rule")
class Rule(Kind):
    """A rule with its targets."""

    def create(self, place: Place, properties: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        name = properties.get("Name") or place.name(64)
        return self._put(place, name, {}, properties)

    def update(
        self, place: Place, made: Made, properties: dict[str, Any]
    ) -> tuple[str, dict[str, Any]]:
        fixed = ("Name", "EventBusName")
        if any(made.properties.get(one) != properties.get(one) for one in fixed):
            raise Replaced
        name = made.physical_resource_id.split("|")[-1]
        return self._put(place, name, made.properties, properties)

    def _put(
        self, place: Place, name: str, before: Any, properties: Any
    ) -> tuple[str, dict[str, Any]]:
        events = place.client("events")
        bus = properties.get("EventBusName", "default")
        request = picked(properties, "ScheduleExpression", "State", "Description", "RoleArn")
        if "EventPattern" in properties:
            request["EventPattern"] = document(properties["EventPattern"])
        arn = events.put_rule(Name=name, EventBusName=bus, **request)["RuleArn"]
        targets = properties.get("Targets", [])
        kept = {target["Id"] for target in targets}
        stale = [one["Id"] for one in before.get("Targets", []) if one["Id"] not in kept]
        if stale:
            events.remove_targets(Rule=name, EventBusName=bus, Ids=stale)
        if targets:
            events.put_targets(Rule=name, EventBusName=bus, Targets=targets)
        physical = name if bus == "default" else f"{bus.split('/')[-1]}|{name}"
        return physical, {"Arn": arn}

    def delete(self, place: Place, made: Made) -> None:
        events = place.client("events")
        name = made.physical_resource_id.split("|")[-1]
        bus = made.properties.get("EventBusName", "default")
        ids = [one["Id"] for one in made.properties.get("Targets", [])]
        if ids:
            gone(lambda: events.remove_targets(Rule=name, EventBusName=bus, Ids=ids))
        gone(lambda: events.delete_rule(Name=name, EventBusName=bus))


@kind("AWS::Events::EventBus")
class EventBus(Kind):
    """A bus of one's own."""

    def create(self, place: Place, properties: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        events, name = place.client("events"), properties["Name"]
        arn = events.create_event_bus(Name=name)["EventBusArn"]
        if "Policy" in properties:
            events.put_permission(EventBusName=name, Policy=document(properties["Policy"]))
        return name, {"Arn": arn, "Name": name}

    def update(
        self, place: Place, made: Made, properties: dict[str, Any]
    ) -> tuple[str, dict[str, Any]]:
        if made.properties["Name"] != properties["Name"]:
            raise Replaced
        events, name = place.client("events"), made.physical_resource_id
        gone(lambda: events.remove_permission(EventBusName=name, RemoveAllPermissions=True))
        if "Policy" in properties:
            events.put_permission(EventBusName=name, Policy=document(properties["Policy"]))
        return name, made.attributes

    def delete(self, place: Place, made: Made) -> None:
        gone(lambda: place.client("events").delete_event_bus(Name=made.physical_resource_id))


@kind("AWS::Events::EventBusPolicy")
class EventBusPolicy(Kind):
    """One statement of a bus's policy."""

    def create(self, place: Place, properties: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        bus, sid = properties.get("EventBusName", "default"), properties["StatementId"]
        if "Statement" in properties:
            others = [one for one in self._statements(place, bus) if one["Sid"] != sid]
            self._put(place, bus, [*others, {**properties["Statement"], "Sid": sid}])
        else:
            names = ("StatementId", "Action", "Principal", "Condition")
            request = picked(properties, *names)
            place.client("events").put_permission(EventBusName=bus, **request)
        return f"{bus}|{sid}", {}

    def update(
        self, place: Place, made: Made, properties: dict[str, Any]
    ) -> tuple[str, dict[str, Any]]:
        fixed = ("EventBusName", "StatementId")
        if any(made.properties.get(one) != properties.get(one) for one in fixed):
            raise Replaced
        return self.create(place, properties)

    def delete(self, place: Place, made: Made) -> None:
        bus, sid = made.physical_resource_id.split("|")
        events = place.client("events")
        gone(lambda: events.remove_permission(EventBusName=bus, StatementId=sid))

    def _statements(self, place: Place, bus: str) -> list[dict[str, Any]]:
        found = place.client("events").describe_event_bus(Name=bus).get("Policy")
        return list(json.loads(found)["Statement"]) if found else []

    def _put(self, place: Place, bus: str, statements: list[dict[str, Any]]) -> None:
        policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
        place.client("events").put_permission(EventBusName=bus, Policy=policy)


@kind("AWS::SQS::Queue")
class Queue(Kind):
    """A queue; its reference is its URL."""

    ATTRIBUTES = (
        "ContentBasedDeduplication",
        "DelaySeconds",
        "FifoQueue",
        "KmsDataKeyReusePeriodSeconds",
        "KmsMasterKeyId",
        "MaximumMessageSize",
        "MessageRetentionPeriod",
        "ReceiveMessageWaitTimeSeconds",
        "RedriveAllowPolicy",
        "RedrivePolicy",
        "SqsManagedSseEnabled",
        "VisibilityTimeout",
    )

    def create(self, place: Place, properties: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        name = properties.get("QueueName") or place.name(80)
        tags = {tag["Key"]: tag["Value"] for tag in place.tags(properties)}
        request = {"tags": tags} if tags else {}
        attributes = self._attributes(properties)
        url = place.client("sqs").create_queue(QueueName=name, Attributes=attributes, **request)
        arn = f"arn:aws:sqs:{place.region}:{place.account}:{name}"
        shown = {"Arn": arn, "QueueName": name, "QueueUrl": url["QueueUrl"]}
        return url["QueueUrl"], shown

    def update(
        self, place: Place, made: Made, properties: dict[str, Any]
    ) -> tuple[str, dict[str, Any]]:
        fixed = ("QueueName", "FifoQueue")
        if any(made.properties.get(one) != properties.get(one) for one in fixed):
            raise Replaced
        url = made.physical_resource_id
        attributes = self._attributes(properties)
        place.client("sqs").set_queue_attributes(QueueUrl=url, Attributes=attributes)
        return url, made.attributes

    def delete(self, place: Place, made: Made) -> None:
        gone(lambda: place.client("sqs").delete_queue(QueueUrl=made.physical_resource_id))

    def _attributes(self, properties: dict[str, Any]) -> dict[str, str]:
        return {name: text(value) for name, value in picked(properties, *self.ATTRIBUTES).items()}


@kind("AWS::SQS::QueuePolicy")
class QueuePolicy(Kind):
    """Who may use the queues."""

    def create(self, place: Place, properties: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        for url in properties["Queues"]:
            attributes = {"Policy": document(properties["PolicyDocument"])}
            place.client("sqs").set_queue_attributes(QueueUrl=url, Attributes=attributes)
        return place.name(), {"Id": place.name()}

    def update(
        self, place: Place, made: Made, properties: dict[str, Any]
    ) -> tuple[str, dict[str, Any]]:
        self.delete(place, made)
        return self.create(place, properties)

    def delete(self, place: Place, made: Made) -> None:
        sqs = place.client("sqs")
        for url in made.properties["Queues"]:
            request = {"QueueUrl": url, "Attributes": {"Policy": ""}}
            gone(lambda request=request: sqs.set_queue_attributes(**request))


@kind("AWS::SNS::Topic")
class Topic(Kind):
    """A topic with its inline subscriptions."""

    ATTRIBUTES = ("DisplayName", "KmsMasterKeyId", "TracingConfig", "FifoTopic")

    def create(self, place: Place, properties: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        name = properties.get("TopicName") or place.name(256)
        attributes = {key: text(v) for key, v in picked(properties, *self.ATTRIBUTES).items()}
        sns = place.client("sns")
        arn = sns.create_topic(Name=name, Attributes=attributes, Tags=place.tags(properties))
        arn = arn["TopicArn"]
        for one in properties.get("Subscription", []):
            sns.subscribe(TopicArn=arn, Protocol=one["Protocol"], Endpoint=one["Endpoint"])
        return arn, {"TopicArn": arn, "TopicName": name}

    def update(
        self, place: Place, made: Made, properties: dict[str, Any]
    ) -> tuple[str, dict[str, Any]]:
        fixed = ("TopicName", "FifoTopic", "Subscription")
        if any(made.properties.get(one) != properties.get(one) for one in fixed):
            raise Replaced
        sns, arn = place.client("sns"), made.physical_resource_id
        for name in ("DisplayName", "KmsMasterKeyId"):
            if made.properties.get(name) != properties.get(name):
                value = text(properties.get(name, ""))
                sns.set_topic_attributes(TopicArn=arn, AttributeName=name, AttributeValue=value)
        return arn, made.attributes

    def delete(self, place: Place, made: Made) -> None:
        gone(lambda: place.client("sns").delete_topic(TopicArn=made.physical_resource_id))


@kind("AWS::SNS::TopicPolicy")
class TopicPolicy(Kind):
    """Who may publish to the topics."""

    def create(self, place: Place, properties: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        for arn in properties["Topics"]:
            place.client("sns").set_topic_attributes(
                TopicArn=arn,
                AttributeName="Policy",
                AttributeValue=document(properties["PolicyDocument"]),
            )
        return place.name(), {"Id": place.name()}

    def update(
        self, place: Place, made: Made, properties: dict[str, Any]
    ) -> tuple[str, dict[str, Any]]:
        return self.create(place, properties)


@kind("AWS::SNS::Subscription")
class Subscription(Kind):
    """A subscription of a topic."""

    def create(self, place: Place, properties: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        names = ("FilterPolicy", "RawMessageDelivery", "RedrivePolicy", "FilterPolicyScope")
        attributes = {name: text(value) for name, value in picked(properties, *names).items()}
        arn = place.client("sns").subscribe(
            TopicArn=properties["TopicArn"],
            Protocol=properties["Protocol"],
            Endpoint=properties.get("Endpoint", ""),
            Attributes=attributes,
            ReturnSubscriptionArn=True,
        )["SubscriptionArn"]
        return arn, {"Arn": arn}

    def delete(self, place: Place, made: Made) -> None:
        sns, arn = place.client("sns"), made.physical_resource_id
        gone(lambda: sns.unsubscribe(SubscriptionArn=arn))


@kind("AWS::Scheduler::Schedule")
class Schedule(Kind):
    """A schedule of EventBridge Scheduler."""

    def create(self, place: Place, properties: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        name = properties.get("Name") or place.name(64)
        arn = place.client("scheduler").create_schedule(**{**properties, "Name": name})
        return name, {"Arn": arn["ScheduleArn"]}

    def update(
        self, place: Place, made: Made, properties: dict[str, Any]
    ) -> tuple[str, dict[str, Any]]:
        if made.properties.get("Name") != properties.get("Name"):
            raise Replaced
        name = made.physical_resource_id
        place.client("scheduler").update_schedule(**{**properties, "Name": name})
        return name, made.attributes

    def delete(self, place: Place, made: Made) -> None:
        request = {"Name": made.physical_resource_id, **picked(made.properties, "GroupName")}
        gone(lambda: place.client("scheduler").delete_schedule(**request))


@kind("AWS::Scheduler::ScheduleGroup")
class ScheduleGroup(Kind):
    """A group of schedules."""

    def create(self, place: Place, properties: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        name = properties.get("Name") or place.name(64)
        arn = place.client("scheduler").create_schedule_group(Name=name)["ScheduleGroupArn"]
        return name, {"Arn": arn}

    def delete(self, place: Place, made: Made) -> None:
        scheduler, name = place.client("scheduler"), made.physical_resource_id
        gone(lambda: scheduler.delete_schedule_group(Name=name))
