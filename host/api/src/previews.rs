//! `POST /transforms/preview`: a chain or a predicate on the records of the request.
//!
//! Enters: `{"config", "records", "kind", "predicate"}`. Leaves: `{"records"}`, one answer for each record, in order. Invariant:
//! nothing is produced or kept; what a request may cost is bounded in bytes, records, time and company; references to
//! secrets in the configuration stay references.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use indexmap::IndexMap;
use lockgate_supervisor::preview::{BATCH_RECORDS, RecordKind, Subject};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;
use tokio::sync::Semaphore;

use crate::answer::{Outcome, Refusal, json};
use crate::body;
use crate::dispatch::{Call, Desk};

/// Records of a request at most.
const RECORDS_MAX: usize = 1_000;
/// Previews at the same time; others are told to come back.
const PREVIEWS_MAX: usize = 2;
/// How long a preview may take.
const PREVIEW_TIMEOUT: Duration = Duration::from_secs(30);

static TURNS: Semaphore = Semaphore::const_new(PREVIEWS_MAX);

#[derive(Deserialize)]
struct Asked<'a> {
    config: IndexMap<String, Box<RawValue>>,
    #[serde(borrow)]
    records: Vec<&'a RawValue>,
    kind: Option<String>,
    predicate: Option<String>,
}

/// The body of a request, for the document.
#[derive(Deserialize, JsonSchema)]
#[expect(dead_code, reason = "only its schema is wanted")]
pub struct PreviewRequest {
    /// A connector's `transforms`, `transforms.*`, `predicates`, `predicates.*`.
    config: IndexMap<String, Option<String>>,
    /// Records: `topic`, `partition`, `offset`, `timestamp`, `keySchema`, `key`, `valueSchema`, `value`, `headers`; schemas as
    /// in Kafka's JSON envelope, values as its payloads. At most 1,000.
    records: Vec<Value>,
    /// `sink` (default) or `source`.
    kind: Option<String>,
    /// Alias of a predicate of `config` that is to be tried instead of the transforms.
    predicate: Option<String>,
}

/// The answer.
#[derive(Serialize, JsonSchema)]
pub struct Preview {
    /// One for each record of the request, in order: the record, `{"dropped": true}`, `{"result": bool}` for a predicate, or
    /// `{"error": {"stage", "class", "message"}}`.
    #[schemars(with = "Vec<Value>")]
    records: Vec<Box<RawValue>>,
}

impl Desk {
    /// Answers `POST /transforms/preview`.
    pub async fn preview(&self, call: Call, headers: &HeaderMap) -> Outcome {
        let bytes: Bytes = body::read(headers, call.body, body::JSON_BYTES_MAX, "the body").await?;
        let asked: Asked<'_> = body::parse(&bytes)?;
        let config = body::scalars(asked.config)?;
        let kind = match asked.kind.as_deref() {
            None | Some("sink") => RecordKind::Sink,
            Some("source") => RecordKind::Source,
            Some(other) => {
                return Err(Refusal::bad_request(format!("kind is {other:?}; allowed: sink, source")));
            }
        };
        if asked.records.len() > RECORDS_MAX {
            let text = format!("{} records are too many: at most {RECORDS_MAX} are tried at once", asked.records.len());
            return Err(Refusal::bad_request(text));
        }
        let Ok(_turn) = TURNS.try_acquire() else {
            let text = format!("{PREVIEWS_MAX} other previews are under way; try again [preview.busy]");
            return Err(Refusal::new(StatusCode::SERVICE_UNAVAILABLE, text));
        };
        let subject = asked.predicate.map_or(Subject::Chain, |alias| Subject::Predicate(Some(alias)));
        let trying = async {
            let mut trial = self.handle.preview(&subject, &config, kind).await;
            let mut answers = Vec::with_capacity(asked.records.len());
            for records in asked.records.chunks(BATCH_RECORDS) {
                let lines: Vec<&str> = records.iter().map(|record| record.get()).collect();
                answers.extend(trial.answer(&lines).await);
            }
            trial.close().await;
            answers
        };
        let late = |_| {
            let text = format!("the transforms did not come to an end within {PREVIEW_TIMEOUT:?} [preview.timeout]");
            Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, text)
        };
        let answers = tokio::time::timeout(PREVIEW_TIMEOUT, trying).await.map_err(late)?;
        let records: Result<Vec<_>, _> = answers.into_iter().map(RawValue::from_string).collect();
        let broken = |e: serde_json::Error| Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, e.to_string());
        Ok(json(StatusCode::OK, &Preview { records: records.map_err(broken)? }))
    }
}
