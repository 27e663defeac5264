//! The operations of the API, one line each.
//!
//! Enters: nothing. Leaves: a table for the document. Invariant: a schema is named by its type, never written by hand.

use indexmap::IndexMap;
use lockgate_supervisor::view::{
    ConfigInfos, ConfigKeyInfo, ConnectorInfo, ConnectorOffset, ConnectorStateInfo, LogLine, OffsetChange, PackageView,
    PluginEntry, ServerInfo, TaskInfo, TaskState, WorkerHealth,
};
use schemars::{JsonSchema, SchemaGenerator};
use serde::Serialize;
use serde_json::Value;

use crate::connectors::ConnectorList;
use crate::loggers::LoggerLevel;
use crate::previews::{Preview, PreviewRequest};

/// What a body is.
#[derive(Clone, Copy)]
pub enum Type {
    /// JSON of a schema.
    Json(fn(&mut SchemaGenerator) -> Value),
    /// A component.
    Wasm,
    /// Text.
    Text,
}

/// What a status code comes with.
#[derive(Clone, Copy)]
pub enum Answer {
    /// No body.
    Empty(&'static str),
    /// A body.
    Body(&'static str, Type),
    /// A body, and a `Location`.
    Located(&'static str, Type),
}

/// A parameter of the query.
pub struct Parameter {
    /// Its name.
    pub name: &'static str,
    /// JSON schema.
    pub schema: &'static str,
    /// What it means.
    pub says: &'static str,
}

/// One operation.
pub struct Operation {
    /// Template of the path.
    pub path: &'static str,
    /// In lower case.
    pub method: &'static str,
    /// Unique.
    pub id: &'static str,
    /// One sentence.
    pub says: &'static str,
    /// Parameters.
    pub query: &'static [Parameter],
    /// Body of the request.
    pub body: Option<Type>,
    /// Answers that are no refusals, or have a body of their own.
    pub answers: &'static [(u16, Answer)],
    /// Refusals beside the usual ones.
    pub errors: &'static [u16],
}

/// The body of every refusal.
#[derive(Serialize, JsonSchema)]
pub struct ErrorMessage {
    /// The status code again.
    error_code: u16,
    /// For people.
    message: Option<String>,
}

impl ErrorMessage {
    /// Its schema.
    pub fn schema(schemas: &mut SchemaGenerator) -> Value {
        of::<Self>(schemas)
    }
}

/// The body of `POST /connectors`. Values may be strings, numbers, booleans or null.
#[derive(Serialize, JsonSchema)]
struct CreateConnector {
    name: Option<String>,
    config: IndexMap<String, Option<String>>,
    /// `RUNNING`, `PAUSED`, `STOPPED`.
    #[serde(skip_serializing_if = "Option::is_none")]
    initial_state: Option<String>,
}

#[derive(Serialize, JsonSchema)]
struct ConnectorOffsets {
    offsets: Vec<ConnectorOffset>,
}

#[derive(Serialize, JsonSchema)]
struct AlterOffsets {
    offsets: Vec<OffsetChange>,
}

#[derive(Serialize, JsonSchema)]
struct Message {
    message: String,
}

#[derive(Serialize, JsonSchema)]
struct UsedTopics {
    topics: Vec<String>,
}

#[derive(Serialize, JsonSchema)]
struct SetLevel {
    level: String,
}

fn of<T: JsonSchema>(schemas: &mut SchemaGenerator) -> Value {
    schemas.subschema_for::<T>().to_value()
}

const fn json<T: JsonSchema>() -> Type {
    Type::Json(of::<T>)
}

const BOOL: &str = r#"{"type":"boolean"}"#;
const TEXT: &str = r#"{"type":"string"}"#;
const CONFIG: Type = json::<IndexMap<String, Option<String>>>();
const INFO: Type = json::<ConnectorInfo>();
const DONE: Answer = Answer::Empty("Done.");
const ACCEPTED: Answer = Answer::Empty("Accepted: it happens soon.");

const fn get(path: &'static str, id: &'static str, says: &'static str, answers: &'static [(u16, Answer)]) -> Operation {
    Operation { path, method: "get", id, says, query: &[], body: None, answers, errors: &[] }
}

const fn act(
    method: &'static str,
    path: &'static str,
    id: &'static str,
    says: &'static str,
    answers: &'static [(u16, Answer)],
) -> Operation {
    Operation { path, method, id, says, query: &[], body: None, answers, errors: &[409] }
}

/// All of them.
pub const OPERATIONS: &[Operation] = &[
    get("/", "root", "The worker.", &[(200, Answer::Body("The worker.", json::<ServerInfo>()))]),
    get(
        "/health",
        "health",
        "How the worker is.",
        &[
            (200, Answer::Body("Well.", json::<WorkerHealth>())),
            (500, Answer::Body("Not well.", json::<WorkerHealth>())),
            (503, Answer::Body("Starting.", json::<WorkerHealth>())),
        ],
    ),
    get("/metrics", "metrics", "Figures for Prometheus.", &[(200, Answer::Body("Figures.", Type::Text))]),
    get("/openapi.json", "openapi", "This document.", &[(200, Answer::Body("OpenAPI 3.1.", json::<Value>()))]),
    Operation {
        query: &[Parameter {
            name: "expand",
            schema: r#"{"type":"array","items":{"type":"string"}}"#,
            says: "`info`, `status`, or both.",
        }],
        ..get(
            "/connectors",
            "listConnectors",
            "All connectors.",
            &[(200, Answer::Body("Names, or what was asked for by name.", json::<ConnectorList>()))],
        )
    },
    Operation {
        body: Some(json::<CreateConnector>()),
        ..act(
            "post",
            "/connectors",
            "createConnector",
            "Creates a connector.",
            &[(201, Answer::Located("Created.", INFO))],
        )
    },
    get("/connectors/{connector}", "getConnector", "A connector.", &[(200, Answer::Body("The connector.", INFO))]),
    act("delete", "/connectors/{connector}", "deleteConnector", "Removes a connector.", &[(204, DONE)]),
    get(
        "/connectors/{connector}/config",
        "getConfig",
        "A connector's configuration as it was given.",
        &[(200, Answer::Body("The configuration.", json::<IndexMap<String, String>>()))],
    ),
    Operation {
        body: Some(CONFIG),
        ..act(
            "put",
            "/connectors/{connector}/config",
            "putConfig",
            "Sets a connector's configuration; creates the connector if there is none.",
            &[(200, Answer::Body("Changed.", INFO)), (201, Answer::Located("Created.", INFO))],
        )
    },
    Operation {
        body: Some(CONFIG),
        ..act(
            "patch",
            "/connectors/{connector}/config",
            "patchConfig",
            "Sets some keys, removes those that are null.",
            &[(200, Answer::Body("Changed.", INFO))],
        )
    },
    get(
        "/connectors/{connector}/status",
        "getStatus",
        "States of a connector and its tasks.",
        &[(200, Answer::Body("States.", json::<ConnectorStateInfo>()))],
    ),
    get(
        "/connectors/{connector}/tasks",
        "getTasks",
        "A connector's tasks.",
        &[(200, Answer::Body("Tasks.", json::<Vec<TaskInfo>>()))],
    ),
    get(
        "/connectors/{connector}/tasks/{task}/status",
        "getTaskStatus",
        "The state of a task.",
        &[(200, Answer::Body("The state.", json::<TaskState>()))],
    ),
    act("post", "/connectors/{connector}/tasks/{task}/restart", "restartTask", "Restarts a task.", &[(204, DONE)]),
    act("put", "/connectors/{connector}/pause", "pause", "Target state PAUSED.", &[(202, ACCEPTED)]),
    act("put", "/connectors/{connector}/resume", "resume", "Target state RUNNING.", &[(202, ACCEPTED)]),
    act("put", "/connectors/{connector}/stop", "stop", "Target state STOPPED: no tasks.", &[(204, DONE)]),
    Operation {
        query: &[
            Parameter { name: "includeTasks", schema: BOOL, says: "Tasks, too." },
            Parameter { name: "onlyFailed", schema: BOOL, says: "Only what is FAILED." },
        ],
        ..act(
            "post",
            "/connectors/{connector}/restart",
            "restart",
            "Restarts a connector.",
            &[(202, Answer::Body("States as planned.", json::<ConnectorStateInfo>())), (204, DONE)],
        )
    },
    get(
        "/connectors/{connector}/offsets",
        "getOffsets",
        "How far a connector is.",
        &[(200, Answer::Body("Offsets.", json::<ConnectorOffsets>()))],
    ),
    Operation {
        body: Some(json::<AlterOffsets>()),
        ..act(
            "patch",
            "/connectors/{connector}/offsets",
            "alterOffsets",
            "Changes offsets of a STOPPED connector.",
            &[(200, Answer::Body("Changed.", json::<Message>()))],
        )
    },
    act(
        "delete",
        "/connectors/{connector}/offsets",
        "resetOffsets",
        "Forgets the offsets of a STOPPED connector.",
        &[(200, Answer::Body("Forgotten.", json::<Message>()))],
    ),
    Operation {
        errors: &[403],
        ..get(
            "/connectors/{connector}/topics",
            "getTopics",
            "Topics that a connector has used.",
            &[(200, Answer::Body("Topics by connector.", json::<IndexMap<String, UsedTopics>>()))],
        )
    },
    Operation {
        errors: &[403],
        ..act(
            "put",
            "/connectors/{connector}/topics/reset",
            "resetTopics",
            "Forgets the topics that a connector has used.",
            &[(202, ACCEPTED)],
        )
    },
    Operation {
        query: &[Parameter {
            name: "tail",
            schema: r#"{"type":"integer","minimum":1,"maximum":10000}"#,
            says: "Lines.",
        }],
        ..get(
            "/connectors/{connector}/logs",
            "getLogs",
            "The last lines of a connector's plugins.",
            &[(200, Answer::Body("Lines.", json::<Vec<LogLine>>()))],
        )
    },
    Operation {
        query: &[Parameter { name: "connectorsOnly", schema: BOOL, says: "Sources and sinks only; default true." }],
        ..get(
            "/connector-plugins",
            "listPlugins",
            "What can be run.",
            &[(200, Answer::Body("Plugins.", json::<Vec<PluginEntry>>()))],
        )
    },
    Operation {
        query: &[Parameter { name: "version", schema: TEXT, says: "A version, or `latest`." }],
        ..get(
            "/connector-plugins/{plugin}/config",
            "getPluginConfig",
            "The configuration keys of a plugin.",
            &[(200, Answer::Body("Keys.", json::<Vec<ConfigKeyInfo>>()))],
        )
    },
    Operation {
        body: Some(CONFIG),
        ..act(
            "put",
            "/connector-plugins/{plugin}/config/validate",
            "validate",
            "What is wrong with a configuration.",
            &[(200, Answer::Body("Every key with its errors.", json::<ConfigInfos>()))],
        )
    },
    get(
        "/admin/loggers",
        "listLoggers",
        "Levels of the log.",
        &[(200, Answer::Body("Levels by logger.", json::<IndexMap<String, LoggerLevel>>()))],
    ),
    get(
        "/admin/loggers/{logger}",
        "getLogger",
        "The level of a logger.",
        &[(200, Answer::Body("Its level.", json::<LoggerLevel>()))],
    ),
    Operation {
        body: Some(json::<SetLevel>()),
        query: &[Parameter { name: "scope", schema: TEXT, says: "`worker` (default) or `cluster`." }],
        ..act(
            "put",
            "/admin/loggers/{logger}",
            "setLogger",
            "Sets the level of a logger and of those below it.",
            &[(200, Answer::Body("Those that changed.", json::<Vec<String>>())), (204, DONE)],
        )
    },
    Operation {
        body: Some(json::<PreviewRequest>()),
        ..act(
            "post",
            "/transforms/preview",
            "previewTransforms",
            "Tries a chain of transforms, or a predicate, on records.",
            &[(200, Answer::Body("An answer for each record.", json::<Preview>()))],
        )
    },
    get(
        "/packages",
        "listPackages",
        "Packages that are installed.",
        &[(200, Answer::Body("Packages.", json::<Vec<PackageView>>()))],
    ),
    Operation {
        body: Some(Type::Wasm),
        errors: &[409, 422, 507],
        ..act(
            "post",
            "/packages",
            "uploadPackage",
            "Installs a package.",
            &[
                (200, Answer::Located("The same bytes were there.", json::<PackageView>())),
                (201, Answer::Located("Installed.", json::<PackageView>())),
            ],
        )
    },
    get(
        "/packages/{package}",
        "getPackage",
        "All versions of a package.",
        &[(200, Answer::Body("Versions, the newest first.", json::<Vec<PackageView>>()))],
    ),
    get(
        "/packages/{package}/{version}",
        "getPackageVersion",
        "One version of a package.",
        &[(200, Answer::Body("The package.", json::<PackageView>()))],
    ),
    act("delete", "/packages/{package}/{version}", "deletePackage", "Removes a version.", &[(204, DONE)]),
];
