//! `GET /openapi.json`: `OpenAPI` 3.1, made of the types that the handlers answer with.
//!
//! Enters: nothing. Leaves: the document, built once. Invariant: every operation that [`crate::route`] knows stands here and
//! nothing else does (a test compares them); schemas are derived from the very types that are serialised.

mod operations;

use std::sync::OnceLock;

use bytes::Bytes;
use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use operations::{Answer, OPERATIONS, Operation, Parameter, Type};

/// The document as it is served.
pub fn document() -> Bytes {
    static TEXT: OnceLock<Bytes> = OnceLock::new();
    TEXT.get_or_init(|| build().to_string().into()).clone()
}

fn build() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.definitions_path = "/components/schemas".into();
        settings.meta_schema = None;
    });
    let mut schemas = settings.for_serialize().into_generator();
    let error = operations::ErrorMessage::schema(&mut schemas);
    let mut paths = Map::new();
    for operation in OPERATIONS {
        let entry = paths.entry(operation.path).or_insert_with(|| Value::Object(Map::new()));
        entry[operation.method] = describe(operation, &error, &mut schemas);
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Lockgate",
            "description": "Kafka Connect's REST API, and what Lockgate adds to it.",
            "version": env!("CARGO_PKG_VERSION"),
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {
            "schemas": schemas.take_definitions(true),
            "securitySchemes": {
                "basic": {"type": "http", "scheme": "basic"},
                "bearer": {"type": "http", "scheme": "bearer"},
            },
        },
        // Either, or none where the worker asks for none.
        "security": [{"basic": []}, {"bearer": []}, {}],
    })
}

fn describe(operation: &Operation, error: &Value, schemas: &mut SchemaGenerator) -> Value {
    let mut responses = Map::new();
    for (status, answer) in operation.answers {
        responses.insert(status.to_string(), answered(*answer, schemas));
    }
    let body_errors: &[u16] = if operation.body.is_some() { &[408, 413, 415] } else { &[] };
    let usual: &[u16] = &[400, 401, 404, 405, 406, 500, 503];
    for status in usual.iter().chain(body_errors).chain(operation.errors) {
        let refused = json!({"description": reason(*status), "content": {"application/json": {"schema": error}}});
        responses.entry(status.to_string()).or_insert(refused);
    }
    let segments = operation.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let in_path = segments.map(|name| {
        let schema = if name == "task" { json!({"type": "integer", "minimum": 0}) } else { json!({"type": "string"}) };
        json!({"name": name, "in": "path", "required": true, "schema": schema})
    });
    let in_query = operation.query.iter().map(|parameter| {
        let Parameter { name, schema, says } = parameter;
        let schema: Value = serde_json::from_str(schema).unwrap_or_default();
        json!({"name": name, "in": "query", "required": false, "schema": schema, "description": says})
    });
    let parameters: Vec<Value> = in_path.chain(in_query).collect();
    let mut described = json!({
        "operationId": operation.id,
        "summary": operation.says,
        "parameters": parameters,
        "responses": responses,
    });
    if let Some(body) = operation.body {
        described["requestBody"] = json!({"required": true, "content": content(body, schemas)});
    }
    described
}

fn answered(answer: Answer, schemas: &mut SchemaGenerator) -> Value {
    match answer {
        Answer::Empty(says) => json!({"description": says}),
        Answer::Body(says, body) => json!({"description": says, "content": content(body, schemas)}),
        Answer::Located(says, body) => json!({
            "description": says,
            "headers": {"Location": {"schema": {"type": "string"}, "description": "Where it is now."}},
            "content": content(body, schemas),
        }),
    }
}

fn content(body: Type, schemas: &mut SchemaGenerator) -> Value {
    match body {
        Type::Json(schema) => json!({"application/json": {"schema": schema(schemas)}}),
        Type::Wasm => json!({"application/wasm": {}}),
        Type::Text => json!({"text/plain": {"schema": {"type": "string"}}}),
    }
}

fn reason(status: u16) -> &'static str {
    let known = http::StatusCode::from_u16(status).ok();
    known.and_then(|status| status.canonical_reason()).unwrap_or("Refused")
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeSet, HashSet};

    use super::*;
    use crate::route::Route;

    #[test]
    fn every_operation_that_is_served_is_documented_and_no_other() {
        let document = build();
        let mut served = HashSet::new();
        for (path, entry) in document["paths"].as_object().unwrap() {
            let sample = path.replace("{task}", "0").replace(['{', '}'], "");
            let route = Route::of(&crate::path::segments(&sample).unwrap()).unwrap_or_else(|| panic!("{path}"));
            let documented: BTreeSet<String> = entry.as_object().unwrap().keys().map(|m| m.to_uppercase()).collect();
            let methods: BTreeSet<String> = route.methods().iter().map(|m| (*m).to_owned()).collect();
            assert_eq!(documented, methods, "{path}");
            served.insert(std::mem::discriminant(&route));
        }
        assert_eq!(served.len(), Route::KINDS, "a route is missing in the document");
    }

    #[test]
    fn each_reference_points_to_a_schema_and_each_operation_has_its_own_id() {
        let text = build().to_string();
        let document: Value = serde_json::from_str(&text).unwrap();
        let schemas = document["components"]["schemas"].as_object().unwrap();
        for reference in text.split("#/components/schemas/").skip(1) {
            let name = reference.split('"').next().unwrap();
            assert!(schemas.contains_key(name), "{name}");
        }
        let ids: BTreeSet<_> = OPERATIONS.iter().map(|o| o.id).collect();
        assert_eq!(ids.len(), OPERATIONS.len());
        assert_eq!(document["openapi"], "3.1.0");
        assert!(schemas["ConnectorStateInfo"]["properties"]["tasks"].is_object());
    }
}
