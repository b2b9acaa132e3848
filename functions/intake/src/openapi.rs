//! The HTTP API as an `OpenAPI` 3.1 document, made from the routes and from the types that are read and answered.

mod examples;

use schemars::{JsonSchema, SchemaGenerator, generate::SchemaSettings};
use serde_json::{Map, Value, json};
use tenant::{
    AwaitedView, BreakerWish, Claim, ConfigurationEntry, ConfigurationPlanView, DiscardWish,
    Document, HistoryPage, HistoryView, Kind, LandingZone, LetterView, LettersView, LimitsView,
    Page, PlanView, Platform, Problems, RedrivenView, RollOutView, RollOutWish, Spec, SurveyView,
    TenantSpec, TenantView, Unmanaged,
};

use crate::adoptions::AccountTags;
use crate::removals::LONGEST_COMMENT;
use crate::request::LARGEST_BODY;
use crate::route::{
    ADOPTION, ADOPTION_PLAN, ALL_HISTORY, ALL_TENANTS, ANSWERS, ANY_TENANT, APPROVE, AWAITED,
    BREAKER, CHECKS, CLAIMS, CONFIGURATION_PLAN, DECLINE, DISCARD, HISTORY, LANDING_ZONE,
    LANDING_ZONE_HISTORY, LANDING_ZONE_PLANS, LANDING_ZONE_ROLL_OUT, LANDING_ZONES, LETTERS,
    LIMITS, MOVE, MOVE_PLAN, OPENAPI, PLAN, PLANS, PLATFORM, PLATFORM_HISTORY, PLATFORM_PLANS,
    PLATFORM_ROLL_OUT, PLATFORMS, PROJECT, PURGE, REDRIVE, REDRIVE_ALL, REPLICATIONS, RESTORATION,
    RESTORATION_CHECK, ROLL_OUTS, ROUTES, SCHEMA, SURVEY, SURVEYS, TENANT, TENANTS, UNMANAGED,
    UNMANAGED_TAGS,
};

/// What the document tells of one route.
struct Operation {
    id: &'static str,
    says: &'static str,
    body: Option<Body>,
    answers: Vec<(u16, &'static str)>,
    schema: Value,
    example: Option<Value>,
    condition: Condition,
    has_version: bool,
    has_location: bool,
    comes_in_parts: bool,
}

/// What a request may ask to be so before it is done.
#[derive(Clone, Copy, PartialEq)]
enum Condition {
    /// Nothing.
    None,
    /// The version.
    Version,
    /// The version, or that there is none yet.
    VersionOrNew,
}

/// What a request carries.
struct Body {
    schema: Value,
    example: Value,
}

/// The document.
#[must_use]
pub fn document() -> Value {
    let settings = SchemaSettings::draft2020_12();
    let settings = settings.with(|settings| {
        settings.definitions_path = "/components/schemas".into();
    });
    let mut schemas = settings.into_generator();
    let mut paths: Map<String, Value> = Map::new();
    for (method, path) in ROUTES {
        let written = operation(method, path, &mut schemas).written(method, path);
        let methods = paths.entry(path).or_insert_with(|| json!({ "parameters": names(path) }));
        methods[method.to_lowercase()] = written;
    }
    let problems = schemas.subschema_for::<Problems>();
    let mut definitions = schemas.take_definitions(true);
    for kind in Kind::ALL {
        let name = match kind {
            Kind::Tenant => "TenantSpecDocument".to_owned(),
            kind => format!("{}Document", kind.as_str()),
        };
        if let Some(document) = definitions.get_mut(&name) {
            document["properties"]["kind"] = json!({ "const": kind.as_str() });
        }
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Landfall",
            "version": env!("CARGO_PKG_VERSION"),
            "summary": "Turns written wishes for AWS accounts into governed accounts, and keeps them so.",
            "description": "Requests are signed with AWS credentials (Signature Version 4, service `execute-api`); \
                            IAM is asked about each by its path. docs/API.md tells the rest.",
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" }
        },
        "servers": [{
            "url": "https://{api}.execute-api.{region}.amazonaws.com",
            "description": "The output `Api` of the stack is the whole URL.",
            "variables": { "api": { "default": "api" }, "region": { "default": "eu-central-1" } }
        }],
        "security": [{ "signature": [] }],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "signature": {
                    "type": "apiKey", "in": "header", "name": "Authorization",
                    "description": "AWS Signature Version 4 for the service `execute-api`.",
                    "x-amazon-apigateway-authtype": "awsSigv4"
                }
            },
            "headers": headers(),
            "responses": refusals(problems.as_value()),
            "schemas": definitions
        }
    })
}

