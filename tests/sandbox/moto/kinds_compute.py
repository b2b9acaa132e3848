"""Lambda, Step Functions and API Gateway as templates declare them."""

import io
import json
import zipfile
from typing import Any

import versions
from kinds import Kind, Made, Place, Replaced, camel, gone, kind, picked
from patching import Refusal

CONFIGURATION = (
    "Role",
    "Handler",
    "Runtime",
    "Description",
    "Timeout",
    "MemorySize",
    "Environment",
    "TracingConfig",
    "LoggingConfig",
    "Layers",
    "DeadLetterConfig",
    "EphemeralStorage",
    "KMSKeyArn",
    "VpcConfig",
)


@kind("AWS::Lambda::Function")
class Function(Kind):
    """A function; what runs for it is the gateway's to know."""

    def create(self, place: Place, properties: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        functions = place.client("lambda")
        name = properties.get("FunctionName") or place.name(64)
        request = picked(properties, *CONFIGURATION, "Architectures", "PackageType")
        tags = {tag["Key"]: tag["Value"] for tag in place.tags(properties)}
        made = functions.create_function(
            FunctionName=name, Code=self._code(properties["Code"]), Tags=tags, **request
        )
        self._concurrency(functions, name, {}, properties)
        return name, {"Arn": made["FunctionArn"]}

    def update(
        self, place: Place, made: Made, properties: dict[str, Any]
    ) -> tuple[str, dict[str, Any]]:
        before, name = made.properties, made.physical_resource_id
        fixed = ("FunctionName", "PackageType")
        if any(before.get(one) != properties.get(one) for one in fixed):
            raise Replaced
        functions = place.client("lambda")
        if before["Code"] != properties["Code"]:
            code = self._code(properties["Code"])
            functions.update_function_code(FunctionName=name, **code)
        request = picked(properties, *CONFIGURATION)
        functions.update_function_configuration(FunctionName=name, **request)
        self._concurrency(functions, name, before, properties)
        return name, made.attributes

    def delete(self, place: Place, made: Made) -> None:
        functions = place.client("lambda")
        gone(lambda: functions.delete_function(FunctionName=made.physical_resource_id))

    def _code(self, code: dict[str, Any]) -> dict[str, Any]:
        if "ZipFile" not in code:
            return code
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            archive.writestr("index.py", code["ZipFile"])
        return {"ZipFile": packed.getvalue()}

    def _concurrency(self, functions: Any, name: str, before: Any, properties: Any) -> None:
        reserved = properties.get("ReservedConcurrentExecutions")
        if reserved is not None:
            functions.put_function_concurrency(
                FunctionName=name, ReservedConcurrentExecutions=int(reserved)
            )
        elif before.get("ReservedConcurrentExecutions") is not None:
            functions.delete_function_concurrency(FunctionName=name)


@kind("AWS::Lambda::Permission")
class Permission(Kind):
    """A statement of a function's resource policy."""

    def create(self, place: Place, properties: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        names = ("Action", "Principal", "SourceArn", "SourceAccount", "PrincipalOrgID")
        statement = place.name(100)
        place.client("lambda").add_permission(
            FunctionName=properties["FunctionName"],
            StatementId=statement,
            **picked(properties, *names, "EventSourceToken", "FunctionUrlAuthType"),
        )
        return statement, {"Id": statement}

    def update(
        self, place: Place, made: Made, properties: dict[str, Any]
    ) -> tuple[str, dict[str, Any]]:
        self.delete(place, made)
        return self.create(place, properties)

    def delete(self, place: Place, made: Made) -> None:
        functions = place.client("lambda")
        gone(
            lambda: functions.remove_permission(
                FunctionName=made.properties["FunctionName"],
                StatementId=made.physical_resource_id,
            )
        )


@kind("AWS::Lambda::EventInvokeConfig")
class EventInvokeConfig(Kind):
    """How asynchronous invocations are retried."""

    def create(self, place: Place, properties: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        names = ("MaximumRetryAttempts", "MaximumEventAgeInSeconds", "DestinationConfig")
        place.client("lambda").put_function_event_invoke_config(
            FunctionName=properties["FunctionName"], **picked(properties, *names)
        )
        return place.name(), {}

    def update(
        self, place: Place, made: Made, properties: dict[str, Any]
    ) -> tuple[str, dict[str, Any]]:
        self.delete(place, made)
        return self.create(place, properties)

    def delete(self, place: Place, made: Made) -> None:
        functions, name = place.client("lambda"), made.properties["FunctionName"]
        gone(lambda: functions.delete_function_event_invoke_config(FunctionName=name))


@kind("AWS::Lambda::Version")
class Version(Kind):
    """A published version of a function."""

    def create(self, place: Place, properties: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        name = properties["FunctionName"]
        before = versions.published(place.account, place.region, name)
        request = picked(properties, "FunctionName", "Description")
        made = place.client("lambda").publish_version(**request)
        arn, version = made["FunctionArn"], made["Version"]
        if version in before:
            exists = f"A version for this Lambda function exists ( {version} )."
            raise Refusal("AlreadyExists", f"{exists} Modify the function to create a new version.")
        return arn, {"Version": version, "FunctionArn": arn}

    def delete(self, place: Place, made: Made) -> None:
        name, number = made.properties["FunctionName"], made.attributes["Version"]
        functions = place.client("lambda")
        gone(lambda: functions.delete_function(FunctionName=name, Qualifier=number))


@kind("AWS::Lambda::Alias")
class Alias(Kind):
    """A name for a version of a function."""

    def create(self, place: Place, properties: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        request = picked(properties, "FunctionName", "FunctionVersion", "Name", "Description")
        arn = place.client("lambda").create_alias(**request)["AliasArn"]
        return arn, {"AliasArn": arn}

    def update(
        self, place: Place, made: Made, properties: dict[str, Any]
    ) -> tuple[str, dict[str, Any]]:
        if any(made.properties.get(n) != properties.get(n) for n in ("FunctionName", "Name")):
            raise Replaced
        request = picked(properties, "FunctionName", "FunctionVersion", "Name", "Description")
        place.client("lambda").update_alias(**request)
        return made.physical_resource_id, made.attributes

    def delete(self, place: Place, made: Made) -> None:
        request = picked(made.properties, "FunctionName", "Name")
        gone(lambda: place.client("lambda").delete_alias(**request))


@kind("AWS::StepFunctions::StateMachine")
class StateMachine(Kind):
    """A state machine whose definition is inline or in a bucket, with its substitutions."""

    def create(self, place: Place, properties: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        name = properties.get("StateMachineName") or place.name(80)
        request = self._request(place, properties)
        tags = place.tags(properties, "key", "value")
        arn = place.client("stepfunctions").create_state_machine(
            name=name, type=properties.get("StateMachineType", "STANDARD"), tags=tags, **request
        )["stateMachineArn"]
        return arn, {"Arn": arn, "Name": name, "StateMachineRevisionId": "INITIAL"}

    def update(
        self, place: Place, made: Made, properties: dict[str, Any]
    ) -> tuple[str, dict[str, Any]]:
        fixed = ("StateMachineName", "StateMachineType")
        if any(made.properties.get(one) != properties.get(one) for one in fixed):
            raise Replaced
        arn = made.physical_resource_id
        request = self._request(place, properties)
        place.client("stepfunctions").update_state_machine(stateMachineArn=arn, **request)
        return arn, made.attributes

    def delete(self, place: Place, made: Made) -> None:
        states, arn = place.client("stepfunctions"), made.physical_resource_id
        gone(lambda: states.delete_state_machine(stateMachineArn=arn))

    def _request(self, place: Place, properties: dict[str, Any]) -> dict[str, Any]:
        request = {
            "definition": self._definition(place, properties),
            "roleArn": properties["RoleArn"],
        }
        if "LoggingConfiguration" in properties:
            request["loggingConfiguration"] = camel(properties["LoggingConfiguration"])
        if "TracingConfiguration" in properties:
            request["tracingConfiguration"] = camel(properties["TracingConfiguration"])
        return request

    def _definition(self, place: Place, properties: dict[str, Any]) -> str:
        text = properties.get("DefinitionString") or ""
        if "Definition" in properties:
            text = json.dumps(properties["Definition"])
        if "DefinitionS3Location" in properties:
            where = properties["DefinitionS3Location"]
            found = place.client("s3").get_object(Bucket=where["Bucket"], Key=where["Key"])
            text = found["Body"].read().decode()
        for name, value in properties.get("DefinitionSubstitutions", {}).items():
            text = text.replace("${" + name + "}", str(value))
        if not text.lstrip().startswith("{"):
            import templates

            text = json.dumps(templates.yaml.load(text, Loader=templates.Loader))
        return text


@kind("AWS::ApiGatewayV2::Api")
class HttpApi(Kind):
    """An HTTP API, its routes taken from the OpenAPI body as API Gateway imports it."""

    def create(self, place: Place, properties: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        gateway = place.client("apigatewayv2")
        body = properties.get("Body") or {}
        title = body.get("info", {}).get("title")
        made = gateway.create_api(
            Name=properties.get("Name") or title or place.name(),
            ProtocolType=properties.get("ProtocolType", "HTTP"),
        )
        self._routes(gateway, made["ApiId"], body)
        return made["ApiId"], self._attributes(place, made["ApiId"])

    def update(
        self, place: Place, made: Made, properties: dict[str, Any]
    ) -> tuple[str, dict[str, Any]]:
        gateway, identifier = place.client("apigatewayv2"), made.physical_resource_id
        for route in gateway.get_routes(ApiId=identifier)["Items"]:
            gateway.delete_route(ApiId=identifier, RouteId=route["RouteId"])
        for one in gateway.get_integrations(ApiId=identifier)["Items"]:
            gateway.delete_integration(ApiId=identifier, IntegrationId=one["IntegrationId"])
        self._routes(gateway, identifier, properties.get("Body") or {})
        return identifier, made.attributes

    def delete(self, place: Place, made: Made) -> None:
        gateway, identifier = place.client("apigatewayv2"), made.physical_resource_id
        gone(lambda: gateway.delete_api(ApiId=identifier))

    def _attributes(self, place: Place, identifier: str) -> dict[str, Any]:
        host = f"{identifier}.execute-api.{place.region}.amazonaws.com"
        return {"ApiId": identifier, "ApiEndpoint": f"https://{host}"}

    def _routes(self, gateway: Any, identifier: str, body: dict[str, Any]) -> None:
        schemes = body.get("components", {}).get("securitySchemes", {})
        for path, methods in body.get("paths", {}).items():
            for method, declared in methods.items():
                integration = declared.get("x-amazon-apigateway-integration")
                if not integration:
                    continue
                made = gateway.create_integration(
                    ApiId=identifier,
                    IntegrationType=integration.get("type", "aws_proxy").upper(),
                    IntegrationMethod=integration.get("httpMethod", "POST"),
                    IntegrationUri=integration["uri"],
                    PayloadFormatVersion=str(integration.get("payloadFormatVersion", "2.0")),
                )
                verb = "ANY" if "any" in method else method.upper()
                security = declared.get("security", body.get("security")) or []
                gateway.create_route(
                    ApiId=identifier,
                    RouteKey="$default" if path == "/$default" else f"{verb} {path}",
                    AuthorizationType=self._authorization(security, schemes),
                    Target=f"integrations/{made['IntegrationId']}",
                )

    def _authorization(self, security: list[Any], schemes: dict[str, Any]) -> str:
        for requirement in security:
            for name in requirement:
                kind_of = schemes.get(name, {}).get("x-amazon-apigateway-authtype", "")
                if name == "AWS_IAM" or kind_of.lower() == "awssigv4":
                    return "AWS_IAM"
        return "NONE"


@kind("AWS::ApiGatewayV2::Stage")
class Stage(Kind):
    """A stage of an HTTP API."""

    def create(self, place: Place, properties: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        names = ("ApiId", "StageName", "AutoDeploy", "Description")
        settings = ("AccessLogSettings", "DefaultRouteSettings", "StageVariables")
        place.client("apigatewayv2").create_stage(**picked(properties, *names, *settings))
        return properties["StageName"], {}

    def update(
        self, place: Place, made: Made, properties: dict[str, Any]
    ) -> tuple[str, dict[str, Any]]:
        self.delete(place, made)
        return self.create(place, properties)

    def delete(self, place: Place, made: Made) -> None:
        request = picked(made.properties, "ApiId", "StageName")
        gone(lambda: place.client("apigatewayv2").delete_stage(**request))


@kind("AWS::ApiGatewayV2::Integration")
class Integration(Kind):
    """What a route of an HTTP API calls."""

    def create(self, place: Place, properties: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        made = place.client("apigatewayv2").create_integration(**properties)
        return made["IntegrationId"], {"IntegrationId": made["IntegrationId"]}

    def delete(self, place: Place, made: Made) -> None:
        request = {"ApiId": made.properties["ApiId"], "IntegrationId": made.physical_resource_id}
        gone(lambda: place.client("apigatewayv2").delete_integration(**request))


@kind("AWS::ApiGatewayV2::Route")
class Route(Kind):
    """A route of an HTTP API."""

    def create(self, place: Place, properties: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        made = place.client("apigatewayv2").create_route(**properties)
        return made["RouteId"], {"RouteId": made["RouteId"]}

    def delete(self, place: Place, made: Made) -> None:
        request = {"ApiId": made.properties["ApiId"], "RouteId": made.physical_resource_id}
        gone(lambda: place.client("apigatewayv2").delete_route(**request))