fn operation(method: &str, path: &str, schemas: &mut SchemaGenerator) -> Operation {
    const APPLIED: [(u16, &str); 3] =
        [(201, "It is new."), (202, "It was changed."), (200, "It is as it was.")];
    match (method, path) {
        ("PUT", TENANT) => {
            reads::<TenantView>("putTenant", "Applies a tenant, and starts its run.", schemas)
                .takes::<TenantSpec>(examples::tenant(), schemas)
                .answers(&APPLIED)
                .like(examples::tenant_view())
                .versioned()
                .located()
        }
        ("GET", TENANT) => {
            reads::<TenantView>("getTenant", "A tenant with the steps of its run.", schemas)
                .like(examples::tenant_view())
                .versioned()
        }
        ("DELETE", TENANT) => reads::<TenantView>(
            "deleteTenant",
            "Marks a tenant for deletion: its access is taken away, its account goes once an approver agrees.",
            schemas,
        )
        .answers(&[(200, "It was marked already."), (202, "It is marked.")])
        .versioned()
        .located(),
        ("DELETE", PROJECT) => reads::<Page<TenantView>>(
            "deleteProject",
            "Marks all tenants of a project for deletion, all or none.",
            schemas,
        )
        .answers(&[(200, "All were marked already."), (202, "All are marked.")]),
        ("POST", APPROVE) => decision(
            "approveDeletion",
            "Lets a deletion go on; whoever asked for it can't.",
            schemas,
        ),
        ("POST", DECLINE) => {
            decision("declineDeletion", "Keeps the tenant; its access comes back.", schemas)
        }
        ("POST", PURGE) => reads::<TenantView>(
            "purgeTenant",
            "Forgets a tenant, whatever its phase; its account stays as it is.",
            schemas,
        )
        .answers(&[(202, "It is forgotten.")])
        .versioned()
        .located(),
        ("POST", MOVE) => {
            let summary = "Moves a tenant to another project; it keeps its id, its account and its history.";
            reads::<TenantView>("moveTenant", summary, schemas)
                .moves(Condition::VersionOrNew)
                .answers(&[(202, "It is moved."), (200, "It was there already.")])
                .versioned()
                .located()
        }
        ("PUT", MOVE_PLAN) => {
            let summary = "Asks what moving a tenant would change; nothing is changed.";
            reads::<PlanView>("putMovePlan", summary, schemas)
                .moves(Condition::None)
                .answers(&[(202, "The plan is being made.")])
                .located()
        }
        ("GET", TENANTS) => reads::<Page<TenantView>>(
            "listTenants",
            "A workspace's tenants, without their steps.",
            schemas,
        )
        .in_parts(),
        ("GET", HISTORY) => reads::<HistoryView>(
            "getHistory",
            "What happened to a tenant, and who caused it.",
            schemas,
        )
        .like(examples::history()),
        ("POST", REPLICATIONS) => reads::<TenantView>(
            "postReplication",
            "Asks for a run now; one under way is followed by another.",
            schemas,
        )
        .answers(&[(202, "It was asked for.")])
        .versioned()
        .located(),
        ("POST", ANSWERS) => answer(schemas),
        ("PUT", PLANS) => reads::<PlanView>(
            "putPlan",
            "Asks what applying a tenant would change; nothing is changed.",
            schemas,
        )
        .drafts::<TenantSpec>(examples::tenant(), schemas)
        .answers(&[(202, "The plan is being made.")])
        .located(),
        ("GET", PLAN) => {
            reads::<PlanView>("getPlan", "A plan as far as it is made; kept for a day.", schemas)
                .like(examples::plan())
        }
        ("GET", ALL_TENANTS) => reads::<Page<TenantView>>(
            "listAllTenants",
            "All tenants, with what only operators may read.",
            schemas,
        )
        .in_parts(),
        ("GET", ANY_TENANT) => reads::<TenantView>(
            "getAnyTenant",
            "A tenant with operations, codes and request ids.",
            schemas,
        )
        .versioned(),
        ("GET", ALL_HISTORY) => reads::<HistoryPage>(
            "listHistory",
            "The history of all tenants, landing zones and platforms, those that are no more included, with what only operators may read.",
            schemas,
        )
        .like(examples::all_history())
        .in_parts(),
        ("GET", LETTERS) => {
            let summary = "Events that could not be delivered or handled; looking at them takes none away.";
            reads::<LettersView>("listLetters", summary, schemas).like(examples::letters())
        }
        ("POST", REDRIVE_ALL) => {
            let summary = "Sends all dead letters to their functions again, a hundred at most.";
            reads::<RedrivenView>("redriveLetters", summary, schemas)
                .answers(&[(202, "Their functions took them; what is left is told with the reason.")])
        }
        ("POST", REDRIVE) => {
            let summary = "Sends a dead letter to its function again, and takes it away once that has it.";
            reads::<LetterView>("redriveLetter", summary, schemas)
                .answers(&[(202, "Its function took it.")])
        }
        ("POST", DISCARD) => discard(schemas),
        ("GET", LIMITS) => reads::<Page<LimitsView>>(
            "listLimits",
            "What holds tenants back on each platform.",
            schemas,
        ),
        ("PUT", BREAKER) => {
            let summary = "Opens or closes a platform's breaker, or pauses the platform.";
            reads::<LimitsView>("putBreaker", summary, schemas)
                .takes_value(&schemas.subschema_for::<BreakerWish>(), examples::breaker())
                .versioned()
        }
        ("GET", ROLL_OUTS) => reads::<Page<RollOutView>>(
            "listRollOuts",
            "How far the last change of each landing zone and platform has come.",
            schemas,
        ),
        ("PUT", PLATFORM_ROLL_OUT) => roll_out("putPlatformRollOut", schemas),
        ("PUT", LANDING_ZONE_ROLL_OUT) => roll_out("putLandingZoneRollOut", schemas),
        ("GET", AWAITED) => reads::<Page<AwaitedView>>(
            "listAwaited",
            "What all tenants wait for, since when, and whether that is longer than usual.",
            schemas,
        )
        .in_parts(),
        ("GET", SURVEYS) => reads::<Page<SurveyView>>(
            "listSurveys",
            "What surveys of each platform's organization found, the latest first.",
            schemas,
        ),
        ("POST", SURVEY) => reads::<SurveyView>(
            "postSurvey",
            "Asks for a survey of the organization, which begins within a minute.",
            schemas,
        )
        .answers(&[(202, "It was asked for.")]),
        ("GET", UNMANAGED) => reads::<Page<Unmanaged>>(
            "listUnmanaged",
            "The accounts of the organizations that are no tenant's.",
            schemas,
        )
        .in_parts(),
        ("GET", UNMANAGED_TAGS) => reads::<AccountTags>(
            "getUnmanagedTags",
            "The tags of an account that is no tenant's, as AWS has them now.",
            schemas,
        ),
        ("PUT", ADOPTION) => reads::<TenantView>(
            "putAdoption",
            "Makes a tenant of an account that was there before, and starts its run.",
            schemas,
        )
        .drafts::<TenantSpec>(examples::tenant(), schemas)
        .answers(&[(201, "It is the tenant's."), (200, "It was the tenant's already.")])
        .versioned()
        .located(),
        ("PUT", ADOPTION_PLAN) => reads::<PlanView>(
            "putAdoptionPlan",
            "Asks what adopting an account would change in it; nothing is changed.",
            schemas,
        )
        .drafts::<TenantSpec>(examples::tenant(), schemas)
        .answers(&[(202, "The plan is being made.")])
        .located(),
        ("GET", CLAIMS) => reads::<Page<Claim>>(
            "listClaims",
            "The accounts of a platform's organization, and whose their tags say that they are.",
            schemas,
        )
        .in_parts(),
        ("PUT", RESTORATION) => reads::<TenantView>(
            "putRestoration",
            "Restores the tenant that an account's tag names and the ledger has lost, and starts its run.",
            schemas,
        )
        .drafts::<TenantSpec>(examples::tenant(), schemas)
        .answers(&[(201, "It is restored."), (200, "It is known already, with this account.")])
        .versioned()
        .located(),
        ("PUT", RESTORATION_CHECK) => reads::<TenantView>(
            "putRestorationCheck",
            "The tenant as it would be restored; nothing is written.",
            schemas,
        )
        .drafts::<TenantSpec>(examples::tenant(), schemas)
        .versioned()
        .located(),
        ("POST", CHECKS) => checks(schemas),
        ("PUT", PLATFORM_PLANS) => reads::<ConfigurationPlanView>(
            "putPlatformPlan",
            "Asks which tenants a platform would touch, and how.",
            schemas,
        )
        .drafts::<Platform>(examples::platform(), schemas)
        .answers(&[(202, "The plan is being made.")])
        .located(),
        ("PUT", LANDING_ZONE_PLANS) => reads::<ConfigurationPlanView>(
            "putLandingZonePlan",
            "Asks which tenants a landing zone would touch, and how.",
            schemas,
        )
        .drafts::<LandingZone>(examples::landing_zone(), schemas)
        .answers(&[(202, "The plan is being made.")])
        .located(),
        ("GET", CONFIGURATION_PLAN) => reads::<ConfigurationPlanView>(
            "getConfigurationPlan",
            "That plan as far as it is made; kept for a day.",
            schemas,
        ),
        ("PUT", LANDING_ZONE) => reads::<Document<LandingZone>>(
            "putLandingZone",
            "Applies a landing zone whose unit and StackSets exist.",
            schemas,
        )
        .takes::<LandingZone>(examples::landing_zone(), schemas)
        .answers(&APPLIED)
        .versioned(),
        ("GET", LANDING_ZONE) => reads::<Document<LandingZone>>(
            "getLandingZone",
            "A landing zone, as it was applied.",
            schemas,
        )
        .like(examples::landing_zone())
        .versioned(),
        ("DELETE", LANDING_ZONE) => deletion("deleteLandingZone", "Deletes a landing zone that no living tenant wishes for.", schemas),
        ("GET", LANDING_ZONE_HISTORY) => {
            configuration_history("getLandingZoneHistory", "What happened to a landing zone, deleted or not, and who did it.", schemas)
        }
        ("GET", LANDING_ZONES) => {
            reads::<Page<Document<LandingZone>>>("listLandingZones", "All landing zones.", schemas)
        }
        ("PUT", PLATFORM) => reads::<Document<Platform>>(
            "putPlatform",
            "Applies a platform whose roles let Landfall in.",
            schemas,
        )
        .takes::<Platform>(examples::platform(), schemas)
        .answers(&APPLIED)
        .versioned(),
        ("GET", PLATFORM) => {
            reads::<Document<Platform>>("getPlatform", "A platform, as it was applied.", schemas)
                .like(examples::platform())
                .versioned()
        }
        ("DELETE", PLATFORM) => deletion("deletePlatform", "Deletes a platform that no landing zone belongs to and no living tenant is on.", schemas),
        ("GET", PLATFORM_HISTORY) => {
            configuration_history("getPlatformHistory", "What happened to a platform, deleted or not, and who did it.", schemas)
        }
        ("GET", PLATFORMS) => {
            reads::<Page<Document<Platform>>>("listPlatforms", "All platforms.", schemas)
        }
        ("GET", SCHEMA) => any("getSchema", "The JSON Schema of a kind of documents."),
        ("GET", OPENAPI) => any("getOpenApi", "This document."),
        // A test asks for every route.
        _ => any("", ""),
    }
}

/// The end of a landing zone or platform.
fn deletion(id: &'static str, says: &'static str, schemas: &mut SchemaGenerator) -> Operation {
    reads::<ConfigurationEntry>(id, says, schemas)
        .answers(&[(200, "It is deleted, now or before; this is the last entry of its history.")])
        .like(examples::deletion())
        .matched()
        .versioned()
}

fn configuration_history(
    id: &'static str,
    says: &'static str,
    schemas: &mut SchemaGenerator,
) -> Operation {
    reads::<Page<ConfigurationEntry>>(id, says, schemas)
        .like(examples::configuration_history())
        .in_parts()
}

/// What a person does to a roll-out.
fn roll_out(id: &'static str, schemas: &mut SchemaGenerator) -> Operation {
    reads::<RollOutView>(id, "Stops, resumes or abandons a roll-out.", schemas)
        .takes_value(&schemas.subschema_for::<RollOutWish>(), examples::roll_out())
        .versioned()
}

/// What an approver decides, with what they may say.
fn decision(id: &'static str, says: &'static str, schemas: &mut SchemaGenerator) -> Operation {
    let schema = json!({
        "type": "object", "additionalProperties": false,
        "properties": { "comment": { "type": "string", "maxLength": LONGEST_COMMENT, "description": "Why." } }
    });
    let example = json!({ "comment": "The project has ended." });
    let body = Body { schema, example };
    let operation = reads::<TenantView>(id, says, schemas);
    Operation { body: Some(body), ..operation }
        .answers(&[(202, "It is written down.")])
        .versioned()
        .located()
}

fn answer(schemas: &mut SchemaGenerator) -> Operation {
    let schema = json!({
        "type": "object", "additionalProperties": false, "minProperties": 1, "maxProperties": 1,
        "properties": {
            "otp": { "type": "string", "pattern": "^[A-Za-z0-9]{6}$", "description": "The code that AWS mailed." },
            "resend": { "const": true, "description": "Have another code mailed." }
        }
    });
    let body = Body { schema, example: json!({ "otp": "123456" }) };
    let operation = reads::<TenantView>(
        "postAnswer",
        "Answers what a tenant waits for: the code that AWS mails to an account's new address.",
        schemas,
    );
    Operation { body: Some(body), ..operation }
        .answers(&[(202, "It was taken; a run uses it.")])
        .versioned()
        .located()
}

fn discard(schemas: &mut SchemaGenerator) -> Operation {
    let schema = json!({
        "type": "object", "additionalProperties": false, "required": ["comment"],
        "properties": { "comment": {
            "type": "string", "minLength": 1, "maxLength": DiscardWish::LONGEST, "description": "Why, for the log."
        } }
    });
    let example = json!({ "comment": "The account is closed already." });
    let body = Body { schema, example };
    let operation = reads::<LetterView>("discardLetter", "Throws a dead letter away.", schemas);
    Operation { body: Some(body), ..operation }.answers(&[(200, "It is gone; this stood in it.")])
}

fn checks(schemas: &mut SchemaGenerator) -> Operation {
    let platform = schemas.subschema_for::<Document<Platform>>();
    let zone = schemas.subschema_for::<Document<LandingZone>>();
    let schema = json!({
        "type": "object", "additionalProperties": false, "required": ["document"],
        "properties": { "document": { "oneOf": [platform, zone] }, "platform": platform }
    });
    let example = json!({ "document": examples::landing_zone(), "platform": examples::platform() });
    let found = json!({
        "type": "object", "required": ["problems"],
        "properties": { "problems": { "type": "array", "maxItems": 0 } }
    });
    Operation {
        body: Some(Body { schema, example }),
        schema: found,
        ..any("postCheck", "Checks configuration as if it were applied, and writes nothing.")
    }
}

/// A route that answers this.
fn reads<T: JsonSchema>(
    id: &'static str,
    says: &'static str,
    schemas: &mut SchemaGenerator,
) -> Operation {
    Operation { schema: schemas.subschema_for::<T>().to_value(), ..any(id, says) }
}

/// A route that answers some object.
fn any(id: &'static str, says: &'static str) -> Operation {
    Operation {
        id,
        says,
        body: None,
        answers: vec![(200, "As asked for.")],
        schema: json!({ "type": "object" }),
        example: None,
        condition: Condition::None,
        has_version: false,
        has_location: false,
        comes_in_parts: false,
    }
}

impl Operation {
    fn takes<S: Spec>(self, example: Value, schemas: &mut SchemaGenerator) -> Self {
        let schema = schemas.subschema_for::<Document<S>>();
        self.takes_value(&schema, example)
    }

    fn takes_value(self, schema: &schemars::Schema, example: Value) -> Self {
        let body = Body { schema: schema.clone().to_value(), example };
        Self { body: Some(body), condition: Condition::VersionOrNew, ..self }
    }

    fn drafts<S: Spec>(self, example: Value, schemas: &mut SchemaGenerator) -> Self {
        let schema = schemas.subschema_for::<Document<S>>().to_value();
        Self { body: Some(Body { schema, example }), ..self }
    }

    /// Takes the project that a tenant is to move to.
    fn moves(self, condition: Condition) -> Self {
        let part = |says: &str| json!({ "type": "string", "description": says });
        let schema = json!({
            "type": "object", "additionalProperties": false, "required": ["workspace", "project"],
            "properties": {
                "workspace": part("The workspace's identifier."), "project": part("The project's identifier.")
            }
        });
        let example = json!({ "workspace": "shipping", "project": "checkout-prod" });
        Self { body: Some(Body { schema, example }), condition, ..self }
    }

    fn answers(self, answers: &[(u16, &'static str)]) -> Self {
        Self { answers: answers.to_vec(), ..self }
    }

    fn like(self, example: Value) -> Self {
        Self { example: Some(example), ..self }
    }

    /// Is done to a version only, if one is named.
    fn matched(self) -> Self {
        Self { condition: Condition::Version, ..self }
    }

    fn versioned(self) -> Self {
        Self { has_version: true, ..self }
    }

    fn located(self) -> Self {
        Self { has_location: true, ..self }
    }

    fn in_parts(self) -> Self {
        Self { comes_in_parts: true, ..self }
    }

    fn written(&self, method: &str, path: &str) -> Value {
        let mut responses: Map<String, Value> = Map::new();
        for (status, says) in &self.answers {
            responses.insert(status.to_string(), self.answer(says));
        }
        for (status, name) in self.refusals(method, path) {
            let reference = format!("#/components/responses/{name}");
            responses.insert(status.to_string(), json!({ "$ref": reference }));
        }
        let mut written = json!({
            "operationId": self.id, "summary": self.says, "tags": [tag(path)], "responses": responses
        });
        let mut parameters = Vec::new();
        if self.comes_in_parts {
            parameters.push(json!({
                "name": "after", "in": "query", "required": false, "schema": { "type": "string", "maxLength": 4096 },
                "description": "Where to go on: what the part before says as `next`."
            }));
            parameters.extend(narrower(path));
        }
        if let Some(body) = &self.body {
            let content =
                json!({ "application/json": { "schema": body.schema, "example": body.example } });
            written["requestBody"] = json!({
                "required": true, "content": content,
                "description": format!("At most {LARGEST_BODY} bytes. Repeating it changes nothing.")
            });
        }
        if self.condition != Condition::None {
            parameters.push(condition(
                "If-Match",
                "Changes only this version, as `ETag` gave it.",
                json!("\"3\""),
            ));
        }
        if self.condition == Condition::VersionOrNew {
            parameters.push(condition(
                "If-None-Match",
                "`*` makes, and never changes.",
                json!("*"),
            ));
        }
        if !parameters.is_empty() {
            written["parameters"] = parameters.into();
        }
        written
    }

    fn answer(&self, says: &str) -> Value {
        let mut content = json!({ "schema": self.schema });
        if let Some(example) = &self.example {
            content["example"] = example.clone();
        }
        let mut headers = Map::new();
        for (name, is_there) in [("ETag", self.has_version), ("Location", self.has_location)] {
            if is_there {
                headers.insert(
                    name.to_owned(),
                    json!({ "$ref": format!("#/components/headers/{name}") }),
                );
            }
        }
        let mut answer = json!({ "description": says, "content": { "application/json": content } });
        if !headers.is_empty() {
            answer["headers"] = headers.into();
        }
        answer
    }

    /// The statuses with which the route refuses.
    fn refusals(&self, method: &str, path: &str) -> Vec<(u16, &'static str)> {
        let named = path.contains('{');
        let wrong_query = self.comes_in_parts;
        let body = self.body.is_some();
        let conditional = self.condition != Condition::None;
        let writes = method != "GET";
        CLASSES
            .into_iter()
            .map(|(status, name, ..)| (status, name))
            .filter(|(status, _)| match status {
                400 => body || wrong_query,
                404 => named,
                409 => writes,
                412 => conditional,
                413 | 415 | 422 => body,
                _ => true,
            })
            .collect()
    }
}

/// What a list may be asked for less of.
fn narrower(path: &str) -> Vec<Value> {
    let query = |name: &str, schema: Value, says: &str| {
        json!({
            "name": name, "in": "query", "required": false, "schema": schema, "description": says
        })
    };
    if path == ALL_HISTORY {
        let identifier = json!({ "type": "string", "pattern": IDENTIFIER });
        let instant = json!({ "type": "string", "format": "date-time" });
        return vec![
            query("workspace", identifier.clone(), "Only this workspace's tenants."),
            query("platform", identifier, "Only this platform with its tenants and landing zones."),
            query("since", instant, "Only what happened at this instant or later."),
        ];
    }
    if [LANDING_ZONE_HISTORY, PLATFORM_HISTORY].contains(&path) {
        return Vec::new();
    }
    vec![query(
        "deleted",
        json!({ "type": "boolean", "default": false }),
        "Those that are no more, instead of those that are.",
    )]
}

/// The statuses of refusals: the name of their answer, when they come, and whether API Gateway itself may be who refuses.
const CLASSES: [(u16, &str, &str, bool); 11] = [
    (400, "WrongRequest", "The body is no JSON, or the query is none of this API's.", false),
    (403, "NotAllowed", "IAM says no, or the request names no caller.", true),
    (404, "Missing", "There is no such thing.", true),
    (
        409,
        "Busy",
        "Others change it at the same time: read it again and repeat. Or it can't be so now; `detail` says why.",
        false,
    ),
    (412, "Stale", "It is not the version that was asked for; `ETag` is the present one.", false),
    (413, "TooLarge", "The body is too large.", true),
    (415, "WrongFormat", "The body is not JSON.", false),
    (422, "Invalid", "The document has problems: each with field, value, rule and remedy.", false),
    (429, "TooFast", "API Gateway asks for a slower pace.", true),
    (
        500,
        "Failed",
        "The foundation's set-up or Landfall is at fault; its operators have been told.",
        true,
    ),
    (
        503,
        "Unavailable",
        "AWS does not answer as it should at present: repeat after `Retry-After`.",
        true,
    ),
];

fn refusals(problems: &Value) -> Value {
    let written = CLASSES.map(|(status, name, says, by_gateway)| {
        let mut problem = json!({ "schema": problems });
        if status == 422 {
            problem["example"] = examples::invalid();
        }
        let mut content = json!({ "application/problem+json": problem });
        if by_gateway {
            content["application/json"] = json!({ "schema": {
                "type": "object", "description": "What API Gateway itself answers.",
                "properties": { "message": { "type": ["string", "null"] } }, "required": ["message"]
            }});
        }
        let mut answer = json!({ "description": says, "content": content });
        for (of, header) in [(412, "ETag"), (503, "Retry-After")] {
            if of == status {
                answer["headers"] =
                    json!({ header: { "$ref": format!("#/components/headers/{header}") } });
            }
        }
        (name.to_owned(), answer)
    });
    Value::Object(written.into_iter().collect())
}

fn headers() -> Value {
    json!({
        "ETag": {
            "description": "The version: a tenant's generation, or how often a configuration or breaker changed.",
            "schema": { "type": "string", "pattern": "^\"[0-9]+\"$" }
        },
        "Location": { "description": "The path to ask for it again.", "schema": { "type": "string" } },
        "Retry-After": { "description": "Seconds.", "schema": { "type": "string", "pattern": "^[0-9]+$" } }
    })
}

fn condition(name: &str, says: &str, example: Value) -> Value {
    json!({
        "name": name, "in": "header", "required": false, "description": says,
        "schema": { "type": "string" }, "example": example
    })
}

/// The names in a path.
fn names(path: &str) -> Vec<Value> {
    let named = path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    named
        .map(|name| {
            let (says, schema, example) = match name {
                "workspace" => ("The workspace's identifier.", IDENTIFIER, "payments"),
                "project" => ("The project's identifier.", IDENTIFIER, "checkout-prod"),
                "platform" => ("The platform's name.", IDENTIFIER, "aws"),
                "id" if path.starts_with(LETTERS) => {
                    ("The letter's id.", "", "7d1c6c1e-0f0b-4c53-9a51-5d0f6a4b8c22")
                }
                "id" => ("The plan's id.", "", "0b7f1e4c-8a52-4c8a-9f0e-0f4c4a4f8a11"),
                "account" => ("The account's id.", "^[0-9]{12}$", "444455556666"),
                "kind" => ("The kind of documents.", "", "Tenant"),
                _ => (
                    "Its name.",
                    IDENTIFIER,
                    if path.starts_with(PLATFORM) { "aws" } else { "production" },
                ),
            };
            let schema = match name {
                "id" => json!({ "type": "string", "format": "uuid" }),
                "kind" => json!({ "enum": Kind::ALL.map(Kind::as_str) }),
                _ => json!({ "type": "string", "pattern": schema }),
            };
            json!({
                "name": name, "in": "path", "required": true, "description": says,
                "schema": schema, "example": example
            })
        })
        .collect()
}

const IDENTIFIER: &str = "^[A-Za-z0-9-]{1,64}$";

fn tag(path: &str) -> &'static str {
    match path.split('/').nth(1) {
        Some("workspaces") => "tenants",
        Some("operator") => "operators",
        Some("schemas" | "openapi.json") => "documents",
        _ => "configuration",
    }
}
